//! Verification (specification 3.2): every row as stored, in one read transaction, through the common verifier. A row
//! that cannot even be read is damage too, not an error.

use powerfill_ports::StoreError;
use powerfill_ports::events::{Damage, LogHead, Verification};
use powerfill_ports::verifier::{EventRow, StreamRow, Verifier};
use rusqlite::{Connection, Row, Rows};

use crate::append::{bytes, hash};
use crate::connection::fault;
use crate::read::append_record;
use crate::{schema, snapshots};

const ALL_APPENDS: &str = include_str!("../../../sql/sqlite/queries/all_appends_stored.sql");
const STREAM_APPENDS: &str = include_str!("../../../sql/sqlite/queries/stream_appends_stored.sql");
const EVENTS_BETWEEN: &str = include_str!("../../../sql/sqlite/queries/events_between.sql");

/// Why a walk ended early.
enum Stop {
    Damage(Box<Damage>),
    Store(StoreError),
}

impl From<Box<Damage>> for Stop {
    fn from(damage: Box<Damage>) -> Self {
        Self::Damage(damage)
    }
}

impl From<StoreError> for Stop {
    /// What cannot be read as what it should be is damage.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(what) => Self::Damage(Box::new(nowhere(what))),
            other => Self::Store(other),
        }
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        fault(error).into()
    }
}

const fn nowhere(what: String) -> Damage {
    Damage { stream: None, stream_version: None, seq: None, what }
}

/// Walks everything, or one stream.
pub(crate) fn verify(conn: &Connection, stream: Option<&str>) -> Result<Verification, StoreError> {
    conn.execute_batch("BEGIN").map_err(fault)?;
    let outcome = match stream {
        Some(stream) => walk_stream(conn, stream),
        None => walk_all(conn),
    };
    conn.execute_batch("COMMIT").map_err(fault)?;
    match outcome {
        Ok(verification) => Ok(verification),
        Err(Stop::Damage(damage)) => {
            Ok(Verification { damage: Some(*damage), ..Verification::default() })
        }
        Err(Stop::Store(error)) => Err(error),
    }
}

fn walk_all(conn: &Connection) -> Result<Verification, Stop> {
    let streams = streams(conn, None)?;
    let mut verifier = Verifier::of_log(streams);
    let mut appends = conn.prepare(ALL_APPENDS)?;
    let mut appends = appends.query([])?;
    let mut events = conn.prepare(EVENTS_BETWEEN)?;
    let mut events = events.query((i64::MIN, i64::MAX))?;
    while let Some(row) = appends.next()? {
        give_append(&mut verifier, row, None)?;
        while verifier.events_to_come() > 0 && give_event(&mut verifier, &mut events)? {}
    }
    // What is left belongs to no append.
    while give_event(&mut verifier, &mut events)? {}
    let mut verification = verifier.finish(Some(only_head(conn)?))?;
    verification.snapshots =
        snapshots::verify(conn)?.map_err(|what| Stop::Damage(Box::new(nowhere(what))))?;
    guards(conn)?;
    Ok(verification)
}

/// The triggers that keep the log append-only, and the rest of the schema: as the steps made them.
fn guards(conn: &Connection) -> Result<(), Stop> {
    if let Some(what) = schema::first_departure(conn)? {
        return Err(Stop::Damage(Box::new(nowhere(what))));
    }
    Ok(())
}

fn walk_stream(conn: &Connection, name: &str) -> Result<Verification, Stop> {
    let Some(stream) = streams(conn, Some(name))?.pop() else {
        return Err(Stop::Store(StoreError::NotFound { what: "stream", name: name.to_owned() }));
    };
    let stream_id = stream.stream_id;
    let mut verifier = Verifier::of_stream(stream);
    let mut appends = conn.prepare(STREAM_APPENDS)?;
    let mut appends = appends.query([stream_id])?;
    let mut events = conn.prepare(EVENTS_BETWEEN)?;
    while let Some(row) = appends.next()? {
        let (first, count) = give_append(&mut verifier, row, Some(12))?;
        let mut events = events.query((first, first.saturating_add(count).saturating_sub(1)))?;
        while give_event(&mut verifier, &mut events)? {}
    }
    Ok(verifier.finish(None)?)
}

fn streams(conn: &Connection, name: Option<&str>) -> Result<Vec<StreamRow>, Stop> {
    let mut find = conn.prepare(
        "SELECT stream_id, version, tail_hash, name FROM es_streams WHERE ?1 IS NULL OR name = ?1",
    )?;
    let mut rows = find.query([name])?;
    let mut streams = Vec::new();
    while let Some(row) = rows.next()? {
        let read = || {
            Ok(StreamRow {
                stream_id: row.get(0).map_err(fault)?,
                version: row.get(1).map_err(fault)?,
                tail_hash: hash(row, 2)?,
                name: row.get(3).map_err(fault)?,
            })
        };
        streams.push(read().map_err(|error| {
            stop_at(error, |damage| {
                damage.stream =
                    row.get_ref(3).ok().and_then(|name| name.as_str().ok()).map(str::to_owned);
            })
        })?);
    }
    Ok(streams)
}

fn stop_at(error: StoreError, place: impl FnOnce(&mut Damage)) -> Stop {
    match Stop::from(error) {
        Stop::Damage(mut damage) => {
            place(&mut damage);
            Stop::Damage(damage)
        }
        other => other,
    }
}

/// Answers the first position and the count, as stored.
fn give_append(
    verifier: &mut Verifier,
    row: &Row<'_>,
    prev_seal: Option<usize>,
) -> Result<(u64, u64), Stop> {
    let seq = row.get(0).ok();
    let read = || {
        let record = append_record(row)?;
        let seal = hash(row, 11)?;
        let prev = match prev_seal {
            // The first append of all has none before it, and links to the fixed one.
            Some(_) if record.seq == 1 => powerfill_ports::seal::seal_start(),
            Some(column) => hash(row, column)?,
            None => seal,
        };
        Ok((record, seal, prev))
    };
    let (record, seal, prev) = read().map_err(|error| stop_at(error, |damage| damage.seq = seq))?;
    let range = (record.first_position, record.event_count);
    verifier.append(record, seal, prev)?;
    Ok(range)
}

/// Answers whether there was one.
fn give_event(verifier: &mut Verifier, rows: &mut Rows<'_>) -> Result<bool, Stop> {
    let Some(row) = rows.next()? else { return Ok(false) };
    let numbers = || Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(4)?]);
    let [position, stream_id, version, schema_version] = numbers().map_err(fault)?;
    verifier.event(EventRow {
        position,
        stream_id,
        version,
        event_type: bytes(row, 3)?,
        schema_version,
        payload: bytes(row, 5)?,
        hash: bytes(row, 6)?,
    })?;
    Ok(true)
}

/// The head, which is one row with one number.
fn only_head(conn: &Connection) -> Result<LogHead, Stop> {
    let ids: Vec<i64> = conn
        .prepare("SELECT id FROM es_head")
        .and_then(|mut ids| ids.query_map([], |row| row.get(0))?.collect())?;
    if ids != [1] {
        let what = format!("the log has the heads {ids:?}, not one with number 1");
        return Err(Stop::Damage(Box::new(nowhere(what))));
    }
    Ok(crate::append::head(conn)?)
}
