//! A PostgreSQL that is killed in the middle of a run and starts again (specification 4.4, 5.3).
//! The run waits for the server and gives the same results.
//!
//! A proxy counts the messages of a run to the server. The server is killed at a given message, so
//! that a failure can be replayed on any machine.

use std::process::Stdio;

use powerfill_tests::postgres::{DedicatedServer, Durability};
use powerfill_tests::proxy::{ProxyFault, TcpProxy};
use powerfill_tests::waiting::eventually_blocking;

use crate::compare;
use crate::desk::{Answer, Desk};

const KILLS: usize = 16;

/// The message of the n-th kill. The factor spreads the kills over the run without a pattern.
fn message_of(kill: usize, messages: usize) -> usize {
    1 + messages * (kill * 617 % 1_000) / 1_000
}

#[test]
fn a_run_outlives_its_server() {
    let server = DedicatedServer::start(Durability::Synced);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime for the proxy");
    let proxy = runtime.block_on(TcpProxy::to_port(server.port()));
    let desk = Desk::with_store(server.url_on_port(proxy.port(), "postgres"));
    desk.ask("generate --loans 3000 --trades 1100 --out book");
    desk.ask("run dir:book --store sqlite:undisturbed.db --out undisturbed");
    // The first run also creates the schema.
    desk.ask("run dir:book");
    let before = proxy.message_count();
    desk.ask("run dir:book");
    let messages = proxy.message_count() - before;
    let runs = || desk.type_in("runs --format csv").well().table();
    let (mut complete, mut refused) = (2, 0);
    for kill in 0..KILLS {
        let message = message_of(kill, messages);
        proxy.fail_at_message(message, ProxyFault::Stall);
        let mut run = desk.command(["run", "dir:book", "--out", "out"]);
        let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        eventually_blocking(format!("message {message} of {messages}"), || {
            proxy.has_failed() || run.try_wait().unwrap().is_some()
        });
        server.stop("immediate");
        server.start();
        proxy.disconnect_all();
        let answer = Answer::from(run.wait_with_output().unwrap());
        let at = format!("kill at message {message}: {}{}", answer.out, answer.err);
        if answer.status == Some(2) && runs().rows.len() == complete {
            // The store could not be opened: the run did not begin.
            assert!(answer.err.contains("unavailable"), "{at}");
            refused += 1;
            continue;
        }
        assert_eq!(answer.status, Some(0), "{at}");
        complete += 1;
        let found = compare::folders(&desk.path("undisturbed"), &desk.path("out"));
        assert!(found.is_empty(), "{at}\n{}", found.join("\n"));
        std::fs::remove_dir_all(desk.path("out")).unwrap();
    }
    println!("{complete} runs outlived their server, {refused} could not begin");
    assert!(refused * 4 <= KILLS, "{refused} of {KILLS} were killed too early");
    let runs = runs();
    assert_eq!(runs.rows.len(), complete, "{runs:?}");
    assert!(runs.column("status").iter().all(|status| *status == "Complete"), "{runs:?}");
    desk.ask("verify");
}
