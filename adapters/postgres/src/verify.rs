//! Verification (specification 3.2): every row as stored, in one transaction that sees one moment, through the common
//! verifier. A row that cannot even be read is damage too, not an error.

use deadpool_postgres::Transaction;
use powerfill_ports::StoreError;
use powerfill_ports::events::{Damage, LogHead, Verification};
use powerfill_ports::seal::{AppendRecord, seal_start};
use powerfill_ports::verifier::{EventRow, StreamRow, Verifier};
use tokio_postgres::Row;

use crate::append::as_head;
use crate::bytes_in::{Raw, bound, get, hash, number, schema_version};
use crate::fault::fault;
use crate::pool::{Session, one_moment};
use crate::read::{EVENTS_OF_RANGES, Ranges, append_record};
use crate::{schema, snapshots};

const ALL_APPENDS: &str = include_str!("../../../sql/postgres/queries/all_appends_stored.sql");
const STREAM_APPENDS: &str =
    include_str!("../../../sql/postgres/queries/stream_appends_stored.sql");
const STRAY_EVENT: &str = include_str!("../../../sql/postgres/queries/stray_event.sql");

/// Rows that are held at a time.
const APPENDS: i32 = 500;
const EVENTS: i32 = 4_000;

/// Why a walk ended early.
pub(crate) enum Stop {
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
            StoreError::Corrupt(what) | StoreError::Schema(what) => {
                Self::Damage(Box::new(nowhere(what)))
            }
            other => Self::Store(other),
        }
    }
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        fault(error).into()
    }
}

const fn nowhere(what: String) -> Damage {
    Damage { stream: None, stream_version: None, seq: None, what }
}

/// Walks everything, or one stream.
pub(crate) async fn verify(
    mut session: Session,
    stream: Option<&str>,
) -> Result<Verification, StoreError> {
    let tx = one_moment(&mut session).await?;
    let outcome = match stream {
        Some(stream) => walk_stream(&tx, stream).await,
        None => walk_all(&tx).await,
    };
    match outcome {
        Ok(verification) => {
            tx.commit().await.map_err(fault)?;
            session.give_back();
            Ok(verification)
        }
        Err(Stop::Damage(damage)) => {
            Ok(Verification { damage: Some(*damage), ..Verification::default() })
        }
        Err(Stop::Store(error)) => Err(error),
    }
}

async fn walk_all(tx: &Transaction<'_>) -> Result<Verification, Stop> {
    let streams =
        tx.query("SELECT stream_id, version, tail_hash, name FROM es_streams", &[]).await?;
    let streams = streams.iter().map(stream_row).collect::<Result<Vec<_>, _>>()?;
    let mut verifier = Verifier::of_log(streams);
    let appends = tx.bind(ALL_APPENDS, &[]).await?;
    walk(tx, &mut verifier, &appends, false).await?;
    no_stray_event(tx, None).await?;
    let mut verification = verifier.finish(Some(only_head(tx).await?))?;
    verification.snapshots =
        snapshots::verify(tx).await?.map_err(|what| Stop::Damage(Box::new(nowhere(what))))?;
    // The triggers that keep the log append-only, and the rest of the schema: as the steps made them.
    if let Some(what) = schema::first_departure(tx.client()).await? {
        return Err(Stop::Damage(Box::new(nowhere(what))));
    }
    Ok(verification)
}

async fn walk_stream(tx: &Transaction<'_>, name: &str) -> Result<Verification, Stop> {
    let row = tx
        .query_opt(
            "SELECT stream_id, version, tail_hash, name FROM es_streams WHERE name = $1",
            &[&name],
        )
        .await?;
    let Some(row) = row else {
        return Err(Stop::Store(StoreError::NotFound { what: "stream", name: name.to_owned() }));
    };
    let stream = stream_row(&row)?;
    let stream_id = bound(stream.stream_id);
    let mut verifier = Verifier::of_stream(stream);
    let appends = tx.bind(STREAM_APPENDS, &[&stream_id]).await?;
    walk(tx, &mut verifier, &appends, true).await?;
    no_stray_event(tx, Some(stream_id)).await?;
    Ok(verifier.finish(None)?)
}

fn stream_row(row: &Row) -> Result<StreamRow, Stop> {
    let read = || {
        Ok(StreamRow {
            stream_id: number(row, 0)?,
            version: number(row, 1)?,
            tail_hash: hash(row, 2)?,
            name: get(row, 3)?,
        })
    };
    read().map_err(|error| at(error, |damage| damage.stream = get(row, 3).ok()))
}

