//! Output tables (specification 3.3): rows are staged in `next_<table>`, and one transaction
//! replaces all published tables by the staged ones. The names of tables and columns come from the
//! program and never from a user.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::BytesMut;
use deadpool_postgres::Transaction;
use futures::stream::{self, StreamExt, TryStreamExt};
use powerfill_events::run::RunId;
use powerfill_ports::projections::{
    ProjectionStore, RowBatches, common_columns, ensure_row_of_run, matches_spec,
};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::table::{Cell, RowBatch, TableRef, TableSpec};
use tokio_postgres::Client;

use crate::commit::{CommitOutcome, commit, commit_idempotent, resolve_unknown};
use crate::copy::copy;
use crate::errors::store_error;
use crate::lease::{begin_exclusive, begin_write_as, lock_lease};
use crate::output_cursor::OutputCursor;
use crate::pool::ConnectionPool;
use crate::sql_names::{column_list, quoted, staged_name};
use crate::statements::{execute, execute_batch, one_row, query, rows};
use crate::tasks::run_detached;
use crate::values::{get, to_bigint, unsigned};
use crate::{PostgresStore, cells};

/// Creates a table. If all rows belong to one run, `run_id` is the default of its column, so that
/// no row carries it, and `row_no` keeps the order in which the rows were staged.
async fn create_table(
    tx: &Transaction<'_>,
    name: &str,
    table: &TableSpec,
    run: RunId,
) -> StoreResult<()> {
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
    execute_batch(tx.client(), &sql).await
}

/// The names and types of a table's columns in the database. Empty if there is no such table.
pub(crate) async fn columns_of(client: &Client, name: &str) -> StoreResult<Vec<(String, String)>> {
    rows(client, query!("columns_of"), &[&name], |row| Ok((get(row, 0)?, get(row, 1)?))).await
}

/// Empties the staging area and assigns it to the writer's run.
async fn begin(
    pool: &ConnectionPool,
    writer: ProjectionWriter,
    tables: &[TableRef],
) -> StoreResult<()> {
    let run = writer.run();
    let mut client = pool.get().await?;
    let tx = begin_write_as(&mut client, writer).await?;
    for former in staged_tables(&tx).await? {
        let name = quoted(&staged_name(&former.name));
        execute_batch(tx.client(), &format!("DROP TABLE IF EXISTS powerfill.{name}")).await?;
    }
    execute(tx.client(), "DELETE FROM staged_tables", &[]).await?;
    for table in tables {
        create_table(&tx, &staged_name(table.name), table, run).await?;
        let insert = "INSERT INTO staged_tables (name, keeps_every_run) VALUES ($1, $2)";
        execute(tx.client(), insert, &[&table.name, &table.keeps_every_run]).await?;
    }
    put_slot(&tx, "staged", run, 0).await?;
    lock_lease(&tx, writer).await?;
    commit_idempotent(tx).await
}

/// A row of `staged_tables`.
struct StagedTable {
    name: String,
    keeps_every_run: bool,
    row_count: u64,
}

async fn staged_tables(tx: &Transaction<'_>) -> StoreResult<Vec<StagedTable>> {
    let sql = "SELECT name, keeps_every_run, row_count FROM staged_tables ORDER BY name";
    rows(tx.client(), sql, &[], |row| {
        let (name, keeps_every_run) = (get(row, 0)?, get(row, 1)?);
        Ok(StagedTable { name, keeps_every_run, row_count: unsigned(row, 2)? })
    })
    .await
}

async fn put_slot(tx: &Transaction<'_>, slot: &str, run: RunId, version: u64) -> StoreResult<()> {
    let version = to_bigint(version);
    execute(tx.client(), query!("put_state"), &[&slot, &run.0, &version]).await.map(|_| ())
}

/// A row of `projection_state`: which run is staged or shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutputSlot {
    pub(crate) run: RunId,
    /// The stream version that the rows cover.
    pub(crate) version: u64,
    /// How many calls of `stage` were committed.
    stages: u64,
}

/// The slot of this name: `staged` or `shown`.
pub(crate) async fn slot(client: &Client, name: &str) -> StoreResult<Option<OutputSlot>> {
    let sql = "SELECT run_id, up_to_version, stages FROM projection_state WHERE slot = $1";
    one_row(client, sql, &[&name], |row| {
        let run = RunId(get(row, 0)?);
        Ok(OutputSlot { run, version: unsigned(row, 1)?, stages: unsigned(row, 2)? })
    })
    .await
}

/// The staged slot, which must be that of this run.
///
/// # Errors
/// [`StoreError::Failed`] if the staging area does not belong to the run.
async fn ensure_staged(tx: &Transaction<'_>, run: RunId) -> StoreResult<OutputSlot> {
    match slot(tx.client(), "staged").await? {
        Some(slot) if slot.run == run => Ok(slot),
        Some(OutputSlot { run: other, .. }) => Err(StoreError::Failed(
            format!("the staging area is run {other}'s, not run {run}'s").into(),
        )),
        None => Err(StoreError::Failed(format!("nothing is staged for run {run}").into())),
    }
}

