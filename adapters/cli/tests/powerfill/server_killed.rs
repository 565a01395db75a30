//! A PostgreSQL server that is killed in the middle of a run and starts again (specification 4.4,
//! 5.3). The run waits for the server, and gives the results of an undisturbed run. If the server
//! takes longer to start than a run waits, a worker gives them.
//!
//! A proxy counts the messages of a run to the server. The server is killed at a given message, so
//! that a failure can be replayed on any machine.

use std::process::Stdio;

use powerfill_tests::postgres::{DedicatedServer, Durability};
use powerfill_tests::proxy::{ProxyFault, TcpProxy};
use powerfill_tests::waiting::eventually_blocking;

use crate::compare;
use crate::process::{BackgroundProcess, scattered};
use crate::sandbox::{CommandOutput, Sandbox, block_on};

const KILLS: usize = 16;

#[test]
fn a_run_survives_kills_of_its_server() {
    let server = DedicatedServer::start(Durability::Synced);
    let proxy = block_on(TcpProxy::to_port(server.port()));
    let sandbox = Sandbox::with_store(server.url_on_port(proxy.port(), "postgres"));
    sandbox.run_ok("generate --loans 3000 --trades 1100 --out book");
    sandbox.run_ok("run dir:book --store sqlite:undisturbed.db --out undisturbed");
    // The first run also creates the store.
    sandbox.run_ok("run dir:book");
    let before = proxy.message_count();
    sandbox.run_ok("run dir:book");
    let messages = proxy.message_count() - before;
    let (mut complete, mut refused, mut interrupted) = (2, 0, 0);
    for kill in 0..KILLS {
        let message = scattered(kill, messages);
        proxy.fail_at_message(message, ProxyFault::Stall);
        let mut command = sandbox.command(["run", "dir:book", "--out", "out"]);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut run = BackgroundProcess::start(command);
        eventually_blocking(format!("message {message} of {messages}"), || {
            proxy.has_failed() || run.has_ended()
        });
        server.stop("immediate");
        server.start();
        // A fault that did not happen must not hit the next command.
        proxy.fail_at_message(0, ProxyFault::Stall);
        proxy.disconnect_all();
        let output = run.finish();
        let context = format!("kill at message {message}: {}{}", output.out, output.err);
        if output.status == Some(2) && sandbox.runs().rows.len() == complete {
            // The store could not be opened, so the run was not requested.
            assert!(output.err.contains("unavailable"), "{context}");
            refused += 1;
            continue;
        }
        complete += 1;
        if output.status == Some(2) {
            assert_work_goes_on(&sandbox, &output);
            interrupted += 1;
            continue;
        }
        assert_eq!(output.status, Some(0), "{context}");
        let found = compare::folders(&sandbox.path("undisturbed"), &sandbox.path("out"));
        assert!(found.is_empty(), "{context}\n{}", found.join("\n"));
        std::fs::remove_dir_all(sandbox.path("out")).unwrap();
    }
    println!("of {KILLS} kills, {refused} refused and {interrupted} interrupted a run");
    assert!(refused * 4 <= KILLS, "{refused} of {KILLS} kills came before the request");
    let runs = sandbox.runs();
    assert_eq!(runs.rows.len(), complete, "{runs:?}");
    assert_alike(&sandbox);
}

/// Expects that a run was interrupted, and that a worker completes it.
fn assert_work_goes_on(sandbox: &Sandbox, interrupted: &CommandOutput) {
    assert_eq!(interrupted.status, Some(2), "{}{}", interrupted.out, interrupted.err);
    let promise = "`powerfill work` goes on with it";
    assert!(interrupted.err.contains(promise), "{}", interrupted.err);
    sandbox.expire_lease();
    sandbox.prints("work --once", &["is Complete"]);
}

/// Expects that every run of the store is complete, with the same outputs, and that it verifies.
fn assert_alike(sandbox: &Sandbox) {
    let runs = sandbox.runs();
    assert!(runs.column("status").iter().all(|status| *status == "Complete"), "{runs:?}");
    let digests = runs.column("output_digest");
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{runs:?}");
    sandbox.run_ok("verify");
}

/// From the middle of the run on, nothing passes the network any more. When it does again, a worker
/// goes on.
#[test]
fn a_run_ends_when_its_server_falls_silent() {
    let (sandbox, proxy) = Sandbox::behind_proxy();
    sandbox.run_ok("generate --loans 3000 --trades 1100 --out book");
    sandbox.run_ok("run dir:book");
    let before = proxy.message_count();
    sandbox.run_ok("run dir:book");
    let messages = proxy.message_count() - before;
    proxy.fail_at_message(messages / 2, ProxyFault::Stall);
    let run = sandbox.run(["run", "dir:book"]);
    assert!(proxy.has_failed(), "{}{}", run.out, run.err);
    assert!(!run.err.contains("panicked"), "{}", run.err);
    proxy.disconnect_all();
    assert_work_goes_on(&sandbox, &run);
    assert_alike(&sandbox);
}
