//! All tables of a run with their digests. Recording a run and rebuilding it from stored events
//! give the same rows and the same output digest (specification 3.3).

use powerfill_events::run::event::{RunCompleted, TableVersion};
use powerfill_events::run::{RecordedEvent, RunEvent};

use crate::digest::{TableDigest, output_digest};
use crate::run_headline::RunHeadline;
use crate::table::{Cell, RowBatch, TableRef, TableRole, TableSpec};
use crate::tables::{Projector, projectors, run_history};

/// The output tables of one run.
///
/// Each row leaves once, in table order: rows that are final already with [`drain`](Self::drain),
/// the others with [`finish`](Self::finish). How rows are cut into batches changes no row, count,
/// or digest.
pub struct RunTables {
    /// In the order of [`ALL`](crate::tables::ALL).
    tables: Vec<ProjectedTable>,
    /// From the request on.
    headline: Option<RunHeadline>,
}

/// A run names a table, or a version of one, that this program does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the output digest covers version {version} of table {table}, which this program does not \
     know; use the program that completed the run, or a later one"
)]
pub struct UnknownTable {
    /// The name in the event.
    pub table: String,
    /// The version in the event.
    pub version: u32,
}

struct ProjectedTable {
    projector: Box<dyn Projector>,
    /// In ascending order of versions; the last is the present one.
    digests: Vec<TableDigest>,
    /// Rows that are hashed and have not left yet.
    ready: RowBatch,
    /// All rows are hashed, so no later event may change the table.
    sealed: bool,
}

impl ProjectedTable {
    fn new(projector: Box<dyn Projector>, oldest: u32) -> Self {
        let table = projector.table();
        let versions = oldest.min(table.version())..=table.version();
        let digests = versions.map(|version| TableDigest::at_version(table, version)).collect();
        Self { projector, digests, ready: RowBatch::new(table), sealed: false }
    }

    const fn spec(&self) -> TableRef {
        self.ready.table
    }

    /// Moves the rows that are final out of the projector.
    fn drain(&mut self) {
        if !self.sealed {
            let mut rows = RowBatch::new(self.spec());
            self.projector.drain(&mut rows);
            self.take(rows);
        }
    }

    /// Takes all rows out of the projector, for good.
    fn seal(&mut self) {
        if !self.sealed {
            self.drain();
            let mut rows = RowBatch::new(self.spec());
            self.projector.rows(&mut rows);
            self.take(rows);
            self.sealed = true;
        }
    }

    fn take(&mut self, mut rows: RowBatch) {
        self.digests.iter_mut().for_each(|digest| digest.update(&rows));
        self.ready.append(&mut rows);
    }

    fn leave(&mut self) -> Option<RowBatch> {
        let empty = RowBatch::new(self.spec());
        let rows = std::mem::replace(&mut self.ready, empty);
        (!rows.is_empty()).then_some(rows)
    }
}

impl Default for RunTables {
    fn default() -> Self {
        Self::new()
    }
}

impl RunTables {
    /// The tables of a run that this program records, before the first event.
    pub fn new() -> Self {
        let tables = projectors().into_iter().map(|projector| {
            let present = projector.table().version();
            ProjectedTable::new(projector, present)
        });
        Self { tables: tables.collect(), headline: None }
    }

    /// The tables of a stored run before its first event. They are hashed in every version, because
    /// the run names the versions of its digest only with its last event.
    pub fn of_stored_run(projectors: Vec<Box<dyn Projector>>) -> Self {
        let table = |projector| ProjectedTable::new(projector, 1);
        Self { tables: projectors.into_iter().map(table).collect(), headline: None }
    }

    /// The declarations of the tables, in the order of 1.5.
    pub fn specs(&self) -> Vec<TableRef> {
        self.tables.iter().map(ProjectedTable::spec).collect()
    }

    /// Applies the next event of the run.
    pub fn apply(&mut self, event: &RecordedEvent<'_>) {
        if let RunEvent::RunRequested(request) = event.event {
            self.headline = Some(RunHeadline::requested(request));
        } else if let RunEvent::RunCompleted(completed) = event.event
            && let Some(headline) = &mut self.headline
        {
            headline.complete(completed);
        }
        for table in &mut self.tables {
            let changes = table.projector.apply(event);
            debug_assert!(!(changes && table.sealed), "{} is sealed", table.spec().name);
        }
    }

