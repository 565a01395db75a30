//! A run as of any of its events: a timeline, a single read, and a fold of all events before give
//! the same state.

use futures::TryStreamExt;
use powerfill_app::as_of::{Timeline, check_event, run_at_event};
use powerfill_app::rebuild::{fold, fold_to};
use powerfill_app::{AppError, DecodedEvent, read_run};
use powerfill_ports::Store;
use powerfill_tables::summary::RunSummary;

use crate::books;
use crate::desk::Desk;

/// The hash of a state.
fn hash(summary: &RunSummary) -> blake3::Hash {
    blake3::hash(&serde_json::to_vec(summary).expect("a summary is JSON"))
}

pub(crate) async fn the_state_after_any_event_is_shown(desk: &Desk) {
    let run = desk.complete(&books::mixed()).await;
    let store: &dyn Store = desk.store.as_ref();
    let reads: Vec<DecodedEvent> = read_run(store, run).try_concat().await.unwrap();
    let timeline = Timeline::open(store, run).await.unwrap();
    assert_eq!(timeline.events(), reads.len() as u64);
    assert!(reads.len() > 1_000, "the timeline keeps several states");
    // From the last to the first, so that no read can use the one before it.
    let mut folded = RunSummary::new(run);
    let states: Vec<_> = reads
        .iter()
        .map(|read| {
            folded.apply(&read.recorded(run));
            hash(&folded)
        })
        .collect();
    for version in (1..=timeline.events()).rev() {
        let (read, state) = (&reads[version as usize - 1], &states[version as usize - 1]);
        let found = timeline.at(version).await.unwrap();
        assert_eq!(hash(&found.summary), *state, "after event {version}");
        assert_eq!(found.event, *read);
    }
    for version in [1, 2, reads.len() as u64 / 2, reads.len() as u64] {
        let single = run_at_event(store, run, version).await.unwrap();
        assert_eq!(hash(&single.summary), states[version as usize - 1]);
    }
    let beyond = reads.len() as u64 + 1;
    for (version, error) in [
        (0, timeline.at(0).await.err()),
        (beyond, timeline.at(beyond).await.err()),
        (beyond, run_at_event(store, run, beyond).await.err()),
        (beyond, check_event(store, run, beyond).await.err()),
    ] {
        assert!(
            matches!(error, Some(AppError::NoSuchEvent { event, events, .. })
                if event == version && events == beyond - 1),
            "{version}"
        );
    }
}

pub(crate) async fn tables_are_made_as_of_any_event(desk: &Desk) {
    let run = desk.complete(&books::small()).await;
    let store: &dyn Store = desk.store.as_ref();
    let events = desk.stored(run).await.len() as u64;
    let mut counts = Vec::new();
    for version in 1..=events {
        let mut rows = 0;
        fold_to(store, run, version, async |batches, _| {
            let guide = batches.iter().filter(|batch| batch.table.name == "pfill_powerfill_guide");
            rows += guide.map(|batch| batch.len()).sum::<usize>();
            Ok(())
        })
        .await
        .unwrap();
        counts.push(rows);
    }
    assert!(counts.is_sorted(), "no loan of this book is moved: {counts:?}");
    let mut whole = 0;
    fold(store, run, async |batches, _| {
        let guide = batches.iter().filter(|batch| batch.table.name == "pfill_powerfill_guide");
        whole += guide.map(|batch| batch.len()).sum::<usize>();
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!((counts.first(), counts.last()), (Some(&0), Some(&whole)));
    assert!(whole > 0);
}
