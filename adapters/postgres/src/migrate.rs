//! Moves the events of a store of 0.1.0, a row each, into blocks. One step is one transaction: the
//! blocks of some appends come, and their rows go. Only the owner of the store may do this.

use deadpool_postgres::ClientWrapper;
use powerfill_ports::copying::StoredAppend;
use powerfill_ports::row_migration::blocks_of_rows;
use powerfill_ports::{StoreError, StoreResult};
use tokio_postgres::Row;

use crate::append::insert_blocks;
use crate::pool::ConnectionPool;
use crate::statements::{execute, execute_batch, one_row, query};
use crate::values::{append_record, get, hash, to_bigint};
use crate::{event_rows, locks, log};

/// A step lifts the guard by itself: no other session sees the table without it.
const LIFT_GUARD: &str = "ALTER TABLE es_events DISABLE TRIGGER es_events_append_only";
const RESTORE_GUARD: &str = "ALTER TABLE es_events ENABLE TRIGGER es_events_append_only";
/// A step ends with the append that reaches this number of events.
const EVENTS_PER_STEP: u64 = 1_000;

/// Makes the next step. Returns the position that it reached; `None` if no event is a row. A step
/// that was carried out although its answer was lost is not repeated by the next call.
pub(crate) async fn move_rows_into_blocks(pool: &ConnectionPool) -> StoreResult<Option<u64>> {
    // If a statement fails, the session is dropped, which ends the transaction.
    let session = pool.session().await?;
    execute_batch(&session, "BEGIN").await?;
    execute_batch(&session, &locks::take(locks::SCHEMA)).await?;
    let reached = make_step(&session).await?;
    execute_batch(&session, "COMMIT").await?;
    session.give_back();
    Ok(reached)
}

async fn make_step(client: &ClientWrapper) -> StoreResult<Option<u64>> {
    let mut next = append_of_first_row(client, 0).await?;
    if next.is_none() {
        return Ok(None);
    }
    execute_batch(client, LIFT_GUARD).await?;
    let (mut reached, mut moved) = (None, 0);
    while moved < EVENTS_PER_STEP
        && let Some(append) = next
    {
        move_append(client, &append).await?;
        moved += append.record.event_count;
        reached = Some(append.record.last_position());
        next = append_of_first_row(client, append.record.seq).await?;
    }
    if one_row(client, "SELECT FROM es_events LIMIT 1", &[], |_| Ok(())).await?.is_none() {
        // Gives the space of the rows back to the file system.
        execute_batch(client, "TRUNCATE es_events").await?;
    }
    execute_batch(client, RESTORE_GUARD).await?;
    Ok(reached)
}

/// The append of the first event that is a row, after an append.
async fn append_of_first_row(
    client: &ClientWrapper,
    after: u64,
) -> StoreResult<Option<StoredAppend>> {
    one_row(client, query!("append_of_first_row"), &[&to_bigint(after)], stored_append).await
}

/// An append with its stream and its seal.
pub(crate) fn stored_append(row: &Row) -> StoreResult<StoredAppend> {
    let (stream, seal) = (get(row, 11)?, hash(row, 12)?);
    Ok(StoredAppend { record: append_record(row)?, stream, seal })
}

async fn move_append(client: &ClientWrapper, stored: &StoredAppend) -> StoreResult<()> {
    let StoredAppend { record, stream, .. } = stored;
    let (first, last) = (record.first_version, record.last_version());
    let rows = event_rows::events(client, record, stream, first, last).await?;
    let seal_before = log::seal_at(client, record.seq - 1).await?.ok_or_else(|| {
        StoreError::Corrupt(format!("append {} is missing", record.seq - 1).into())
    })?;
    let (append, compressed) = blocks_of_rows(stored, &seal_before, &rows)?;
    let blocks = append.chained_blocks(&compressed, rows[0].prev_hash);
    insert_blocks(client, record.stream_id, &blocks).await?;
    let [stream_id, first, last] = [record.stream_id, first, last].map(to_bigint);
    let delete = "DELETE FROM es_events WHERE stream_id = $1 AND version BETWEEN $2 AND $3";
    execute(client, delete, &[&stream_id, &first, &last]).await.map(|_| ())
}
