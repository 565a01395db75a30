//! A replay reproduces unchanged runs and names the first differing event of forged ones, whose
//! hash chain, seals, and tables are valid.

use std::sync::Arc;

use powerfill_app::NoObserver;
use powerfill_app::replay::{EventDifference, ReplayOutcome, ReplayReport, replay};
use powerfill_events::log::{AppendMeta, EncodedBatch, SchemaId};
use powerfill_events::run::event::{RunFailed, Step};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::stream::event_name;
use powerfill_events::values::Price;
use powerfill_memory::MemoryStore;
use powerfill_ports::events::{Append, EventStore};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_tables::status::RunStatus;
use powerfill_tests::{event_blocks, sqlite_file};
use uuid::Uuid;

use crate::books;
use crate::desk::Desk;

async fn replayed(desk: &Desk, run: RunId) -> ReplayReport {
    replay(desk.store.as_ref(), run, Arc::new(NoObserver)).await.expect("the store answers")
}

fn difference(replay: &ReplayReport) -> &EventDifference {
    match &replay.answer {
        ReplayOutcome::Differs(difference) => difference,
        other => panic!("{other:?}"),
    }
}

/// Replays a run whose events were changed as if they had been recorded that way.
async fn forged(desk: &Desk, run: RunId, change: impl Fn(u64, &mut RunEvent)) -> ReplayReport {
    forged_from(desk, run, desk.events(run).await, change).await
}

async fn forged_from(
    desk: &Desk,
    run: RunId,
    mut events: Vec<RunEvent>,
    change: impl Fn(u64, &mut RunEvent),
) -> ReplayReport {
    (1..).zip(&mut events).for_each(|(version, event)| change(version, event));
    replayed_from(desk, run, EncodedBatch::encode(&events)).await
}

/// Replays a run that has these events in another store.
async fn replayed_from(desk: &Desk, run: RunId, events: EncodedBatch) -> ReplayReport {
    let store = MemoryStore::new();
    let request = desk.events(run).await.swap_remove(0);
    let RunEvent::RunRequested(requested) = request else { panic!("the request is first") };
    let canonical = desk.store.captured(&requested.snapshot_digest).await.unwrap();
    store.capture(&requested.snapshot_digest, &canonical).await.unwrap();
    let append = Append {
        append_id: Uuid::from_u128(1),
        stream: run.stream(),
        expected_version: 0,
        meta: AppendMeta::new(requested.tenant_id, "forger", desk.now()),
        events,
        lease: None,
    };
    store.append(append).await.unwrap();
    assert_eq!(store.verify(None).await.unwrap().damage, None, "the chain is sound");
    replay(&store, run, Arc::new(NoObserver)).await.expect("the store answers")
}

pub(crate) async fn a_run_with_any_end_is_reproduced(desk: &Desk) {
    for book in [books::small(), books::mixed(), books::refused()] {
        let (run, _) = desk.run(&book).await;
        let replay = replayed(desk, run).await;
        assert_eq!(replay.answer, ReplayOutcome::Reproduced);
        assert_eq!(replay.events, desk.stored(run).await.len() as u64);
        assert!(!replay.is_of_another_version());
    }
}

