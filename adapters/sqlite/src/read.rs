//! Reading (specification 3.2): each batch is a short query of its own, so that a slow reader holds
//! neither a transaction nor more than one batch. A batch ends with a block, so that no block is
//! decompressed twice.

use powerfill_events::log::AppendRecord;
use powerfill_ports::events::{EVENTS_PER_BATCH, EventPart, StoredEvent};
use powerfill_ports::stored_block::StoredBlock;
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::{Connection, Row};

use crate::connection::store_error;
use crate::decode::{append_record, bytes, get};
use crate::event_rows;
use crate::statements::query;

/// Selects the blocks of a stream from a version on.
pub(crate) const BLOCKS: &str = include_str!("../../../sql/sqlite/queries/blocks_from_version.sql");

/// The next batch of events in global order after a position, up to and including `up_to`.
pub(crate) fn batch_after_position(
    conn: &Connection,
    after: u64,
    up_to: u64,
) -> StoreResult<Vec<StoredEvent>> {
    let mut batch = BatchBuilder::new(conn, None);
    if after < up_to {
        let mut appends =
            conn.prepare_cached(query!("appends_from_position")).map_err(store_error)?;
        let mut rows = appends.query([after + 1]).map_err(store_error)?;
        while let Some(row) = rows.next().map_err(store_error)? {
            let record = append_record(row)?;
            let from = record.first_position.max(after + 1);
            let to = record.last_position().min(up_to);
            if from > to {
                break;
            }
            let (first, last) = (record.version_at(from), record.version_at(to));
            if batch.add(&record, name(row)?, first, last)? <= last || !batch.has_room_for(1) {
                break;
            }
        }
    }
    events_of(batch.parts)
}

/// The next parts of a stream from a version on, up to and including `up_to`, with about a batch of
/// events, and the version that follows them; with `types`, only the events of these types. No
/// parts are the end.
pub(crate) fn parts_from_version(
    conn: &Connection,
    stream: &str,
    version: u64,
    up_to: u64,
    types: Option<&[String]>,
) -> StoreResult<(Vec<EventPart>, u64)> {
    let mut batch = BatchBuilder::new(conn, types);
    let mut next = version;
    if version <= up_to {
        let mut appends =
            conn.prepare_cached(query!("appends_from_version")).map_err(store_error)?;
        let mut rows = appends.query((stream, version)).map_err(store_error)?;
        while let Some(row) = rows.next().map_err(store_error)? {
            let record = append_record(row)?;
            let first = record.first_version.max(version);
            let last = record.last_version().min(up_to);
            if first > last {
                break;
            }
            next = batch.add(&record, name(row)?, first, last)?;
            if next <= last || !batch.has_room_for(1) {
                break;
            }
        }
    }
    Ok((batch.parts, next))
}

/// The events of a stream with these versions, up to and including `up_to`. The versions must be in
/// ascending order, and at most a batch.
pub(crate) fn batch_of_versions(
    conn: &Connection,
    stream: &str,
    versions: &[u64],
    up_to: u64,
) -> StoreResult<Vec<StoredEvent>> {
    let mut events = Vec::new();
    let mut rest = &versions[..versions.partition_point(|version| *version <= up_to)];
    if let Some(first) = rest.first() {
        let mut appends =
            conn.prepare_cached(query!("appends_from_version")).map_err(store_error)?;
        let mut rows = appends.query((stream, first)).map_err(store_error)?;
        while !rest.is_empty()
            && let Some(row) = rows.next().map_err(store_error)?
        {
            let record = append_record(row)?;
            let (here, later) =
                rest.split_at(rest.partition_point(|version| *version <= record.last_version()));
            add_versions(conn, &mut events, &record, name(row)?, here)?;
            rest = later;
        }
    }
    Ok(events)
}

/// The name of the stream, in a query of appends.
fn name<'r>(row: &'r Row<'_>) -> StoreResult<&'r str> {
    std::str::from_utf8(bytes(row, 11)?)
        .map_err(|_| StoreError::Corrupt("a stream's name is not text".into()))
}

/// Reads a block's row.
pub(crate) fn stored_block<'r>(row: &'r Row<'_>) -> StoreResult<StoredBlock<'r>> {
    Ok(StoredBlock {
        stream_id: get(row, 0)?,
        first_version: get(row, 1)?,
        event_count: get(row, 2)?,
        event_types: bytes(row, 3)?,
        hash_before: bytes(row, 4)?,
        hash_after: bytes(row, 5)?,
        event_checks: bytes(row, 6)?,
        codec: bytes(row, 7)?,
        byte_count: get(row, 8)?,
        stored_hash: bytes(row, 9)?,
        body: bytes(row, 10)?,
    })
}