/// Adds rows to the staging area.
async fn stage(
    pool: &ConnectionPool,
    writer: ProjectionWriter,
    rows: Arc<[RowBatch]>,
    up_to_version: u64,
) -> StoreResult<()> {
    let run = writer.run();
    let mut client = pool.get().await?;
    let tx = begin_write_as(&mut client, writer).await?;
    let before = ensure_staged(&tx, run).await?;
    let staged = staged_tables(&tx).await?;
    for (at, batch) in rows.iter().enumerate().filter(|(_, batch)| !batch.is_empty()) {
        let name = batch.table.name;
        let table = staged.iter().find(|table| table.name == name).ok_or_else(|| {
            StoreError::Failed(format!("{name} is not a staged table of run {run}").into())
        })?;
        // One call may have several batches of a table.
        let sql = "UPDATE staged_tables SET row_count = row_count + $2 WHERE name = $1
                   RETURNING row_count - $2";
        let count = to_bigint(batch.len() as u64);
        let row = tx.query_one(sql, &[&name, &count]).await.map_err(store_error)?;
        let after = unsigned(&row, 0)?.max(table.row_count);
        copy_rows(&tx, &staged_name(name), run, (&rows, at), after).await?;
    }
    put_slot(&tx, "staged", run, up_to_version).await?;
    lock_lease(&tx, writer).await?;
    match commit(tx).await? {
        CommitOutcome::Committed => Ok(()),
        CommitOutcome::Unknown(broken) => {
            drop(client);
            let stages = before.stages + 1;
            resolve_unknown(broken, || find_stage(pool, run, stages)).await
        }
    }
}

/// `Some` if this many calls of `stage` are committed for the run.
async fn find_stage(pool: &ConnectionPool, run: RunId, stages: u64) -> StoreResult<Option<()>> {
    let mut client = pool.get().await?;
    let tx = begin_exclusive(&mut client).await?;
    let slot = slot(tx.client(), "staged").await?;
    Ok(slot.filter(|slot| slot.run == run && slot.stages >= stages).map(|_| ()))
}

async fn copy_rows(
    tx: &Transaction<'_>,
    name: &str,
    run: RunId,
    (batches, at): (&Arc<[RowBatch]>, usize),
    after: u64,
) -> StoreResult<()> {
    let batches = Arc::clone(batches);
    let (table, batch) = (batches[at].table, &batches[at]);
    if !batch.cells.len().is_multiple_of(table.columns.len()) {
        return Err(StoreError::Failed(format!("a row of {} is not whole", table.name).into()));
    }
    let first = if table.keeps_every_run { "run_id" } else { "row_no" };
    let columns = column_list(table);
    let sql =
        format!("COPY powerfill.{} ({first}{columns}) FROM STDIN (FORMAT binary)", quoted(name));
    copy(tx.client(), &sql, move |rows| {
        let width = table.columns.len() as u16 + 1;
        let mut scratch = BytesMut::with_capacity(64);
        for (row, row_no) in batches[at].rows().zip(after + 1..) {
            rows.begin_row(width)?;
            if table.keeps_every_run {
                rows.write_bytes(run.0.as_bytes());
            } else {
                rows.write_bigint(to_bigint(row_no));
            }
            for (column, cell) in table.columns.iter().zip(row) {
                cells::write(rows, column, cell, &mut scratch)?;
            }
        }
        Ok(())
    })
    .await
}

/// Replaces the published tables by the staged ones, and removes those that are left out, in one
/// transaction.
async fn publish(
    pool: &ConnectionPool,
    writer: ProjectionWriter,
    left_out: &[TableRef],
) -> StoreResult<()> {
    let run = writer.run();
    let mut client = pool.get().await?;
    let tx = begin_write_as(&mut client, writer).await?;
    let staged = ensure_staged(&tx, run).await?;
    for table in left_out {
        let name = quoted(table.name);
        execute_batch(tx.client(), &format!("DROP TABLE IF EXISTS powerfill.{name}")).await?;
    }
    for table in staged_tables(&tx).await? {
        publish_table(&tx, &table).await?;
    }
    execute(tx.client(), "DELETE FROM staged_tables", &[]).await?;
    execute(tx.client(), "DELETE FROM projection_state WHERE slot = 'staged'", &[]).await?;
    put_slot(&tx, "shown", run, staged.version).await?;
    lock_lease(&tx, writer).await?;
    match commit(tx).await? {
        CommitOutcome::Committed => Ok(()),
        CommitOutcome::Unknown(broken) => {
            drop(client);
            resolve_unknown(broken, || find_publication(pool, run)).await
        }
    }
}

/// `Some` if the run is shown and no longer staged: publishing does both in one transaction.
async fn find_publication(pool: &ConnectionPool, run: RunId) -> StoreResult<Option<()>> {
    let mut client = pool.get().await?;
    let tx = begin_exclusive(&mut client).await?;
    let (staged, shown) = (slot(tx.client(), "staged").await?, slot(tx.client(), "shown").await?);
    let is_staged = staged.is_some_and(|slot| slot.run == run);
    Ok(shown.filter(|slot| slot.run == run && !is_staged).map(|_| ()))
}

