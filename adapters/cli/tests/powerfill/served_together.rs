//! Several services on one PostgreSQL store, killed and slow clients: one run a tenant, and streams
//! of events that lose nothing (specification 4.4, 4.5, 5.3).

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use powerfill_tests::postgres::TestDatabase;
use serde_json::Value;

use crate::desk::Desk;
use crate::served::Server;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

fn desk(store: &str, generate: &str) -> Desk {
    let desk = Desk::new();
    desk.ask(&format!("generate {generate} --out book"));
    let settings = format!("[tenants.GENERATED]\nstore = \"{store}\"\nsource = \"dir:book\"\n");
    std::fs::write(desk.path("powerfill.toml"), settings).expect("settings are written");
    desk
}

fn url_of(database: &TestDatabase) -> String {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(database.url())
}

fn until_complete(server: &Server, run: &str) {
    let begun = Instant::now();
    loop {
        let (_, view) = server.ask("GET", &format!("/api/powerfill/runs/{run}"), "", "");
        match view["status"].as_str() {
            Some("Complete") => return,
            Some("Failed" | "Cancelled") => panic!("{view}"),
            _ => assert!(begun.elapsed() < PATIENCE, "{view}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn two_services_never_start_two_runs_for_one_tenant() {
    let database = TestDatabase::new();
    let desk = desk(&url_of(&database), "--loans 60 --trades 20 --pools 10");
    let servers = [Server::start(&desk, &[]), Server::start(&desk, &[])];
    for round in 1..=8 {
        let answers = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for asks in 0..8 {
                let (server, answers) = (&servers[asks % 2], &answers);
                scope.spawn(move || {
                    let answer = server.ask("POST", "/api/powerfill/run", "", "{}");
                    answers.lock().expect("no panic").push(answer);
                });
            }
        });
        let answers = answers.into_inner().expect("no panic");
        let begun: Vec<&Value> =
            answers.iter().filter(|(status, _)| *status == 202).map(|(_, body)| body).collect();
        // One that comes after the first is over begins another one.
        assert!(!begun.is_empty(), "{answers:?}");
        for (_, refused) in answers.iter().filter(|(status, _)| *status != 202) {
            assert_eq!(refused["type"], "urn:powerfill:problem:run-active", "{refused}");
            assert!(begun.iter().any(|run| run["run_id"] == refused["run_id"]), "{answers:?}");
        }
        for run in &begun {
            until_complete(&servers[round % 2], run["run_id"].as_str().expect("a run"));
        }
    }
    // The same key is the same run, whichever service is asked, and however often.
    let keyed = |server: &Server| {
        let headers = "idempotency-key: morning\r\n";
        let (status, asked) = server.ask("POST", "/api/powerfill/run", headers, "{}");
        assert_eq!(status, 202, "{asked}");
        asked["run_id"].as_str().expect("a run").to_owned()
    };
    let run = keyed(&servers[0]);
    assert_eq!(keyed(&servers[1]), run);
    until_complete(&servers[1], &run);
    assert_eq!(keyed(&servers[0]), run);
    for server in servers {
        server.stop();
    }
    let runs = desk.powerfill(["runs", "--tenant", "GENERATED", "--format", "csv"]).well().table();
    assert!(runs.column("status").iter().all(|status| *status == "Complete"), "{runs:?}");
    desk.ask("verify --tenant GENERATED");
}

/// A client of the live stream.
struct Stream {
    lines: BufReader<TcpStream>,
}

impl Stream {
    fn open(server: &Server, last: u64) -> Self {
        let mut stream = TcpStream::connect(&server.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let request = format!(
            "GET /api/powerfill/events/stream HTTP/1.1\r\nhost: {}\r\nx-tenant-id: GENERATED\r\nlast-event-id: \
             {last}\r\n\r\n",
            server.address
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        Self { lines: BufReader::new(stream) }
    }

    /// The position of the next event and its type; `None` where the connection is gone.
    fn next(&mut self) -> Option<(u64, String)> {
        let (mut position, mut event) = (None, None);
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).ok()? == 0 {
                return None;
            }
            // An event that was cut off in the middle has no empty line at its end, and counts for
            // nothing.
            match line.trim_end().split_once(": ") {
                Some(("id", id)) => position = id.parse().ok(),
                Some(("event", name)) => event = Some(name.to_owned()),
                None if line == "\n" && position.is_some() => return position.zip(event),
                _ => {}
            }
        }
    }
}

#[test]
fn a_stream_goes_on_at_another_service_when_one_is_killed() {
    let database = TestDatabase::new();
    let desk = desk(&url_of(&database), "--loans 300 --trades 80 --pools 60");
    // It carries the runs through, and stays.
    let worker = Server::start(&desk, &[]);
    let mut last = 0;
    let mut arrived = Vec::new();
    let mut runs = 0;
    for killed in 0..6 {
        let server = Server::start(&desk, &["--no-workers"]);
        let mut stream = Stream::open(&server, last);
        let (_, asked) = worker.ask("POST", "/api/powerfill/run", "", "{}");
        let run = asked["run_id"].as_str().expect("a run").to_owned();
        runs += 1;
        // At another moment each time, in the middle of what comes.
        for _ in 0..40 + killed * 97 {
            let (position, event) = stream.next().expect("it goes on");
            last = position;
            arrived.push((position, event));
        }
        // Dropping it kills it.
        drop(server);
        while let Some((position, event)) = stream.next() {
            last = position;
            arrived.push((position, event));
        }
        until_complete(&worker, &run);
    }
    let mut stream = Stream::open(&worker, last);
    let ends =
        |arrived: &[(u64, String)]| arrived.iter().filter(|(_, e)| e == "RunCompleted").count();
    while ends(&arrived) < runs {
        arrived.push(stream.next().expect("it goes on"));
    }
    let positions: Vec<u64> = arrived.iter().map(|(position, _)| *position).collect();
    let dense: Vec<u64> = (1..=positions.len() as u64).collect();
    assert_eq!(positions, dense);
    worker.stop();
}

/// What a process has in memory, in KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn clients_that_do_not_read_cost_little_and_hold_nobody_back() {
    let desk = desk("sqlite:books.db", "--loans 6000 --trades 1500 --pools 900 --seed 5");
    let server = Server::start(&desk, &[]);
    let run = |server: &Server| {
        let (_, asked) = server.ask("POST", "/api/powerfill/run", "", "{}");
        let run = asked["run_id"].as_str().expect("a run").to_owned();
        until_complete(server, &run);
    };
    run(&server);
    let size = |name| std::fs::metadata(desk.path(name)).map_or(0, |file| file.len() / 1024);
    let log = size("books.db") + size("books.db-wal");
    let before = resident(server.id());
    let mut idle: Vec<Stream> = (0..60).map(|_| Stream::open(&server, 0)).collect();
    // They are let in, and what the sockets hold has been sent.
    for stream in &mut idle {
        assert_eq!(stream.next().expect("it goes on").0, 1);
    }
    run(&server);
    let grown = resident(server.id()).saturating_sub(before);
    // Each has a batch, or two.
    assert!(grown < log * 60 / 5, "{grown} KiB more for 60 readers of a log of {log} KiB");
    // And nothing is lost for the one that reads on.
    let mut slow = idle.swap_remove(17);
    let (mut ends, mut before) = (0, 1);
    while ends < 2 {
        let (position, event) = slow.next().expect("it goes on");
        assert_eq!(position, before + 1);
        before = position;
        ends += usize::from(event == "RunCompleted");
    }
    drop(idle);
    server.stop();
}
