//! `relay` as a process: killed at many points, started before its broker, and stopped.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use powerfill_tests::nats::NatsServer;
use powerfill_tests::proxy::{ProxyFault, TcpProxy};
use powerfill_tests::waiting::eventually_blocking;

use crate::process::{BackgroundProcess, scattered};
use crate::sandbox::{Sandbox, block_on};
use crate::served::write_settings;

fn sandbox(generate: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run_ok(&format!("generate {generate} --out book"));
    write_settings(&sandbox, "sqlite:books.db");
    sandbox
}

fn start_relay(sandbox: &Sandbox, url: &str) -> BackgroundProcess {
    let mut command: Command = sandbox.command(["relay", "--all-tenants", "--nats", url]);
    BackgroundProcess::start(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

/// The global positions of the messages of the stream.
fn positions(server: &NatsServer) -> Vec<u64> {
    let messages = block_on(server.messages("POWERFILL"));
    let position = |payload: &[u8]| {
        let event: serde_json::Value = serde_json::from_slice(payload).expect("JSON");
        event["globalposition"].as_str().and_then(|at| at.parse().ok()).expect("a position")
    };
    messages.iter().map(|message| position(&message.payload)).collect()
}

fn dense(until: usize) -> Vec<u64> {
    (1..=until as u64).collect()
}

/// Whether the relay has recorded that it has reached the end of the log.
fn is_at_end(sandbox: &Sandbox) -> bool {
    let store = rusqlite::Connection::open(sandbox.path("books.db")).expect("the store opens");
    let sql =
        "SELECT count(*) FROM subscribers JOIN es_head ON es_head.position = subscribers.position";
    store.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count") == 1
}

/// How many messages a relay sends to a new broker.
fn count_messages(sandbox: &Sandbox) -> usize {
    let server = NatsServer::start("");
    let proxy = block_on(TcpProxy::to_port(server.port()));
    let nats = format!("nats://127.0.0.1:{}", proxy.port());
    sandbox.run_ok(&format!("relay --all-tenants --once --nats {nats}"));
    proxy.message_count()
}

#[test]
fn a_killed_relay_loses_and_repeats_nothing() {
    const KILLS: usize = 20;
    let generate = "--loans 2000 --trades 500 --pools 300 --seed 3";
    let sandbox = sandbox(generate);
    sandbox.run_ok("run --tenant GENERATED");
    let messages = count_messages(&sandbox);
    // The position of the relay, which belongs to the broker of the count.
    let forget = "DELETE FROM subscribers";
    let store = rusqlite::Connection::open(sandbox.path("books.db")).expect("the store opens");
    store.execute(forget, []).expect("the position is removed");
    drop(store);

    let server = NatsServer::start("");
    let proxy = block_on(TcpProxy::to_port(server.port()));
    let nats = format!("nats://127.0.0.1:{}", proxy.port());
    let mut killed_at = Vec::new();
    for number in 0..KILLS {
        // The relays share the log, so each gets a tenth of it at most.
        let message = scattered(number, messages / 10);
        proxy.fail_at_message(message, ProxyFault::Stall);
        let relay = start_relay(&sandbox, &nats);
        eventually_blocking(format!("message {message} after kills at {killed_at:?}"), || {
            proxy.has_failed() || is_at_end(&sandbox)
        });
        drop(relay);
        proxy.fail_at_message(0, ProxyFault::Stall);
        proxy.disconnect_all();
        killed_at.push(message);
    }
    let printed = sandbox.run_ok(&format!("relay --all-tenants --once --nats {nats}"));
    let positions = positions(&server);
    assert!(positions.len() > 5_000, "{} events", positions.len());
    assert_eq!(positions, dense(positions.len()), "kills at messages {killed_at:?}");
    let end = format!("has the events up to {}", positions.len());
    assert!(printed.contains(&end), "{printed}");
}

#[test]
fn a_relay_waits_for_its_broker_and_runs_until_sigterm() {
    let mut server = NatsServer::stopped("");
    let sandbox = sandbox("--loans 60 --trades 20 --pools 10");
    sandbox.run_ok("run --tenant GENERATED");
    let once = format!("relay --all-tenants --once --nats {}", server.url());
    sandbox.run_line(&once).fails_with(2, &["127.0.0.1", "refused"]);
    let relay = start_relay(&sandbox, &server.url());
    server.launch();
    sandbox.run_ok("run --tenant GENERATED");
    eventually_blocking("the relay reaches the end of the log", || is_at_end(&sandbox));
    relay.signal("-TERM");
    assert_eq!(relay.finish().status, Some(0));
    let positions = positions(&server);
    assert_eq!(positions, dense(positions.len()));
}

/// A relay that is stopped while NATS refuses every message has not reached the end.
#[test]
fn a_relay_that_is_stopped_too_early_has_status_1() {
    let server = NatsServer::start("");
    let sandbox = sandbox("--loans 60 --trades 20 --pools 10");
    sandbox.run_ok("run --tenant GENERATED");
    let once = format!("relay --all-tenants --once --nats {}", server.url());
    sandbox.run_ok(&once);
    let sent = positions(&server).len();
    block_on(server.refuse_messages("POWERFILL", sent));
    sandbox.run_ok("run --tenant GENERATED");
    let mut relay = sandbox.command(once.split_whitespace());
    let mut relay = BackgroundProcess::start(relay.stdout(Stdio::piped()).stderr(Stdio::piped()));
    // The first line of the log says that the relay waits.
    let mut log = BufReader::new(relay.child().stderr.take().expect("the log is piped"));
    let mut line = String::new();
    log.read_line(&mut line).expect("the relay logs");
    assert!(line.contains("the relay tries again"), "{line}");
    relay.signal("-TERM");
    let expected = format!("has the events up to {sent}; stopped before the end of the log");
    relay.finish().answers(1, &[&expected]);
}

#[test]
fn without_a_broker_the_error_says_how_to_name_one() {
    let sandbox = sandbox("--loans 20 --trades 5 --pools 3");
    sandbox.run_line("relay --all-tenants").fails_with(2, &["--nats", "powerfill.toml"]);
    sandbox.run_line("relay --all-tenants --nats ftp://x").fails_with(2, &["nats://HOST:PORT"]);
}
