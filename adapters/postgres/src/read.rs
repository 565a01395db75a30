//! Reading (specification 3.2): a batch is two short queries, its appends and their events, so that a slow reader holds
//! neither a transaction nor more than one batch. What lies before the end of the log never changes, so that
//! the two need no common snapshot.

use std::collections::HashMap;

use deadpool_postgres::ClientWrapper;
use powerfill_events::run::AppendMeta;
use powerfill_events::run::envelope::{Hash, chain_start};
use powerfill_events::values::TenantId;
use powerfill_ports::StoreError;
use powerfill_ports::events::{EVENTS_PER_BATCH, StoredEvent};
use powerfill_ports::seal::AppendRecord;
use tokio_postgres::Row;

use crate::bytes_in::{Moment, Raw, bound, get, hash, number, schema_version};
use crate::fault::fault;

const FROM_POSITION: &str = include_str!("../../../sql/postgres/queries/appends_from_position.sql");
const FROM_VERSION: &str = include_str!("../../../sql/postgres/queries/appends_from_version.sql");
/// Events by ranges of versions of streams.
pub(crate) const EVENTS_OF_RANGES: &str =
    include_str!("../../../sql/postgres/queries/events_of_ranges.sql");

/// The columns that every query of appends begins with.
pub(crate) fn append_record(row: &Row) -> Result<AppendRecord, StoreError> {
    Ok(AppendRecord {
        seq: number(row, 0)?,
        first_position: number(row, 1)?,
        stream_id: number(row, 2)?,
        first_version: number(row, 3)?,
        event_count: number(row, 4)?,
        append_id: get(row, 5)?,
        meta: AppendMeta {
            tenant_id: TenantId::from(get::<&str>(row, 6)?),
            actor: get(row, 7)?,
            recorded_at: get::<Moment>(row, 8)?.0,
            causation_id: get(row, 9)?,
            correlation_id: get(row, 10)?,
        },
    })
}

/// Ranges of versions of streams, to bind.
#[derive(Default)]
pub(crate) struct Ranges {
    streams: Vec<i64>,
    first: Vec<i64>,
    last: Vec<i64>,
}

impl Ranges {
    pub(crate) fn push(&mut self, stream_id: u64, first: u64, last: u64) {
        self.streams.push(bound(stream_id));
        self.first.push(bound(first));
        self.last.push(bound(last));
    }

    pub(crate) fn bound(&self) -> [&(dyn tokio_postgres::types::ToSql + Sync); 3] {
        [&self.streams, &self.first, &self.last]
    }
}

/// A stream's number and version; `None` where it does not exist.
pub(crate) async fn stream(
    client: &ClientWrapper,
    name: &str,
) -> Result<Option<(u64, u64)>, StoreError> {
    let find = client
        .prepare_cached("SELECT stream_id, version FROM es_streams WHERE name = $1")
        .await
        .map_err(fault)?;
    let row = client.query_opt(&find, &[&name]).await.map_err(fault)?;
    row.map(|row| Ok((number(&row, 0)?, number(&row, 1)?))).transpose()
}

/// The next events in global order after a position, at most a batch, none beyond `up_to`.
pub(crate) async fn batch_after_position(
    client: &ClientWrapper,
    after: u64,
    up_to: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    if after >= up_to {
        return Ok(Vec::new());
    }
    let up_to = up_to.min(after + EVENTS_PER_BATCH as u64);
    let find = client.prepare_cached(FROM_POSITION).await.map_err(fault)?;
    let rows = client.query(&find, &[&bound(after + 1), &bound(up_to)]).await.map_err(fault)?;
    let mut parts = Vec::with_capacity(rows.len());
    let mut next = after + 1;
    for row in &rows {
        let record = append_record(row)?;
        let (from, to) = (record.first_position.max(after + 1), record.last_position().min(up_to));
        if from != next || from > to {
            let what = format!("no append holds position {next}");
            return Err(StoreError::Corrupt(what));
        }
        next = to + 1;
        let version_of = |position| record.first_version + (position - record.first_position);
        let (first, last) = (version_of(from), version_of(to));
        parts.push(Part { record, stream: get(row, 11)?, first, last });
    }
    events(client, parts).await
}

/// The next events of a stream from a version on, at most a batch, none beyond `up_to`.
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
    let find = client.prepare_cached(FROM_VERSION).await.map_err(fault)?;
    let rows = client
        .query(&find, &[&bound(stream_id), &bound(version), &bound(up_to), &name])
        .await
        .map_err(fault)?;
    let mut parts = Vec::with_capacity(rows.len());
    let mut next = version;
    for row in &rows {
        let record = append_record(row)?;
        let (first, last) = (record.first_version.max(version), record.last_version().min(up_to));
        if first != next || first > last {
            let what = format!("no append holds version {next} of stream {name}");
            return Err(StoreError::Corrupt(what));
        }
        next = last + 1;
        parts.push(Part { record, stream: get(row, 11)?, first, last });
    }
    events(client, parts).await
}