async fn publish_table(tx: &Transaction<'_>, table: &StagedTable) -> StoreResult<()> {
    let (name, staged) = (quoted(&table.name), quoted(&staged_name(&table.name)));
    let rename = format!("ALTER TABLE powerfill.{staged} RENAME TO {name}");
    let former = columns_of(tx.client(), &table.name).await?;
    let sql = if former.is_empty() {
        rename
    } else if !table.keeps_every_run {
        format!("DROP TABLE powerfill.{name}; {rename}")
    } else {
        // The table gets the staged columns. The rows of former runs keep the columns that exist
        // in both.
        let common =
            common_columns(&columns_of(tx.client(), &staged_name(&table.name)).await?, &former);
        format!(
            "INSERT INTO powerfill.{staged} (run_id{common})
               SELECT run_id{common} FROM powerfill.{name}
               WHERE run_id NOT IN (SELECT run_id FROM powerfill.{staged});
             DROP TABLE powerfill.{name}; {rename}"
        )
    };
    execute_batch(tx.client(), &sql).await
}

/// Writes the row of the writer's run in a table that keeps every run.
async fn put_row(
    pool: &ConnectionPool,
    writer: ProjectionWriter,
    table: TableRef,
    row: Vec<Cell>,
) -> StoreResult<()> {
    ensure_row_of_run(table, &row)?;
    let mut client = pool.get().await?;
    let tx = begin_write_as(&mut client, writer).await?;
    let run = writer.run();
    migrate_columns(&tx, table, run).await?;
    let delete = format!("DELETE FROM powerfill.{} WHERE run_id = $1", quoted(table.name));
    execute(tx.client(), delete.as_str(), &[&run.0]).await?;
    let rows = Arc::from([RowBatch { table, cells: row }]);
    copy_rows(&tx, table.name, run, (&rows, 0), 0).await?;
    lock_lease(&tx, writer).await?;
    commit_idempotent(tx).await
}

/// A table that keeps every run cannot be rebuilt from the events of one run. If the program has
/// other columns than the database, the rows move to a new table with the program's columns.
async fn migrate_columns(tx: &Transaction<'_>, table: &TableSpec, run: RunId) -> StoreResult<()> {
    let found = columns_of(tx.client(), table.name).await?;
    if matches_spec(table, &found, cells::sql_type) {
        return Ok(());
    }
    if found.is_empty() {
        return create_table(tx, table.name, table, run).await;
    }
    let (name, former) = (quoted(table.name), quoted(&format!("former_{}", table.name)));
    let rename = format!("ALTER TABLE powerfill.{name} RENAME TO {former}");
    execute_batch(tx.client(), &rename).await?;
    create_table(tx, table.name, table, run).await?;
    let common = common_columns(&columns_of(tx.client(), table.name).await?, &found);
    let sql = format!(
        "INSERT INTO powerfill.{name} (run_id{common})
           SELECT run_id{common} FROM powerfill.{former};
         DROP TABLE powerfill.{former}"
    );
    execute_batch(tx.client(), &sql).await
}

#[async_trait]
impl ProjectionStore for PostgresStore {
    async fn begin_staging(
        &self,
        writer: ProjectionWriter,
        tables: &[TableRef],
    ) -> StoreResult<()> {
        let (inner, tables) = (Arc::clone(&self.inner), tables.to_vec());
        run_detached(async move { begin(&inner.pool, writer, &tables).await }).await
    }

    async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to_version: u64,
    ) -> StoreResult<()> {
        let inner = Arc::clone(&self.inner);
        run_detached(async move { stage(&inner.pool, writer, rows, up_to_version).await }).await
    }

    async fn publish(&self, writer: ProjectionWriter, left_out: &[TableRef]) -> StoreResult<()> {
        let (inner, left_out) = (Arc::clone(&self.inner), left_out.to_vec());
        run_detached(async move { publish(&inner.pool, writer, &left_out).await }).await
    }

    async fn published(&self) -> StoreResult<Option<(RunId, u64)>> {
        let shown = slot(&**self.inner.pool.get().await?, "shown").await?;
        Ok(shown.map(|slot| (slot.run, slot.version)))
    }

    async fn is_stored(&self, table: TableRef) -> StoreResult<bool> {
        let client = self.inner.pool.get().await?;
        Ok(!columns_of(&client, table.name).await?.is_empty())
    }

    async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: TableRef,
        row: Vec<Cell>,
    ) -> StoreResult<()> {
        let inner = Arc::clone(&self.inner);
        run_detached(async move { put_row(&inner.pool, writer, table, row).await }).await
    }

    fn rows(&self, table: TableRef) -> RowBatches<'_> {
        stream::try_unfold(None, move |cursor| async move {
            let mut cursor = match cursor {
                Some(cursor) => cursor,
                None => OutputCursor::open(self.inner.pool.session().await?, table).await?,
            };
            let batches = cursor.next(table).await?;
            if batches.is_empty() {
                cursor.close().await?;
                return Ok(None);
            }
            Ok(Some((stream::iter(batches.into_iter().map(Ok)), Some(cursor))))
        })
        .try_flatten()
        .boxed()
    }
}
