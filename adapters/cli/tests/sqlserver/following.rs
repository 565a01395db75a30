//! Publishing of completed runs: by a worker, and by `publish --follow` (specification 4.1, 4.5).

use std::process::{Command, Stdio};

use powerfill_tests::proxy::{ProxyFault, TcpProxy};
use powerfill_tests::waiting::eventually_blocking;

use crate::Test;
use crate::faults::{server_port, with_port};
use crate::process::BackgroundProcess;
use crate::sandbox::{Sandbox, block_on, case};
use crate::server::Schema;

pub(crate) const TESTS: &[Test] = tests! {
    following:
    a_worker_publishes_completed_runs,
    a_killed_publisher_continues,
};

/// Writes the settings of a tenant whose outputs are published to this URL.
fn write_settings(sandbox: &Sandbox, url: &str) {
    let (url, password) = split_password(url);
    let source = case("41").join("snapshot");
    let settings = format!(
        "[tenants.WATERMARK]\nstore = \"sqlite:books.db\"\nsource = \"dir:{}\"\n\
         publish = \"{url}\"\npublish_password_file = \"secret\"\n",
        source.display()
    );
    sandbox.write("powerfill.toml", settings);
    sandbox.write("secret", password);
}

/// The URL without its password, and the password.
fn split_password(url: &str) -> (String, String) {
    let (before, after) = url.split_once('@').expect("a user");
    let (user, password) = before.rsplit_once(':').expect("a password");
    (format!("{user}@{after}"), password.to_owned())
}

fn latest(sandbox: &Sandbox) -> String {
    let runs = sandbox.run_line("runs --tenant WATERMARK --format csv").success().table();
    runs.column("run_id")[0].to_owned()
}

/// Waits until the tables show the run.
fn wait_until_shown(schema: &Schema, run: &str) {
    eventually_blocking(format!("run {run} is shown"), || schema.one(&shown_run(schema)) == run);
}

/// A query of the run that was published last.
fn shown_run(schema: &Schema) -> String {
    let publication = schema.table("pfill_publication");
    format!("SELECT MAX(CAST(run_id AS NVARCHAR(36))) FROM {publication}")
}

fn start(sandbox: &Sandbox, line: &str) -> BackgroundProcess {
    let mut command: Command = sandbox.command(line.split_whitespace());
    BackgroundProcess::start(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

fn a_worker_publishes_completed_runs() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    write_settings(&sandbox, &schema.url());
    sandbox.run_ok("run --tenant WATERMARK --no-wait");
    sandbox.run_ok("work --tenant WATERMARK --once");
    assert_eq!(schema.shown(), latest(&sandbox));
    let worker = start(&sandbox, "work --all-tenants");
    sandbox.run_ok("run --tenant WATERMARK --no-wait --price-mode pc");
    let run = latest(&sandbox);
    wait_until_shown(&schema, &run);
    drop(worker);
    assert_eq!(schema.shown(), run);
    let url = schema.url();
    sandbox.run(["diff", &run, "--tenant", "WATERMARK", "--against", &url]).success();
}

fn a_killed_publisher_continues() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let proxy = block_on(TcpProxy::to_port(server_port()));
    write_settings(&sandbox, &with_port(&schema.url(), proxy.port()));
    for turn in 0..6 {
        let mode = ["po", "pc"][turn % 2];
        sandbox.run_ok(&format!("run --tenant WATERMARK --price-mode {mode}"));
        let run = latest(&sandbox);
        let message = 1 + 23 * turn;
        proxy.fail_at_message(message, ProxyFault::Stall);
        let publisher = start(&sandbox, "publish --follow --tenant WATERMARK");
        eventually_blocking(format!("the publisher sends message {message}"), || {
            proxy.has_failed() || schema.one(&shown_run(&schema)) == run
        });
        drop(publisher);
        proxy.fail_at_message(0, ProxyFault::Stall);
        proxy.disconnect_all();
        let publisher = start(&sandbox, "publish --follow --tenant WATERMARK");
        wait_until_shown(&schema, &run);
        drop(publisher);
        assert_eq!(schema.shown(), run, "killed at message {message}");
    }
}
