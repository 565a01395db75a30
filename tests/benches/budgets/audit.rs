//! Measurements of an auditor's commands: steps through a run, a replay, a verification.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use powerfill_app::as_of::Timeline;
use powerfill_sqlite::SqliteStore;
use powerfill_tests::all_runs::AllRuns;

use crate::{row, seconds};

/// Number of states that are read.
const LOOKS: u64 = 1_000;

/// Measures the state after scattered events, including the one reading of the run.
pub(crate) fn steps(store: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = SqliteStore::open_existing(store).unwrap();
    let (opened, looked, events) = runtime.block_on(async {
        let run = store.all_runs().await.unwrap()[0].run_id;
        let begun = Instant::now();
        let timeline = Timeline::open(&store, run).await.unwrap();
        let opened = begun.elapsed().as_micros();
        for look in 1..=LOOKS {
            // Steps of a prime number of events scatter the positions, the same on every machine.
            let event = look * 15_485_863 % timeline.events() + 1;
            assert_eq!(timeline.at(event).await.unwrap().summary.events, event);
        }
        (opened, begun.elapsed().as_micros(), timeline.events())
    });
    let (opened, looked) = (seconds(opened), seconds(looked));
    let measured =
        format!("{looked} for a run of {events} events, {opened} of it to read the run once");
    row("the state after 1,000 scattered events, `demo`", "5 s", &measured);
}

/// Measures `replay` and `verify` from start to exit.
pub(crate) fn commands(powerfill: &Path, store: &Path, scale: &str) {
    let url = format!("sqlite:{}", store.display());
    for args in [&["replay", "latest"][..], &["verify"]] {
        let begun = Instant::now();
        let done = Command::new(powerfill).args(args).args(["--store", &url]).output().unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        let micros = begun.elapsed().as_micros();
        row(&format!("`{}` at `{scale}`, from start to exit", args[0]), "–", &seconds(micros));
    }
}
