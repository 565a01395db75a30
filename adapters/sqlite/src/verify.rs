//! Verification (specification 3.2): one read transaction passes every stored row to the common
//! verifier. A row that cannot be read is damage and not an error.

use powerfill_events::log::{AppendRecord, EventRow, StreamRow, Verifier, seal_start};
use powerfill_ports::events::{Damage, LogHead, Verification};
use powerfill_ports::verification_stop::{VerificationStop, WRONG_VERIFIED_LOG};
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::{Connection, Row, Rows};

use crate::connection::store_error;
use crate::decode::{append_record, bytes, get, hash};
use crate::event_rows::EVENTS_BETWEEN;
use crate::read::stored_block;
use crate::statements::{first_row, query, rows};
use crate::{log, schema, snapshots};

/// The column of the seal before, in the query of a stream's appends.
const PREV_SEAL: usize = 12;

/// Verifies everything, or one stream.
pub(crate) fn verify(conn: &Connection, stream: Option<&str>) -> StoreResult<Verification> {
    conn.execute_batch("BEGIN").map_err(store_error)?;
    let outcome = match stream {
        Some(stream) => verify_stream(conn, stream),
        None => verify_all(conn),
    };
    conn.execute_batch("COMMIT").map_err(store_error)?;
    outcome.or_else(VerificationStop::into_result)
}

fn verify_all(conn: &Connection) -> Result<Verification, VerificationStop> {
    let mut verifier = Verifier::for_log(streams(conn, None)?);
    let mut appends = conn.prepare(query!("all_appends_stored")).map_err(store_error)?;
    let mut appends = appends.query([]).map_err(store_error)?;
    let mut events = conn.prepare(EVENTS_BETWEEN).map_err(store_error)?;
    let mut events = events.query((i64::MIN, i64::MAX)).map_err(store_error)?;
    while let Some(row) = appends.next().map_err(store_error)? {
        let record = verify_append(&mut verifier, row, None)?;
        verify_blocks(conn, &mut verifier, &record)?;
        while verifier.missing_events() > 0 && verify_next_event(&mut verifier, &mut events)? {}
    }
    // The verifier refuses the events that are left: they belong to no append.
    while verify_next_event(&mut verifier, &mut events)? {}
    ensure_no_stray_block(conn)?;
    let mut verification = verifier.finish(Some(only_head(conn)?))?;
    verification.snapshots = snapshots::verify(conn)?;
    if first_row(conn, query!("foreign_verified_log"), [], |_| Ok(()))?.is_some() {
        return Err(VerificationStop::damage(WRONG_VERIFIED_LOG.to_owned()));
    }
    // The triggers that keep the log append-only, and the rest of the schema.
    match schema::first_difference(conn)? {
        Some(what) => Err(VerificationStop::damage(what)),
        None => Ok(verification),
    }
}

fn verify_stream(conn: &Connection, name: &str) -> Result<Verification, VerificationStop> {
    let not_found = || StoreError::NotFound { what: "stream", name: name.to_owned() };
    let stream = streams(conn, Some(name))?.pop().ok_or_else(not_found)?;
    let stream_id = stream.stream_id;
    let mut verifier = Verifier::for_stream(stream);
    let mut appends = conn.prepare(query!("stream_appends_stored")).map_err(store_error)?;
    let mut appends = appends.query([stream_id]).map_err(store_error)?;
    let mut events = conn.prepare(EVENTS_BETWEEN).map_err(store_error)?;
    while let Some(row) = appends.next().map_err(store_error)? {
        let record = verify_append(&mut verifier, row, Some(PREV_SEAL))?;
        verify_blocks(conn, &mut verifier, &record)?;
        let last_position = last_of(record.first_position, record.event_count);
        let mut events =
            events.query((record.first_position, last_position)).map_err(store_error)?;
        while verify_next_event(&mut verifier, &mut events)? {}
    }
    Ok(verifier.finish(None)?)
}

