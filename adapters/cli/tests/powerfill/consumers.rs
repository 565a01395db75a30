//! The consumers of docs/examples, run against a service: killed and begun again, each event counts
//! once.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::desk::Desk;
use crate::served::{Server, desk};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples").join(name)
}

/// A consumer with its processes, killed with the test.
struct Consumer(Child);

impl Drop for Consumer {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

impl Consumer {
    fn start(desk: &Desk, server: &Server, token: &str, command: &[&str]) -> Self {
        use std::os::unix::process::CommandExt;
        let mut consumer = Command::new(command[0]);
        consumer
            .args(&command[1..])
            .current_dir(desk.path(""))
            .env("API", format!("http://{}/api/powerfill", server.address))
            .env("TENANT", "GENERATED")
            .env("TOKEN", token)
            .process_group(0)
            .stdout(Stdio::piped());
        Self(consumer.spawn().expect("it starts"))
    }
}

/// A desk with runs, a service, and a viewer's token.
fn served() -> (Desk, Server, String) {
    let desk = desk();
    let token = desk.ask("token create --tenant GENERATED --role viewer --name screen");
    for _ in 0..2 {
        desk.ask("run --tenant GENERATED");
    }
    let server = Server::start(&desk, &["--no-workers"]);
    (desk, server, token.trim().to_owned())
}

/// The events of the log, by what stands in the store.
fn recorded(desk: &Desk, sql: &str) -> Vec<(String, i64)> {
    let store = rusqlite::Connection::open(desk.path("books.db")).expect("the store");
    let mut rows = store.prepare(sql).expect("SQL");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn the_one_in_the_shell_prints_each_event_once() {
    let (desk, server, token) = served();
    let script = example("consumer.sh");
    let command = ["bash", script.to_str().expect("a path"), "position.txt"];
    let all = recorded(&desk, "SELECT event_type, position FROM es_events ORDER BY position");
    let mut printed = Vec::new();
    for take in [150, 300, usize::MAX] {
        let mut consumer = Consumer::start(&desk, &server, &token, &command);
        let out = BufReader::new(consumer.0.stdout.take().expect("it is piped"));
        let take = take.min(all.len() - printed.len());
        printed.extend(out.lines().take(take).map(|line| line.expect("text")));
        drop(consumer);
        // What was printed last may not be kept yet, and then comes again: at least once.
        let kept = std::fs::read_to_string(desk.path("position.txt")).expect("the position");
        if printed.len() < all.len() {
            printed.truncate(kept.parse().expect("a number"));
        }
    }
    let all: Vec<String> =
        all.iter().map(|(event_type, position)| format!("{position} {event_type}")).collect();
    assert_eq!(printed.len(), all.len());
    assert_eq!(printed, all);
}

#[test]
fn the_one_in_python_counts_each_event_once() {
    let (desk, server, token) = served();
    let script = example("consumer.py");
    let command = ["python3", script.to_str().expect("a path"), "tally.db"];
    let wanted = recorded(
        &desk,
        "SELECT 'powerfill.run.' || event_type || '.v' || schema_version, count(*) FROM es_events GROUP BY 1 ORDER BY 1",
    );
    let tally = || -> Vec<(String, i64)> {
        let Ok(kept) = rusqlite::Connection::open(desk.path("tally.db")) else { return vec![] };
        let Ok(mut rows) = kept.prepare("SELECT type, count FROM tally ORDER BY type") else {
            return vec![];
        };
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.map_or_else(|_| vec![], |rows| rows.filter_map(Result::ok).collect())
    };
    let begun = Instant::now();
    let mut killed = 0;
    // It is killed again and again, and still gets there.
    while tally() != wanted {
        assert!(begun.elapsed() < PATIENCE, "{:?} of {wanted:?}", tally());
        let consumer = Consumer::start(&desk, &server, &token, &command);
        std::thread::sleep(Duration::from_millis(250 + 50 * killed));
        drop(consumer);
        killed += 1;
    }
    // And a token that is not valid ends it with the problem.
    let mut refused = Consumer::start(&desk, &server, "pf_0", &command);
    assert!(!refused.0.wait().expect("it ends").success());
}
