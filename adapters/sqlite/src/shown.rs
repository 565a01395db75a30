//! Reading output tables: all batches of one stream are of one moment, whatever is published meanwhile.

use powerfill_ports::StoreError;
use powerfill_ports::projections::{ROWS_PER_BATCH, RunRows};
use powerfill_tables::table::{RowBatch, TableSpec};
use rusqlite::{Connection, Row};

use crate::cells;
use crate::connection::fault;
use crate::staging::{columns_of, matches_spec, run_id};

/// Where a reader of a table has got to. The connection holds a read transaction from the first batch to the last;
/// one that is dropped early is closed, which ends it.
pub(crate) struct Shown {
    conn: Connection,
    sql: String,
    after: After,
}

enum After {
    Row(i64),
    Run(String),
    End,
}

impl Shown {
    /// Begins to read.
    pub(crate) fn begin(conn: Connection, table: &TableSpec) -> Result<Self, StoreError> {
        conn.execute_batch("BEGIN").map_err(fault)?;
        let found = columns_of(&conn, table.name)?;
        if !found.is_empty() && !matches_spec(&found, table) {
            return Err(StoreError::Schema(format!(
                "table {} has other columns than this PowerFill writes; rebuild the outputs",
                table.name
            )));
        }
        let columns: String =
            table.columns.iter().map(|column| format!(", \"{}\"", column.name)).collect();
        let order = if table.keeps_every_run { "run_id" } else { "row_no" };
        let sql = format!(
            "SELECT row_no, run_id{columns} FROM \"{}\" WHERE {order} > ?1 ORDER BY {order} LIMIT {ROWS_PER_BATCH}",
            table.name
        );
        let after = match (found.is_empty(), table.keeps_every_run) {
            (true, _) => After::End,
            (false, true) => After::Run(String::new()),
            (false, false) => After::Row(i64::MIN),
        };
        Ok(Self { conn, sql, after })
    }

    /// The next rows; none at the end.
    pub(crate) fn next(&mut self, table: &'static TableSpec) -> Result<Vec<RunRows>, StoreError> {
        let mut batches: Vec<RunRows> = Vec::new();
        let mut count = 0;
        {
            let mut select = match self.after {
                After::End => return Ok(batches),
                _ => self.conn.prepare_cached(&self.sql).map_err(fault)?,
            };
            let mut rows = match &self.after {
                After::Row(row_no) => select.query([row_no]),
                After::Run(run) => select.query([run]),
                After::End => return Ok(batches),
            }
            .map_err(fault)?;
            while let Some(row) = rows.next().map_err(fault)? {
                if table.keeps_every_run || count == 0 {
                    let run_id = run_id(&row.get::<_, String>(1).map_err(fault)?)?;
                    batches.push(RunRows { run_id, rows: RowBatch::new(table) });
                }
                let Some(batch) = batches.last_mut() else { continue };
                for (at, column) in table.columns.iter().enumerate() {
                    let cell = cells::read(row, at + 2, column);
                    batch.rows.cells.push(cell.map_err(|error| placed(error, table, row))?);
                }
                self.after = if table.keeps_every_run {
                    After::Run(row.get(1).map_err(fault)?)
                } else {
                    After::Row(row.get(0).map_err(fault)?)
                };
                count += 1;
            }
        }
        if count < ROWS_PER_BATCH {
            self.after = After::End;
        }
        Ok(batches)
    }

    /// Ends the transaction and gives the connection back.
    pub(crate) fn end(self) -> Result<Connection, StoreError> {
        self.conn.execute_batch("COMMIT").map_err(fault)?;
        Ok(self.conn)
    }
}

/// Says in which row of which table a cell cannot be read.
fn placed(error: StoreError, table: &TableSpec, row: &Row<'_>) -> StoreError {
    match error {
        StoreError::Corrupt(what) if table.keeps_every_run => {
            let run: String = row.get(1).unwrap_or_default();
            StoreError::Corrupt(format!("{}, run {run}: {what}", table.name))
        }
        StoreError::Corrupt(what) => {
            let row_no: i64 = row.get(0).unwrap_or_default();
            StoreError::Corrupt(format!("{}, row {row_no}: {what}", table.name))
        }
        other => other,
    }
}
