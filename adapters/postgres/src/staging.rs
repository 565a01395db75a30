//! Output tables (specification 3.3): rows are staged in `next_<table>`, and one transaction puts all of these in the
//! place of the former ones. Table and column names are the program's own, never a user's.

use std::sync::Arc;

use bytes::BytesMut;
use deadpool_postgres::{ClientWrapper, Transaction};
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::runs::ProjectionWriter;
use powerfill_tables::table::{Cell, RowBatch, TableSpec};
use tokio_postgres::Client;

use crate::bytes_in::{bound, get, number};
use crate::cells;
use crate::commit::{Ended, commit, commit_repeatable, look_back};
use crate::copy::copy;
use crate::fault::fault;
use crate::pool::Connections;
use crate::runs::{hold, look};

const PUT_STATE: &str = include_str!("../../../sql/postgres/queries/put_state.sql");
const COLUMNS_OF: &str = include_str!("../../../sql/postgres/queries/columns_of.sql");

/// The lock of who changes output tables or indexes.
pub(crate) const LOCK_KEY: i64 = 8_101_262_203_462_342;

/// A transaction that has waited for others who change output tables or indexes, and for one whose connection broke.
async fn alone(client: &mut ClientWrapper) -> Result<Transaction<'_>, StoreError> {
    let tx = client.transaction().await.map_err(fault)?;
    let lock = format!("SELECT pg_advisory_xact_lock({LOCK_KEY})");
    tx.batch_execute(&lock).await.map_err(fault)?;
    Ok(tx)
}

/// A transaction for one who may write, and does so alone. At its end comes [`hold`].
pub(crate) async fn writing(
    client: &mut ClientWrapper,
    writer: ProjectionWriter,
) -> Result<Transaction<'_>, StoreError> {
    let tx = alone(client).await?;
    look(&tx, writer).await?;
    Ok(tx)
}

/// A name in SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn staged_name(table: &str) -> String {
    format!("next_{table}")
}

/// The columns of a table, each behind a comma.
pub(crate) fn column_list(table: &TableSpec) -> String {
    table.columns.iter().map(|column| format!(", {}", quoted(column.name))).collect()
}

/// Makes a table. Where it holds the rows of one run, `run_id` is the default of its column, so that none has to bring
/// it, and `row_no` is the staged order.
async fn create(
    tx: &Transaction<'_>,
    name: &str,
    table: &TableSpec,
    run: RunId,
) -> Result<(), StoreError> {
    let columns: String = table
        .columns
        .iter()
        .map(|column| format!(", {} {}", quoted(column.name), cells::sql_type(column.cell_type)))
        .collect();
    let (row_no, key) = if table.keeps_every_run {
        ("", " PRIMARY KEY")
    } else {
        ("row_no bigint PRIMARY KEY, ", "")
    };
    let sql = format!(
        "CREATE TABLE powerfill.{} ({row_no}run_id uuid NOT NULL DEFAULT '{run}'{key}{columns})",
        quoted(name)
    );
    tx.batch_execute(&sql).await.map_err(fault)
}

/// The columns of a table as they are in the database; empty where there is no such table.
pub(crate) async fn columns_of(
    client: &Client,
    name: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let rows = client.query(COLUMNS_OF, &[&name]).await.map_err(fault)?;
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
}

/// Whether the database has the table with the columns that the program knows.
pub(crate) fn matches_spec(found: &[(String, String)], table: &TableSpec) -> bool {
    found.len() == table.columns.len()
        && found.iter().zip(table.columns).all(|((name, sql_type), column)| {
            name == column.name && sql_type == cells::sql_type(column.cell_type)
        })
}

/// Empties the staging area and gives it to this run.
pub(crate) async fn begin(
    connections: &Connections,
    writer: ProjectionWriter,
    tables: &[&'static TableSpec],
) -> Result<(), StoreError> {
    let run = writer.run();
    let mut client = connections.get().await?;
    let tx = writing(&mut client, writer).await?;
    for left in staged_tables(&tx).await? {
        let sql = format!("DROP TABLE IF EXISTS powerfill.{}", quoted(&staged_name(&left.name)));
        tx.batch_execute(&sql).await.map_err(fault)?;
    }
    tx.execute("DELETE FROM staged_tables", &[]).await.map_err(fault)?;
    for table in tables {
        create(&tx, &staged_name(table.name), table, run).await?;
        tx.execute(
            "INSERT INTO staged_tables (name, keeps_every_run) VALUES ($1, $2)",
            &[&table.name, &table.keeps_every_run],
        )
        .await
        .map_err(fault)?;
    }
    put_state(&tx, "staged", run, 0).await?;
    hold(&tx, writer).await?;
    commit_repeatable(tx).await
}

struct Staged {
    name: String,
    keeps_every_run: bool,
    row_count: u64,
}

async fn staged_tables(tx: &Transaction<'_>) -> Result<Vec<Staged>, StoreError> {
    let sql = "SELECT name, keeps_every_run, row_count FROM staged_tables ORDER BY name";
    let rows = tx.query(sql, &[]).await.map_err(fault)?;
    rows.iter()
        .map(|row| {
            let (name, keeps_every_run) = (get(row, 0)?, get(row, 1)?);
            Ok(Staged { name, keeps_every_run, row_count: number(row, 2)? })
        })
        .collect()
}

async fn put_state(
    tx: &Transaction<'_>,
    slot: &str,
    run: RunId,
    version: u64,
) -> Result<(), StoreError> {
    tx.execute(PUT_STATE, &[&slot, &run.0, &bound(version)]).await.map(|_| ()).map_err(fault)
}

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) run: RunId,
    pub(crate) version: u64,
    stages: u64,
}

