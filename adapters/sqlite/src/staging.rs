//! Output tables (specification 3.3): rows are staged in `next_<table>`, and one transaction
//! replaces all published tables by the staged ones. The names of tables and columns come from the
//! program and never from a user.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use powerfill_events::run::RunId;
use powerfill_ports::projections::{
    ProjectionStore, RowBatches, common_columns, ensure_row_of_run, matches_spec,
};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::table::{Cell, RowBatch, TableRef, TableSpec};
use rusqlite::Connection;

use crate::connection::store_error;
use crate::decode::{get, run_id};
use crate::output_reader::OutputReader;
use crate::statements::{execute, first_row, query, rows};
use crate::{SqliteStore, cells, run_blocking};

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn staged_name(table: &str) -> String {
    format!("next_{table}")
}

fn column_list(table: &TableSpec) -> String {
    table.columns.iter().map(|column| quoted(column.name)).collect::<Vec<_>>().join(", ")
}

/// Creates a table. If all rows belong to one run, `run_id` is a virtual column, so that no row
/// stores it.
fn create_table(conn: &Connection, name: &str, table: &TableSpec, run: RunId) -> StoreResult<()> {
    let run_id = if table.keeps_every_run {
        "TEXT NOT NULL UNIQUE".to_owned()
    } else {
        format!("TEXT NOT NULL GENERATED ALWAYS AS ('{run}') VIRTUAL")
    };
    let columns: String = table
        .columns
        .iter()
        .map(|column| {
            format!(",\n    {} {}", quoted(column.name), cells::sql_type(column.cell_type))
        })
        .collect();
    let sql = format!(
        "CREATE TABLE {} (\n    row_no INTEGER PRIMARY KEY,\n    run_id {run_id}{columns}\n) \
         STRICT",
        quoted(name)
    );
    conn.execute_batch(&sql).map_err(store_error)
}

/// The names and types of a table's columns in the file. Empty if there is no such table.
pub(crate) fn columns_of(conn: &Connection, name: &str) -> StoreResult<Vec<(String, String)>> {
    let columns =
        "SELECT name, type FROM pragma_table_xinfo(?1) WHERE name NOT IN ('row_no', 'run_id')";
    rows(conn, columns, [name], |row| Ok((get(row, 0)?, get(row, 1)?)))
}

/// Empties the staging area and assigns it to the writer's run.
fn begin(tx: &Connection, run: RunId, tables: &[TableRef]) -> StoreResult<()> {
    for (former, _) in staged_tables(tx)? {
        let sql = format!("DROP TABLE IF EXISTS {}", quoted(&staged_name(&former)));
        tx.execute_batch(&sql).map_err(store_error)?;
    }
    execute(tx, "DELETE FROM staged_tables", [])?;
    for table in tables {
        create_table(tx, &staged_name(table.name), table, run)?;
        let values = (table.name, table.keeps_every_run);
        execute(tx, "INSERT INTO staged_tables VALUES (?1, ?2)", values)?;
    }
    put_slot(tx, "staged", run, 0)
}

fn staged_tables(conn: &Connection) -> StoreResult<Vec<(String, bool)>> {
    let staged = "SELECT name, keeps_every_run FROM staged_tables ORDER BY name";
    rows(conn, staged, [], |row| Ok((get(row, 0)?, get(row, 1)?)))
}

fn put_slot(conn: &Connection, slot: &str, run: RunId, version: u64) -> StoreResult<()> {
    execute(conn, query!("put_state"), (slot, run.to_string(), version)).map(|_| ())
}

/// The run in a slot (`staged` or `shown`), and the stream version that its rows cover.
fn slot(conn: &Connection, slot: &str) -> StoreResult<Option<(RunId, u64)>> {
    let find = "SELECT run_id, up_to_version FROM projection_state WHERE slot = ?1";
    first_row(conn, find, [slot], |row| Ok((run_id(&get::<String>(row, 0)?)?, get(row, 1)?)))
}

/// The stream version that the staged rows of this run cover.
///
/// # Errors
/// [`StoreError::Failed`] if the staging area does not belong to the run.
fn ensure_staged(conn: &Connection, run: RunId) -> StoreResult<u64> {
    match slot(conn, "staged")? {
        Some((staged, version)) if staged == run => Ok(version),
        Some((other, _)) => Err(StoreError::Failed(
            format!("the staging area is run {other}'s, not run {run}'s").into(),
        )),
        None => Err(StoreError::Failed(format!("nothing is staged for run {run}").into())),
    }
}

/// Adds rows to the staging area.
fn stage(tx: &Connection, run: RunId, rows: &[RowBatch], up_to_version: u64) -> StoreResult<()> {
    ensure_staged(tx, run)?;
    for batch in rows.iter().filter(|batch| !batch.is_empty()) {
        insert_rows(tx, &staged_name(batch.table.name), run, batch)?;
    }
    put_slot(tx, "staged", run, up_to_version)
}

fn insert_rows(conn: &Connection, name: &str, run: RunId, batch: &RowBatch) -> StoreResult<()> {
    let table = batch.table;
    if !batch.cells.len().is_multiple_of(table.columns.len()) {
        return Err(StoreError::Failed(format!("a row of {} is not whole", table.name).into()));
    }
    // The first parameter is the run id, if each row stores it.
    let first_cell = 1 + usize::from(table.keeps_every_run);
    let mut sql = format!("INSERT INTO {} (", quoted(name));
    if table.keeps_every_run {
        sql.push_str("run_id, ");
    }
    sql.push_str(&column_list(table));
    sql.push_str(") VALUES (");
    sql.push_str(&vec!["?"; table.columns.len() + first_cell - 1].join(", "));
    sql.push(')');
    let mut statement = conn.prepare_cached(&sql).map_err(store_error)?;
    if table.keeps_every_run {
        statement.raw_bind_parameter(1, run.to_string()).map_err(store_error)?;
    }
    let mut scratch = String::with_capacity(48);
    for row in batch.rows() {
        for (at, (column, cell)) in table.columns.iter().zip(row).enumerate() {
            cells::bind(&mut statement, first_cell + at, column, cell, &mut scratch)?;
        }
        statement.raw_execute().map_err(store_error)?;
    }
    Ok(())
}

