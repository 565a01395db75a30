//! Whether a store tells the truth: chain and seals, and the output tables and event indexes against the events
//! (specification 3.4).

use std::collections::BTreeMap;

use futures::TryStreamExt;
use powerfill_domain::run::RunId;
use powerfill_ports::events::{Damage, Verification};
use powerfill_ports::{Store, StoreError};
use powerfill_projections::digest::{TableDigest, output_digest};
use powerfill_projections::event_index::{
    IndexEntry, PROJECTOR_VERSION, RunIndex, Subject, Versions,
};
use powerfill_projections::table::{Cell, RowBatch, TableSpec};
use powerfill_projections::tables::{ALL, DECISIONS, run_history};

use crate::RunnerError;
use crate::rebuild::{anew, fold};

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

/// Verifies the whole store. Tables are compared only where the log they come from is whole.
///
/// # Errors
/// Where the store fails; damage and differences are answers.
pub async fn verify<S: Store + ?Sized>(store: &S) -> Result<Verdict, RunnerError> {
    let log = store.verify(None).await?;
    let mut verdict = Verdict { log, published: None, rows: 0, index_entries: 0, difference: None };
    if verdict.log.damage.is_some() {
        return Ok(verdict);
    }
    match tables(store, &mut verdict).await {
        Err(RunnerError::Store(StoreError::Corrupt(what))) => {
            verdict.difference = Some(format!("what is shown cannot be read: {what}"));
        }
        compared => compared?,
    }
    Ok(verdict)
}

/// The shown tables, and what is kept of every run.
async fn tables<S: Store + ?Sized>(store: &S, verdict: &mut Verdict) -> Result<(), RunnerError> {
    if let Some((run, _)) = store.published().await? {
        verdict.published = Some(run);
        published(store, run, verdict).await?;
    }
    if verdict.difference.is_none() {
        verdict.difference = kept(store, verdict).await?;
    }
    Ok(())
}

/// The shown tables of a run against its recorded digest and a rebuild.
async fn published<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    verdict: &mut Verdict,
) -> Result<(), RunnerError> {
    let mut expected: Vec<TableDigest> = ALL.iter().map(|table| TableDigest::new(table)).collect();
    let rebuilt = fold(store, run, async |batches, _| {
        for batch in &batches {
            let place = ALL.iter().position(|table| std::ptr::eq(*table, batch.table));
            if let Some(place) = place {
                expected[place].update(batch);
            }
        }
        Ok(())
    })
    .await?;
    if !rebuilt.agrees() {
        let recorded = rebuilt.recorded.map(|recorded| recorded.output_digest).unwrap_or_default();
        verdict.difference = Some(format!(
            "run {run} recorded the output digest {recorded}, its events amount to {}",
            rebuilt.rebuilt.output_digest
        ));
        return Ok(());
    }
    let mut shown = Vec::with_capacity(DECISIONS.len());
    for (table, expected) in ALL.iter().zip(&expected).filter(|(table, _)| !table.keeps_every_run) {
        let digest = digest(store, run, table).await?;
        verdict.rows += digest.rows();
        if digest.hash() != expected.hash() {
            verdict.difference = first_difference(store, run, table).await?;
            return Ok(());
        }
        shown.push(digest);
    }
    let decisions = shown.iter().take(DECISIONS.len());
    if output_digest(decisions) != rebuilt.rebuilt.output_digest {
        verdict.difference = Some(format!("the tables of run {run} are not all there"));
    }
    Ok(())
}

async fn digest<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    table: &'static TableSpec,
) -> Result<TableDigest, RunnerError> {
    let mut digest = TableDigest::new(table);
    let mut batches = store.rows(table);
    while let Some(batch) = batches.try_next().await? {
        if batch.run_id != run {
            // Another run's rows: whatever they say, they cannot have the digest of this one's.
            return Ok(TableDigest::new(table));
        }
        digest.update(&batch.rows);
    }
    Ok(digest)
}

