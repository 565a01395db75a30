//! Reading output tables. All batches of one reader show the same state, even if another run is
//! published meanwhile. The server keeps the rows in a cursor that outlives its transaction, so
//! that a slow reader holds no lock, and publishing does not wait for it.

use powerfill_events::run::RunId;
use powerfill_ports::projections::{ROWS_PER_BATCH, RunRows, stored_columns};
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::table::{RowBatch, TableRef, TableSpec};
use tokio_postgres::{Row, Statement};

use crate::cells;
use crate::errors::store_error;
use crate::pool::ExclusiveSession;
use crate::sql_names::quoted;
use crate::staging::{columns_of, slot};
use crate::url::LONG_READ;
use crate::values::get;

/// A cursor over one table.
pub(crate) struct OutputCursor {
    session: ExclusiveSession,
    /// `None` if the table was never published.
    fetch: Option<Statement>,
    /// The published run.
    run: Option<RunId>,
}

impl OutputCursor {
    /// Opens the cursor.
    pub(crate) async fn open(
        mut session: ExclusiveSession,
        table: &TableSpec,
    ) -> StoreResult<Self> {
        let tx = session.transaction().await.map_err(store_error)?;
        tx.batch_execute(LONG_READ).await.map_err(store_error)?;
        let found = columns_of(tx.client(), table.name).await?;
        if found.is_empty() {
            tx.commit().await.map_err(store_error)?;
            return Ok(Self { session, fetch: None, run: None });
        }
        let stored = stored_columns(table, &found, cells::sql_type)?;
        let columns: String = table
            .columns
            .iter()
            .zip(stored)
            .map(|(column, stored)| match stored {
                true => format!(", {}", quoted(column.name)),
                false => format!(", NULL::{}", cells::sql_type(column.cell_type)),
            })
            .collect();
        let order = if table.keeps_every_run { "run_id" } else { "row_no" };
        let sql = format!(
            "DECLARE shown NO SCROLL CURSOR WITH HOLD FOR
             SELECT {order}, run_id{columns} FROM powerfill.{} ORDER BY {order}",
            quoted(table.name)
        );
        tx.batch_execute(&sql).await.map_err(store_error)?;
        let run = slot(tx.client(), "shown").await?.map(|slot| slot.run);
        tx.commit().await.map_err(store_error)?;
        let fetch = format!("FETCH FORWARD {ROWS_PER_BATCH} FROM shown");
        let fetch = session.prepare(&fetch).await.map_err(store_error)?;
        Ok(Self { session, fetch: Some(fetch), run })
    }

    /// The next rows; empty at the end.
    pub(crate) async fn next(&mut self, table: TableRef) -> StoreResult<Vec<RunRows>> {
        let Some(fetch) = &self.fetch else { return Ok(Vec::new()) };
        let rows = self.session.query(fetch, &[]).await.map_err(store_error)?;
        let mut batches: Vec<RunRows> = Vec::new();
        for row in &rows {
            let run_id = RunId(get(row, 1)?);
            if table.keeps_every_run || batches.is_empty() {
                batches.push(RunRows { run_id, rows: RowBatch::new(table) });
            }
            let Some(batch) = batches.last_mut() else { continue };
            if batch.run_id != run_id
                || self.run.is_some_and(|run| run != run_id && !table.keeps_every_run)
            {
                let what = format!("run_id contains {run_id}, which is another run");
                return Err(locate(StoreError::Corrupt(what.into()), table, row));
            }
            for (at, column) in table.columns.iter().enumerate() {
                let cell = cells::read(row, at + 2, column);
                batch.rows.cells.push(cell.map_err(|error| locate(error, table, row))?);
            }
        }
        Ok(batches)
    }

    /// Closes the cursor and returns the connection to the pool.
    pub(crate) async fn close(self) -> StoreResult<()> {
        if self.fetch.is_some() {
            self.session.batch_execute("CLOSE shown").await.map_err(store_error)?;
        }
        self.session.give_back();
        Ok(())
    }
}

/// Adds the table and the row to the error of a cell.
fn locate(error: StoreError, table: &TableSpec, row: &Row) -> StoreError {
    let name = table.name;
    match error {
        StoreError::Corrupt(fault) if table.keeps_every_run => {
            let run = get(row, 1).map(RunId).unwrap_or_default();
            StoreError::Corrupt(fault.context(format!("{name}, run {run}")))
        }
        StoreError::Corrupt(fault) => {
            let row_no: i64 = get(row, 0).unwrap_or_default();
            StoreError::Corrupt(fault.context(format!("{name}, row {row_no}")))
        }
        other => other,
    }
}
