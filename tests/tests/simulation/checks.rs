//! What must hold in a world: always, and at its end.

use futures::TryStreamExt;
use powerfill_app::rebuild::is_built;
use powerfill_app::{DecodedEvent, verify};
use powerfill_events::run::event::{RunFailed, Step};
use powerfill_events::run::{EventType, RunEvent, RunId};
use powerfill_ports::events::{EventStore, StoredEvent};
use powerfill_ports::index::IndexStore;
use powerfill_ports::projections::ProjectionStore;
use powerfill_ports::runs::{QueuedRun, RunStatus};
use powerfill_tables::tables::named;
use powerfill_tests::all_runs::AllRuns;
use powerfill_tests::store_suite::samples::collect;

use crate::books::{shown, story, undisturbed};
use crate::world::World;

/// At most one run per tenant is active, and its request is in the log.
pub(crate) async fn check_queue(world: &World) {
    let runs = world.store.all_runs().await.expect("the queue answers");
    let active: Vec<RunId> =
        runs.iter().filter(|run| !run.status.is_over()).map(|run| run.run_id).collect();
    if active.len() > 1 {
        world.report(|| format!("these runs are active at once: {active:?}"));
    }
    for run in active {
        if world.store.stream_version(&run.stream()).await.expect("the log answers") == 0 {
            world.report(|| format!("run {run} is in the queue without its request"));
        }
    }
}

/// The visible tables are those of a run without faults, and that run is Complete.
pub(crate) async fn check_visible_tables(world: &World) {
    let published = world.store.published().await.expect("it answers");
    let Some((run, version)) = published else { return };
    let stored = collect(world.store.read(&run.stream(), version)).await;
    if !matches!(&stored[..], [last] if last.event_type == EventType::RunCompleted.name()) {
        world.report(|| format!("run {run} is shown up to {version}, where it is not Complete"));
    }
    let book = world.state().books[&run];
    let expected = undisturbed(run, book);
    for (shown, expected) in shown(&world.store).await.iter().zip(&expected.shown) {
        let table = named(shown.0).expect("a table of the program");
        if !is_built(&world.store, table).await.expect("it answers") && shown != expected {
            let rows = |rows: &[(RunId, Vec<_>)]| rows.iter().map(|(_, c)| c.len()).sum::<usize>();
            let (have, want) = (rows(&shown.1), rows(&expected.1));
            world.report(|| format!("{} of run {run}: {have} cells, not {want}", shown.0));
        }
    }
}

/// Checks what must hold at the end of a world.
pub(crate) async fn check_end(world: &World) {
    let runs = world.store.all_runs().await.expect("the queue answers");
    for queued in &runs {
        check_stream(world, queued).await;
    }
    let verdict = verify::verify(&world.store, None).await;
    match verdict {
        Ok(verdict) if verdict.is_clean() => {}
        verdict => world.report(|| format!("verify: {verdict:?}")),
    }
    check_visible_tables(world).await;
    let published = world.store.published().await.expect("it answers").map(|(run, _)| run);
    let last = last_complete(world).await;
    if published != last {
        world.report(|| format!("{published:?} is shown, and {last:?} was complete last"));
    }
    check_indexes(world, &runs).await;
}

async fn last_complete(world: &World) -> Option<RunId> {
    let all: Vec<Vec<_>> = world.store.read_all(0).try_collect().await.expect("the log is read");
    let completed = |event: &&StoredEvent| event.event_type == EventType::RunCompleted.name();
    let last = all.iter().flatten().rfind(completed)?;
    RunId::from_stream(&last.stream)
}

async fn check_indexes(world: &World, runs: &[QueuedRun]) {
    let indexed = world.store.indexed_runs().await.expect("it answers");
    for run in runs {
        let version = world.store.stream_version(&run.run_id.stream()).await.expect("it answers");
        let reaches = indexed.iter().find(|(of, _)| *of == run.run_id);
        if reaches.map(|(_, state)| state.up_to_version) != Some(version) {
            world.report(|| format!("the index of {} does not reach {version}", run.run_id));
        }
    }
}

/// The stream of a run is that of a run without faults, or its beginning with one end event; and
/// the queue has the same status.
async fn check_stream(world: &World, queued: &QueuedRun) {
    let run = queued.run_id;
    let expected = undisturbed(run, world.state().books[&run]);
    let story = story(&world.store, run).await;
    let stored = collect(world.store.read(&run.stream(), 1)).await;
    let is_an_end = |event: &StoredEvent| {
        let event_type = EventType::from_name(&event.event_type).expect("it is known");
        use EventType::{RunCancelled, RunCompleted, RunFailed};
        matches!(event_type, RunCompleted | RunFailed | RunCancelled)
    };
    let ends = stored.iter().filter(|event| is_an_end(event)).count();
    let Some(last) = stored.last().filter(|last| is_an_end(last) && ends == 1) else {
        return world.report(|| format!("run {run} has {ends} ends among {} events", stored.len()));
    };
    let last = &DecodedEvent::try_from(last.clone()).expect("it is readable").event;
    let status = RunStatus::reached_with(last);
    if status != queued.status {
        world.report(|| format!("run {run} is {status:?}, and the queue says {:?}", queued.status));
    }
    if story == expected.story {
        return world.count(match status {
            RunStatus::Complete => "end: complete",
            _ => "end: refused by preflight",
        });
    }
    let before = &story[..story.len() - 1];
    if !expected.story.starts_with(before) {
        return world.report(|| format!("run {run} was decided otherwise than undisturbed"));
    }
    match last {
        RunEvent::RunCancelled(_) => {
            world.count("end: cancelled");
            if !world.state().cancelled.contains_key(&run) {
                world.report(|| format!("run {run} is cancelled, and no cancel was requested"));
            }
        }
        RunEvent::RunFailed(failed) if is_store_failure(failed) => world.count("end: broken off"),
        other => world.report(|| format!("run {run} ended otherwise than undisturbed: {other:?}")),
    }
}

/// Whether a run failed because the store was unavailable, or did not know what it had done.
fn is_store_failure(failed: &RunFailed) -> bool {
    let reasons = ["the store is unavailable", "it is not known whether that was done"];
    failed.step == Step::Record
        && failed.code == "RUN_BROKEN_OFF"
        && reasons.iter().any(|reason| failed.message.contains(reason))
}
