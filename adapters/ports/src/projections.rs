//! Projection stores (specification 3.3). A run's rows are staged while it runs, unseen, and appear all at once when
//! it completes; a rebuild goes through the same door.
//!
//! One staging area a run: rows and the position of the last event that they come from are saved in one transaction.

use async_trait::async_trait;
use futures::stream::BoxStream;
use powerfill_domain::run::RunId;
use powerfill_projections::table::{Cell, RowBatch, TableSpec};

use crate::StoreError;

/// Rows of the run whose output is shown, in the table's order, a batch at a time.
pub type RowBatches<'a> = BoxStream<'a, Result<RowBatch, StoreError>>;

/// The output tables of one tenant.
#[async_trait]
pub trait ProjectionStore: Send + Sync {
    /// Empties the staging area and gives it to this run.
    ///
    /// # Errors
    /// Where the store fails.
    async fn begin_staging(
        &self,
        run: RunId,
        tables: &[&'static TableSpec],
    ) -> Result<(), StoreError>;

    /// Adds rows, in order, to the staging area, and remembers the stream version that they reach up to.
    ///
    /// # Errors
    /// Where the staging area is another run's, or the store fails.
    async fn stage(
        &self,
        run: RunId,
        rows: Vec<RowBatch>,
        up_to_version: u64,
    ) -> Result<(), StoreError>;

    /// Shows the staged rows in place of the former run's, all tables at once, and remembers that these are the
    /// outputs of this run. Rows of tables that keep every run replace only that run's own.
    ///
    /// # Errors
    /// Where the staging area is another run's, or the store fails; the former rows stay then.
    async fn publish(&self, run: RunId) -> Result<(), StoreError>;

    /// The run whose outputs are shown, and the stream version that they reach up to.
    ///
    /// # Errors
    /// Where the store fails.
    async fn published(&self) -> Result<Option<(RunId, u64)>, StoreError>;

    /// Writes the row of a table that keeps every run (`pfill_run_history`), in place of that run's former one.
    ///
    /// # Errors
    /// Where the store fails.
    async fn put_row(
        &self,
        run: RunId,
        table: &'static TableSpec,
        row: Vec<Cell>,
    ) -> Result<(), StoreError>;

    /// The rows of a published table, in the order in which they were staged (of a table that keeps every run: by run
    /// id), with `run_id` as a first, additional cell of each row.
    fn rows(&self, table: &'static TableSpec) -> RowBatches<'_>;
}
