//! Output tables (specification 3.3): rows are staged in `next_<table>`, and one transaction puts all of these in the
//! place of the former ones. Table and column names are the program's own, never a user's.

use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::runs::ProjectionWriter;
use powerfill_tables::table::{Cell, RowBatch, TableSpec};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::cells;
use crate::connection::fault;
use crate::runs;
use crate::worker_lock::WorkerLock;

const PUT_STATE: &str = include_str!("../../../sql/sqlite/queries/put_state.sql");

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn staged_name(table: &str) -> String {
    format!("next_{table}")
}

fn column_list(table: &TableSpec) -> String {
    table.columns.iter().map(|column| quoted(column.name)).collect::<Vec<_>>().join(", ")
}

/// Makes a table. Where it holds the rows of one run, `run_id` is a virtual column: the same for all of them, so that
/// none has to carry it.
fn create(conn: &Connection, name: &str, table: &TableSpec, run: RunId) -> Result<(), StoreError> {
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
        "CREATE TABLE {} (\n    row_no INTEGER PRIMARY KEY,\n    run_id {run_id}{columns}\n) STRICT",
        quoted(name)
    );
    conn.execute_batch(&sql).map_err(fault)
}

/// The columns of a table as they are in the file; empty where there is no such table.
pub(crate) fn columns_of(
    conn: &Connection,
    name: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut info = conn
        .prepare_cached(
            "SELECT name, type FROM pragma_table_xinfo(?1) WHERE name NOT IN ('row_no', 'run_id')",
        )
        .map_err(fault)?;
    info.query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(fault)
}

/// Whether the file has the table with the columns that the program knows.
pub(crate) fn matches_spec(found: &[(String, String)], table: &TableSpec) -> bool {
    found.len() == table.columns.len()
        && found.iter().zip(table.columns).all(|((name, sql_type), column)| {
            name == column.name && sql_type == cells::sql_type(column.cell_type)
        })
}

/// Begins a transaction of somebody who may write.
pub(crate) fn fenced<'c>(
    conn: &'c mut Connection,
    lock: &WorkerLock,
    writer: ProjectionWriter,
) -> Result<Transaction<'c>, StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    runs::fence(&tx, lock, writer)?;
    Ok(tx)
}