/// Names the first row of a table that is not what the events amount to.
async fn first_difference<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    table: &'static TableSpec,
) -> Result<Option<String>, RunnerError> {
    let mut expected = RowBatch::new(table);
    fold(store, run, async |batches, _| {
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
            let differs = table.columns.iter().zip(want.iter().zip(row));
            let differs = differs.map(|(column, (want, have))| (column, text(want), text(have)));
            for (column, want, have) in differs {
                if want != have {
                    let column = column.name;
                    return Ok(Some(format!(
                        "{place}: {column} is {have:?}, the events give {want:?}"
                    )));
                }
            }
        }
    }
    let missing = expected.next().is_some();
    Ok(missing.then(|| format!("{}: rows are missing after row {number}", table.name)))
}

fn text(cell: &Cell) -> String {
    let mut text = Vec::new();
    powerfill_projections::csv::write_text(cell, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// What is kept of every run against its events: its row of the history, and the index of its events.
async fn kept<S: Store + ?Sized>(
    store: &S,
    verdict: &mut Verdict,
) -> Result<Option<String>, RunnerError> {
    let mut runs: BTreeMap<RunId, Kept> = BTreeMap::new();
    let mut batches = store.rows(&run_history::TABLE);
    while let Some(batch) = batches.try_next().await? {
        let rows = batch.rows.rows().map(<[Cell]>::to_vec);
        runs.entry(batch.run_id).or_default().history.extend(rows);
    }
    for (run, state) in store.indexed_runs().await? {
        // What another projector listed is not read by anyone here.
        if state.projector_version == PROJECTOR_VERSION {
            runs.entry(run).or_default().index_up_to = Some(state.up_to_version);
        }
    }
    for (run, kept) in runs {
        let table = run_history::TABLE.name;
        if store.stream_version(&run.stream()).await? == 0 {
            return Ok(Some(format!("{table}: {run} is no run of this store")));
        }
        let anew = anew(store, run, kept.index_up_to.unwrap_or_default()).await?;
        let expected = anew.history.unwrap_or_default();
        for row in &kept.history {
            let columns = run_history::TABLE.columns.iter().zip(expected.iter().zip(row));
            for (column, (want, have)) in columns {
                let (want, have) = (text(want), text(have));
                if want != have {
                    let column = column.name;
                    return Ok(Some(format!(
                        "{table}, run {run}: {column} is {have:?}, the events give {want:?}"
                    )));
                }
            }
            verdict.rows += 1;
        }
        if let (Some(up_to), Some(expected)) = (kept.index_up_to, anew.index) {
            let different = index(store, run, up_to, &expected, &mut verdict.index_entries).await?;
            if let Some(what) = different {
                return Ok(Some(format!("the event index of run {run}: {what}")));
            }
        }
    }
    Ok(None)
}

/// What is kept of one run.
#[derive(Default)]
struct Kept {
    history: Vec<Vec<Cell>>,
    /// The version that its index reaches up to, where it has one.
    index_up_to: Option<u64>,
}

/// The first entry of a run's index that is not what the events give: one of them could keep an event from a story.
async fn index<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    up_to_version: u64,
    expected: &RunIndex,
    entries: &mut u64,
) -> Result<Option<String>, RunnerError> {
    if up_to_version != expected.up_to_version {
        let last = expected.up_to_version;
        return Ok(Some(format!("it reaches to event {up_to_version}, and the run to {last}")));
    }
    let mut missing: BTreeMap<&Subject, &Versions> =
        expected.entries.iter().map(|entry| (&entry.subject, &entry.versions)).collect();
    let mut batches = store.index_entries(run);
    while let Some(batch) = batches.try_next().await? {
        for IndexEntry { subject, versions } in &batch {
            match missing.remove(subject) {
                Some(want) if want == versions => *entries += 1,
                Some(want) => {
                    return Ok(Some(format!(
                        "{subject} lists the events {}, the events give {}",
                        listed(versions),
                        listed(want)
                    )));
                }
                None => return Ok(Some(format!("{subject} is not in the events"))),
            }
        }
    }
    Ok(missing.keys().next().map(|subject| format!("{subject} is missing")))
}

/// Some of an entry's events, for a message.
fn listed(versions: &Versions) -> String {
    const FEW: usize = 12;
    match versions.decode() {
        Ok(versions) => {
            let shown: Vec<String> = versions.iter().take(FEW).map(u64::to_string).collect();
            let more = if versions.len() > FEW { " …" } else { "" };
            format!("[{}{more}] ({})", shown.join(" "), versions.len())
        }
        Err(error) => format!("that are {error}"),
    }
}
