//! A PostgreSQL that is killed in the middle of a run, in whatever it is just doing, and comes back (specification 4.4, 5.3):
//! the run waits for it and comes out the same.

use std::process::Stdio;
use std::time::{Duration, Instant};

use powerfill_tests::postgres::{DedicatedServer, Durability};

use crate::compare;
use crate::desk::{Answer, Desk};

const KILLS: u32 = 16;

/// The moments are spread over a run, in steps that no step of a run falls in with.
fn moment(took: Duration, number: u32) -> Duration {
    took * (number * 617 % 1_000) / 1_000
}

#[test]
fn a_run_outlives_its_server() {
    let server = DedicatedServer::start(Durability::Synced);
    let desk = Desk::with_store(server.url("postgres"));
    desk.ask("generate --loans 3000 --trades 1100 --out book");
    desk.ask("run dir:book --store sqlite:undisturbed.db --out undisturbed");
    let begun = Instant::now();
    desk.ask("run dir:book");
    let took = begun.elapsed();
    let runs = || desk.type_in("runs --format csv").well().table();
    let (mut complete, mut refused) = (1, 0);
    for number in 0..KILLS {
        let mut run = desk.command(["run", "dir:book", "--out", "out"]);
        let run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(moment(took, number));
        server.stop("immediate");
        server.start();
        let answer = Answer::from(run.wait_with_output().unwrap());
        let at = format!("kill {number}: {}{}", answer.out, answer.err);
        if answer.status == Some(2) && runs().rows.len() == complete {
            // The server was away when the store was to be opened: nothing was begun.
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
    println!("{complete} runs outlived their server, {refused} found it away");
    assert!(refused * 4 <= KILLS, "{refused} of {KILLS} were killed too early");
    let runs = runs();
    assert_eq!(runs.rows.len(), complete, "{runs:?}");
    assert!(runs.column("status").iter().all(|status| *status == "Complete"), "{runs:?}");
    desk.ask("verify");
}
