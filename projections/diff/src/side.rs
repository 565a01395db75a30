//! The sides of a comparison: a run of the store, or an export (specification 3.4).

use powerfill_events::run::options::RunOptions;
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::{RowBatch, TableRef};
use powerfill_tables::tables::{ALL, Projector, projectors};
use schemars::JsonSchema;
use serde::Serialize;

use crate::column_set::set_of;
use crate::grid::{Grid, GridColumn};
use crate::interner::Interner;

/// The number of events after which final rows move from the projectors into the grids.
const DRAIN_INTERVAL: u64 = 4096;

/// A side of the comparison.
#[derive(Debug)]
pub struct Side {
    /// Its description.
    pub head: SideHead,
    /// Its tables, by position in [`ALL`].
    pub tables: [Option<SideTable>; ALL.len()],
}

/// A table of a side.
#[derive(Debug, Clone)]
pub struct SideTable {
    /// The rows, with every column of the table. Columns that the side does not have are NULL.
    pub grid: Grid,
    /// The columns that the side has, as a bit set.
    pub columns: u32,
    /// Columns of an export that the table does not have.
    pub unknown_columns: Vec<String>,
    /// Cells of an export that do not have the type of their column.
    pub unreadable: Vec<UnreadableCells>,
}

/// The unreadable cells of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnreadableCells {
    /// The column of the output table.
    pub column: &'static str,
    /// The number of such cells.
    pub cells: u64,
    /// The first row with such a cell, from 1 without the header.
    pub row: u32,
    /// The text of that cell.
    pub text: String,
}

/// The description of a side in reports.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SideHead {
    /// A run of the store.
    Run(Box<RunSideHead>),
    /// The files of an export.
    Export(ExportHead),
}

/// The description of a run, from its events.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct RunSideHead {
    /// The run.
    #[schemars(with = "String")]
    pub run_id: RunId,
    /// The tenant.
    #[schemars(with = "Option<String>")]
    pub tenant_id: Option<TenantId>,
    /// Its status.
    #[schemars(with = "String")]
    pub status: RunStatus,
    /// Who requested it.
    pub requested_by: Option<String>,
    /// When it was requested.
    #[schemars(with = "Option<String>")]
    pub requested_at: Option<Timestamp>,
    /// When its last event was recorded.
    #[schemars(with = "Option<String>")]
    pub recorded_at: Option<Timestamp>,
    /// The version of the engine.
    pub engine_version: Option<String>,
    /// The version of the specification.
    pub spec_version: Option<String>,
    /// BLAKE3 of the snapshot.
    pub snapshot_digest: Option<String>,
    /// BLAKE3 of the output tables, as recorded.
    pub output_digest: Option<String>,
    /// The options with their defaults filled in.
    pub options: Option<RunOptions>,
    /// The number of events.
    pub events: u64,
}

/// The description of an export.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExportHead {
    /// `dir:…` or `xlsx:…`, as the caller wrote it.
    pub place: String,
    /// Its files.
    pub files: Vec<ExportFile>,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExportFile {
    /// Its name, with the sheet's name in a workbook.
    pub name: String,
    /// The output table in it; NULL if it is none of 1.5, or left out.
    pub table: Option<&'static str>,
    /// BLAKE3 of the file, hexadecimal.
    pub digest: String,
}

impl SideHead {
    /// A short name.
    pub fn title(&self) -> String {
        match self {
            Self::Run(run) => format!("run {}", run.run_id),
            Self::Export(export) => export.place.clone(),
        }
    }

    /// The description of the run; `None` for an export.
    pub fn run(&self) -> Option<&RunSideHead> {
        match self {
            Self::Run(run) => Some(run),
            Self::Export(_) => None,
        }
    }
}

/// Makes a side from the events of a run, in their order.
pub struct RunSide {
    head: RunSideHead,
    tables: Vec<(Box<dyn Projector>, Grid)>,
}

impl RunSide {
    /// The side before the first event.
    pub fn new(run_id: RunId, names: &mut Interner) -> Self {
        let head = RunSideHead::new(run_id);
        let tables = projectors().into_iter().map(|projector| {
            let columns = projector.table().columns.iter();
            let grid = Grid::new(columns.map(|column| GridColumn::new(column, names)).collect());
            (projector, grid)
        });
        Self { head, tables: tables.collect() }
    }

    /// Applies the next event.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>, names: &mut Interner) {
        self.head.apply(recorded);
        for (projector, _) in &mut self.tables {
            projector.apply(recorded);
        }
        if self.head.events.is_multiple_of(DRAIN_INTERVAL) {
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

    /// The side after the last event.
    pub fn finish(mut self, names: &mut Interner) -> Side {
        self.drain(names);
        let mut tables = [const { None }; ALL.len()];
        for ((projector, mut grid), table) in self.tables.into_iter().zip(&mut tables) {
            let mut rows = RowBatch::new(projector.table());
            projector.rows(&mut rows);
            grid.extend(&rows, names);
            let columns = set_of(0..grid.columns().len());
            let (unknown_columns, unreadable) = (Vec::new(), Vec::new());
            *table = Some(SideTable { grid, columns, unknown_columns, unreadable });
        }
        Side { head: SideHead::Run(Box::new(self.head)), tables }
    }
}

/// The table with this name, and its position in [`ALL`].
pub(crate) fn by_name(name: &str) -> Option<(usize, TableRef)> {
    ALL.iter().copied().enumerate().find(|(_, table)| table.name == name)
}

/// The names of all output tables, for messages.
pub(crate) fn table_names() -> String {
    ALL.iter().map(|table| table.name).collect::<Vec<_>>().join(", ")
}

impl RunSideHead {
    /// A run before its first event.
    pub(crate) fn new(run_id: RunId) -> Self {
        Self { run_id, ..Self::default() }
    }

    pub(crate) fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        self.status = self.status.max(RunStatus::reached_with(recorded.event));
        self.recorded_at = Some(recorded.recorded_at);
        self.events = recorded.stream_version;
        // Everything else that the events say is in the tables.
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