/// The rows of all streams, or of one.
fn streams(conn: &Connection, name: Option<&str>) -> Result<Vec<StreamRow>, VerificationStop> {
    let mut find = conn
        .prepare(
            "SELECT stream_id, version, tail_hash, name FROM es_streams
             WHERE ?1 IS NULL OR name = ?1",
        )
        .map_err(store_error)?;
    let mut rows = find.query([name]).map_err(store_error)?;
    let mut streams = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        streams.push(stream_row(row).map_err(|error| {
            VerificationStop::from(error).at(|damage| damage.stream = get(row, 3).ok())
        })?);
    }
    Ok(streams)
}

fn stream_row(row: &Row<'_>) -> StoreResult<StreamRow> {
    Ok(StreamRow {
        stream_id: get(row, 0)?,
        version: get(row, 1)?,
        tail_hash: hash(row, 2)?,
        name: get(row, 3)?,
    })
}

/// Passes an append to the verifier.
fn verify_append(
    verifier: &mut Verifier,
    row: &Row<'_>,
    prev_seal: Option<usize>,
) -> Result<AppendRecord, VerificationStop> {
    let read = || {
        let (record, seal) = (append_record(row)?, hash(row, 11)?);
        let prev_seal = match prev_seal {
            Some(_) if record.seq == 1 => seal_start(),
            Some(column) => hash(row, column)?,
            None => seal,
        };
        Ok((record, seal, prev_seal))
    };
    let (record, seal, prev_seal) = read().map_err(|error: StoreError| {
        VerificationStop::from(error).at(|damage| damage.seq = get(row, 0).ok())
    })?;
    verifier.append(record.clone(), seal, prev_seal)?;
    Ok(record)
}

/// The last number of a range. A damaged count may be too large to be bound.
fn last_of(first: u64, count: u64) -> u64 {
    first.saturating_add(count).saturating_sub(1).min(i64::MAX as u64)
}

/// Passes the blocks of an append to the verifier. An append whose events are rows has none.
fn verify_blocks(
    conn: &Connection,
    verifier: &mut Verifier,
    record: &AppendRecord,
) -> Result<(), VerificationStop> {
    let mut blocks = conn.prepare_cached(query!("blocks_between")).map_err(store_error)?;
    let last_version = last_of(record.first_version, record.event_count);
    let range = (record.stream_id, record.first_version, last_version);
    let mut blocks = blocks.query(range).map_err(store_error)?;
    while let Some(row) = blocks.next().map_err(store_error)? {
        let block = stored_block(row).map_err(|error| {
            VerificationStop::from(error).at(|damage| damage.seq = Some(record.seq))
        })?;
        block.verify(verifier)?;
    }
    Ok(())
}

/// Refuses a block that belongs to no append: the verifier did not get it.
fn ensure_no_stray_block(conn: &Connection) -> Result<(), VerificationStop> {
    let stray = first_row(conn, query!("stray_block"), [], |row| {
        let (stream_id, version): (i64, i64) = (get(row, 0)?, get(row, 1)?);
        Ok(Damage {
            stream: get(row, 2)?,
            stream_version: u64::try_from(version).ok(),
            seq: None,
            what: format!(
                "the block from event {version} of stream number {stream_id} belongs to no append"
            ),
        })
    })?;
    stray.map_or(Ok(()), |damage| Err(VerificationStop::from(Box::new(damage))))
}

/// Passes the next event to the verifier. Returns whether there was one.
fn verify_next_event(
    verifier: &mut Verifier,
    rows: &mut Rows<'_>,
) -> Result<bool, VerificationStop> {
    let Some(row) = rows.next().map_err(store_error)? else { return Ok(false) };
    verifier.event(EventRow {
        position: get(row, 0)?,
        stream_id: get(row, 1)?,
        version: get(row, 2)?,
        event_type: bytes(row, 3)?,
        schema_version: get(row, 4)?,
        payload: bytes(row, 5)?,
        hash: bytes(row, 6)?,
    })?;
    Ok(true)
}

/// The head, which must be exactly one row with number 1.
fn only_head(conn: &Connection) -> Result<LogHead, VerificationStop> {
    let ids: Vec<i64> = rows(conn, "SELECT id FROM es_head", [], |row| get(row, 0))?;
    if ids != [1] {
        let what = format!("the log has the heads {ids:?}, not one with number 1");
        return Err(VerificationStop::damage(what));
    }
    Ok(log::head(conn)?)
}
