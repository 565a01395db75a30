//! Output tables (specification 3.3). Rows are staged while a run is active, where no reader sees
//! them, and published all at once when it is Complete. A rebuild uses the same calls.
//!
//! A tenant has one staging area. Rows are saved in one transaction with the version of the last
//! event that they come from.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use powerfill_events::run::RunId;
use powerfill_tables::table::{Cell, CellType, Column, RowBatch, TableRef, TableSpec};
use rust_decimal::Decimal;

use crate::lease::ProjectionWriter;
use crate::{StoreError, StoreResult};

/// Published rows of one run. The column `run_id`, which a database has first, is not in them.
#[derive(Debug, Clone)]
pub struct RunRows {
    /// The run.
    pub run_id: RunId,
    /// The rows, in the table's order, each cell in its [`stored_form`].
    pub rows: RowBatch,
}

/// Published rows, in the table's order, one batch at a time.
pub type RowBatches<'a> = BoxStream<'a, StoreResult<RunRows>>;

/// The most rows in a batch of a reader.
pub const ROWS_PER_BATCH: usize = 2_000;

/// Refuses a row that cannot be a run's row of a table.
///
/// # Errors
/// [`StoreError::Failed`] if the table does not keep every run, or has another number of columns.
pub fn ensure_row_of_run(table: &TableSpec, row: &[Cell]) -> StoreResult<()> {
    if table.keeps_every_run && row.len() == table.columns.len() {
        return Ok(());
    }
    let what = format!(
        "{} has one row per run: {}; it has {} columns, and the row {} cells",
        table.name,
        table.keeps_every_run,
        table.columns.len(),
        row.len()
    );
    Err(StoreError::Failed(what.into()))
}

/// A cell in the form in which every store returns it, so that rows of different stores compare:
/// names are text, and decimals have the column's scale, as scaled units if these fit 64 bits.
///
/// # Errors
/// [`StoreError::Failed`] if the cell does not have the column's type, which is a fault of the
/// projection.
pub fn stored_form(column: &Column, cell: &Cell) -> StoreResult<Cell> {
    Ok(match (column.cell_type, cell) {
        (_, Cell::Null) => Cell::Null,
        (CellType::Text | CellType::Json, Cell::Text(text)) => Cell::Text(text.clone()),
        (CellType::Text | CellType::Json, Cell::Name(name)) => Cell::Text((*name).into()),
        (CellType::Int, Cell::Int(number)) => Cell::Int(*number),
        (CellType::Decimal(scale), Cell::Fixed(units, own)) if own == &scale => {
            Cell::Fixed(*units, scale)
        }
        (CellType::Decimal(scale), Cell::Fixed(units, own)) => {
            decimal_form(Decimal::new(*units, u32::from(*own)), scale)
        }
        (CellType::Decimal(scale), Cell::Decimal(number)) => decimal_form(*number, scale),
        (CellType::Day, Cell::Day(day)) => Cell::Day(*day),
        (CellType::Timestamp, Cell::Timestamp(moment)) => Cell::Timestamp(*moment),
        (cell_type, other) => {
            let name = column.name;
            let what = format!("column {name} holds {cell_type:?}, and a row has {other:?}");
            return Err(StoreError::Failed(what.into()));
        }
    })
}

/// A decimal in the form of [`stored_form`].
pub fn decimal_form(number: Decimal, scale: u8) -> Cell {
    let mut scaled = number;
    scaled.rescale(u32::from(scale));
    if scaled == number && scaled.scale() == u32::from(scale) {
        i64::try_from(scaled.mantissa())
            .map_or(Cell::Decimal(scaled), |units| Cell::Fixed(units, scale))
    } else {
        // It has more decimals than the column's scale, or is too large to have all of them.
        Cell::Decimal(number.normalize())
    }
}

/// Which columns of a table its stored form has, given the names and SQL types of the stored
/// columns. A column of a later version may be missing, because an older program stored the rows;
/// its cells are NULL.
///
/// # Errors
/// [`StoreError::Schema`] if the stored table is another one.
pub fn stored_columns(
    table: &TableSpec,
    stored: &[(String, String)],
    sql_type: impl Fn(CellType) -> &'static str,
) -> StoreResult<Vec<bool>> {
    let is = |column: &Column, (name, stored_type): &(String, String)| {
        name == column.name && stored_type == sql_type(column.cell_type)
    };
    let known = stored.iter().all(|stored| table.columns.iter().any(|column| is(column, stored)));
    let has = |column: &Column| stored.iter().any(|stored| is(column, stored));
    let columns: Vec<bool> = table.columns.iter().map(has).collect();
    let complete = table.columns.iter().zip(&columns).all(|(column, has)| *has || column.since > 1);
    if known && complete {
        return Ok(columns);
    }
    let what = "has other columns than this PowerFill writes; rebuild the outputs";
    Err(StoreError::Schema(format!("table {} {what}", table.name).into()))
}

/// Whether the stored columns are those of the program.
pub fn matches_spec(
    table: &TableSpec,
    stored: &[(String, String)],
    sql_type: impl Fn(CellType) -> &'static str,
) -> bool {
    let columns = table.columns.iter().map(|column| (column.name, sql_type(column.cell_type)));
    columns.eq(stored.iter().map(|(name, sql_type)| (name.as_str(), sql_type.as_str())))
}

/// The columns that two stored tables have in common, each quoted and after a comma.
pub fn common_columns(one: &[(String, String)], other: &[(String, String)]) -> String {
    let common = one.iter().filter(|column| other.contains(column));
    common.map(|(name, _)| format!(", \"{}\"", name.replace('"', "\"\""))).collect()
}

/// The output tables of one tenant.
///
/// # Errors
/// Each call returns an error if the store fails; a method names the others that it has.
#[async_trait]
pub trait ProjectionStore: Send + Sync {
    /// Empties the staging area and assigns it to this run.
    ///
    /// # Errors
    /// The writer may not write (see [`ProjectionWriter`]); the store fails.
    async fn begin_staging(&self, writer: ProjectionWriter, tables: &[TableRef])
    -> StoreResult<()>;

    /// Adds rows, in order, to the staging area, and records the version of the last event that
    /// they come from. The rows are shared, so that the call can be repeated without a copy of
    /// them.
    ///
    /// # Errors
    /// The writer may not write; the staging area belongs to another run; the store fails.
    async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to_version: u64,
    ) -> StoreResult<()>;

    /// Replaces the published rows of all staged tables by the staged ones, at once, removes the
    /// tables that are left out, and records that this is the output of this run. In tables that
    /// keep every run, only the rows of this run are replaced.
    ///
    /// # Errors
    /// The writer may not write; the staging area belongs to another run; the store fails. The
    /// former rows then stay.
    async fn publish(&self, writer: ProjectionWriter, left_out: &[TableRef]) -> StoreResult<()>;

    /// The run whose outputs are published, and the version of the last event that they come from.
    async fn published(&self) -> StoreResult<Option<(RunId, u64)>>;

    /// Whether a published table is stored. It is not if it was left out or never published.
    async fn is_stored(&self, table: TableRef) -> StoreResult<bool>;

    /// Replaces a run's row in a table that keeps every run (`pfill_run_history`).
    ///
    /// # Errors
    /// The writer may not write; the store fails.
    async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: TableRef,
        row: Vec<Cell>,
    ) -> StoreResult<()>;

    /// The rows of a published table in the order in which they were staged; of a table that keeps
    /// every run, ordered by run id with one batch per run. All rows are from one moment, even if
    /// they are read slowly. A table that is not stored has no rows.
    fn rows(&self, table: TableRef) -> RowBatches<'_>;
}
