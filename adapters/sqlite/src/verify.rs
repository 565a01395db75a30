//! Verification (specification 3.2): one read transaction passes every stored row to the common
//! verifier. A row that cannot be read is damage and not an error.

use powerfill_events::log::{EventRow, StreamRow, Verifier, seal_start};
use powerfill_ports::StoreError;
use powerfill_ports::events::{LogHead, Verification};
use powerfill_ports::verification_stop::VerificationStop;
use rusqlite::{Connection, Row, Rows};

use crate::connection::store_error;
use crate::decode::{append_record, bytes, get, hash};
use crate::{log, schema, snapshots};

const ALL_APPENDS: &str = include_str!("../../../sql/sqlite/queries/all_appends_stored.sql");
const STREAM_APPENDS: &str = include_str!("../../../sql/sqlite/queries/stream_appends_stored.sql");
const EVENTS_BETWEEN: &str = include_str!("../../../sql/sqlite/queries/events_between.sql");

/// The column of the seal before, in the query of a stream's appends.
const PREV_SEAL: usize = 12;

/// Verifies everything, or one stream.
pub(crate) fn verify(conn: &Connection, stream: Option<&str>) -> Result<Verification, StoreError> {
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
    let mut appends = conn.prepare(ALL_APPENDS).map_err(store_error)?;
    let mut appends = appends.query([]).map_err(store_error)?;
    let mut events = conn.prepare(EVENTS_BETWEEN).map_err(store_error)?;
    let mut events = events.query((i64::MIN, i64::MAX)).map_err(store_error)?;
    while let Some(row) = appends.next().map_err(store_error)? {
        verify_append(&mut verifier, row, None)?;
        while verifier.missing_events() > 0 && verify_next_event(&mut verifier, &mut events)? {}
    }
    // The verifier refuses the events that are left: they belong to no append.
    while verify_next_event(&mut verifier, &mut events)? {}
    let mut verification = verifier.finish(Some(only_head(conn)?))?;
    verification.snapshots = snapshots::verify(conn)?;
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
    let mut appends = conn.prepare(STREAM_APPENDS).map_err(store_error)?;
    let mut appends = appends.query([stream_id]).map_err(store_error)?;
    let mut events = conn.prepare(EVENTS_BETWEEN).map_err(store_error)?;
    while let Some(row) = appends.next().map_err(store_error)? {
        let (first, count) = verify_append(&mut verifier, row, Some(PREV_SEAL))?;
        let last = first.saturating_add(count).saturating_sub(1);
        let mut events = events.query((first, last)).map_err(store_error)?;
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

fn stream_row(row: &Row<'_>) -> Result<StreamRow, StoreError> {
    Ok(StreamRow {
        stream_id: get(row, 0)?,
        version: get(row, 1)?,
        tail_hash: hash(row, 2)?,
        name: get(row, 3)?,
    })
}

/// Passes an append to the verifier. Returns its first position and its number of events.
fn verify_append(
    verifier: &mut Verifier,
    row: &Row<'_>,
    prev_seal: Option<usize>,
) -> Result<(u64, u64), VerificationStop> {
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
    let range = (record.first_position, record.event_count);
    verifier.append(record, seal, prev_seal)?;
    Ok(range)
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
    let ids: Vec<i64> = conn
        .prepare("SELECT id FROM es_head")
        .and_then(|mut ids| ids.query_map([], |row| row.get(0))?.collect())
        .map_err(store_error)?;
    if ids != [1] {
        let what = format!("the log has the heads {ids:?}, not one with number 1");
        return Err(VerificationStop::damage(what));
    }
    Ok(log::head(conn)?)
}
