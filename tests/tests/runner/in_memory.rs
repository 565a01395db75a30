//! A run in memory decides what a recorded run decides.

use powerfill_app::RunControl;
use powerfill_app::in_memory::InMemoryRun;
use powerfill_engine::Cancelled;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::Step;
use powerfill_tables::status::RunStatus;
use powerfill_tables::tables::value_summary;

use crate::books;
use crate::desk::Desk;

fn decide(book: &books::Book) -> InMemoryRun {
    InMemoryRun::decide(&book.snapshot, &book.options, &RunControl::default()).expect("no stop")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_in_memory_has_the_events_and_tables_of_a_recorded_run() {
    let desk = Desk::in_memory();
    for book in books::cases() {
        let (recorded, status) = desk.run(&book).await;
        let recorded = desk.events(recorded).await;
        let mut run = decide(&book);
        let value = run.rows_of(vec![Box::new(value_summary::projector())]).remove(0);
        let rows = run.complete();
        assert_eq!(run.summary().status, status);
        assert_eq!(run.failure().is_some(), status == RunStatus::Failed);
        let events: Vec<&RunEvent> = run.events().map(|event| event.event).collect();
        // The request has another actor and another digest. The last event has the output digest.
        assert_eq!(recorded[1..].iter().collect::<Vec<_>>(), events[1..]);
        let same = rows.iter().find(|rows| rows.table.name == value.table.name);
        assert_eq!(same.map_or(&[][..], |rows| &rows.cells[..]), &value.cells[..]);
    }
}

#[test]
fn a_stopped_run_says_where_it_stopped() {
    let (book, control) = (books::small(), RunControl::default());
    control.cancel("chief");
    let stopped = InMemoryRun::decide(&book.snapshot, &book.options, &control).err();
    assert_eq!(stopped, Some(Cancelled(Step::Preflight)));
}
