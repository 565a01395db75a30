//! Compares the shown tables of a run with a rebuild.

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_ports::detached_block::HashCheck;
use powerfill_tables::digest::{TableDigest, output_digest};
use powerfill_tables::table::{Cell, RowBatch, TableRole, TableSpec};
use powerfill_tables::tables::Projectors;

use super::kept::{RunComparison, recorded_digest_differs};
use crate::AppResult;
use crate::rebuild::{RebuiltRun, fold_with_index, is_built};

/// Compares the shown tables of a run with its recorded digest and with a rebuild.
pub(super) async fn compare_shown(
    store: &dyn Store,
    run: RunId,
    projectors: Projectors,
    rebuilt: &RebuiltRun,
    comparison: &mut RunComparison,
) -> AppResult<()> {
    comparison.difference = recorded_digest_differs(run, rebuilt);
    if comparison.difference.is_some() {
        return Ok(());
    }
    let mut shown = Vec::with_capacity(rebuilt.digests.len());
    for expected in &rebuilt.digests {
        // Without rows, the table is what the events give.
        let digest = match is_built(store, expected.table()).await? {
            true => expected.clone(),
            false => digest(store, run, expected).await?,
        };
        comparison.rows += digest.rows();
        if digest.hash() != expected.hash() {
            comparison.difference = first_difference(store, run, expected, projectors).await?;
            if comparison.difference.is_some() {
                return Ok(());
            }
        }
        shown.push(digest);
    }
    let covered = shown.iter().take(rebuilt.rebuilt.tables.len());
    if output_digest(covered) != rebuilt.rebuilt.output_digest {
        comparison.difference = Some(format!("the tables of run {run} are not all there"));
    }
    Ok(())
}

/// The digest of a shown table, in the version of the expected one.
async fn digest(store: &dyn Store, run: RunId, expected: &TableDigest) -> AppResult<TableDigest> {
    let empty = || TableDigest::at_version(expected.table(), expected.version());
    let mut digest = empty();
    let mut batches = store.rows(expected.table());
    while let Some(batch) = batches.try_next().await? {
        if batch.run_id != run {
            // The rows of another run cannot have the digest of this run's rows.
            return Ok(empty());
        }
        digest.update(&batch.rows);
    }
    Ok(digest)
}

/// The first row of a table that differs from the rebuilt rows, in the version of the digest.
async fn first_difference(
    store: &dyn Store,
    run: RunId,
    digest: &TableDigest,
    projectors: Projectors,
) -> AppResult<Option<String>> {
    let table = digest.table();
    let mut expected = RowBatch::new(table);
    fold_with_index(store, run, projectors, HashCheck::OnRead, async |batches, _| {
        for mut batch in batches.into_iter().filter(|batch| std::ptr::eq(batch.table, table)) {
            expected.append(&mut batch);
        }
        Ok(())
    })
    .await?;
    let mut expected = expected.rows();
    let mut number = 0;
    let mut batches = store.rows(table);
    while let Some(batch) = batches.try_next().await? {
        for row in batch.rows.rows() {
            number += 1;
            let place = format!("{}, row {number}", table.name);
            let Some(want) = expected.next() else {
                return Ok(Some(format!("{place}: a row that the events do not give")));
            };
            if batch.run_id != run {
                return Ok(Some(format!("{place}: run_id is not {run}")));
            }
            for at in table.positions_at(digest.version()) {
                if let Some(what) = cell_difference(table, at, &want[at], &row[at]) {
                    return Ok(Some(format!("{place}: {what}")));
                }
            }
        }
    }
    // A table that describes the run is not covered by a digest, so the run does not say whether
    // its program had the table.
    let was_there = number > 0 || table.role == TableRole::Decision || !table.is_later();
    let missing = was_there && expected.next().is_some();
    Ok(missing.then(|| format!("{}: rows are missing after row {number}", table.name)))
}

/// The difference between a cell and the rebuilt one. In a table that describes runs, a later
/// column is NULL where an older program wrote the row.
pub(super) fn cell_difference(
    table: &TableSpec,
    at: usize,
    want: &Cell,
    have: &Cell,
) -> Option<String> {
    let column = &table.columns[at];
    if table.role == TableRole::Record && column.since > 1 && *have == Cell::Null {
        return None;
    }
    let (want, have) = (cell_text(want), cell_text(have));
    let name = column.name;
    (want != have).then(|| format!("{name} is {have:?}, the events give {want:?}"))
}

fn cell_text(cell: &Cell) -> String {
    let mut text = Vec::new();
    powerfill_tables::csv::write_text(cell, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
