//! Output tables: staged rows are invisible, are published at once, and come back exactly.

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::projections::{ProjectionStore, ROWS_PER_BATCH, RunRows};
use powerfill_tables::table::{Cell, RowBatch, TableRef};
use rust_decimal::Decimal;

use super::samples::{GUIDE, HISTORY, KICKOUTS, kickouts, moment, run, unleased};
use super::{StoreLocation, SuiteStore};

async fn shown(store: &impl ProjectionStore, table: TableRef) -> Vec<RunRows> {
    store.rows(table).try_collect().await.expect("rows can be read")
}

async fn loans(store: &impl ProjectionStore) -> Vec<(RunId, String)> {
    let mut loans = Vec::new();
    for batch in shown(store, &KICKOUTS).await {
        for row in batch.rows.rows() {
            match &row[0] {
                Cell::Text(loan) => loans.push((batch.run_id, loan.to_string())),
                other => panic!("{other:?}"),
            }
        }
    }
    loans
}

fn of(run: RunId, loans: &[&str]) -> Vec<(RunId, String)> {
    loans.iter().map(|loan| (run, (*loan).to_owned())).collect()
}

/// Staging does not change which run is published.
pub async fn staged_rows_are_unseen_until_published(location: &impl StoreLocation) {
    let store = location.open().await;
    assert!(loans(&store).await.is_empty());
    assert_eq!(store.published().await.unwrap(), None);
    store.begin_staging(unleased(run(1)), &[&KICKOUTS]).await.unwrap();
    store.stage(unleased(run(1)), [kickouts(["L1"])].into(), 5).await.unwrap();
    assert!(loans(&store).await.is_empty());
    assert_eq!(store.published().await.unwrap(), None);
    store.stage(unleased(run(1)), [kickouts(["L2"]), kickouts(["L3"])].into(), 9).await.unwrap();
    store.publish(unleased(run(1)), &[]).await.unwrap();
    assert_eq!(loans(&store).await, of(run(1), &["L1", "L2", "L3"]));
    assert_eq!(store.published().await.unwrap(), Some((run(1), 9)));
    drop(store);
    let store = location.open().await;
    assert_eq!(loans(&store).await, of(run(1), &["L1", "L2", "L3"]));
    assert_eq!(store.published().await.unwrap(), Some((run(1), 9)));
}

/// Every type of cell, its limits, and NULL.
pub async fn cells_come_back_exact(store: impl SuiteStore) {
    let day = |text: &str| Cell::Day(text.parse().unwrap());
    let text = |text: &str| Cell::Text(text.into());
    let decimal = |text: &str| Cell::Decimal(Decimal::from_str_exact(text).unwrap());
    let given = [
        [
            Cell::Name("Name"),
            Cell::Int(i64::MIN),
            Cell::Fixed(-5, 2),
            Cell::Fixed(i64::MAX, 8),
            decimal("712.500000"),
            day("2026-02-28"),
            Cell::Timestamp(moment(1)),
            text("{\"scope\": \"x\"}"),
        ],
        [
            text("ÄÖ “quoted” \u{0} ' \" \n"),
            Cell::Int(0),
            Cell::Fixed(0, 2),
            Cell::Fixed(i64::MIN, 8),
            decimal("-12345678901234567890.123456"),
            day("9999-12-31"),
            Cell::Null,
            text(""),
        ],
        std::array::from_fn(|_| Cell::Null),
    ];
    let mut back = given.clone();
    back[0][0] = text("Name");
    back[0][4] = Cell::Fixed(712_500_000, 6);
    let batch = RowBatch { table: &GUIDE, cells: given.into_iter().flatten().collect() };
    store.begin_staging(unleased(run(1)), &[&GUIDE]).await.unwrap();
    store.stage(unleased(run(1)), [batch].into(), 1).await.unwrap();
    store.publish(unleased(run(1)), &[]).await.unwrap();
    let shown = shown(&store, &GUIDE).await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].run_id, run(1));
    assert!(shown[0].rows.cells.iter().eq(back.iter().flatten()), "{:#?}", shown[0].rows.cells);
}

