//! Verification (specification 3.2): one transaction that sees one state passes every stored row to
//! the common verifier. A row that cannot be read is damage and not an error.

use std::iter::Peekable;
use std::vec::IntoIter;

use deadpool_postgres::Transaction;
use powerfill_events::log::{AppendRecord, EventRow, StreamRow, Verifier, seal_start};
use powerfill_ports::events::{Damage, LogHead, Verification};
use powerfill_ports::verification_stop::{VerificationStop, WRONG_VERIFIED_LOG};
use powerfill_ports::{StoreError, StoreResult};
use tokio_postgres::{Portal, Row};

use crate::errors::store_error;
use crate::event_rows::EVENTS_BETWEEN;
use crate::log::head_from;
use crate::pool::{ExclusiveSession, begin_consistent_read};
use crate::read::{VersionRanges, stored_block};
use crate::statements::query;
use crate::values::{RawBytes, append_record, get, hash, schema_version, to_bigint, unsigned};
use crate::{schema, snapshots};

/// Rows in memory at a time.
const APPENDS_PER_PAGE: i32 = 500;
const EVENTS_PER_PAGE: i32 = 4_000;
const BLOCKS_PER_PAGE: i32 = 8;

/// Verifies everything, or one stream.
pub(crate) async fn verify(
    mut session: ExclusiveSession,
    stream: Option<&str>,
) -> StoreResult<Verification> {
    let tx = begin_consistent_read(&mut session).await?;
    let outcome = match stream {
        Some(stream) => verify_stream(&tx, stream).await,
        None => verify_all(&tx).await,
    };
    match outcome {
        Ok(verification) => {
            tx.commit().await.map_err(store_error)?;
            session.give_back();
            Ok(verification)
        }
        Err(stop) => stop.into_result(),
    }
}

async fn verify_all(tx: &Transaction<'_>) -> Result<Verification, VerificationStop> {
    let streams = tx
        .query("SELECT stream_id, version, tail_hash, name FROM es_streams", &[])
        .await
        .map_err(store_error)?;
    let streams = streams.iter().map(stream_row).collect::<Result<Vec<_>, _>>()?;
    let mut verifier = Verifier::for_log(streams);
    let appends = tx.bind(query!("all_appends_stored"), &[]).await.map_err(store_error)?;
    verify_appends(tx, &mut verifier, &appends, false).await?;
    ensure_no_stray_event(tx, None).await?;
    let mut verification = verifier.finish(Some(only_head(tx).await?))?;
    verification.snapshots = snapshots::verify(tx).await?;
    if tx.query_opt(query!("foreign_verified_log"), &[]).await.map_err(store_error)?.is_some() {
        return Err(VerificationStop::damage(WRONG_VERIFIED_LOG.to_owned()));
    }
    // The triggers that keep the log append-only, and the rest of the schema.
    match schema::first_difference(tx.client()).await? {
        Some(what) => Err(VerificationStop::damage(what)),
        None => Ok(verification),
    }
}

async fn verify_stream(tx: &Transaction<'_>, name: &str) -> Result<Verification, VerificationStop> {
    let row = tx
        .query_opt(
            "SELECT stream_id, version, tail_hash, name FROM es_streams WHERE name = $1",
            &[&name],
        )
        .await
        .map_err(store_error)?;
    let not_found = || StoreError::NotFound { what: "stream", name: name.to_owned() };
    let stream = stream_row(&row.ok_or_else(not_found)?)?;
    let stream_id = to_bigint(stream.stream_id);
    let mut verifier = Verifier::for_stream(stream);
    let appends =
        tx.bind(query!("stream_appends_stored"), &[&stream_id]).await.map_err(store_error)?;
    verify_appends(tx, &mut verifier, &appends, true).await?;
    ensure_no_stray_event(tx, Some(stream_id)).await?;
    Ok(verifier.finish(None)?)
}

fn stream_row(row: &Row) -> Result<StreamRow, VerificationStop> {
    let read = || {
        Ok(StreamRow {
            stream_id: unsigned(row, 0)?,
            version: unsigned(row, 1)?,
            tail_hash: hash(row, 2)?,
            name: get(row, 3)?,
        })
    };
    read().map_err(|error: StoreError| {
        VerificationStop::from(error).at(|damage| damage.stream = get(row, 3).ok())
    })
}

/// Passes all appends to the verifier, each with its events.
async fn verify_appends(
    tx: &Transaction<'_>,
    verifier: &mut Verifier,
    portal: &Portal,
    with_prev_seals: bool,
) -> Result<(), VerificationStop> {
    let blocks_of = tx.prepare_cached(query!("blocks_between")).await.map_err(store_error)?;
    loop {
        let rows = tx.query_portal(portal, APPENDS_PER_PAGE).await.map_err(store_error)?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut appends = Vec::with_capacity(rows.len());
        let mut ranges = VersionRanges::default();
        for row in &rows {
            let append = stored_append(row, with_prev_seals).map_err(|error| {
                VerificationStop::from(error).at(|damage| damage.seq = unsigned(row, 0).ok())
            })?;
            let record = &append.record;
            ranges.push(record.stream_id, record.first_version, last_version(record));
            appends.push(append);
        }
        let portal = tx.bind(&blocks_of, &ranges.parameters()).await.map_err(store_error)?;
        let mut blocks = BlockCursor { portal, page: Vec::new().into_iter().peekable() };
        for (StoredAppend { record, seal, prev_seal }, number) in appends.into_iter().zip(1_i64..) {
            verifier.append(record.clone(), seal, prev_seal)?;
            let mut has_blocks = false;
            while let Some(row) = blocks.next_of(tx, number).await? {
                has_blocks = true;
                let block = stored_block(&row, 1).map_err(|error| {
                    VerificationStop::from(error).at(|damage| damage.seq = Some(record.seq))
                })?;
                block.verify(verifier)?;
            }
            if !has_blocks {
                verify_rows(tx, verifier, &record).await?;
            }
        }
    }
}

