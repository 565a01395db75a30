//! Reading output tables: all batches of one stream are of one moment, whatever is published meanwhile. The server keeps
//! the rows for the reader in a cursor that outlives its transaction, so that a slow reader holds no lock, and nobody
//! who publishes waits for it.

use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::projections::{ROWS_PER_BATCH, RunRows};
use powerfill_tables::table::{RowBatch, TableSpec};
use tokio_postgres::{Row, Statement};

use crate::bytes_in::get;
use crate::cells;
use crate::fault::fault;
use crate::pool::Session;
use crate::staging::{column_list, columns_of, matches_spec, quoted, state};
use crate::url::READS_LONG;

/// Where a reader of a table has got to.
pub(crate) struct Shown {
    session: Session,
    fetch: Option<Statement>,
    /// The run whose rows they are, where they are of one.
    run: Option<RunId>,
}

impl Shown {
    /// Begins to read.
    pub(crate) async fn begin(mut session: Session, table: &TableSpec) -> Result<Self, StoreError> {
        let tx = session.transaction().await.map_err(fault)?;
        tx.batch_execute(READS_LONG).await.map_err(fault)?;
        let found = columns_of(tx.client(), table.name).await?;
        if !found.is_empty() && !matches_spec(&found, table) {
            return Err(StoreError::Schema(format!(
                "table {} has other columns than this PowerFill writes; rebuild the outputs",
                table.name
            )));
        }
        if found.is_empty() {
            tx.commit().await.map_err(fault)?;
            return Ok(Self { session, fetch: None, run: None });
        }
        let order = if table.keeps_every_run { "run_id" } else { "row_no" };
        let sql = format!(
            "DECLARE shown NO SCROLL CURSOR WITH HOLD FOR
             SELECT {order}, run_id{} FROM powerfill.{} ORDER BY {order}",
            column_list(table),
            quoted(table.name)
        );
        tx.batch_execute(&sql).await.map_err(fault)?;
        let run = state(tx.client(), "shown").await?.map(|slot| slot.run);
        tx.commit().await.map_err(fault)?;
        let fetch = format!("FETCH FORWARD {ROWS_PER_BATCH} FROM shown");
        let fetch = session.prepare(&fetch).await.map_err(fault)?;
        Ok(Self { session, fetch: Some(fetch), run })
    }

    /// The next rows; none at the end.
    pub(crate) async fn next(
        &mut self,
        table: &'static TableSpec,
    ) -> Result<Vec<RunRows>, StoreError> {
        let Some(fetch) = &self.fetch else { return Ok(Vec::new()) };
        let rows = self.session.query(fetch, &[]).await.map_err(fault)?;
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
                let what = format!("run_id holds {run_id}, of another run");
                return Err(placed(StoreError::Corrupt(what), table, row));
            }
            for (at, column) in table.columns.iter().enumerate() {
                let cell = cells::read(row, at + 2, column);
                batch.rows.cells.push(cell.map_err(|error| placed(error, table, row))?);
            }
        }
        Ok(batches)
    }

    /// Ends the cursor and gives the connection back.
    pub(crate) async fn end(self) -> Result<(), StoreError> {
        if self.fetch.is_some() {
            self.session.batch_execute("CLOSE shown").await.map_err(fault)?;
        }
        self.session.give_back();
        Ok(())
    }
}

/// Says in which row of which table a cell cannot be read.
fn placed(error: StoreError, table: &TableSpec, row: &Row) -> StoreError {
    let name = table.name;
    match error {
        StoreError::Corrupt(what) if table.keeps_every_run => {
            let run = get(row, 1).map(RunId).unwrap_or_default();
            StoreError::Corrupt(format!("{name}, run {run}: {what}"))
        }
        StoreError::Corrupt(what) => {
            let row_no: i64 = get(row, 0).unwrap_or_default();
            StoreError::Corrupt(format!("{name}, row {row_no}: {what}"))
        }
        other => other,
    }
}
