//! Reading output tables. All batches of one reader show the same state, even if another run is
//! published meanwhile.

use powerfill_ports::projections::{ROWS_PER_BATCH, RunRows, stored_columns};
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::table::{RowBatch, TableRef, TableSpec};
use rusqlite::{Connection, Row};

use crate::cells;
use crate::connection::store_error;
use crate::decode::{get, run_id};
use crate::staging::columns_of;

/// A reader of one table. Its connection holds a read transaction from the first batch to the last.
/// If the reader is dropped before, the connection is closed, which ends the transaction.
pub(crate) struct OutputReader {
    conn: Connection,
    sql: String,
    position: ReadPosition,
}

/// The key of the row that was read last.
enum ReadPosition {
    Row(i64),
    Run(String),
    End,
}

impl OutputReader {
    /// Begins the read transaction.
    pub(crate) fn begin(conn: Connection, table: &TableSpec) -> StoreResult<Self> {
        conn.execute_batch("BEGIN").map_err(store_error)?;
        let found = columns_of(&conn, table.name)?;
        let stored = match found.is_empty() {
            true => Vec::new(),
            false => stored_columns(table, &found, cells::sql_type)?,
        };
        let columns: String = table
            .columns
            .iter()
            .zip(stored)
            .map(|(column, stored)| match stored {
                true => format!(", \"{}\"", column.name),
                false => ", NULL".to_owned(),
            })
            .collect();
        let order = if table.keeps_every_run { "run_id" } else { "row_no" };
        let sql = format!(
            "SELECT row_no, run_id{columns} FROM \"{}\" WHERE {order} > ?1
             ORDER BY {order} LIMIT {ROWS_PER_BATCH}",
            table.name
        );
        let position = match (found.is_empty(), table.keeps_every_run) {
            (true, _) => ReadPosition::End,
            (false, true) => ReadPosition::Run(String::new()),
            (false, false) => ReadPosition::Row(i64::MIN),
        };
        Ok(Self { conn, sql, position })
    }

    /// The next rows; empty at the end.
    pub(crate) fn next(&mut self, table: TableRef) -> StoreResult<Vec<RunRows>> {
        let mut batches: Vec<RunRows> = Vec::new();
        let mut count = 0;
        {
            let mut select = match self.position {
                ReadPosition::End => return Ok(batches),
                _ => self.conn.prepare_cached(&self.sql).map_err(store_error)?,
            };
            let mut rows = match &self.position {
                ReadPosition::Row(row_no) => select.query([row_no]),
                ReadPosition::Run(run) => select.query([run]),
                ReadPosition::End => return Ok(batches),
            }
            .map_err(store_error)?;
            while let Some(row) = rows.next().map_err(store_error)? {
                if table.keeps_every_run || count == 0 {
                    let run_id = run_id(&get::<String>(row, 1)?)?;
                    batches.push(RunRows { run_id, rows: RowBatch::new(table) });
                }
                let Some(batch) = batches.last_mut() else { continue };
                for (at, column) in table.columns.iter().enumerate() {
                    let cell = cells::read(row, at + 2, column);
                    batch.rows.cells.push(cell.map_err(|error| locate(error, table, row))?);
                }
                self.position = if table.keeps_every_run {
                    ReadPosition::Run(get(row, 1)?)
                } else {
                    ReadPosition::Row(get(row, 0)?)
                };
                count += 1;
            }
        }
        if count < ROWS_PER_BATCH {
            self.position = ReadPosition::End;
        }
        Ok(batches)
    }

    /// Ends the transaction and returns the connection.
    pub(crate) fn end(self) -> StoreResult<Connection> {
        self.conn.execute_batch("COMMIT").map_err(store_error)?;
        Ok(self.conn)
    }
}

/// Adds the table and the row to the error of a cell.
fn locate(error: StoreError, table: &TableSpec, row: &Row<'_>) -> StoreError {
    match error {
        StoreError::Corrupt(fault) if table.keeps_every_run => {
            let run: String = get(row, 1).unwrap_or_default();
            StoreError::Corrupt(fault.context(format!("{}, run {run}", table.name)))
        }
        StoreError::Corrupt(fault) => {
            let row_no: i64 = get(row, 0).unwrap_or_default();
            StoreError::Corrupt(fault.context(format!("{}, row {row_no}", table.name)))
        }
        other => other,
    }
}
