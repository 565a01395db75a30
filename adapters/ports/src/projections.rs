//! Projection stores (specification 3.3). A run's rows are staged while it runs, unseen, and appear
//! all at once when it completes; a rebuild goes through the same door.
//!
//! One staging area a run: rows and the position of the last event that they come from are saved in
//! one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use powerfill_events::run::RunId;
use powerfill_tables::table::{Cell, CellType, Column, RowBatch, TableSpec};
use rust_decimal::Decimal;

use crate::StoreError;
use crate::runs::ProjectionWriter;

/// Rows that are shown, all of one run. Where a database has `run_id` as the first column, it is
/// said once here.
#[derive(Debug, Clone)]
pub struct RunRows {
    /// Whose they are.
    pub run_id: RunId,
    /// The rows, in the table's order, each cell in its [`stored_form`].
    pub rows: RowBatch,
}

/// Rows that are shown, in the table's order, a batch at a time.
pub type RowBatches<'a> = BoxStream<'a, Result<RunRows, StoreError>>;

/// The most rows in a batch of a reader.
pub const ROWS_PER_BATCH: usize = 2_000;

/// A cell as every store gives it back: a name as text; a decimal with the column's scale, as
/// scaled units where they fit 64 bits. So rows that went through different stores, or none,
/// compare.
///
/// # Errors
/// Where the cell is not of the column's type, which is a fault of the projection.
pub fn stored_form(column: &Column, cell: &Cell) -> Result<Cell, StoreError> {
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
            return Err(StoreError::Failed(format!(
                "column {name} holds {cell_type:?}, and a row has {other:?}"
            )));
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
        // More decimals than the column's scale, or too large to be written with all of them: kept
        // as it is.
        Cell::Decimal(number.normalize())
    }
}

/// Which columns of a table its stored form has, given the names and SQL types of the stored
/// columns. `None` where the stored table is another one. A column of a later version may be
/// missing, because an older program stored the rows; its cells are NULL.
pub fn stored_columns(
    table: &TableSpec,
    stored: &[(String, String)],
    sql_type: impl Fn(CellType) -> &'static str,
) -> Option<Vec<bool>> {
    let is = |column: &Column, (name, stored_type): &(String, String)| {
        name == column.name && stored_type == sql_type(column.cell_type)
    };
    let known = stored.iter().all(|stored| table.columns.iter().any(|column| is(column, stored)));
    let has = |column: &Column| stored.iter().any(|stored| is(column, stored));
    let columns: Vec<bool> = table.columns.iter().map(has).collect();
    let complete = table.columns.iter().zip(&columns).all(|(column, has)| *has || column.since > 1);
    (known && complete).then_some(columns)
}

/// The output tables of one tenant.
#[async_trait]
pub trait ProjectionStore: Send + Sync {
    /// Empties the staging area and gives it to this run.
    ///
    /// # Errors
    /// Where the writer may not write (see [`ProjectionWriter`]), or the store fails.
    async fn begin_staging(
        &self,
        writer: ProjectionWriter,
        tables: &[&'static TableSpec],
    ) -> Result<(), StoreError>;

    /// Adds rows, in order, to the staging area, and remembers the stream version that they reach
    /// up to. The rows are shared, so that the call can be repeated without a copy of them.
    ///
    /// # Errors
    /// Where the writer may not write, the staging area is another run's, or the store fails.
    async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to_version: u64,
    ) -> Result<(), StoreError>;

    /// Shows the staged rows in place of the former run's, all tables at once, and remembers that
    /// these are the outputs of this run. Rows of tables that keep every run replace only that
    /// run's own.
    ///
    /// # Errors
    /// Where the writer may not write, the staging area is another run's, or the store fails; the
    /// former rows stay then.
    async fn publish(&self, writer: ProjectionWriter) -> Result<(), StoreError>;

    /// The run whose outputs are shown, and the stream version that they reach up to.
    ///
    /// # Errors
    /// Where the store fails.
    async fn published(&self) -> Result<Option<(RunId, u64)>, StoreError>;

    /// Writes the row of a table that keeps every run (`pfill_run_history`), in place of that run's
    /// former one.
    ///
    /// # Errors
    /// Where the writer may not write, or the store fails.
    async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: &'static TableSpec,
        row: Vec<Cell>,
    ) -> Result<(), StoreError>;

    /// The rows of a published table, in the order in which they were staged (of a table that keeps
    /// every run: by run id, a batch a run), all of one moment, however slowly they are read. A
    /// table that was never published has none.
    fn rows(&self, table: &'static TableSpec) -> RowBatches<'_>;
}