/// The events of parts.
pub(crate) fn events_of(parts: Vec<EventPart>) -> StoreResult<Vec<StoredEvent>> {
    let mut events = Vec::new();
    for part in parts {
        events.append(&mut part.events()?);
    }
    Ok(events)
}

/// Collects a batch, one append at a time.
struct BatchBuilder<'c> {
    conn: &'c Connection,
    /// The types to read; `None` for all.
    types: Option<&'c [String]>,
    parts: Vec<EventPart>,
    /// The number of events of the parts.
    count: u64,
}

impl<'c> BatchBuilder<'c> {
    const fn new(conn: &'c Connection, types: Option<&'c [String]>) -> Self {
        Self { conn, types, parts: Vec::new(), count: 0 }
    }

    /// Adds the events of an append between two versions, as far as there is room. Returns the
    /// version after them.
    fn add(
        &mut self,
        record: &AppendRecord,
        stream: &str,
        first: u64,
        last: u64,
    ) -> StoreResult<u64> {
        let mut select = self.conn.prepare_cached(BLOCKS).map_err(store_error)?;
        let mut rows = select.query((record.stream_id, first, last)).map_err(store_error)?;
        let mut next = first;
        while let Some(row) = rows.next().map_err(store_error)? {
            let block = stored_block(row)?;
            // The append before may be in blocks while this one is still in rows.
            if block.last_version() < next {
                continue;
            }
            if block.first_version > next {
                break;
            }
            let to = block.last_version().min(last);
            if self.types.map_or(Ok(true), |types| block.has_any(types))? {
                // What is before archived payloads is read without them.
                let ends_here = block.is_archived() && self.count > 0;
                if ends_here || !self.has_room_for(to - next + 1) {
                    return Ok(next);
                }
                let part = block.detach(record, stream, next..=to, self.types);
                self.count += part.wanted();
                self.parts.push(EventPart::Block(Box::new(part)));
            }
            next = to + 1;
        }
        if next == first {
            return self.add_rows(record, stream, first, last);
        }
        if next <= last {
            return Err(StoreError::missing_event(stream, next));
        }
        Ok(next)
    }

    fn has_room_for(&self, count: u64) -> bool {
        self.count == 0 || self.count + count <= EVENTS_PER_BATCH as u64
    }

    /// Adds events that are stored in rows.
    fn add_rows(
        &mut self,
        record: &AppendRecord,
        stream: &str,
        first: u64,
        last: u64,
    ) -> StoreResult<u64> {
        let mut next = first;
        while next <= last {
            let room = (EVENTS_PER_BATCH as u64).saturating_sub(self.count);
            if room == 0 {
                break;
            }
            let to = last.min(next + room - 1);
            let mut events = event_rows::events(self.conn, record, stream, next, to)?;
            if let Some(types) = self.types {
                events.retain(|event| types.contains(&event.event_type));
            }
            self.count += events.len() as u64;
            self.parts.push(EventPart::Events(events));
            next = to + 1;
        }
        Ok(next)
    }
}

/// Adds chosen events of an append.
fn add_versions(
    conn: &Connection,
    events: &mut Vec<StoredEvent>,
    record: &AppendRecord,
    stream: &str,
    versions: &[u64],
) -> StoreResult<()> {
    let mut select = conn.prepare_cached(BLOCKS).map_err(store_error)?;
    let mut rest = versions;
    while let [first, ..] = *rest {
        let mut rows = select.query((record.stream_id, first, first)).map_err(store_error)?;
        let block = rows.next().map_err(store_error)?.map(stored_block).transpose()?;
        let Some(block) = block.filter(|block| block.last_version() >= first) else {
            // Chosen events that are stored in rows.
            for range in rest.chunk_by(|one, other| one + 1 == *other) {
                let (first, last) = (range[0], range[range.len() - 1]);
                events.extend(event_rows::events(conn, record, stream, first, last)?);
            }
            return Ok(());
        };
        let end = rest.partition_point(|version| *version <= block.last_version());
        let here = &rest[..end];
        let is_chosen = |version, _: &str| here.binary_search(&version).is_ok();
        events.append(&mut block.events(record, stream, is_chosen)?);
        rest = &rest[end..];
    }
    Ok(())
}