/// Chosen events of a stream, by versions that rise.
pub(crate) async fn batch_of_versions(
    client: &ClientWrapper,
    (stream_id, name): (u64, &str),
    versions: &[u64],
) -> Result<Vec<StoredEvent>, StoreError> {
    let (Some(first), Some(last)) = (versions.first(), versions.last()) else {
        return Ok(Vec::new());
    };
    let find = client.prepare_cached(FROM_VERSION).await.map_err(fault)?;
    let rows = client
        .query(&find, &[&bound(stream_id), &bound(*first), &bound(*last), &name])
        .await
        .map_err(fault)?;
    let (mut parts, mut rest) = (Vec::new(), versions);
    for row in &rows {
        let record = append_record(row)?;
        let (here, later) =
            rest.split_at(rest.partition_point(|version| *version <= record.last_version()));
        for neighbours in here.chunk_by(|one, other| one + 1 == *other) {
            let (first, last) = (neighbours[0], neighbours[neighbours.len() - 1]);
            if first < record.first_version {
                let what = format!("no append holds version {first} of stream {name}");
                return Err(StoreError::Corrupt(what));
            }
            parts.push(Part { record: record.clone(), stream: get(row, 11)?, first, last });
        }
        rest = later;
    }
    match rest.first() {
        Some(version) => {
            Err(StoreError::Corrupt(format!("no append holds version {version} of stream {name}")))
        }
        None => events(client, parts).await,
    }
}

/// The part of an append that goes into a batch.
struct Part {
    record: AppendRecord,
    stream: String,
    first: u64,
    last: u64,
}

fn lost(part: &Part, version: u64) -> StoreError {
    StoreError::Corrupt(format!(
        "event {version} of stream {}, of append {}, is missing or misplaced",
        part.stream, part.record.seq
    ))
}

async fn events(client: &ClientWrapper, parts: Vec<Part>) -> Result<Vec<StoredEvent>, StoreError> {
    let mut ranges = Ranges::default();
    // Where the part before ends in the same stream, its last hash is known; else the event before is read as well.
    let mut reached: HashMap<u64, u64> = HashMap::new();
    for part in &parts {
        let known = reached.insert(part.record.stream_id, part.last) == Some(part.first - 1);
        let from = if known || part.first == 1 { part.first } else { part.first - 1 };
        ranges.push(part.record.stream_id, from, part.last);
    }
    let find = client.prepare_cached(EVENTS_OF_RANGES).await.map_err(fault)?;
    let rows = client.query(&find, &ranges.bound()).await.map_err(fault)?;
    let mut batch = Batch { tails: HashMap::new(), events: Vec::with_capacity(rows.len()) };
    let mut rows = rows.iter().peekable();
    for (part, place) in parts.iter().zip(1_u64..) {
        while let Some(row) = rows.peek() {
            if number(row, 0)? != place {
                break;
            }
            batch.add(part, row)?;
            rows.next();
        }
        match batch.tails.get(&part.record.stream_id) {
            Some((version, _)) if *version == part.last => {}
            other => return Err(lost(part, other.map_or(part.first, |(version, _)| version + 1))),
        }
    }
    Ok(batch.events)
}

struct Batch {
    /// The last version and hash seen of each stream.
    tails: HashMap<u64, (u64, Hash)>,
    events: Vec<StoredEvent>,
}

impl Batch {
    fn add(&mut self, part: &Part, row: &Row) -> Result<(), StoreError> {
        let Part { record, stream, first, .. } = part;
        let (version, hash) = (number(row, 1)?, hash(row, 5)?);
        let before = self.tails.insert(record.stream_id, (version, hash));
        if version < *first {
            return Ok(());
        }
        let prev_hash = match before {
            _ if version == 1 => chain_start(stream),
            Some((before, hash)) if before + 1 == version => hash,
            _ => return Err(lost(part, version.saturating_sub(1))),
        };
        let schema_version = u16::try_from(schema_version(row, 3)?)
            .map_err(|_| StoreError::Corrupt(format!("event {version} of stream {stream}")))?;
        self.events.push(StoredEvent {
            stream: stream.clone(),
            stream_version: version,
            global_position: record.first_position + (version - record.first_version),
            event_type: get(row, 2)?,
            schema_version,
            payload: get::<Raw<'_>>(row, 4)?.0.to_vec(),
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

/// The names of all streams, in the order in which they began.
pub(crate) async fn streams(client: &ClientWrapper) -> Result<Vec<String>, StoreError> {
    let rows =
        client.query("SELECT name FROM es_streams ORDER BY stream_id", &[]).await.map_err(fault)?;
    rows.iter().map(|row| get(row, 0)).collect()
}
