//! The large tables, which a store has as rows or which are built from events.

use std::ops::ControlFlow;

use futures::TryStreamExt;
use powerfill_app::rebuild::{build_table, is_built, rebuild};
use powerfill_app::verify::verify;
use powerfill_app::{NoObserver, RunControl};
use powerfill_events::run::RunId;
use powerfill_tables::csv;
use powerfill_tables::table::{LargeTables, RowBatch, TableRef, TableSpec};
use powerfill_tables::tables::{ALL, all_rank, candy};

use crate::books;
use crate::desk::Desk;

const LARGE: [&TableSpec; 2] = [&candy::TABLE, &all_rank::TABLE];

fn text(run: RunId, rows: &RowBatch) -> String {
    let mut text = Vec::new();
    csv::write_file_rows(run, rows, &mut text);
    String::from_utf8(text).expect("CSV is text")
}

async fn stored(desk: &Desk, run: RunId, table: TableRef) -> String {
    let mut batches = desk.store.rows(table);
    let mut whole = String::new();
    while let Some(batch) = batches.try_next().await.expect("rows can be read") {
        whole.push_str(&text(run, &batch.rows));
    }
    whole
}

/// The rows from a version on, and the versions after each batch.
async fn built(desk: &Desk, run: RunId, table: TableRef, from: u64) -> (String, Vec<u64>) {
    let (mut whole, mut ends) = (String::new(), Vec::new());
    build_table(desk.store.as_ref(), run, table, from, async |rows, next| {
        whole.push_str(&text(run, &rows));
        ends.push(next);
        ControlFlow::Continue(())
    })
    .await
    .expect("the events can be read");
    (whole, ends)
}

async fn which_are_built(desk: &Desk) -> Vec<&'static str> {
    let mut names = Vec::new();
    for table in ALL {
        if is_built(desk.store.as_ref(), table).await.expect("the store answers") {
            names.push(table.name);
        }
    }
    names
}

/// The next run removes rows that the former one stored, and a rebuild stores them again.
pub(crate) async fn large_tables_are_built_or_stored(desk: &Desk) {
    let book = books::mixed();
    let names = LARGE.map(|table| table.name);
    let first = desk.complete(&book).await;
    assert_eq!(which_are_built(desk).await, [""; 0]);
    let rows = verify(desk.store.as_ref(), None).await.expect("the store answers").rows;
    let expected =
        [stored(desk, first, &candy::TABLE).await, stored(desk, first, &all_rank::TABLE).await];
    assert!(expected.iter().all(|text| text.lines().count() > 100));

    let run = desk.request(&book).await;
    let runner = desk.runner().with_large_tables(LargeTables::Built);
    let observer = std::sync::Arc::new(NoObserver);
    let worked = runner.work(None, RunControl::default(), observer).await;
    assert_eq!(worked.expect("it completes").expect("a run is queued").run_id, run);
    let id = |text: &str| text.replace(&first.to_string(), &run.to_string());
    for (table, expected) in LARGE.iter().zip(&expected) {
        assert_eq!(which_are_built(desk).await, names);
        assert_eq!(stored(desk, run, table).await, "");
        assert_eq!(built(desk, run, table, 1).await.0, id(expected));
    }
    desk.verify().await;
    let verdict = verify(desk.store.as_ref(), Some(run)).await.expect("the store answers");
    assert_eq!(verdict.rows, rows, "the rebuilt rows count too");

    for (large_tables, which) in [(LargeTables::Stored, &[][..]), (LargeTables::Built, &names)] {
        let rebuilt = rebuild(desk.store.as_ref(), run, large_tables).await;
        assert!(rebuilt.expect("it is rebuilt").agrees());
        assert_eq!(which_are_built(desk).await, which);
        desk.verify().await;
        for (table, expected) in LARGE.iter().zip(&expected) {
            let expected = if which.is_empty() { id(expected) } else { String::new() };
            assert_eq!(stored(desk, run, table).await, expected);
        }
    }
}

pub(crate) async fn a_large_table_is_built_from_any_version_on(desk: &Desk) {
    let run = desk.complete(&books::mixed()).await;
    for table in LARGE {
        let (whole, ends) = built(desk, run, table, 1).await;
        assert_eq!(whole, stored(desk, run, table).await);
        assert!(!ends.is_empty());
        for end in ends {
            let (rest, _) = built(desk, run, table, end).await;
            assert!(whole.ends_with(&rest), "from {end} on");
            let (before, _) = built(desk, run, table, end - 1).await;
            assert!(before.len() > rest.len() && whole.ends_with(&before), "from {end} - 1 on");
        }
    }
}
