//! The consumers of docs/examples, run against a service: if a consumer is killed and started
//! again, each event counts once.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

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
        Self(consumer.spawn().expect("the consumer starts"))
    }

    /// The lines of its output.
    fn lines(&mut self) -> Lines<BufReader<ChildStdout>> {
        BufReader::new(self.0.stdout.take().expect("the output is piped")).lines()
    }
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

#[test]
fn the_shell_consumer_prints_each_event_once() {
    let (sandbox, server, token) = start_service();
    let script = example("consumer.sh");
    let command = ["bash", script.to_str().expect("a path"), "position.txt"];
    let sql = "SELECT event_type, position FROM es_events ORDER BY position";
    let all = query(&sandbox.path("books.db"), sql);
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
        let saved = std::fs::read_to_string(sandbox.path("position.txt")).expect("the position");
        printed.truncate(saved.parse().expect("a number"));
    }
    let mut consumer = Consumer::start(&sandbox, &server, &token, &command);
    let rest = consumer.lines().take(all.len() - printed.len());
    printed.extend(rest.map(|line| line.expect("text")));
    let all: Vec<String> =
        all.iter().map(|(event_type, position)| format!("{position} {event_type}")).collect();
    assert_eq!(printed.len(), all.len());
    assert_eq!(printed, all);
}

#[test]
fn the_python_consumer_counts_each_event_once() {
    const KILLS: i64 = 8;
    let (sandbox, server, token) = start_service();
    let script = example("consumer.py");
    let command = ["python3", script.to_str().expect("a path"), "tally.db"];
    let expected = query(
        &sandbox.path("books.db"),
        "SELECT 'powerfill.run.' || event_type || '.v' || schema_version, count(*) FROM es_events \
         GROUP BY 1 ORDER BY 1",
    );
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