/// The run in a slot, and the stream version that its rows reach up to.
pub(crate) async fn state(client: &Client, slot: &str) -> Result<Option<Slot>, StoreError> {
    let sql = "SELECT run_id, up_to_version, stages FROM projection_state WHERE slot = $1";
    let row = client.query_opt(sql, &[&slot]).await.map_err(fault)?;
    row.map(|row| {
        let run = RunId(get(&row, 0)?);
        Ok(Slot { run, version: number(&row, 1)?, stages: number(&row, 2)? })
    })
    .transpose()
}

async fn must_be_staged(tx: &Transaction<'_>, run: RunId) -> Result<Slot, StoreError> {
    match state(tx.client(), "staged").await? {
        Some(slot) if slot.run == run => Ok(slot),
        Some(Slot { run: other, .. }) => {
            Err(StoreError::Failed(format!("the staging area is run {other}'s, not run {run}'s")))
        }
        None => Err(StoreError::Failed(format!("nothing is staged for run {run}"))),
    }
}

/// Adds rows to the staging area.
pub(crate) async fn stage(
    connections: &Connections,
    writer: ProjectionWriter,
    rows: Arc<[RowBatch]>,
    up_to_version: u64,
) -> Result<(), StoreError> {
    let run = writer.run();
    let mut client = connections.get().await?;
    let tx = writing(&mut client, writer).await?;
    let before = must_be_staged(&tx, run).await?;
    let staged = staged_tables(&tx).await?;
    for (at, batch) in rows.iter().enumerate().filter(|(_, batch)| !batch.is_empty()) {
        let name = batch.table.name;
        let place = staged.iter().find(|staged| staged.name == name).ok_or_else(|| {
            StoreError::Failed(format!("{name} is none of the staged tables of run {run}"))
        })?;
        // A table may come in several batches.
        let sql = "UPDATE staged_tables SET row_count = row_count + $2 WHERE name = $1 RETURNING row_count - $2";
        let count = bound(batch.len() as u64);
        let row = tx.query_one(sql, &[&name, &count]).await.map_err(fault)?;
        let after = number(&row, 0)?.max(place.row_count);
        copy_rows(&tx, &staged_name(name), run, (&rows, at), after).await?;
    }
    put_state(&tx, "staged", run, up_to_version).await?;
    hold(&tx, writer).await?;
    match commit(tx).await? {
        Ended::Committed => Ok(()),
        Ended::Unknown(broken) => {
            drop(client);
            let stages = before.stages + 1;
            look_back(broken, || was_staged(connections, run, stages)).await
        }
    }
}

async fn was_staged(
    connections: &Connections,
    run: RunId,
    stages: u64,
) -> Result<Option<()>, StoreError> {
    let mut client = connections.get().await?;
    let tx = alone(&mut client).await?;
    let slot = state(tx.client(), "staged").await?;
    Ok(slot.filter(|slot| slot.run == run && slot.stages >= stages).map(|_| ()))
}

async fn copy_rows(
    tx: &Transaction<'_>,
    name: &str,
    run: RunId,
    (batches, at): (&Arc<[RowBatch]>, usize),
    after: u64,
) -> Result<(), StoreError> {
    let batches = Arc::clone(batches);
    let (table, batch) = (batches[at].table, &batches[at]);
    if !batch.cells.len().is_multiple_of(table.columns.len()) {
        return Err(StoreError::Failed(format!("a row of {} is not whole", table.name)));
    }
    let first = if table.keeps_every_run { "run_id" } else { "row_no" };
    let columns = column_list(table);
    let sql =
        format!("COPY powerfill.{} ({first}{columns}) FROM STDIN (FORMAT binary)", quoted(name));
    copy(tx.client(), &sql, move |rows| {
        let width = table.columns.len() as u16 + 1;
        let mut scratch = BytesMut::with_capacity(64);
        for (row, row_no) in batches[at].rows().zip(after + 1..) {
            rows.row(width)?;
            if table.keeps_every_run {
                rows.bytes(run.0.as_bytes());
            } else {
                rows.big(bound(row_no));
            }
            for (column, cell) in table.columns.iter().zip(row) {
                cells::write(rows, column, cell, &mut scratch)?;
            }
        }
        Ok(())
    })
    .await
}

