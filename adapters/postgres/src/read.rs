//! Reading (specification 3.2): each batch is two short queries, one for appends and one for their
//! events, so that a slow reader holds neither a transaction nor more than one batch. Rows before
//! the end of the log never change, so that the two queries need no common transaction.

use std::collections::HashMap;

use deadpool_postgres::ClientWrapper;
use powerfill_events::log::{AppendRecord, Hash, chain_start};
use powerfill_ports::StoreError;
use powerfill_ports::events::{EVENTS_PER_BATCH, StoredEvent};
use tokio_postgres::Row;

use crate::errors::store_error;
use crate::values::{RawBytes, append_record, get, hash, schema_version, to_bigint, unsigned};

const FROM_POSITION: &str = include_str!("../../../sql/postgres/queries/appends_from_position.sql");
const FROM_VERSION: &str = include_str!("../../../sql/postgres/queries/appends_from_version.sql");
/// Selects events by ranges of versions of streams.
pub(crate) const EVENTS_OF_RANGES: &str =
    include_str!("../../../sql/postgres/queries/events_of_ranges.sql");

/// Ranges of versions of streams, as three arrays to bind.
#[derive(Default)]
pub(crate) struct VersionRanges {
    streams: Vec<i64>,
    first: Vec<i64>,
    last: Vec<i64>,
}

impl VersionRanges {
    pub(crate) fn push(&mut self, stream_id: u64, first: u64, last: u64) {
        self.streams.push(to_bigint(stream_id));
        self.first.push(to_bigint(first));
        self.last.push(to_bigint(last));
    }

    pub(crate) fn parameters(&self) -> [&(dyn tokio_postgres::types::ToSql + Sync); 3] {
        [&self.streams, &self.first, &self.last]
    }
}

/// The next batch of events in global order after a position, up to and including `up_to`.
pub(crate) async fn batch_after_position(
    client: &ClientWrapper,
    after: u64,
    up_to: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    if after >= up_to {
        return Ok(Vec::new());
    }
    let up_to = up_to.min(after + EVENTS_PER_BATCH as u64);
    let find = client.prepare_cached(FROM_POSITION).await.map_err(store_error)?;
    let rows = client
        .query(&find, &[&to_bigint(after + 1), &to_bigint(up_to)])
        .await
        .map_err(store_error)?;
    let mut parts = Vec::with_capacity(rows.len());
    let mut next = after + 1;
    for row in &rows {
        let record = append_record(row)?;
        let (from, to) = (record.first_position.max(after + 1), record.last_position().min(up_to));
        if from != next || from > to {
            return Err(StoreError::Corrupt(format!("no append contains position {next}").into()));
        }
        next = to + 1;
        let version_of = |position| record.first_version + (position - record.first_position);
        let (first, last) = (version_of(from), version_of(to));
        parts.push(AppendPart { record, stream: get(row, 11)?, first, last });
    }
    events(client, parts).await
}

/// The next batch of events of a stream from a version on, up to and including `up_to`.
pub(crate) async fn batch_from_version(
    client: &ClientWrapper,
    (stream_id, name): (u64, &str),
    version: u64,
    up_to: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    if version > up_to {
        return Ok(Vec::new());
    }
    let up_to = up_to.min(version + EVENTS_PER_BATCH as u64 - 1);
    let find = client.prepare_cached(FROM_VERSION).await.map_err(store_error)?;
    let rows = client
        .query(&find, &[&to_bigint(stream_id), &to_bigint(version), &to_bigint(up_to), &name])
        .await
        .map_err(store_error)?;
    let mut parts = Vec::with_capacity(rows.len());
    let mut next = version;
    for row in &rows {
        let record = append_record(row)?;
        let (first, last) = (record.first_version.max(version), record.last_version().min(up_to));
        if first != next || first > last {
            return Err(missing_version(name, next));
        }
        next = last + 1;
        parts.push(AppendPart { record, stream: get(row, 11)?, first, last });
    }
    events(client, parts).await
}

