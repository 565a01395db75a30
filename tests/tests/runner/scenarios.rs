//! A scenario is a run like any other, and is never official.

use std::sync::Arc;

use powerfill_app::in_memory::read_input;
use powerfill_app::publish::publish;
use powerfill_app::rebuild::rebuild;
use powerfill_app::replay::{ReplayOutcome, replay};
use powerfill_app::tries::{Try, run_tries};
use powerfill_app::{NoObserver, RunControl, RunRequest};
use powerfill_events::run::RunId;
use powerfill_events::run::event::{RunOrigin, Scenario};
use powerfill_ports::runs::{RunCursor, RunFilter};
use powerfill_snapshot::edits::{Edit, EditableInput};
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::LargeTables;
use powerfill_tests::requests::plain_request;

use crate::books;
use crate::desk::Desk;
use crate::publishing::MemoryTarget;

/// Keeps an edit of the input of a run.
async fn keep(desk: &Desk, base: RunId, edit: &str) -> RunId {
    let (snapshot, requested) =
        read_input(desk.store.as_ref(), base).await.expect("it is captured");
    let edits = [Edit::parse(edit).expect("an edit")];
    let edited =
        EditableInput::new(snapshot, requested.options).apply(&edits).expect("a valid input");
    let scenario = Scenario {
        name: "try".to_owned(),
        note: None,
        base_run: Some(base.to_string()),
        edits: vec![edits[0].to_string()],
    };
    let run_id = desk.next_run();
    let origin = RunOrigin { scenario: Some(scenario), ..RunOrigin::default() };
    let plain = plain_request(run_id, &edited.snapshot, &edited.options);
    let request = RunRequest { origin, ..plain };
    desk.runner().request(&request).await.expect("the scenario is requested");
    let finished = desk.work().await.expect("it is queued");
    assert_eq!((finished.run_id, finished.status), (run_id, RunStatus::Complete));
    run_id
}

async fn listed(desk: &Desk, filter: RunFilter) -> Vec<RunId> {
    let runs = desk.store.runs_after(RunCursor::START, 9, filter).await.expect("a list");
    runs.iter().map(|run| run.run_id).collect()
}

pub(crate) async fn a_scenario_is_kept_and_never_official(desk: &Desk) {
    let official = desk.complete(&books::mixed()).await;
    let (tables, history) = (desk.published_tables().await, desk.history().await);
    let scenario = keep(desk, official, "price_mode=pc").await;

    assert_eq!(listed(desk, RunFilter::Official).await, [official]);
    assert_eq!(listed(desk, RunFilter::Scenarios).await, [scenario]);
    assert_eq!(listed(desk, RunFilter::All).await, [scenario, official]);
    let latest = desk.store.latest_run(RunStatus::Complete).await.expect("the store answers");
    assert_eq!(latest.map(|run| run.run_id), Some(official));
    assert_eq!(desk.published_tables().await, tables);
    assert_eq!(desk.history().await, history);

    let store = desk.store.as_ref();
    let rebuilt = rebuild(store, scenario, LargeTables::Stored).await.expect("it is rebuilt");
    assert!(rebuilt.is_scenario && rebuilt.agrees());
    assert_eq!(desk.published_tables().await, tables);
    assert_eq!(desk.history().await, history);
    let replayed = replay(store, scenario, Arc::new(NoObserver)).await.expect("it is replayed");
    assert_eq!(replayed.answer, ReplayOutcome::Reproduced);
    let refused = publish(store, scenario, &MemoryTarget::default()).await.unwrap_err();
    assert!(refused.to_string().contains("scenarios are never published"), "{refused}");
    desk.verify().await;
}

/// The numbers of a try are those of the run that keeps it.
pub(crate) async fn a_try_comes_to_what_its_scenario_does(desk: &Desk) {
    let official = desk.complete(&books::mixed()).await;
    let (snapshot, requested) = read_input(desk.store.as_ref(), official).await.expect("captured");
    let base = EditableInput::new(snapshot, requested.options);
    let edit = Edit::parse("price_mode=pc").expect("an edit");
    let tries = [Try::of_edits(vec![edit]), Try::of_edits(Vec::new())];
    let report = run_tries(&base, &tries, &RunControl::default()).expect("the tries are decided");
    let scenario = keep(desk, official, "price_mode=pc").await;
    let (base, tried) = (&report.base, &report.tries[0]);
    let outcome = async |run| {
        let events = desk.events(run).await;
        powerfill_diff::outcome::RunOutcome::of_events(
            run,
            (1..).zip(&events).map(|(stream_version, event)| {
                powerfill_events::run::RecordedEvent {
                    run_id: run,
                    stream_version,
                    recorded_at: desk.now(),
                    actor: "worker",
                    event,
                }
            }),
        )
    };
    assert_eq!(outcome(official).await, *base);
    assert_eq!(outcome(scenario).await, tried.outcome);
    assert!(tried.moved > 0 && tried.movers.len() as u64 == tried.moved.min(10));
    let sum: i64 = base.movers(&tried.outcome).iter().map(|mover| mover.value_change.units()).sum();
    // A loan that stays in its trade keeps its value, because only the score has changed.
    assert_eq!(sum, (tried.outcome.value - base.value).units());
    assert_eq!((report.tries[1].moved, &report.tries[1].outcome), (0, base));
}
