//! Moves the events of a store of 0.1.0, a row each, into blocks. One step is one transaction: the
//! blocks of some appends come, and their rows go.

use powerfill_ports::copying::StoredAppend;
use powerfill_ports::error::StoreFault;
use powerfill_ports::row_migration::blocks_of_rows;
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::{Connection, Row};

use crate::append::insert_blocks;
use crate::archive::guard_sql;
use crate::connection::{begin_write, store_error};
use crate::decode::{append_record, get, hash};
use crate::statements::{execute, first_row, query};
use crate::{event_rows, log};

/// The guard that a step replaces by itself: no other connection sees the file without it.
const GUARD: &str = "es_events_no_delete";
/// A step ends with the append that reaches this number of events.
const EVENTS_PER_STEP: u64 = 1_000;

/// Makes the next step. Returns the position that it reached; `None` if no event is a row.
pub(crate) fn move_rows_into_blocks(conn: &mut Connection) -> StoreResult<Option<u64>> {
    let tx = begin_write(conn)?;
    let guard = guard_sql(&tx, GUARD)?;
    let (mut reached, mut moved) = (None, 0);
    while moved < EVENTS_PER_STEP
        && let Some(append) = append_of_first_row(&tx)?
    {
        if moved == 0 {
            tx.execute_batch(&format!("DROP TRIGGER {GUARD}")).map_err(store_error)?;
        }
        move_append(&tx, &append)?;
        moved += append.record.event_count;
        reached = Some(append.record.last_position());
    }
    if reached.is_none() {
        return Ok(None);
    }
    let is_last = append_of_first_row(&tx)?.is_none();
    tx.execute_batch(&guard).map_err(store_error)?;
    tx.commit().map_err(store_error)?;
    if is_last {
        shrink(conn)?;
    }
    Ok(reached)
}

/// The append of the first event that is a row.
fn append_of_first_row(conn: &Connection) -> StoreResult<Option<StoredAppend>> {
    first_row(conn, query!("append_of_first_row"), [], stored_append)
}

/// An append with its stream and its seal.
pub(crate) fn stored_append(row: &Row<'_>) -> StoreResult<StoredAppend> {
    let (record, stream, seal) = (append_record(row)?, get(row, 11)?, hash(row, 12)?);
    Ok(StoredAppend { record, stream, seal })
}

fn move_append(conn: &Connection, stored: &StoredAppend) -> StoreResult<()> {
    let StoredAppend { record, stream, .. } = stored;
    let (first, last) = (record.first_version, record.last_version());
    let rows = event_rows::events(conn, record, stream, first, last)?;
    let seal_before = log::seal_at(conn, record.seq - 1)?.ok_or_else(|| {
        StoreError::Corrupt(format!("append {} is missing", record.seq - 1).into())
    })?;
    let (append, compressed) = blocks_of_rows(stored, &seal_before, &rows)?;
    let blocks = append.chained_blocks(&compressed, rows[0].prev_hash);
    insert_blocks(conn, record.stream_id, &blocks)?;
    let delete = "DELETE FROM es_events WHERE position BETWEEN ?1 AND ?2";
    execute(conn, delete, (record.first_position, record.last_position())).map(|_| ())
}

/// Gives the space of removed rows back to the file system. The log is whole without this.
pub(crate) fn shrink(conn: &Connection) -> StoreResult<()> {
    // The new file is written beside the store and not in memory.
    let vacuumed =
        conn.execute_batch("PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY");
    vacuumed.map_err(|error| {
        let what = "everything is in its place, but the file could not be made smaller";
        StoreError::Failed(StoreFault::caused_by(error).context(what))
    })
}
