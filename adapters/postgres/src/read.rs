//! Reading (specification 3.2): each batch is two short queries, one for appends and one for their
//! blocks, so that a slow reader holds neither a transaction nor more than one batch. Rows before
//! the end of the log never change, so that the two queries need no common transaction. A batch
//! ends with a block, so that no block is decompressed twice.

use deadpool_postgres::ClientWrapper;
use powerfill_events::log::AppendRecord;
use powerfill_ports::events::{EVENTS_PER_BATCH, StoredEvent};
use powerfill_ports::stored_block::StoredBlock;
use powerfill_ports::{StoreError, StoreResult};
use tokio_postgres::Row;

use crate::errors::store_error;
use crate::event_rows;
use crate::statements::query;
use crate::values::{RawBytes, append_record, get, to_bigint, unsigned};

/// The most blocks that one query for chosen events returns: they are in memory together.
const MAX_CHOSEN_BLOCKS: usize = 16;

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

/// Reads a block from the columns of a row, which begin at `column`.
pub(crate) fn stored_block(row: &Row, column: usize) -> StoreResult<StoredBlock<'_>> {
    let bytes = |at| get::<RawBytes<'_>>(row, column + at).map(|raw| raw.0);
    Ok(StoredBlock {
        stream_id: unsigned(row, column)?,
        first_version: unsigned(row, column + 1)?,
        event_count: unsigned(row, column + 2)?,
        event_types: bytes(3)?,
        hash_before: bytes(4)?,
        hash_after: bytes(5)?,
        event_checks: bytes(6)?,
        codec: bytes(7)?,
        byte_count: unsigned(row, column + 8)?,
        stored_hash: bytes(9)?,
        body: bytes(10)?,
    })
}

/// The next batch of events in global order after a position, up to and including `up_to`.
pub(crate) async fn batch_after_position(
    client: &ClientWrapper,
    after: u64,
    up_to: u64,
) -> StoreResult<Vec<StoredEvent>> {
    if after >= up_to {
        return Ok(Vec::new());
    }
    let window = up_to.min(after + EVENTS_PER_BATCH as u64);
    let find = client.prepare_cached(query!("appends_from_position")).await.map_err(store_error)?;
    let rows = client
        .query(&find, &[&to_bigint(after + 1), &to_bigint(window)])
        .await
        .map_err(store_error)?;
    let mut parts = Vec::with_capacity(rows.len());
    let mut next = after + 1;
    for row in &rows {
        let record = append_record(row)?;
        let (from, to) = (record.first_position.max(after + 1), record.last_position().min(window));
        if from != next || from > to {
            let what = format!("no append contains position {next}");
            return Err(StoreError::Corrupt(what.into()));
        }
        next = to + 1;
        let (first, last) = (record.version_at(from), record.version_at(to));
        let end = record.version_at(record.last_position().min(up_to));
        parts.push(AppendPart { record, stream: get(row, 11)?, first, last, end });
    }
    events(client, parts).await
}

/// The next batch of events of a stream from a version on, up to and including `up_to`.
pub(crate) async fn batch_from_version(
    client: &ClientWrapper,
    (stream_id, name): (u64, &str),
    version: u64,
    up_to: u64,
) -> StoreResult<Vec<StoredEvent>> {
    if version > up_to {
        return Ok(Vec::new());
    }
    let window = up_to.min(version + EVENTS_PER_BATCH as u64 - 1);
    let find = client.prepare_cached(query!("appends_from_version")).await.map_err(store_error)?;
    let rows = client
        .query(&find, &[&to_bigint(stream_id), &to_bigint(version), &to_bigint(window), &name])
        .await
        .map_err(store_error)?;
    let mut parts = Vec::with_capacity(rows.len());
    let mut next = version;
    for row in &rows {
        let record = append_record(row)?;
        let (first, last) = (record.first_version.max(version), record.last_version().min(window));
        if first != next || first > last {
            return Err(missing_version(name, next));
        }
        next = last + 1;
        let end = record.last_version().min(up_to);
        parts.push(AppendPart { record, stream: get(row, 11)?, first, last, end });
    }
    events(client, parts).await
}

