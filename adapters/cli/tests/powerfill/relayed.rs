//! `relay` as a process of its own: killed at many moments, begun before the broker is there, told
//! to stop.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use powerfill_tests::nats::NatsServer;
use powerfill_tests::seeded::SeededRng;

use crate::desk::Desk;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

fn desk(generate: &str, runs: usize) -> Desk {
    let desk = Desk::new();
    desk.ask(&format!("generate {generate} --out book"));
    let settings =
        "[tenants.GENERATED]\nstore = \"sqlite:books.db\"\nsource = \"dir:book\"\n".to_owned();
    std::fs::write(desk.path("powerfill.toml"), settings).expect("settings are written");
    for _ in 0..runs {
        desk.ask("run --tenant GENERATED");
    }
    desk
}

fn relay(desk: &Desk, server: &NatsServer) -> Child {
    let args = ["relay", "--all-tenants", "--nats", &server.url()];
    let mut command = desk.command(args);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

/// The global positions of what the stream has.
fn positions(server: &NatsServer) -> Vec<u64> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let messages = runtime.block_on(server.messages("POWERFILL"));
    let position = |payload: &[u8]| {
        let event: serde_json::Value = serde_json::from_slice(payload).expect("JSON");
        event["globalposition"].as_str().and_then(|at| at.parse().ok()).expect("a position")
    };
    messages.iter().map(|message| position(&message.payload)).collect()
}

fn dense(until: usize) -> Vec<u64> {
    (1..=until as u64).collect()
}

/// Whether the relay has said that it is where the log ends.
fn is_level(desk: &Desk) -> bool {
    let store = rusqlite::Connection::open(desk.path("books.db")).expect("the store");
    let sql =
        "SELECT count(*) FROM subscribers JOIN es_head ON es_head.position = subscribers.position";
    store.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("the store answers") == 1
}

#[test]
fn killed_at_any_moment_it_loses_and_doubles_nothing() {
    let server = NatsServer::start("");
    let desk = desk("--loans 2000 --trades 500 --pools 300 --seed 3", 1);
    let mut chance = SeededRng::new(3);
    for _ in 0..20 {
        let mut relay = relay(&desk, &server);
        std::thread::sleep(Duration::from_millis(chance.in_range(15, 90)));
        relay.kill().and_then(|()| relay.wait()).expect("it is killed");
    }
    let said = desk.ask(&format!("relay --all-tenants --once --nats {}", server.url()));
    let positions = positions(&server);
    assert!(positions.len() > 5_000, "{} events", positions.len());
    assert_eq!(positions, dense(positions.len()));
    assert!(said.contains(&format!("has the events up to {}", positions.len())), "{said}");
}

#[test]
fn it_waits_for_a_broker_and_goes_on_until_it_is_told_to_stop() {
    let mut server = NatsServer::stopped("");
    let desk = desk("--loans 60 --trades 20 --pools 10", 1);
    let once = format!("relay --all-tenants --once --nats {}", server.url());
    desk.type_in(&once).refuses(2, &["127.0.0.1", "refused"]);
    let mut relay = relay(&desk, &server);
    server.launch();
    desk.ask("run --tenant GENERATED");
    let begun = Instant::now();
    while !is_level(&desk) {
        assert!(begun.elapsed() < PATIENCE, "it does not get there");
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = Command::new("kill").args(["-TERM", &relay.id().to_string()]).status();
    assert!(told.expect("kill runs").success());
    assert!(relay.wait().expect("it ends").success());
    let positions = positions(&server);
    assert_eq!(positions, dense(positions.len()));
}

#[test]
fn without_a_broker_named_it_says_where_to_name_one() {
    let desk = desk("--loans 20 --trades 5 --pools 3", 0);
    desk.type_in("relay --all-tenants").refuses(2, &["--nats", "powerfill.toml"]);
    desk.type_in("relay --all-tenants --nats ftp://x").refuses(2, &["nats://HOST:PORT"]);
}
