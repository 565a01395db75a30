//! One of the two sides: a run of the store, or an export.

use powerfill_events::run::options::RunOptions;
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::{RowBatch, TableSpec};
use powerfill_tables::tables::{ALL, Projector, projectors};
use serde::Serialize;

use crate::grid::{Grid, GridColumn};
use crate::names::Interner;

/// Rows are taken from the projectors after this many events.
const EVENTS_BETWEEN: u64 = 4096;

/// A side of the comparison.
#[derive(Debug)]
pub struct Side {
    /// What it is.
    pub head: SideHead,
    /// Its tables, by position in [`ALL`].
    pub tables: [Option<SideTable>; ALL.len()],
}

/// A table of a side.
#[derive(Debug, Clone)]
pub struct SideTable {
    /// The rows, with every column of the table; those that the side does not have are NULL.
    pub grid: Grid,
    /// The columns that it has, a bit each.
    pub columns: u32,
    /// Columns of an export that are none of the table's.
    pub strangers: Vec<String>,
    /// Cells of an export that do not read as what their column holds.
    pub unread: Vec<UnreadableCells>,
}

/// Cells of a column that do not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreadableCells {
    /// Ours.
    pub column: &'static str,
    /// How many.
    pub cells: u64,
    /// The first data row that has one, from 1.
    pub row: u32,
    /// What stands there.
    pub text: String,
}

/// What a side is, as reports say it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SideHead {
    /// A run of the store.
    Run(Box<RunSideHead>),
    /// Files.
    Export(ExportHead),
}

/// A run, as its events say it.
#[derive(Debug, Clone, Serialize)]
pub struct RunSideHead {
    /// The run.
    pub run_id: RunId,
    /// Whose book.
    pub tenant_id: Option<TenantId>,
    /// Where it stands.
    pub status: RunStatus,
    /// Who asked.
    pub requested_by: Option<String>,
    /// When.
    pub requested_at: Option<Timestamp>,
    /// When its last event was recorded.
    pub recorded_at: Option<Timestamp>,
    /// The engine that decided.
    pub engine_version: Option<String>,
    /// The specification that it follows.
    pub spec_version: Option<String>,
    /// BLAKE3 of the snapshot.
    pub snapshot_digest: Option<String>,
    /// BLAKE3 of the output tables, as recorded.
    pub output_digest: Option<String>,
    /// As resolved.
    pub options: Option<RunOptions>,
    /// How many.
    pub events: u64,
}

/// Files that were read.
#[derive(Debug, Clone, Serialize)]
pub struct ExportHead {
    /// `dir:…` or `xlsx:…`, as given.
    pub place: String,
    /// Each of them.
    pub files: Vec<ExportFile>,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportFile {
    /// Its name, and the sheet's where it is one of a workbook.
    pub name: String,
    /// The table that it holds; NULL where it is none of 1.5, or left out.
    pub table: Option<&'static str>,
    /// BLAKE3 of the file, hexadecimal.
    pub digest: String,
}

impl SideHead {
    /// In a few words.
    pub fn title(&self) -> String {
        match self {
            Self::Run(run) => format!("run {}", run.run_id),
            Self::Export(export) => export.place.clone(),
        }
    }

    /// The run, where it is one.
    pub fn run(&self) -> Option<&RunSideHead> {
        match self {
            Self::Run(run) => Some(run),
            Self::Export(_) => None,
        }
    }
}

/// Makes a side from the events of a run.
pub struct RunSide {
    head: RunSideHead,
    tables: Vec<(Box<dyn Projector>, Grid)>,
}

impl RunSide {
    /// Before the first event of the run.
    pub fn new(run_id: RunId, names: &mut Interner) -> Self {
        let head = RunSideHead {
            run_id,
            tenant_id: None,
            status: RunStatus::Pending,
            requested_by: None,
            requested_at: None,
            recorded_at: None,
            engine_version: None,
            spec_version: None,
            snapshot_digest: None,
            output_digest: None,
            options: None,
            events: 0,
        };
        let tables = projectors().into_iter().map(|projector| {
            let columns = projector.table().columns.iter();
            let grid = Grid::new(columns.map(|column| GridColumn::of(column, names)).collect());
            (projector, grid)
        });
        Self { head, tables: tables.collect() }
    }

    /// Takes the next event.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>, names: &mut Interner) {
        self.head.apply(recorded);
        for (projector, _) in &mut self.tables {
            projector.apply(recorded);
        }
        if self.head.events.is_multiple_of(EVENTS_BETWEEN) {
            self.drain(names);
        }
    }

    fn drain(&mut self, names: &mut Interner) {
        for (projector, grid) in &mut self.tables {
            let mut rows = RowBatch::new(projector.table());
            projector.drain(&mut rows);
            grid.extend(&rows, names);
        }
    }

    /// The side, after the last event.
    pub fn finish(mut self, names: &mut Interner) -> Side {
        self.drain(names);
        let mut tables = [const { None }; ALL.len()];
        for ((projector, mut grid), table) in self.tables.into_iter().zip(&mut tables) {
            let mut rows = RowBatch::new(projector.table());
            projector.rows(&mut rows);
            grid.extend(&rows, names);
            let columns = all_columns(grid.columns().len());
            let (strangers, unread) = (Vec::new(), Vec::new());
            *table = Some(SideTable { grid, columns, strangers, unread });
        }
        Side { head: SideHead::Run(Box::new(self.head)), tables }
    }
}

/// The table with this name, and its position in [`ALL`].
pub(crate) fn by_name(name: &str) -> Option<(usize, &'static TableSpec)> {
    ALL.iter().copied().enumerate().find(|(_, table)| table.name == name)
}

/// Bits of so many columns.
pub(crate) const fn all_columns(count: usize) -> u32 {
    match count {
        0 => 0,
        count => u32::MAX >> (32 - count),
    }
}

impl RunSideHead {
    fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        self.status = self.status.max(RunStatus::reached_with(recorded.event));
        self.recorded_at = Some(recorded.recorded_at);
        self.events = recorded.stream_version;
        // What else the events say is in the tables.
        if let RunEvent::RunRequested(requested) = recorded.event {
            self.tenant_id = Some(requested.tenant_id.clone());
            self.requested_by = Some(requested.requested_by.clone());
            self.requested_at = Some(recorded.recorded_at);
            self.spec_version = Some(requested.spec_version.clone());
            self.snapshot_digest = Some(requested.snapshot_digest.clone());
            self.options = Some(requested.options.clone());
        } else if let RunEvent::RunStarted(started) = recorded.event {
            self.engine_version = Some(started.engine_version.clone());
        } else if let RunEvent::RunCompleted(completed) = recorded.event {
            self.output_digest = Some(completed.output_digest.clone());
        }
    }
}
