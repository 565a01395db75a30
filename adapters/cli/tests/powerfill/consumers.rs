//! The consumers of docs/examples, run against a service: if a consumer is killed and started
//! again, each event counts once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use powerfill_tests::event_blocks;
use powerfill_tests::waiting::eventually_blocking;

use crate::sandbox::Sandbox;
use crate::served::{Server, sandbox};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples").join(name)
}

/// A consumer with its child processes, killed when it is dropped.
struct Consumer(Child);

impl Drop for Consumer {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

impl Consumer {
    fn start(sandbox: &Sandbox, server: &Server, token: &str, command: &[&str]) -> Self {
        Self(consumer(sandbox, server, token, command).spawn().expect("the consumer starts"))
    }

    /// The lines of its output.
    fn lines(&mut self) -> Lines<BufReader<ChildStdout>> {
        BufReader::new(self.0.stdout.take().expect("the output is piped")).lines()
    }
}

/// The command of a consumer.
fn consumer(sandbox: &Sandbox, server: &Server, token: &str, command: &[&str]) -> Command {
    use std::os::unix::process::CommandExt;
    let mut consumer = Command::new(command[0]);
    consumer
        .args(&command[1..])
        .current_dir(sandbox.path(""))
        .env("API", format!("http://{}/api/powerfill", server.address))
        .env("TENANT", "GENERATED")
        .env("TOKEN", token)
        .process_group(0)
        .stdout(Stdio::piped());
    consumer
}

/// A sandbox with two runs, a service, and a viewer's token.
fn start_service() -> (Sandbox, Server, String) {
    let sandbox = sandbox();
    let token = sandbox.run_ok("token create --tenant GENERATED --role viewer --name screen");
    for _ in 0..2 {
        sandbox.run_ok("run --tenant GENERATED");
    }
    let server = Server::start(&sandbox, &["--no-workers"]);
    (sandbox, server, token.trim().to_owned())
}

/// The result of a query of a text and a number per row; empty if the file or the table does not
/// exist yet.
fn query(file: &Path, sql: &str) -> Vec<(String, i64)> {
    let Ok(store) = rusqlite::Connection::open(file) else { return vec![] };
    let Ok(mut rows) = store.prepare(sql) else { return vec![] };
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.map_or_else(|_| vec![], |rows| rows.filter_map(Result::ok).collect())
}

/// The type, schema version, and position of each event in the store.
fn recorded(sandbox: &Sandbox) -> Vec<(String, String, i64)> {
    let store = rusqlite::Connection::open(sandbox.path("books.db")).expect("the store");
    let event = |(position, line): (i64, String)| {
        let mut words = line.split(' ').map(str::to_owned);
        let schema = (words.next(), words.next());
        let (Some(event_type), Some(schema_version)) = schema else { panic!("{line}") };
        (event_type, schema_version, position)
    };
    event_blocks::all_lines(&store).into_iter().map(event).collect()
}

#[test]
fn the_shell_consumer_prints_each_event_once() {
    let (sandbox, server, token) = start_service();
    let script = example("consumer.sh");
    let command = ["bash", script.to_str().expect("a path"), "position.txt"];
    let all = recorded(&sandbox);
    assert!(all.len() > 450, "{} events", all.len());
    let mut printed = Vec::new();
    for lines in [150, 300] {
        let mut consumer = Consumer::start(&sandbox, &server, &token, &command);
        let mut out = consumer.lines();
        let lines = lines.min(all.len() - printed.len());
        printed.extend(out.by_ref().take(lines).map(|line| line.expect("text")));
        drop(consumer);
        // The consumer may have printed more before it was killed.
        printed.extend(out.map_while(Result::ok));
        // The position of the last line may not be saved yet; then the line is printed again.
        let saved = sandbox.read("position.txt");
        let (saved, _) = saved.split_once(' ').expect("a position and a hash");
        printed.truncate(saved.parse().expect("a number"));
    }
    let mut consumer = Consumer::start(&sandbox, &server, &token, &command);
    let rest = consumer.lines().take(all.len() - printed.len());
    printed.extend(rest.map(|line| line.expect("text")));
    let all: Vec<String> =
        all.iter().map(|(event_type, _, position)| format!("{position} {event_type}")).collect();
    assert_eq!(printed.len(), all.len());
    assert_eq!(printed, all);
}

#[test]
fn the_python_consumer_counts_each_event_once() {
    const KILLS: i64 = 8;
    let (sandbox, server, token) = start_service();
    let script = example("consumer.py");
    let command = ["python3", script.to_str().expect("a path"), "tally.db"];
    let mut counts = BTreeMap::new();
    for (event_type, schema_version, _) in recorded(&sandbox) {
        *counts.entry(format!("powerfill.run.{event_type}.v{schema_version}")).or_insert(0) += 1;
    }
    let expected: Vec<(String, i64)> = counts.into_iter().collect();
    let file = sandbox.path("tally.db");
    let tally = || query(&file, "SELECT type, count FROM tally ORDER BY type");
    let total = |tally: &[(String, i64)]| tally.iter().map(|(_, count)| count).sum::<i64>();
    let all = total(&expected);
    for kill in 1..=KILLS {
        // The consumer is killed when it has counted a share of the events; the last one counts
        // all.
        let share = all * kill / KILLS;
        let _consumer = Consumer::start(&sandbox, &server, &token, &command);
        eventually_blocking(format!("{share} of {all} events are counted"), || {
            total(&tally()) >= share
        });
    }
    assert_eq!(tally(), expected);
    let mut refused = Consumer::start(&sandbox, &server, "pf_0", &command);
    assert!(!refused.0.wait().expect("an invalid token ends the consumer").success());
}

/// A proxy that answers in words of its own while the service starts again.
fn unready_proxy(server: &Server, refusals: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("an address").to_string();
    let upstream = server.address.clone();
    std::thread::spawn(move || {
        for (at, client) in listener.incoming().enumerate() {
            let Ok(mut client) = client else { return };
            if at < refusals {
                let page = "<html>\n\n<h1>502 Bad Gateway</h1>\n\n</html>\n";
                let head =
                    "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Type: text/html";
                let length = page.len();
                let mut request = [0; 4096];
                let _ = client.read(&mut request);
                let _ = write!(client, "{head}\r\nContent-Length: {length}\r\n\r\n{page}");
                continue;
            }
            let Ok(service) = TcpStream::connect(&upstream) else { return };
            for (mut from, mut to) in
                [(&client, &service), (&service, &client)].map(|(from, to)| {
                    (from.try_clone().expect("a copy"), to.try_clone().expect("a copy"))
                })
            {
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    address
}

#[test]
fn the_consumers_outlast_a_proxy_without_a_service() {
    let (sandbox, server, token) = start_service();
    let all = recorded(&sandbox).len();
    for name in ["consumer.sh", "consumer.py"] {
        let script = example(name);
        let (program, file) = match name {
            "consumer.sh" => ("bash", "position.txt"),
            _ => ("python3", "tally.db"),
        };
        let address = unready_proxy(&server, 2);
        let mut command =
            consumer(&sandbox, &server, &token, &[program, script.to_str().expect("a path"), file]);
        command.env("API", format!("http://{address}/api/powerfill"));
        let mut consumer = Consumer(command.spawn().expect("the consumer starts"));
        match name {
            "consumer.sh" => assert_eq!(consumer.lines().take(all).count(), all),
            _ => eventually_blocking("all events are counted", || {
                let total = "SELECT '', sum(count) FROM tally HAVING sum(count) > 0";
                query(&sandbox.path(file), total) == [(String::new(), all as i64)]
            }),
        }
    }
}

/// A store that was set back to a backup has other events at positions that a consumer remembers.
#[test]
fn a_consumer_whose_position_is_of_another_log_ends_and_says_so() {
    let (sandbox, server, token) = start_service();
    let all = recorded(&sandbox).len();
    let (shell, python) = (example("consumer.sh"), example("consumer.py"));
    let commands = [
        ["bash", shell.to_str().expect("a path"), "position.txt"],
        ["python3", python.to_str().expect("a path"), "tally.db"],
    ];
    let mut consumers =
        commands.map(|command| Consumer::start(&sandbox, &server, &token, &command));
    assert_eq!(consumers[0].lines().take(all).filter_map(Result::ok).count(), all);
    eventually_blocking("both consumers are at the end", || {
        let shell = std::fs::read_to_string(sandbox.path("position.txt")).unwrap_or_default();
        let python = query(&sandbox.path("tally.db"), "SELECT hash, last FROM position");
        shell.starts_with(&format!("{all} "))
            && python.first().is_some_and(|(_, last)| *last == all as i64)
    });
    drop(consumers);
    server.stop();

    for runs in [1, 3] {
        // One run is a shorter log; three are a longer one with other events.
        std::fs::remove_file(sandbox.path("books.db")).expect("the store is there");
        for _ in 0..runs {
            sandbox.run_ok("run --tenant GENERATED");
        }
        let server = Server::start(&sandbox, &["--no-workers"]);
        let kind = if runs == 1 { "position-ahead" } else { "another-log" };
        for command in &commands {
            let mut consumer = consumer(&sandbox, &server, &token, command);
            let ended = consumer.stderr(Stdio::piped()).output().expect("the consumer starts");
            assert_eq!(ended.status.code(), Some(1), "{kind}: {command:?}");
            let said = String::from_utf8_lossy(&ended.stderr);
            assert!(said.contains("restored from a backup"), "{kind}: {said}");
        }
        server.stop();
    }
}

#[test]
fn the_reader_of_blocks_prints_each_event_of_a_file() {
    let sandbox = sandbox();
    sandbox.run_ok("run --tenant GENERATED");
    let read = Command::new("python3")
        .arg(example("read_blocks.py"))
        .arg(sandbox.path("books.db"))
        .output()
        .expect("python3 starts");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let printed = String::from_utf8(read.stdout).expect("events are text");
    let mut printed = printed.lines();
    for (event_type, schema_version, position) in recorded(&sandbox) {
        let line = printed.next().expect("one line per event");
        let words: Vec<&str> = line.splitn(6, ' ').collect();
        assert_eq!(words[0], position.to_string());
        assert_eq!(words[3..5], [event_type, schema_version]);
        let payload: serde_json::Value = serde_json::from_str(words[5]).expect("JSON");
        assert!(payload.is_object());
    }
    assert_eq!(printed.next(), None);
}