/// Puts all staged tables in the place of the shown ones, in one transaction.
pub(crate) async fn publish(
    connections: &Connections,
    writer: ProjectionWriter,
) -> Result<(), StoreError> {
    let run = writer.run();
    let mut client = connections.get().await?;
    let tx = writing(&mut client, writer).await?;
    let staged = must_be_staged(&tx, run).await?;
    for table in staged_tables(&tx).await? {
        show(&tx, &table).await?;
    }
    tx.execute("DELETE FROM staged_tables", &[]).await.map_err(fault)?;
    tx.execute("DELETE FROM projection_state WHERE slot = 'staged'", &[]).await.map_err(fault)?;
    put_state(&tx, "shown", run, staged.version).await?;
    hold(&tx, writer).await?;
    match commit(tx).await? {
        Ended::Committed => Ok(()),
        Ended::Unknown(broken) => {
            drop(client);
            look_back(broken, || was_published(connections, run)).await
        }
    }
}

/// Only the transaction that takes the staging area away shows its run.
async fn was_published(connections: &Connections, run: RunId) -> Result<Option<()>, StoreError> {
    let mut client = connections.get().await?;
    let tx = alone(&mut client).await?;
    let (staged, shown) = (state(tx.client(), "staged").await?, state(tx.client(), "shown").await?);
    let still_staged = staged.is_some_and(|slot| slot.run == run);
    Ok(shown.filter(|slot| slot.run == run && !still_staged).map(|_| ()))
}

async fn show(tx: &Transaction<'_>, table: &Staged) -> Result<(), StoreError> {
    let (name, staged) = (quoted(&table.name), quoted(&staged_name(&table.name)));
    let rename = format!("ALTER TABLE powerfill.{staged} RENAME TO {name}");
    let kept = columns_of(tx.client(), &table.name).await?;
    let sql = if kept.is_empty() {
        rename
    } else if !table.keeps_every_run {
        format!("DROP TABLE powerfill.{name}; {rename}")
    } else {
        // The columns of today, with what the former runs have of them.
        let common: String = columns_of(tx.client(), &staged_name(&table.name))
            .await?
            .iter()
            .filter(|column| kept.contains(column))
            .map(|(column, _)| format!(", {}", quoted(column)))
            .collect();
        format!(
            "INSERT INTO powerfill.{staged} (run_id{common}) SELECT run_id{common} FROM powerfill.{name}
               WHERE run_id NOT IN (SELECT run_id FROM powerfill.{staged});
             DROP TABLE powerfill.{name}; {rename}"
        )
    };
    tx.batch_execute(&sql).await.map_err(fault)
}

/// Writes the row of a table that keeps every run.
pub(crate) async fn put_row(
    connections: &Connections,
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
    let mut client = connections.get().await?;
    let tx = writing(&mut client, writer).await?;
    let run = writer.run();
    bring_up_to_date(&tx, table, run).await?;
    let name = quoted(table.name);
    tx.execute(&format!("DELETE FROM powerfill.{name} WHERE run_id = $1"), &[&run.0])
        .await
        .map_err(fault)?;
    let rows = Arc::from([RowBatch { table, cells: row }]);
    copy_rows(&tx, table.name, run, (&rows, 0), 0).await?;
    hold(&tx, writer).await?;
    commit_repeatable(tx).await
}

/// A table that keeps every run is never made anew from events of one run: where the program has other columns than
/// the database, the rows move to a table with those of the program.
async fn bring_up_to_date(
    tx: &Transaction<'_>,
    table: &TableSpec,
    run: RunId,
) -> Result<(), StoreError> {
    let found = columns_of(tx.client(), table.name).await?;
    if matches_spec(&found, table) {
        return Ok(());
    }
    if found.is_empty() {
        return create(tx, table.name, table, run).await;
    }
    let (name, former) = (quoted(table.name), quoted(&format!("former_{}", table.name)));
    tx.batch_execute(&format!("ALTER TABLE powerfill.{name} RENAME TO {former}"))
        .await
        .map_err(fault)?;
    create(tx, table.name, table, run).await?;
    let common: String = columns_of(tx.client(), table.name)
        .await?
        .iter()
        .filter(|column| found.contains(column))
        .map(|(column, _)| format!(", {}", quoted(column)))
        .collect();
    tx.batch_execute(&format!(
        "INSERT INTO powerfill.{name} (run_id{common}) SELECT run_id{common} FROM powerfill.{former};
         DROP TABLE powerfill.{former}"
    ))
    .await
    .map_err(fault)
}

/// The run whose outputs are shown, and the stream version that they reach up to.
pub(crate) async fn published(client: &Client) -> Result<Option<(RunId, u64)>, StoreError> {
    Ok(state(client, "shown").await?.map(|slot| (slot.run, slot.version)))
}