/// Events of a stream with these versions, which must be in ascending order: the first ones, and
/// how many they are.
pub(crate) async fn batch_of_versions(
    client: &ClientWrapper,
    (stream_id, name): (u64, &str),
    versions: &[u64],
) -> StoreResult<(Vec<StoredEvent>, usize)> {
    let (Some(first), Some(last)) = (versions.first(), versions.last()) else {
        return Ok((Vec::new(), 0));
    };
    let find = client.prepare_cached(query!("appends_from_version")).await.map_err(store_error)?;
    let appends = client
        .query(&find, &[&to_bigint(stream_id), &to_bigint(*first), &to_bigint(*last), &name])
        .await
        .map_err(store_error)?;
    let appends = appends.iter().map(append_record).collect::<Result<Vec<_>, _>>()?;
    let find = client.prepare_cached(query!("blocks_of_versions")).await.map_err(store_error)?;
    let wanted: Vec<i64> = versions.iter().copied().map(to_bigint).collect();
    let limit = to_bigint(MAX_CHOSEN_BLOCKS as u64);
    let rows = client
        .query(&find, &[&to_bigint(stream_id), &wanted, &limit])
        .await
        .map_err(store_error)?;
    let blocks = rows.iter().map(|row| stored_block(row, 1)).collect::<Result<Vec<_>, _>>()?;
    let (mut events, mut rest) = (Vec::new(), versions);
    while let [first, ..] = *rest {
        let append = appends
            .iter()
            .find(|append| append.first_version <= first && first <= append.last_version());
        let record = append.ok_or_else(|| missing_version(name, first))?;
        match blocks.iter().find(|block| block.last_version() >= first) {
            Some(block) if block.first_version <= first => {
                let end = rest.partition_point(|version| *version <= block.last_version());
                let here = &rest[..end];
                let is_chosen = |version, _: &str| here.binary_search(&version).is_ok();
                events.append(&mut block.events(record, name, is_chosen)?);
                rest = &rest[end..];
            }
            None if blocks.len() == MAX_CHOSEN_BLOCKS => break,
            _ => {
                let follow = |(one, other): (&u64, &u64)| one + 1 == *other;
                let run = 1 + rest.iter().zip(&rest[1..]).take_while(|pair| follow(*pair)).count();
                let last = rest[run - 1].min(record.last_version());
                let mut read = event_rows::events(client, record, name, first, last).await?;
                events.append(&mut read);
                rest = &rest[(last - first + 1) as usize..];
            }
        }
    }
    Ok((events, versions.len() - rest.len()))
}

/// The next events of some types of a stream, between two versions. No events are the end.
pub(crate) async fn batch_of_types(
    client: &ClientWrapper,
    (stream_id, name): (u64, &str),
    version: u64,
    up_to: u64,
    types: &[String],
) -> StoreResult<Vec<StoredEvent>> {
    let find = client.prepare_cached(query!("blocks_of_types")).await.map_err(store_error)?;
    let (mut from, to) = (to_bigint(version), to_bigint(up_to));
    loop {
        let rows = client
            .query(&find, &[&to_bigint(stream_id), &from, &to, &types, &1_i64])
            .await
            .map_err(store_error)?;
        let Some(row) = rows.first() else { return Ok(Vec::new()) };
        let (record, block) = (append_record(row)?, stored_block(row, 11)?);
        let is_wanted = |at, event_type: &str| {
            (version..=up_to).contains(&at) && types.iter().any(|wanted| wanted == event_type)
        };
        let events = block.events(&record, name, is_wanted)?;
        if !events.is_empty() {
            return Ok(events);
        }
        // The events of these types in the block are all before the version, or after the end.
        from = to_bigint(block.last_version() + 1);
    }
}

fn missing_version(stream: &str, version: u64) -> StoreError {
    let what = format!("no append contains version {version} of stream {stream}");
    StoreError::Corrupt(what.into())
}

/// The part of an append that belongs to a batch.
struct AppendPart {
    record: AppendRecord,
    stream: String,
    first: u64,
    /// The last version that is sure to fit the batch.
    last: u64,
    /// The last version to read in this batch or in a later one.
    end: u64,
}

/// Reads the events of the parts, as far as whole blocks fit the batch.
async fn events(client: &ClientWrapper, parts: Vec<AppendPart>) -> StoreResult<Vec<StoredEvent>> {
    let mut ranges = VersionRanges::default();
    for part in &parts {
        ranges.push(part.record.stream_id, part.first, part.last);
    }
    let find = client.prepare_cached(query!("blocks_of_ranges")).await.map_err(store_error)?;
    let rows = client.query(&find, &ranges.parameters()).await.map_err(store_error)?;
    let mut rows = rows.iter().peekable();
    let mut batch = Vec::new();
    for (part, number) in parts.iter().zip(1_i64..) {
        let AppendPart { record, stream, .. } = part;
        let mut next = part.first;
        while let Some(row) = rows.next_if(|row| get(row, 0).is_ok_and(|n: i64| n == number)) {
            let block = stored_block(row, 1)?;
            // The append before may be in blocks while this one is still in rows.
            if block.last_version() < next {
                continue;
            }
            if block.first_version > next {
                return Err(StoreError::missing_event(stream, next));
            }
            let end = block.last_version().min(part.end);
            if end > part.last && !batch.is_empty() {
                return Ok(batch);
            }
            // What is before archived payloads is read without them.
            if block.is_archived() && !batch.is_empty() {
                return Ok(batch);
            }
            let is_wanted = |version, _: &str| (next..=end).contains(&version);
            batch.append(&mut block.events(record, stream, is_wanted)?);
            next = end + 1;
        }
        if next == part.first {
            let mut events =
                event_rows::events(client, record, stream, part.first, part.last).await?;
            batch.append(&mut events);
        } else if next <= part.last {
            return Err(StoreError::missing_event(stream, next));
        }
    }
    Ok(batch)
}