/// A reader sees the rows of the former run or those of the new one, never both.
pub async fn published_rows_replace_the_former_runs_all_at_once(store: impl SuiteStore) {
    let former: Vec<String> = (0..ROWS_PER_BATCH * 3).map(|n| format!("F{n}")).collect();
    store.begin_staging(unleased(run(1)), &[&KICKOUTS]).await.unwrap();
    store
        .stage(unleased(run(1)), [kickouts(former.iter().map(String::as_str))].into(), 5)
        .await
        .unwrap();
    store.publish(unleased(run(1)), &[]).await.unwrap();
    let mut reader = store.rows(&KICKOUTS);
    let first = reader.try_next().await.unwrap().unwrap();
    assert_eq!((first.run_id, first.rows.len()), (run(1), ROWS_PER_BATCH));

    store.begin_staging(unleased(run(2)), &[&KICKOUTS]).await.unwrap();
    store.stage(unleased(run(2)), [kickouts(["N1"])].into(), 7).await.unwrap();
    store.publish(unleased(run(2)), &[]).await.unwrap();
    assert_eq!(loans(&store).await, of(run(2), &["N1"]));

    let rest: Vec<RunRows> = reader.try_collect().await.unwrap();
    assert_eq!(rest.iter().map(|batch| batch.rows.len()).sum::<usize>(), ROWS_PER_BATCH * 2);
    assert!(rest.iter().all(|batch| batch.run_id == run(1)));
}

/// A worker that dies while it stages leaves the former outputs complete, and its rows do not
/// disturb the next run.
pub async fn an_abandoned_staging_area_is_dropped(location: &impl StoreLocation) {
    let store = location.open().await;
    store.begin_staging(unleased(run(1)), &[&KICKOUTS]).await.unwrap();
    store.stage(unleased(run(1)), [kickouts(["L1"])].into(), 5).await.unwrap();
    store.publish(unleased(run(1)), &[]).await.unwrap();
    store.begin_staging(unleased(run(2)), &[&KICKOUTS, &GUIDE]).await.unwrap();
    store.stage(unleased(run(2)), [kickouts(["half", "done"])].into(), 3).await.unwrap();
    drop(store);

    let store = location.open().await;
    assert_eq!(loans(&store).await, of(run(1), &["L1"]));
    assert_eq!(store.published().await.unwrap(), Some((run(1), 5)));
    store.begin_staging(unleased(run(2)), &[&KICKOUTS]).await.unwrap();
    store.stage(unleased(run(2)), [kickouts(["L2"])].into(), 8).await.unwrap();
    store.publish(unleased(run(2)), &[]).await.unwrap();
    assert_eq!(loans(&store).await, of(run(2), &["L2"]));
    assert!(shown(&store, &GUIDE).await.is_empty());
}

/// It appears again with the next run that stages it.
pub async fn a_table_that_is_left_out_is_removed(store: impl SuiteStore) {
    let is_stored = async || {
        let kickouts = store.is_stored(&KICKOUTS).await.unwrap();
        (kickouts, store.is_stored(&GUIDE).await.unwrap())
    };
    assert_eq!(is_stored().await, (false, false));
    store.begin_staging(unleased(run(1)), &[&KICKOUTS, &GUIDE]).await.unwrap();
    store.stage(unleased(run(1)), [kickouts(["L1"])].into(), 5).await.unwrap();
    assert_eq!(is_stored().await, (false, false));
    store.publish(unleased(run(1)), &[]).await.unwrap();
    // A table without rows is stored too.
    assert_eq!(is_stored().await, (true, true));
    store.begin_staging(unleased(run(2)), &[&GUIDE]).await.unwrap();
    assert_eq!(is_stored().await, (true, true));
    store.publish(unleased(run(2)), &[&KICKOUTS]).await.unwrap();
    assert_eq!(is_stored().await, (false, true));
    assert!(loans(&store).await.is_empty());
    store.begin_staging(unleased(run(3)), &[&KICKOUTS]).await.unwrap();
    store.stage(unleased(run(3)), [kickouts(["L3"])].into(), 5).await.unwrap();
    store.publish(unleased(run(3)), &[&GUIDE]).await.unwrap();
    assert_eq!(is_stored().await, (true, false));
    assert_eq!(loans(&store).await, of(run(3), &["L3"]));
}

/// Another run cannot add rows either, and a run cannot publish twice.
pub async fn only_the_run_that_staged_may_publish(store: impl SuiteStore) {
    assert!(matches!(store.publish(unleased(run(1)), &[]).await, Err(StoreError::Failed(_))));
    store.begin_staging(unleased(run(1)), &[&KICKOUTS]).await.unwrap();
    store.begin_staging(unleased(run(2)), &[&KICKOUTS]).await.unwrap();
    let late = store.stage(unleased(run(1)), [kickouts(["L1"])].into(), 5).await;
    assert!(matches!(late, Err(StoreError::Failed(_))), "{late:?}");
    assert!(matches!(store.publish(unleased(run(1)), &[]).await, Err(StoreError::Failed(_))));
    store.publish(unleased(run(2)), &[]).await.unwrap();
    assert!(matches!(store.publish(unleased(run(2)), &[]).await, Err(StoreError::Failed(_))));
}