pub(crate) async fn a_cancelled_run_is_reproduced_up_to_its_end(desk: &Desk) {
    let run = desk.request(&books::mixed()).await;
    let waiting = replayed(desk, run).await;
    assert_eq!(waiting.events, 1);
    assert!(waiting.is_reproduced(), "{waiting:?}");
    desk.work_cancelled_at(Step::PoolGuide).await;
    assert_eq!(desk.status(run).await, RunStatus::Cancelled);
    let replay = replayed(desk, run).await;
    let events = desk.stored(run).await.len() as u64;
    let ending = "the run was cancelled by chief".to_owned();
    assert_eq!(replay.answer, ReplayOutcome::ReproducedSoFar { ending });
    assert_eq!(replay.events, events - 1, "all but the cancellation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_event_of_any_type_is_named_with_its_field() {
    let desk = Desk::in_memory();
    let run = desk.complete(&books::mixed()).await;
    let events = desk.events(run).await;
    let mut forged_types = 0;
    let place_of = |kind: fn(&RunEvent) -> bool| {
        events.iter().position(kind).map(|at| at as u64 + 1).expect("the run has one")
    };
    let cent = Price::from_units(1);
    type Forgery = (fn(&RunEvent) -> bool, fn(&mut RunEvent, Price), &'static str);
    let forgeries: [Forgery; 3] = [
        (
            |event| matches!(event, RunEvent::CandidateScored(_)),
            |event, cent| match event {
                RunEvent::CandidateScored(scored) => {
                    scored.pricing.score += cent;
                }
                _ => panic!("it is a candidate"),
            },
            "score",
        ),
        (
            |event| matches!(event, RunEvent::LoanAllocated(_)),
            |event, cent| match event {
                RunEvent::LoanAllocated(placed) => {
                    placed.pricing.payup += cent;
                }
                _ => panic!("it is a placement"),
            },
            "payup",
        ),
        (
            |event| matches!(event, RunEvent::RunCompleted(_)),
            |event, _| match event {
                RunEvent::RunCompleted(completed) => completed.output_digest = "0".repeat(64),
                _ => panic!("it is the end"),
            },
            "output_digest",
        ),
    ];
    for (kind, forge, field) in forgeries {
        let place = place_of(kind);
        let replay = forged(&desk, run, |version, event| {
            if version == place {
                forge(event, cent);
            }
        })
        .await;
        let difference = difference(&replay);
        assert_eq!((difference.stream_version, replay.events), (place, place - 1), "{field}");
        let differing: Vec<&str> = difference
            .fields
            .iter()
            .filter(|pair| pair.differs())
            .map(|pair| pair.field.rsplit('.').next().unwrap_or_default())
            .collect();
        assert_eq!(differing, [field]);
        assert!(difference.fields.len() > 1, "what is the same is shown beside it");
        forged_types += 1;
    }
    assert_eq!(forged_types, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_left_out_or_added_is_named() {
    let desk = Desk::in_memory();
    let run = desk.complete(&books::small()).await;
    let events = desk.events(run).await;
    let at = events.iter().position(|event| matches!(event, RunEvent::LoanAllocated(_))).unwrap();
    let mut left_out = events.clone();
    left_out.remove(at);
    let replay = forged_from(&desk, run, left_out, |_, _| {}).await;
    assert_eq!(difference(&replay).stream_version, at as u64 + 1);

    let mut beyond = events.clone();
    beyond.push(RunEvent::RunFailed(RunFailed {
        step: Step::Record,
        code: "RUN_BROKEN_OFF".to_owned(),
        message: "after the end".to_owned(),
    }));
    let replay = forged_from(&desk, run, beyond, |_, _| {}).await;
    assert_eq!(difference(&replay).stream_version, events.len() as u64 + 1);
    assert_eq!(difference(&replay).replayed, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_engine_version_is_reported_and_is_no_difference() {
    let desk = Desk::in_memory();
    let run = desk.complete(&books::small()).await;
    let older = |_: u64, event: &mut RunEvent| {
        if let RunEvent::RunStarted(started) = event {
            started.engine_version = "0.0.9".to_owned();
        }
    };
    let replay = forged(&desk, run, older).await;
    assert_eq!(replay.answer, ReplayOutcome::Reproduced);
    assert_eq!(replay.recorded_by.as_deref(), Some("0.0.9"));
    assert!(replay.is_of_another_version());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_events_are_reported() {
    let desk = Desk::in_a_file();
    let run = desk.complete(&books::small()).await;
    let changes: [(Relabel, u64, &str); 2] = [
        (|known| (known.name(), 9), 5, "schema version 9"),
        (|_| ("LoanTeleported", 1), 4, "newer PowerFill"),
    ];
    for (relabel, version, words) in changes {
        let mut events = EncodedBatch::default();
        for (event, number) in desk.stored(run).await.iter().zip(1..) {
            let name = event_name(&event.event_type).unwrap();
            let known = SchemaId::new(name, event.schema_version);
            let (name, schema_version) =
                if number == version { relabel(known) } else { (name, event.schema_version) };
            events.push_stored(SchemaId::new(name, schema_version), &event.payload);
        }
        let replay = replayed_from(&desk, run, events).await;
        assert_unreadable(&replay, version, words);
    }
    sqlite_file::open_unguarded(&desk.file()).execute("DELETE FROM snapshots", []).unwrap();
    assert_unreadable(&replayed(&desk, run).await, 1, "snapshot");
}

/// Another type and schema version for an event.
type Relabel = fn(SchemaId) -> (&'static str, u16);

#[track_caller]
fn assert_unreadable(replay: &ReplayReport, version: u64, words: &str) {
    match &replay.answer {
        ReplayOutcome::Unreadable { stream_version, message } => {
            assert_eq!(*stream_version, version, "{message}");
            assert!(message.contains(words), "{message}");
        }
        other => panic!("{words}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_lost_its_end_is_not_reproduced() {
    let desk = Desk::in_a_file();
    let run = desk.complete(&books::small()).await;
    let stored = desk.stored(run).await;
    let (events, end) = (stored.len() as u64, &stored[stored.len() - 1]);
    let conn = sqlite_file::open_unguarded(&desk.file());
    event_blocks::edit(&conn, 1, 2, |lines| drop(lines.pop()));
    let cut = "UPDATE es_event_blocks SET event_count = event_count - 1, hash_after = ?1
               WHERE first_version = 2";
    conn.execute(cut, [&end.prev_hash.as_bytes()[..]]).unwrap();
    conn.execute_batch(&format!(
        "UPDATE es_appends SET event_count = event_count - 1
         WHERE seq = (SELECT max(seq) FROM es_appends);
         UPDATE es_streams SET version = {events} - 1"
    ))
    .unwrap();
    // The block's rows name the event that is missing, so that nothing is compared.
    let replay = replayed(&desk, run).await;
    let ReplayOutcome::Damaged { stream_version, .. } = &replay.answer else {
        panic!("{:?}", replay.answer)
    };
    assert_eq!(*stream_version, Some(events));
}