    /// The rows that no later event can change and that have not left yet. Tables without such rows
    /// are left out.
    pub fn drain(&mut self) -> Vec<RowBatch> {
        self.tables
            .iter_mut()
            .filter_map(|table| {
                table.drain();
                table.leave()
            })
            .collect()
    }

    /// The `RunCompleted` of the run in the present versions of the tables. Call it after the last
    /// event before `RunCompleted`; a later call returns the same. The rows stay until they are
    /// drained.
    pub fn complete(&mut self) -> RunCompleted {
        let decisions =
            self.tables.iter_mut().filter(|table| table.spec().role == TableRole::Decision);
        let digests = decisions.filter_map(|table| {
            table.seal();
            table.digests.last()
        });
        completed(&digests.collect::<Vec<_>>())
    }

    /// As [`complete`](Self::complete), with the tables and versions that a run names.
    ///
    /// # Errors
    /// [`UnknownTable`] where a later program completed the run.
    pub fn complete_as(&mut self, covered: &[TableVersion]) -> Result<RunCompleted, UnknownTable> {
        self.digests(covered).map(|digests| completed(&digests))
    }

    /// The digests of the tables and versions that a run names, in its order.
    ///
    /// # Errors
    /// As [`complete_as`](Self::complete_as).
    pub fn digests(&mut self, covered: &[TableVersion]) -> Result<Vec<&TableDigest>, UnknownTable> {
        let named = |table: &ProjectedTable, name: &str| table.spec().name == name;
        for TableVersion { table: name, .. } in covered {
            self.tables
                .iter_mut()
                .filter(|table| named(table, name))
                .for_each(ProjectedTable::seal);
        }
        let digest = |TableVersion { table: name, version }: &TableVersion| {
            let table = self.tables.iter().find(|table| named(table, name));
            let mut versions = table.into_iter().flat_map(|table| &table.digests);
            versions
                .find(|digest| digest.version() == *version)
                .ok_or_else(|| UnknownTable { table: name.clone(), version: *version })
        };
        covered.iter().map(digest).collect()
    }

    /// The digests, in the present versions, of the tables that describe the run and hold its rows
    /// alone. Call it after [`finish`](Self::finish).
    pub fn record_digests(&self) -> impl Iterator<Item = &TableDigest> {
        let is_record = |spec: &TableSpec| spec.role == TableRole::Record && !spec.keeps_every_run;
        let records = self.tables.iter().filter(move |table| is_record(table.spec()));
        records.filter_map(|table| table.digests.last())
    }

    /// All rows that have not left yet. Call it after the last event of the run.
    pub fn finish(&mut self) -> Vec<RowBatch> {
        let tables = self.tables.iter_mut();
        let rows: Vec<RowBatch> = tables
            .filter_map(|table| {
                table.seal();
                table.leave()
            })
            .collect();
        if let Some(headline) = &mut self.headline {
            headline.take_value(&rows);
        }
        rows
    }

    /// What the list of runs says about the run; `None` before `RunRequested`. Its value is that of
    /// a Complete run after [`finish`](Self::finish).
    pub const fn headline(&self) -> Option<&RunHeadline> {
        self.headline.as_ref()
    }

    /// The run's row of `pfill_run_history` after the events so far; `None` before `RunRequested`.
    pub fn history_row(&self) -> Option<Vec<Cell>> {
        let history =
            self.tables.iter().find(|table| table.spec().name == run_history::TABLE.name)?;
        let mut rows = RowBatch::new(history.spec());
        history.projector.rows(&mut rows);
        (!rows.is_empty()).then_some(rows.cells)
    }
}

fn completed(digests: &[&TableDigest]) -> RunCompleted {
    let name = |digest: &TableDigest| digest.table().name.to_owned();
    RunCompleted {
        counts: digests.iter().map(|digest| (name(digest), digest.rows())).collect(),
        output_digest: output_digest(digests.iter().copied()),
        tables: digests
            .iter()
            .map(|digest| TableVersion { table: name(digest), version: digest.version() })
            .collect(),
    }
}