/// The last version of an append. A damaged count may be too large.
const fn last_version(record: &AppendRecord) -> u64 {
    record.first_version.saturating_add(record.event_count).saturating_sub(1)
}

/// Blocks of a page of appends, a few in memory at a time.
struct BlockCursor {
    portal: Portal,
    page: Peekable<IntoIter<Row>>,
}

impl BlockCursor {
    /// The next block of an append, by its number within the page of appends.
    async fn next_of(&mut self, tx: &Transaction<'_>, number: i64) -> StoreResult<Option<Row>> {
        if self.page.peek().is_none() {
            let rows = tx.query_portal(&self.portal, BLOCKS_PER_PAGE).await.map_err(store_error)?;
            self.page = rows.into_iter().peekable();
        }
        Ok(self.page.next_if(|row| get(row, 0).is_ok_and(|of: i64| of == number)))
    }
}

/// Passes the events of an append that are stored in rows.
async fn verify_rows(
    tx: &Transaction<'_>,
    verifier: &mut Verifier,
    record: &AppendRecord,
) -> Result<(), VerificationStop> {
    let range = [record.stream_id, record.first_version, last_version(record)].map(to_bigint);
    let portal =
        tx.bind(EVENTS_BETWEEN, &[&range[0], &range[1], &range[2]]).await.map_err(store_error)?;
    loop {
        let rows = tx.query_portal(&portal, EVENTS_PER_PAGE).await.map_err(store_error)?;
        for row in &rows {
            verify_row(verifier, record, row)?;
        }
        if rows.len() < EVENTS_PER_PAGE as usize {
            return Ok(());
        }
    }
}

fn verify_row(
    verifier: &mut Verifier,
    record: &AppendRecord,
    row: &Row,
) -> Result<(), VerificationStop> {
    let (version, schema_version) = (unsigned(row, 0)?, schema_version(row, 2)?);
    let bytes = |column| get::<RawBytes<'_>>(row, column).map(|raw| raw.0);
    Ok(verifier.event(EventRow {
        position: record.first_position.saturating_add(version - record.first_version),
        stream_id: record.stream_id,
        version,
        event_type: bytes(1)?,
        schema_version,
        payload: bytes(3)?,
        hash: bytes(4)?,
    })?)
}

struct StoredAppend {
    record: AppendRecord,
    seal: blake3::Hash,
    /// The stored seal before it. Not read if all appends are verified in order.
    prev_seal: blake3::Hash,
}

fn stored_append(row: &Row, with_prev_seal: bool) -> StoreResult<StoredAppend> {
    let record = append_record(row)?;
    let seal = hash(row, 11)?;
    let prev_seal = match with_prev_seal {
        true if record.seq == 1 => seal_start(),
        true => hash(row, 12)?,
        false => seal,
    };
    Ok(StoredAppend { record, seal, prev_seal })
}

/// Refuses a block or a row, of one stream or of all, that the verifier did not get: it belongs to
/// no append, or it is the row of an event that is in a block.
async fn ensure_no_stray_event(
    tx: &Transaction<'_>,
    stream_id: Option<i64>,
) -> Result<(), VerificationStop> {
    let mut stray = None;
    for sql in [query!("stray_block"), query!("stray_event")] {
        if stray.is_none() {
            stray = tx.query_opt(sql, &[&stream_id]).await.map_err(store_error)?;
        }
    }
    let Some(row) = stray else { return Ok(()) };
    let (stream_id, version): (i64, i64) = (get(&row, 0)?, get(&row, 1)?);
    Err(VerificationStop::from(Box::new(Damage {
        stream: get(&row, 2)?,
        stream_version: u64::try_from(version).ok(),
        seq: None,
        what: format!("version {version} of stream number {stream_id} belongs to no append"),
    })))
}

/// The head, which must be exactly one row with number 1.
async fn only_head(tx: &Transaction<'_>) -> Result<LogHead, VerificationStop> {
    let rows =
        tx.query("SELECT seq, position, seal, id FROM es_head", &[]).await.map_err(store_error)?;
    let ids = rows.iter().map(|row| get(row, 3)).collect::<Result<Vec<i32>, _>>()?;
    if ids != [1] {
        let what = format!("the log has the heads {ids:?}, not one with number 1");
        return Err(VerificationStop::damage(what));
    }
    Ok(head_from(rows.first())?)
}
