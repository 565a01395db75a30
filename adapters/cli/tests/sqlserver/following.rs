//! Those who follow the log: a worker, and a process of its own (specification 4.1, 4.5).

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::Test;
use crate::desk::{Desk, case};
use crate::server::Schema;

pub(crate) const TESTS: &[Test] = &[
    ("following::a_worker_publishes_what_it_completes", a_worker_publishes_what_it_completes),
    ("following::killed_and_begun_again_it_goes_on", killed_and_begun_again_it_goes_on),
];

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A desk of a tenant whose outputs go there.
fn tenant(schema: &Schema) -> Desk {
    let desk = Desk::new();
    let (url, password) = secret(&schema.url());
    let source = case("41").join("snapshot");
    let settings = format!(
        "[tenants.WATERMARK]\nstore = \"sqlite:books.db\"\nsource = \"dir:{}\"\npublish = \"{url}\"\n\
         publish_password_file = \"secret\"\n",
        source.display()
    );
    std::fs::write(desk.path("powerfill.toml"), settings).expect("settings are written");
    std::fs::write(desk.path("secret"), password).expect("a password is written");
    desk
}

/// The URL without its password, and the password.
fn secret(url: &str) -> (String, String) {
    let (before, after) = url.split_once('@').expect("a user");
    let (user, password) = before.rsplit_once(':').expect("a password");
    (format!("{user}@{after}"), password.to_owned())
}

fn latest(desk: &Desk) -> String {
    let runs = desk.ask("runs --tenant WATERMARK --format csv");
    runs.lines().nth(1).and_then(|line| line.split(',').next()).expect("a run").to_owned()
}

/// Waits until the tables show the run.
fn waits(schema: &Schema, run: &str) {
    let begun = Instant::now();
    let publication = schema.table("pfill_publication");
    let shown =
        || schema.one(&format!("SELECT MAX(CAST(run_id AS NVARCHAR(36))) FROM {publication}"));
    while shown() != run {
        assert!(begun.elapsed() < PATIENCE, "run {run} is not shown");
    }
}

fn a_worker_publishes_what_it_completes() {
    let schema = Schema::migrated();
    let desk = tenant(&schema);
    desk.ask("run --tenant WATERMARK --no-wait");
    desk.ask("work --tenant WATERMARK --once");
    assert_eq!(schema.shown(), latest(&desk));
    let mut worker = desk
        .command(["work", "--all-tenants"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    desk.ask("run --tenant WATERMARK --no-wait --price-mode pc");
    let run = latest(&desk);
    waits(&schema, &run);
    worker.kill().and_then(|()| worker.wait()).expect("it is killed");
    assert_eq!(schema.shown(), run);
    desk.powerfill(["diff", &run, "--tenant", "WATERMARK", "--against", &schema.url()]).well();
}

fn killed_and_begun_again_it_goes_on() {
    let schema = Schema::migrated();
    let desk = tenant(&schema);
    for turn in 0..6 {
        let mode = ["po", "pc"][turn % 2];
        desk.ask(&format!("run --tenant WATERMARK --price-mode {mode}"));
        let follow = || {
            let mut command = desk.command(["publish", "--follow", "--tenant", "WATERMARK"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
        };
        // In the middle of it, wherever that is.
        let mut publisher = follow();
        std::thread::sleep(Duration::from_millis(97 * turn as u64));
        publisher.kill().and_then(|()| publisher.wait()).expect("it is killed");
        let mut publisher = follow();
        waits(&schema, &latest(&desk));
        publisher.kill().and_then(|()| publisher.wait()).expect("it is killed");
        assert_eq!(schema.shown(), latest(&desk));
    }
}
