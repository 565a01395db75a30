//! Whether a store tells the truth: chain and seals, and the output tables and event indexes against the events
//! (specification 3.4).

mod kept;

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_ports::events::{Damage, Verification};
use powerfill_ports::{Store, StoreError};
use powerfill_tables::digest::{TableDigest, output_digest};
use powerfill_tables::table::{Cell, RowBatch, TableRole, TableSpec};
use powerfill_tables::tables::{Projectors, projectors};

use crate::RunnerError;
use crate::rebuild::{Rebuilt, fold_with_index};

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Events, appends, snapshots, with the first damage.
    pub log: Verification,
    /// The run whose outputs are shown.
    pub published: Option<RunId>,
    /// Rows of the shown tables that were compared with a rebuild.
    pub rows: u64,
    /// Entries of all runs' event indexes that were compared with the events.
    pub index_entries: u64,
    /// The first difference between the shown tables, or an index, and the events, where there is any.
    pub difference: Option<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub const fn is_clean(&self) -> bool {
        self.log.damage.is_none() && self.difference.is_none()
    }

    /// The damage of the log.
    pub const fn damage(&self) -> Option<&Damage> {
        self.log.damage.as_ref()
    }
}

/// Verifies the whole store, or one run of it. Tables are compared only where the log they come from is whole.
///
/// # Errors
/// [`StoreError::NotFound`] where the run has no events; or the store fails. Damage and differences are answers.
pub async fn verify<S: Store + ?Sized>(
    store: &S,
    only: Option<RunId>,
) -> Result<Verdict, RunnerError> {
    verify_with(store, only, projectors).await
}

/// As [`verify`], for any set of tables.
///
/// # Errors
/// As [`verify`].
pub async fn verify_with<S: Store + ?Sized>(
    store: &S,
    only: Option<RunId>,
    projectors: Projectors,
) -> Result<Verdict, RunnerError> {
    let log = store.verify(only.map(|run| run.stream()).as_deref()).await?;
    let mut verdict = Verdict { log, published: None, rows: 0, index_entries: 0, difference: None };
    if verdict.log.damage.is_some() {
        return Ok(verdict);
    }
    match tables(store, only, projectors, &mut verdict).await {
        Err(RunnerError::Store(StoreError::Corrupt(what))) => {
            verdict.difference = Some(what);
        }
        compared => compared?,
    }
    Ok(verdict)
}

/// The shown tables, and what is kept of every run.
async fn tables<S: Store + ?Sized>(
    store: &S,
    only: Option<RunId>,
    projectors: Projectors,
    verdict: &mut Verdict,
) -> Result<(), RunnerError> {
    let shown = store.published().await?.map(|(run, _)| run);
    let mut rebuilt = None;
    if let Some(run) = shown.filter(|run| only.is_none_or(|only| only == *run)) {
        verdict.published = Some(run);
        rebuilt = Some((run, published(store, run, projectors, verdict).await?));
    }
    if verdict.difference.is_none() {
        verdict.difference = kept::compare(store, only, projectors, rebuilt, verdict).await?;
    }
    Ok(())
}

/// The shown tables of a run against its recorded digest and a rebuild.
async fn published<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    projectors: Projectors,
    verdict: &mut Verdict,
) -> Result<Rebuilt, RunnerError> {
    let rebuilt = fold_with_index(store, run, projectors, async |_, _| Ok(())).await?;
    if let Some(difference) = kept::recorded_otherwise(run, &rebuilt) {
        verdict.difference = Some(difference);
        return Ok(rebuilt);
    }
    let mut shown = Vec::with_capacity(rebuilt.digests.len());
    for expected in &rebuilt.digests {
        let digest = digest(store, run, expected).await?;
        verdict.rows += digest.rows();
        if digest.hash() != expected.hash() {
            let difference = first_difference(store, run, expected, projectors).await?;
            if difference.is_some() {
                verdict.difference = difference;
                return Ok(rebuilt);
            }
        }
        shown.push(digest);
    }
    let covered = shown.iter().take(rebuilt.rebuilt.tables.len());
    if output_digest(covered) != rebuilt.rebuilt.output_digest {
        verdict.difference = Some(format!("the tables of run {run} are not all there"));
    }
    Ok(rebuilt)
}

/// The digest of a shown table, in the version of the expected one.
async fn digest<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    expected: &TableDigest,
) -> Result<TableDigest, RunnerError> {
    let empty = || TableDigest::at_version(expected.table(), expected.version());
    let mut digest = empty();
    let mut batches = store.rows(expected.table());
    while let Some(batch) = batches.try_next().await? {
        if batch.run_id != run {
            // Another run's rows: whatever they say, they cannot have the digest of this one's.
            return Ok(empty());
        }
        digest.update(&batch.rows);
    }
    Ok(digest)
}

/// Names the first row of a table that is not what the events amount to, in the version of the
/// digest.
async fn first_difference<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    digest: &TableDigest,
    projectors: Projectors,
) -> Result<Option<String>, RunnerError> {
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

/// How a cell differs from what the events give. In a table that describes runs, a later column is
/// NULL where an older program wrote the row.
fn cell_difference(table: &TableSpec, at: usize, want: &Cell, have: &Cell) -> Option<String> {
    let column = &table.columns[at];
    if table.role == TableRole::Record && column.since > 1 && *have == Cell::Null {
        return None;
    }
    let (want, have) = (text(want), text(have));
    let name = column.name;
    (want != have).then(|| format!("{name} is {have:?}, the events give {want:?}"))
}

fn text(cell: &Cell) -> String {
    let mut text = Vec::new();
    powerfill_tables::csv::write_text(cell, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