fn at(error: StoreError, place: impl FnOnce(&mut Damage)) -> Stop {
    match Stop::from(error) {
        Stop::Damage(mut damage) => {
            place(&mut damage);
            Stop::Damage(damage)
        }
        other => other,
    }
}

/// Gives all appends to the verifier, each with its events.
async fn walk(
    tx: &Transaction<'_>,
    verifier: &mut Verifier,
    appends: &tokio_postgres::Portal,
    prev_seals: bool,
) -> Result<(), Stop> {
    let events_of = tx.prepare_cached(EVENTS_OF_RANGES).await?;
    loop {
        let page = tx.query_portal(appends, APPENDS).await?;
        if page.is_empty() {
            return Ok(());
        }
        let mut records = Vec::with_capacity(page.len());
        let mut ranges = Ranges::default();
        for row in &page {
            let append = stored(row, prev_seals)
                .map_err(|error| at(error, |damage| damage.seq = number(row, 0).ok()))?;
            let record = &append.record;
            let last = record.first_version.saturating_add(record.event_count).saturating_sub(1);
            ranges.push(record.stream_id, record.first_version, last);
            records.push(append);
        }
        let events = tx.bind(&events_of, &ranges.bound()).await?;
        let mut given = Given { verifier, records: records.iter(), at: 0, open: None };
        loop {
            let rows = tx.query_portal(&events, EVENTS).await?;
            for row in &rows {
                given.event(row)?;
            }
            if rows.len() < EVENTS as usize {
                break;
            }
        }
        given.up_to(page.len() as u64)?;
    }
}

/// An append as it is stored, and the seal before it.
struct Stored {
    record: AppendRecord,
    seal: blake3::Hash,
    prev_seal: blake3::Hash,
}

fn stored(row: &Row, prev_seal: bool) -> Result<Stored, StoreError> {
    let record = append_record(row)?;
    let seal = hash(row, 11)?;
    let prev_seal = match prev_seal {
        // The first append of all has none before it, and links to the fixed one.
        true if record.seq == 1 => seal_start(),
        true => hash(row, 12)?,
        false => seal,
    };
    Ok(Stored { record, seal, prev_seal })
}

/// What the verifier was given of a page of appends.
struct Given<'v, 'r> {
    verifier: &'v mut Verifier,
    records: std::slice::Iter<'r, Stored>,
    at: u64,
    /// The append that was given last.
    open: Option<&'r AppendRecord>,
}

impl Given<'_, '_> {
    /// Gives the appends up to a place in the page, from 1.
    fn up_to(&mut self, place: u64) -> Result<(), Stop> {
        while self.at < place {
            let Some(append) = self.records.next() else { return Ok(()) };
            self.at += 1;
            self.open = Some(&append.record);
            self.verifier.append(append.record.clone(), append.seal, append.prev_seal)?;
        }
        Ok(())
    }

    fn event(&mut self, row: &Row) -> Result<(), Stop> {
        self.up_to(number(row, 0)?)?;
        let (version, schema_version) = (number(row, 1)?, schema_version(row, 3)?);
        let Some(append) = self.open else { return Ok(()) };
        let bytes = |column| get::<Raw<'_>>(row, column).map(|raw| raw.0);
        Ok(self.verifier.event(EventRow {
            position: append
                .first_position
                .saturating_add(version.saturating_sub(append.first_version)),
            stream_id: append.stream_id,
            version,
            event_type: bytes(2)?,
            schema_version,
            payload: bytes(4)?,
            hash: bytes(5)?,
        })?)
    }
}

/// Every event, of one stream or of all, belongs to an append: those that do were given to the verifier.
async fn no_stray_event(tx: &Transaction<'_>, stream_id: Option<i64>) -> Result<(), Stop> {
    let Some(row) = tx.query_opt(STRAY_EVENT, &[&stream_id]).await? else { return Ok(()) };
    let (stream_id, version): (i64, i64) = (get(&row, 0)?, get(&row, 1)?);
    Err(Stop::Damage(Box::new(Damage {
        stream: get(&row, 2)?,
        stream_version: u64::try_from(version).ok(),
        seq: None,
        what: format!("version {version} of stream number {stream_id} belongs to no append"),
    })))
}

/// The head, which is one row with one number.
async fn only_head(tx: &Transaction<'_>) -> Result<LogHead, Stop> {
    let rows = tx.query("SELECT seq, position, seal, id FROM es_head", &[]).await?;
    let ids = rows.iter().map(|row| get(row, 3)).collect::<Result<Vec<i32>, _>>()?;
    if ids != [1] {
        let what = format!("the log has the heads {ids:?}, not one with number 1");
        return Err(Stop::Damage(Box::new(nowhere(what))));
    }
    Ok(as_head(rows.first())?)
}
