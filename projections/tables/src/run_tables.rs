//! All tables of a run together, with their digest: what the runner feeds with events while a run goes on, and what a
//! rebuild feeds with stored ones. Both give the same rows and the same digest (specification 3.3).

use powerfill_events::run::RecordedEvent;
use powerfill_events::run::event::{RunCompleted, TableVersion};

use crate::digest::{TableDigest, output_digest};
use crate::table::{Cell, RowBatch, TableSpec};
use crate::tables::{ALL, DECISIONS, Projector, projectors, run_history};

/// The output tables of one run.
///
/// Rows leave it once, in table order: those that are final already by [`drain`](Self::drain), the rest by
/// [`finish`](Self::finish). How they are cut into batches changes nothing in rows, counts or digest.
pub struct RunTables {
    /// In the order of [`ALL`], so that those of [`DECISIONS`] come first.
    tables: Vec<Table>,
}

struct Table {
    projector: Box<dyn Projector>,
    digest: TableDigest,
    /// Rows that were hashed but have not left yet.
    ready: RowBatch,
    /// Whether all rows were hashed: no later event may change the table.
    sealed: bool,
}

impl Table {
    fn new(projector: Box<dyn Projector>) -> Self {
        let table = projector.table();
        let (digest, ready) = (TableDigest::new(table), RowBatch::new(table));
        Self { projector, digest, ready, sealed: false }
    }

    /// Takes what is final from the projector.
    fn drain(&mut self) {
        if !self.sealed {
            let mut rows = RowBatch::new(self.ready.table);
            self.projector.drain(&mut rows);
            self.take(rows);
        }
    }

    /// Takes everything from the projector, for good.
    fn seal(&mut self) {
        if !self.sealed {
            self.drain();
            let mut rows = RowBatch::new(self.ready.table);
            self.projector.rows(&mut rows);
            self.take(rows);
            self.sealed = true;
        }
    }

    fn take(&mut self, mut rows: RowBatch) {
        self.digest.update(&rows);
        self.ready.append(&mut rows);
    }

    fn leave(&mut self) -> Option<RowBatch> {
        let empty = RowBatch::new(self.ready.table);
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
    /// Before the first event.
    pub fn new() -> Self {
        Self { tables: projectors().into_iter().map(Table::new).collect() }
    }

    /// The tables, in the order of 1.5.
    pub fn specs() -> &'static [&'static TableSpec] {
        ALL
    }

    /// Takes the next event of the run; whether it changed a table.
    pub fn apply(&mut self, event: &RecordedEvent<'_>) -> bool {
        let mut changed = false;
        for table in &mut self.tables {
            let changes = table.projector.apply(event);
            debug_assert!(!(changes && table.sealed), "{} is sealed", table.ready.table.name);
            changed |= changes;
        }
        changed
    }

    /// The rows that no later event can change and that have not left yet; tables without such rows are left out.
    pub fn drain(&mut self) -> Vec<RowBatch> {
        self.tables
            .iter_mut()
            .filter_map(|table| {
                table.drain();
                table.leave()
            })
            .collect()
    }

    /// Counts and digest of the outputs: what `RunCompleted` says. Comes after the last event before `RunCompleted`;
    /// asked again, also after that event, it gives the same. The rows stay until they are drained.
    pub fn complete(&mut self) -> RunCompleted {
        let decisions = &mut self.tables[..DECISIONS.len()];
        decisions.iter_mut().for_each(Table::seal);
        let digests = || decisions.iter().map(|table| &table.digest);
        RunCompleted {
            counts: digests()
                .map(|digest| (digest.table().name.to_owned(), digest.rows()))
                .collect(),
            output_digest: output_digest(digests()),
            tables: digests()
                .map(|digest| TableVersion { table: digest.table().name.to_owned(), version: 1 })
                .collect(),
        }
    }

    /// All rows that have not left yet. Comes after the last event of the run, whatever it was.
    pub fn finish(&mut self) -> Vec<RowBatch> {
        self.tables
            .iter_mut()
            .filter_map(|table| {
                table.seal();
                table.leave()
            })
            .collect()
    }

    /// The run's row of `pfill_run_history` as it stands now; `None` before `RunRequested`.
    pub fn history_row(&self) -> Option<Vec<Cell>> {
        let history = self
            .tables
            .iter()
            .find(|table| std::ptr::eq(table.ready.table, &run_history::TABLE))?;
        let mut rows = RowBatch::new(&run_history::TABLE);
        history.projector.rows(&mut rows);
        (!rows.is_empty()).then_some(rows.cells)
    }
}