/// Replaces the published tables by the staged ones, and removes those that are left out.
fn publish(tx: &Connection, run: RunId, left_out: &[TableRef]) -> StoreResult<()> {
    let version = ensure_staged(tx, run)?;
    for table in left_out {
        let sql = format!("DROP TABLE IF EXISTS {}", quoted(table.name));
        tx.execute_batch(&sql).map_err(store_error)?;
    }
    for (name, keeps_every_run) in staged_tables(tx)? {
        let (shown, staged) = (quoted(&name), quoted(&staged_name(&name)));
        let former = columns_of(tx, &name)?;
        let sql = if !keeps_every_run {
            format!("DROP TABLE IF EXISTS {shown}; ALTER TABLE {staged} RENAME TO {shown}")
        } else if former.is_empty() {
            format!("ALTER TABLE {staged} RENAME TO {shown}")
        } else {
            // The table gets the staged columns. The rows of former runs keep the columns that
            // exist in both.
            let common = common_columns(&columns_of(tx, &staged_name(&name))?, &former);
            format!(
                "INSERT INTO {staged} (run_id{common}) SELECT run_id{common} FROM {shown}
                   WHERE run_id NOT IN (SELECT run_id FROM {staged});
                 DROP TABLE {shown}; ALTER TABLE {staged} RENAME TO {shown}"
            )
        };
        tx.execute_batch(&sql).map_err(store_error)?;
    }
    execute(tx, "DELETE FROM staged_tables", [])?;
    execute(tx, "DELETE FROM projection_state WHERE slot = 'staged'", [])?;
    put_slot(tx, "shown", run, version)
}

/// Writes the row of the writer's run in a table that keeps every run.
fn put_row(tx: &Connection, run: RunId, row: &RowBatch) -> StoreResult<()> {
    migrate_columns(tx, row.table, run)?;
    let name = quoted(row.table.name);
    execute(tx, &format!("DELETE FROM {name} WHERE run_id = ?1"), [run.to_string()])?;
    insert_rows(tx, row.table.name, run, row)
}

/// A table that keeps every run cannot be rebuilt from the events of one run. If the program has
/// other columns than the file, the rows move to a new table with the program's columns.
fn migrate_columns(conn: &Connection, table: &TableSpec, run: RunId) -> StoreResult<()> {
    let found = columns_of(conn, table.name)?;
    if found.is_empty() {
        return create_table(conn, table.name, table, run);
    }
    if matches_spec(table, &found, cells::sql_type) {
        return Ok(());
    }
    let (name, former) = (quoted(table.name), quoted(&format!("former_{}", table.name)));
    conn.execute_batch(&format!("ALTER TABLE {name} RENAME TO {former}")).map_err(store_error)?;
    create_table(conn, table.name, table, run)?;
    let common = common_columns(&columns_of(conn, table.name)?, &found);
    conn.execute_batch(&format!(
        "INSERT INTO {name} (run_id{common}) SELECT run_id{common} FROM {former};
         DROP TABLE {former}"
    ))
    .map_err(store_error)
}

#[async_trait]
impl ProjectionStore for SqliteStore {
    async fn begin_staging(
        &self,
        writer: ProjectionWriter,
        tables: &[TableRef],
    ) -> StoreResult<()> {
        let tables = tables.to_vec();
        self.write_as(writer, move |tx, run| begin(tx, run, &tables)).await
    }

    async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to_version: u64,
    ) -> StoreResult<()> {
        self.write_as(writer, move |tx, run| stage(tx, run, &rows, up_to_version)).await
    }

    async fn publish(&self, writer: ProjectionWriter, left_out: &[TableRef]) -> StoreResult<()> {
        let left_out = left_out.to_vec();
        self.write_as(writer, move |tx, run| publish(tx, run, &left_out)).await
    }

    async fn published(&self) -> StoreResult<Option<(RunId, u64)>> {
        self.read_with(|conn| slot(conn, "shown")).await
    }

    async fn is_stored(&self, table: TableRef) -> StoreResult<bool> {
        let columns = self.read_with(|conn| columns_of(conn, table.name)).await?;
        Ok(!columns.is_empty())
    }

    async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: TableRef,
        row: Vec<Cell>,
    ) -> StoreResult<()> {
        ensure_row_of_run(table, &row)?;
        let row = RowBatch { table, cells: row };
        self.write_as(writer, move |tx, run| put_row(tx, run, &row)).await
    }

    fn rows(&self, table: TableRef) -> RowBatches<'_> {
        stream::try_unfold((self.clone(), None), move |(store, reader)| async move {
            let inner = Arc::clone(&store.inner);
            let next = run_blocking(move || {
                let mut reader = match reader {
                    Some(reader) => reader,
                    None => OutputReader::begin(inner.readers.take()?, table)?,
                };
                let batches = inner.readers.checked(reader.next(table))?;
                if batches.is_empty() {
                    inner.readers.give_back(reader.end()?);
                    return Ok(None);
                }
                Ok(Some((batches, reader)))
            })
            .await?;
            Ok(next.map(|(batches, reader)| {
                (stream::iter(batches.into_iter().map(Ok)), (store, Some(reader)))
            }))
        })
        .try_flatten()
        .boxed()
    }
}