/// Empties the staging area and gives it to this run.
pub(crate) fn begin(
    conn: &mut Connection,
    lock: &WorkerLock,
    writer: ProjectionWriter,
    tables: &[&'static TableSpec],
) -> Result<(), StoreError> {
    let (tx, run) = (fenced(conn, lock, writer)?, writer.run());
    for (left, _) in staged_tables(&tx)? {
        let sql = format!("DROP TABLE IF EXISTS {}", quoted(&staged_name(&left)));
        tx.execute_batch(&sql).map_err(fault)?;
    }
    tx.execute("DELETE FROM staged_tables", []).map_err(fault)?;
    for table in tables {
        create(&tx, &staged_name(table.name), table, run)?;
        tx.execute(
            "INSERT INTO staged_tables VALUES (?1, ?2)",
            (table.name, table.keeps_every_run),
        )
        .map_err(fault)?;
    }
    put_state(&tx, "staged", run, 0)?;
    tx.commit().map_err(fault)
}

fn staged_tables(conn: &Connection) -> Result<Vec<(String, bool)>, StoreError> {
    conn.prepare_cached("SELECT name, keeps_every_run FROM staged_tables ORDER BY name")
        .and_then(|mut names| names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .map_err(fault)
}

fn put_state(conn: &Connection, slot: &str, run: RunId, version: u64) -> Result<(), StoreError> {
    conn.prepare_cached(PUT_STATE)
        .and_then(|mut put| put.execute((slot, run.to_string(), version)))
        .map(|_| ())
        .map_err(fault)
}

/// The run in a slot, and the stream version that its rows reach up to.
pub(crate) fn state(conn: &Connection, slot: &str) -> Result<Option<(RunId, u64)>, StoreError> {
    let found: Option<(String, u64)> = conn
        .prepare_cached("SELECT run_id, up_to_version FROM projection_state WHERE slot = ?1")
        .and_then(|mut find| {
            find.query_row([slot], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(fault)?;
    found.map(|(run, version)| Ok((run_id(&run)?, version))).transpose()
}

/// A stored run id.
pub(crate) fn run_id(text: &str) -> Result<RunId, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(format!("{text:?} is not a run id")))
}

fn must_be_staged(conn: &Connection, run: RunId) -> Result<u64, StoreError> {
    match state(conn, "staged")? {
        Some((staged, version)) if staged == run => Ok(version),
        Some((other, _)) => {
            Err(StoreError::Failed(format!("the staging area is run {other}'s, not run {run}'s")))
        }
        None => Err(StoreError::Failed(format!("nothing is staged for run {run}"))),
    }
}

/// Adds rows to the staging area.
pub(crate) fn stage(
    conn: &mut Connection,
    lock: &WorkerLock,
    writer: ProjectionWriter,
    rows: &[RowBatch],
    up_to_version: u64,
) -> Result<(), StoreError> {
    let (tx, run) = (fenced(conn, lock, writer)?, writer.run());
    must_be_staged(&tx, run)?;
    for batch in rows.iter().filter(|batch| !batch.is_empty()) {
        insert(&tx, &staged_name(batch.table.name), run, batch)?;
    }
    put_state(&tx, "staged", run, up_to_version)?;
    tx.commit().map_err(fault)
}

fn insert(conn: &Connection, name: &str, run: RunId, batch: &RowBatch) -> Result<(), StoreError> {
    let table = batch.table;
    if !batch.cells.len().is_multiple_of(table.columns.len()) {
        return Err(StoreError::Failed(format!("a row of {} is not whole", table.name)));
    }
    let own_run_id = usize::from(table.keeps_every_run);
    let mut sql = format!("INSERT INTO {} (", quoted(name));
    if table.keeps_every_run {
        sql.push_str("run_id, ");
    }
    sql.push_str(&column_list(table));
    sql.push_str(") VALUES (");
    sql.push_str(&vec!["?"; table.columns.len() + own_run_id].join(", "));
    sql.push(')');
    let mut statement = conn.prepare_cached(&sql).map_err(fault)?;
    if table.keeps_every_run {
        statement.raw_bind_parameter(1, run.to_string()).map_err(fault)?;
    }
    let mut scratch = String::with_capacity(48);
    for row in batch.rows() {
        for (at, (column, cell)) in table.columns.iter().zip(row).enumerate() {
            cells::bind(&mut statement, at + 1 + own_run_id, column, cell, &mut scratch)?;
        }
        statement.raw_execute().map_err(fault)?;
    }
    Ok(())
}

/// Puts all staged tables in the place of the shown ones, in one transaction.
pub(crate) fn publish(
    conn: &mut Connection,
    lock: &WorkerLock,
    writer: ProjectionWriter,
) -> Result<(), StoreError> {
    let (tx, run) = (fenced(conn, lock, writer)?, writer.run());
    let version = must_be_staged(&tx, run)?;
    for (name, keeps_every_run) in staged_tables(&tx)? {
        let (shown, staged) = (quoted(&name), quoted(&staged_name(&name)));
        let sql = if !keeps_every_run {
            format!("DROP TABLE IF EXISTS {shown}; ALTER TABLE {staged} RENAME TO {shown}")
        } else if columns_of(&tx, &name)?.is_empty() {
            format!("ALTER TABLE {staged} RENAME TO {shown}")
        } else {
            // The columns of today, with what the former runs have of them.
            let kept = columns_of(&tx, &name)?;
            let common: String = columns_of(&tx, &staged_name(&name))?
                .iter()
                .filter(|column| kept.contains(column))
                .map(|(column, _)| format!(", {}", quoted(column)))
                .collect();
            format!(
                "INSERT INTO {staged} (run_id{common}) SELECT run_id{common} FROM {shown}
                   WHERE run_id NOT IN (SELECT run_id FROM {staged});
                 DROP TABLE {shown}; ALTER TABLE {staged} RENAME TO {shown}"
            )
        };
        tx.execute_batch(&sql).map_err(fault)?;
    }
    tx.execute("DELETE FROM staged_tables", []).map_err(fault)?;
    tx.execute("DELETE FROM projection_state WHERE slot = 'staged'", []).map_err(fault)?;
    put_state(&tx, "shown", run, version)?;
    tx.commit().map_err(fault)
}

/// Writes the row of a table that keeps every run.
pub(crate) fn put_row(
    conn: &mut Connection,
    lock: &WorkerLock,
    writer: ProjectionWriter,
    table: &'static TableSpec,
    row: Vec<Cell>,
) -> Result<(), StoreError> {
    if !table.keeps_every_run || row.len() != table.columns.len() {
        return Err(StoreError::Failed(format!(
            "{} has one row a run: {}; it has {} columns, and the row {} cells",
            table.name,
            table.keeps_every_run,
            table.columns.len(),
            row.len()
        )));
    }
    let (tx, run) = (fenced(conn, lock, writer)?, writer.run());
    bring_up_to_date(&tx, table, run)?;
    let name = quoted(table.name);
    tx.execute(&format!("DELETE FROM {name} WHERE run_id = ?1"), [run.to_string()])
        .map_err(fault)?;
    insert(&tx, table.name, run, &RowBatch { table, cells: row })?;
    tx.commit().map_err(fault)
}

/// A table that keeps every run is never made anew from events of one run: where the program has other columns than
/// the file, the rows move to a table with those of the program.
fn bring_up_to_date(conn: &Connection, table: &TableSpec, run: RunId) -> Result<(), StoreError> {
    let found = columns_of(conn, table.name)?;
    if found.is_empty() {
        return create(conn, table.name, table, run);
    }
    if matches_spec(&found, table) {
        return Ok(());
    }
    let (name, former) = (quoted(table.name), quoted(&format!("former_{}", table.name)));
    conn.execute_batch(&format!("ALTER TABLE {name} RENAME TO {former}")).map_err(fault)?;
    create(conn, table.name, table, run)?;
    let common: String = columns_of(conn, table.name)?
        .iter()
        .filter(|column| found.contains(column))
        .map(|(column, _)| format!(", {}", quoted(column)))
        .collect();
    conn.execute_batch(&format!(
        "INSERT INTO {name} (run_id{common}) SELECT run_id{common} FROM {former}; DROP TABLE {former}"
    ))
    .map_err(fault)
}
