//! Several services on one PostgreSQL store, killed services, and slow clients: a tenant has one
//! active run, and streams of events lose nothing (specification 4.4, 4.5, 5.3).

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Mutex;

use powerfill_tests::waiting::WAIT_LIMIT;
use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::served::{Server, write_settings};

fn generate(sandbox: &Sandbox, sizes: &str) {
    sandbox.run_ok(&format!("generate {sizes} --out book"));
}

/// A sandbox with a tenant and its book, whose store is in a database.
fn sandbox_in_database(sizes: &str) -> Sandbox {
    let sandbox = Sandbox::in_database();
    generate(&sandbox, sizes);
    write_settings(&sandbox, sandbox.store().expect("the store has a URL"));
    sandbox
}

#[test]
fn two_services_never_start_two_runs_for_one_tenant() {
    let sandbox = sandbox_in_database("--loans 60 --trades 20 --pools 10");
    let servers = [Server::start(&sandbox, &[]), Server::start(&sandbox, &[])];
    for round in 1..=8 {
        let answers = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for asks in 0..8 {
                let (server, answers) = (&servers[asks % 2], &answers);
                scope.spawn(move || {
                    let answer = server.request("POST", "/api/powerfill/run", "", "{}");
                    answers.lock().expect("no panic").push(answer);
                });
            }
        });
        let answers = answers.into_inner().expect("no panic");
        let started: Vec<&Value> =
            answers.iter().filter(|(status, _)| *status == 202).map(|(_, body)| body).collect();
        // A request after the end of the first run starts another run.
        assert!(!started.is_empty(), "{answers:?}");
        for (_, refused) in answers.iter().filter(|(status, _)| *status != 202) {
            assert_eq!(refused["type"], "urn:powerfill:problem:run-active", "{refused}");
            assert!(started.iter().any(|run| run["run_id"] == refused["run_id"]), "{answers:?}");
        }
        for run in &started {
            servers[round % 2].wait_until_complete(run["run_id"].as_str().expect("a run"));
        }
    }
    // The same key means the same run, in both services and every time.
    let keyed = |server: &Server| server.start_run("idempotency-key: morning\r\n");
    let run = keyed(&servers[0]);
    assert_eq!(keyed(&servers[1]), run);
    servers[1].wait_until_complete(&run);
    assert_eq!(keyed(&servers[0]), run);
    for server in servers {
        server.stop();
    }
    let runs = sandbox.run(["runs", "--tenant", "GENERATED", "--format", "csv"]).success().table();
    assert!(runs.column("status").iter().all(|status| *status == "Complete"), "{runs:?}");
    sandbox.run_ok("verify --tenant GENERATED");
}

/// A client of the live stream.
struct Stream {
    lines: BufReader<TcpStream>,
}

impl Stream {
    fn open(server: &Server, last: u64) -> Self {
        let mut stream = TcpStream::connect(&server.address).expect("the service listens");
        stream.set_read_timeout(Some(WAIT_LIMIT)).expect("a timeout");
        let request = format!(
            "GET /api/powerfill/events/stream HTTP/1.1\r\nhost: {}\r\nx-tenant-id: GENERATED\r\nlast-event-id: \
             {last}\r\n\r\n",
            server.address
        );
        stream.write_all(request.as_bytes()).expect("the service reads");
        Self { lines: BufReader::new(stream) }
    }

    /// The position and the type of the next event; `None` if the connection has ended.
    fn next(&mut self) -> Option<(u64, String)> {
        let (mut position, mut event) = (None, None);
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).ok()? == 0 {
                return None;
            }
            // An incomplete event has no empty line at its end, and is ignored.
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
fn a_stream_continues_at_another_service_after_a_kill() {
    let sandbox = sandbox_in_database("--loans 300 --trades 80 --pools 60");
    // This service works on the runs, and is not killed.
    let worker = Server::start(&sandbox, &[]);
    let mut last = 0;
    let mut arrived = Vec::new();
    let mut runs = 0;
    for killed in 0..6 {
        let server = Server::start(&sandbox, &["--no-workers"]);
        let mut stream = Stream::open(&server, last);
        let run = worker.start_run("");
        runs += 1;
        // Another number of events before each kill.
        for _ in 0..40 + killed * 97 {
            let (position, event) = stream.next().expect("the stream continues");
            last = position;
            arrived.push((position, event));
        }
        // This kills the service.
        drop(server);
        while let Some((position, event)) = stream.next() {
            last = position;
            arrived.push((position, event));
        }
        worker.wait_until_complete(&run);
    }
    let mut stream = Stream::open(&worker, last);
    let ends =
        |arrived: &[(u64, String)]| arrived.iter().filter(|(_, e)| e == "RunCompleted").count();
    while ends(&arrived) < runs {
        arrived.push(stream.next().expect("the stream continues"));
    }
    let positions: Vec<u64> = arrived.iter().map(|(position, _)| *position).collect();
    let dense: Vec<u64> = (1..=positions.len() as u64).collect();
    assert_eq!(positions, dense);
    worker.stop();
}

/// The resident memory of a process, in KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn clients_that_do_not_read_need_little_memory_and_delay_no_other() {
    let sandbox = Sandbox::new();
    generate(&sandbox, "--loans 6000 --trades 1500 --pools 900 --seed 5");
    write_settings(&sandbox, "sqlite:books.db");
    let server = Server::start(&sandbox, &[]);
    let run = |server: &Server| {
        server.wait_until_complete(&server.start_run(""));
    };
    run(&server);
    let size = |name| std::fs::metadata(sandbox.path(name)).map_or(0, |file| file.len() / 1024);
    let log = size("books.db") + size("books.db-wal");
    let before = resident(server.id());
    let mut idle: Vec<Stream> = (0..60).map(|_| Stream::open(&server, 0)).collect();
    // They are connected, and the buffers of their sockets are full.
    for stream in &mut idle {
        assert_eq!(stream.next().expect("the stream continues").0, 1);
    }
    run(&server);
    let grown = resident(server.id()).saturating_sub(before);
    // Each may hold two batches of 2,048 events, of 1.5 MiB or less each; the events of the log are
    // more than 40 MiB.
    assert!(grown < 60 * 4 * 1024, "{grown} KiB more for 60 readers of a log of {log} KiB");
    // A client that reads again misses nothing.
    let mut slow = idle.swap_remove(17);
    let (mut ends, mut before) = (0, 1);
    while ends < 2 {
        let (position, event) = slow.next().expect("the stream continues");
        assert_eq!(position, before + 1);
        before = position;
        ends += usize::from(event == "RunCompleted");
    }
    drop(idle);
    server.stop();
}