/// A call stages all of its rows or none.
pub async fn a_row_that_does_not_fit_its_table_stages_nothing(store: impl SuiteStore) {
    store.begin_staging(unleased(run(1)), &[&KICKOUTS]).await.unwrap();
    store.stage(unleased(run(1)), [kickouts(["L1"])].into(), 5).await.unwrap();
    let wrong_type = RowBatch { table: &KICKOUTS, cells: vec![Cell::Int(1), Cell::Null] };
    let not_whole = RowBatch { table: &KICKOUTS, cells: vec![Cell::Null] };
    let mut not_staged = RowBatch::new(&GUIDE);
    not_staged.cells = vec![Cell::Null; GUIDE.columns.len()];
    for wrong in [wrong_type, not_whole, not_staged] {
        let refused = store.stage(unleased(run(1)), [kickouts(["L2"]), wrong].into(), 6).await;
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    }
    store.publish(unleased(run(1)), &[]).await.unwrap();
    assert_eq!(loans(&store).await, of(run(1), &["L1"]));
    assert_eq!(store.published().await.unwrap(), Some((run(1), 5)));
}

/// One row per run, sorted by run id. A row that is written alone or staged replaces the row of its
/// run.
pub async fn a_table_that_keeps_every_run_keeps_every_run(store: impl SuiteStore) {
    let row = |status: &'static str, loans| vec![Cell::Name(status), Cell::Int(loans)];
    store.put_row(unleased(run(3)), &HISTORY, row("Failed", 0)).await.unwrap();
    store.put_row(unleased(run(1)), &HISTORY, row("Pending", 0)).await.unwrap();
    store.put_row(unleased(run(1)), &HISTORY, row("Complete", 7)).await.unwrap();
    store.begin_staging(unleased(run(2)), &[&KICKOUTS, &HISTORY]).await.unwrap();
    let staged = RowBatch { table: &HISTORY, cells: row("Complete", 9) };
    store.stage(unleased(run(2)), [staged].into(), 4).await.unwrap();
    assert_eq!(shown(&store, &HISTORY).await.len(), 2);
    store.publish(unleased(run(2)), &[]).await.unwrap();
    store.put_row(unleased(run(3)), &HISTORY, row("Cancelled", 1)).await.unwrap();
    // A run that is staged without a row changes no row of another run.
    store.begin_staging(unleased(run(4)), &[&HISTORY]).await.unwrap();
    store.publish(unleased(run(4)), &[]).await.unwrap();
    let found: Vec<_> =
        shown(&store, &HISTORY).await.into_iter().map(|row| (row.run_id, row.rows.cells)).collect();
    let back = |status: &str, loans| vec![Cell::Text(status.into()), Cell::Int(loans)];
    assert_eq!(
        found,
        [
            (run(1), back("Complete", 7)),
            (run(2), back("Complete", 9)),
            (run(3), back("Cancelled", 1))
        ]
    );
    let wrong = store.put_row(unleased(run(1)), &KICKOUTS, vec![Cell::Null, Cell::Null]).await;
    assert!(matches!(wrong, Err(StoreError::Failed(_))));
}

/// Rows are read in batches of limited size.
pub async fn many_rows_come_back_in_the_staged_order(store: impl SuiteStore) {
    let names: Vec<String> =
        (0..ROWS_PER_BATCH * 2 + 3).map(|n| format!("L{}", 9_999 - n)).collect();
    store.begin_staging(unleased(run(1)), &[&KICKOUTS]).await.unwrap();
    for (at, part) in names.chunks(700).enumerate() {
        let rows = kickouts(part.iter().map(String::as_str));
        store.stage(unleased(run(1)), [rows].into(), at as u64 + 1).await.unwrap();
    }
    store.publish(unleased(run(1)), &[]).await.unwrap();
    let sizes: Vec<usize> =
        shown(&store, &KICKOUTS).await.iter().map(|batch| batch.rows.len()).collect();
    assert_eq!(sizes, [ROWS_PER_BATCH, ROWS_PER_BATCH, 3]);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(loans(&store).await, of(run(1), &names));
}

/// An empty table replaces the former rows, too.
pub async fn a_published_table_may_be_empty(store: impl SuiteStore) {
    store.begin_staging(unleased(run(1)), &[&KICKOUTS]).await.unwrap();
    store.stage(unleased(run(1)), [kickouts(["L1"])].into(), 5).await.unwrap();
    store.publish(unleased(run(1)), &[]).await.unwrap();
    store.begin_staging(unleased(run(2)), &[&KICKOUTS]).await.unwrap();
    store.stage(unleased(run(2)), [].into(), 6).await.unwrap();
    store.publish(unleased(run(2)), &[]).await.unwrap();
    assert!(loans(&store).await.is_empty());
    assert_eq!(store.published().await.unwrap(), Some((run(2), 6)));
}
