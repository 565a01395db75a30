//! Verifies a store: the hash chains and seals, and everything that is kept beside the events
//! against the events (specification 3.4).

mod kept;

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_ports::events::{Damage, Verification};
use powerfill_ports::{Store, StoreError};
use powerfill_tables::digest::{TableDigest, output_digest};
use powerfill_tables::table::{Cell, RowBatch, TableRole, TableSpec};
use powerfill_tables::tables::{Projectors, projectors};

use crate::AppError;
use crate::rebuild::{RebuiltRun, fold_with_index, is_built};

/// A finished verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// The checked events, appends, and snapshots, and the first damage.
    pub log: Verification,
    /// The run whose outputs are shown, if they were compared.
    pub published: Option<RunId>,
    /// The number of rows that were compared with a rebuild; of a table without stored rows, the
    /// rebuilt ones, whose digest was compared with the recorded one.
    pub rows: u64,
    /// The number of index entries that were compared with the events.
    pub index_entries: u64,
    /// The first difference between the events and what is kept beside them.
    pub difference: Option<String>,
}

impl VerifyReport {
    /// Whether there is neither damage nor a difference.
    pub const fn is_clean(&self) -> bool {
        self.log.damage.is_none() && self.difference.is_none()
    }

    /// The first damage of the log.
    pub const fn damage(&self) -> Option<&Damage> {
        self.log.damage.as_ref()
    }
}

/// Verifies the whole store, or one run of it. If the log is damaged, nothing is compared with it.
///
/// # Errors
/// [`StoreError::NotFound`] if the run has no events; the store fails. Damage and differences are
/// results.
pub async fn verify(store: &dyn Store, only: Option<RunId>) -> Result<VerifyReport, AppError> {
    verify_with(store, only, projectors).await
}

/// As [`verify`], for any set of tables.
///
/// # Errors
/// As for [`verify`].
pub async fn verify_with(
    store: &dyn Store,
    only: Option<RunId>,
    projectors: Projectors,
) -> Result<VerifyReport, AppError> {
    let log = store.verify(only.map(|run| run.stream()).as_deref()).await?;
    let mut report =
        VerifyReport { log, published: None, rows: 0, index_entries: 0, difference: None };
    if report.log.damage.is_some() {
        return Ok(report);
    }
    match compare(store, only, projectors, &mut report).await {
        Err(AppError::Store(StoreError::Corrupt(fault))) => {
            report.difference = Some(fault.to_string());
        }
        compared => compared?,
    }
    Ok(report)
}

/// Compares the shown tables, and everything that is kept of each run.
async fn compare(
    store: &dyn Store,
    only: Option<RunId>,
    projectors: Projectors,
    report: &mut VerifyReport,
) -> Result<(), AppError> {
    let published = store.published().await?.map(|(run, _)| run);
    let mut rebuilt = None;
    if let Some(run) = published.filter(|run| only.is_none_or(|only| only == *run)) {
        report.published = Some(run);
        rebuilt = Some((run, compare_published(store, run, projectors, report).await?));
    }
    if report.difference.is_none() {
        report.difference = kept::compare(store, only, projectors, rebuilt, report).await?;
    }
    Ok(())
}

/// Compares the shown tables of a run with its recorded digest and with a rebuild.
async fn compare_published(
    store: &dyn Store,
    run: RunId,
    projectors: Projectors,
    report: &mut VerifyReport,
) -> Result<RebuiltRun, AppError> {
    let rebuilt = fold_with_index(store, run, projectors, async |_, _| Ok(())).await?;
    if let Some(difference) = kept::recorded_digest_differs(run, &rebuilt) {
        report.difference = Some(difference);
        return Ok(rebuilt);
    }
    let mut shown = Vec::with_capacity(rebuilt.digests.len());
    for expected in &rebuilt.digests {
        // Without rows, the table is what the events give.
        let digest = match is_built(store, expected.table()).await? {
            true => expected.clone(),
            false => digest(store, run, expected).await?,
        };
        report.rows += digest.rows();
        if digest.hash() != expected.hash() {
            let difference = first_difference(store, run, expected, projectors).await?;
            if difference.is_some() {
                report.difference = difference;
                return Ok(rebuilt);
            }
        }
        shown.push(digest);
    }
    let covered = shown.iter().take(rebuilt.rebuilt.tables.len());
    if output_digest(covered) != rebuilt.rebuilt.output_digest {
        report.difference = Some(format!("the tables of run {run} are not all there"));
    }
    Ok(rebuilt)
}

/// The digest of a shown table, in the version of the expected one.
async fn digest(
    store: &dyn Store,
    run: RunId,
    expected: &TableDigest,
) -> Result<TableDigest, AppError> {
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
) -> Result<Option<String>, AppError> {
    let table = digest.table();
    let mut expected = RowBatch::new(table);
    fold_with_index(store, run, projectors, async |batches, _| {
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
fn cell_difference(table: &TableSpec, at: usize, want: &Cell, have: &Cell) -> Option<String> {
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