/// The events of a stream with these versions, which must be in ascending order.
pub(crate) async fn batch_of_versions(
    client: &ClientWrapper,
    (stream_id, name): (u64, &str),
    versions: &[u64],
) -> Result<Vec<StoredEvent>, StoreError> {
    let (Some(first), Some(last)) = (versions.first(), versions.last()) else {
        return Ok(Vec::new());
    };
    let find = client.prepare_cached(FROM_VERSION).await.map_err(store_error)?;
    let rows = client
        .query(&find, &[&to_bigint(stream_id), &to_bigint(*first), &to_bigint(*last), &name])
        .await
        .map_err(store_error)?;
    let (mut parts, mut rest) = (Vec::new(), versions);
    for row in &rows {
        let record = append_record(row)?;
        let (here, later) =
            rest.split_at(rest.partition_point(|version| *version <= record.last_version()));
        for range in here.chunk_by(|one, other| one + 1 == *other) {
            let (first, last) = (range[0], range[range.len() - 1]);
            if first < record.first_version {
                return Err(missing_version(name, first));
            }
            parts.push(AppendPart { record: record.clone(), stream: get(row, 11)?, first, last });
        }
        rest = later;
    }
    match rest.first() {
        Some(version) => Err(missing_version(name, *version)),
        None => events(client, parts).await,
    }
}

fn missing_version(stream: &str, version: u64) -> StoreError {
    StoreError::Corrupt(format!("no append contains version {version} of stream {stream}").into())
}

/// The part of an append that belongs to a batch.
struct AppendPart {
    record: AppendRecord,
    stream: String,
    first: u64,
    last: u64,
}

fn missing_event(part: &AppendPart, version: u64) -> StoreError {
    StoreError::Corrupt(
        format!(
            "event {version} of stream {}, of append {}, is missing or misplaced",
            part.stream, part.record.seq
        )
        .into(),
    )
}

/// Reads the events of the parts.
async fn events(
    client: &ClientWrapper,
    parts: Vec<AppendPart>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut ranges = VersionRanges::default();
    // An event needs the hash before it. If no part before contains it, it is read as well.
    let mut reached: HashMap<u64, u64> = HashMap::new();
    for part in &parts {
        let is_known = reached.insert(part.record.stream_id, part.last) == Some(part.first - 1);
        let from = if is_known || part.first == 1 { part.first } else { part.first - 1 };
        ranges.push(part.record.stream_id, from, part.last);
    }
    let find = client.prepare_cached(EVENTS_OF_RANGES).await.map_err(store_error)?;
    let rows = client.query(&find, &ranges.parameters()).await.map_err(store_error)?;
    let mut batch = BatchBuilder { tails: HashMap::new(), events: Vec::with_capacity(rows.len()) };
    let mut rows = rows.iter().peekable();
    for (part, number) in parts.iter().zip(1_u64..) {
        while let Some(row) = rows.peek() {
            if unsigned(row, 0)? != number {
                break;
            }
            batch.add(part, row)?;
            rows.next();
        }
        match batch.tails.get(&part.record.stream_id) {
            Some((version, _)) if *version == part.last => {}
            other => {
                return Err(missing_event(
                    part,
                    other.map_or(part.first, |(version, _)| version + 1),
                ));
            }
        }
    }
    Ok(batch.events)
}

struct BatchBuilder {
    /// The last version and hash of each stream in the batch.
    tails: HashMap<u64, (u64, Hash)>,
    events: Vec<StoredEvent>,
}

impl BatchBuilder {
    fn add(&mut self, part: &AppendPart, row: &Row) -> Result<(), StoreError> {
        let AppendPart { record, stream, first, .. } = part;
        let (version, hash) = (unsigned(row, 1)?, hash(row, 5)?);
        let before = self.tails.insert(record.stream_id, (version, hash));
        if version < *first {
            return Ok(());
        }
        let prev_hash = match before {
            _ if version == 1 => chain_start(stream),
            Some((before, hash)) if before + 1 == version => hash,
            _ => return Err(missing_event(part, version.saturating_sub(1))),
        };
        let schema_version = u16::try_from(schema_version(row, 3)?).map_err(|_| {
            StoreError::Corrupt(format!("event {version} of stream {stream}").into())
        })?;
        self.events.push(StoredEvent {
            stream: stream.clone(),
            stream_version: version,
            global_position: record.first_position + (version - record.first_version),
            event_type: get(row, 2)?,
            schema_version,
            payload: get::<RawBytes<'_>>(row, 4)?.0.to_vec(),
            tenant_id: record.meta.tenant_id.clone(),
            actor: record.meta.actor.clone(),
            recorded_at: record.meta.recorded_at,
            causation_id: record.meta.causation_id,
            correlation_id: record.meta.correlation_id,
            prev_hash,
            hash,
        });
        Ok(())
    }
}
