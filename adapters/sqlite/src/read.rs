//! Reading (specification 3.2): each batch is a short query of its own, so that a slow reader holds
//! neither a transaction nor more than one batch.

use std::collections::HashMap;

use powerfill_events::log::{AppendRecord, Hash, chain_start};
use powerfill_ports::StoreError;
use powerfill_ports::events::{EVENTS_PER_BATCH, StoredEvent};
use rusqlite::{Connection, Row, Rows};

use crate::connection::store_error;
use crate::decode::{append_record, bytes, get, hash};

const FROM_POSITION: &str = include_str!("../../../sql/sqlite/queries/appends_from_position.sql");
const FROM_VERSION: &str = include_str!("../../../sql/sqlite/queries/appends_from_version.sql");
const EVENTS_BETWEEN: &str = include_str!("../../../sql/sqlite/queries/events_between.sql");
const HASH_OF_VERSION: &str = include_str!("../../../sql/sqlite/queries/hash_of_version.sql");

/// The next batch of events in global order after a position, up to and including `up_to`.
pub(crate) fn batch_after_position(
    conn: &Connection,
    after: u64,
    up_to: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut batch = BatchBuilder::new(conn);
    if after < up_to {
        let mut appends = conn.prepare_cached(FROM_POSITION).map_err(store_error)?;
        let mut rows = appends.query([after + 1]).map_err(store_error)?;
        while let Some(row) = rows.next().map_err(store_error)? {
            let record = append_record(row)?;
            let from = record.first_position.max(after + 1);
            let to = record.last_position().min(up_to);
            if from > to || !batch.add(&record, bytes(row, 11)?, from, to)? {
                break;
            }
        }
    }
    Ok(batch.events)
}

/// The next batch of events of a stream from a version on, up to and including `up_to`.
pub(crate) fn batch_from_version(
    conn: &Connection,
    stream: &str,
    version: u64,
    up_to: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut batch = BatchBuilder::new(conn);
    if version <= up_to {
        let mut appends = conn.prepare_cached(FROM_VERSION).map_err(store_error)?;
        let mut rows = appends.query((stream, version)).map_err(store_error)?;
        while let Some(row) = rows.next().map_err(store_error)? {
            let record = append_record(row)?;
            let first = record.first_version.max(version);
            let last = record.last_version().min(up_to);
            let position_of = |version| record.first_position + (version - record.first_version);
            if first > last
                || !batch.add(&record, bytes(row, 11)?, position_of(first), position_of(last))?
            {
                break;
            }
        }
    }
    Ok(batch.events)
}

/// The events of a stream with these versions, up to and including `up_to`. The versions must be in
/// ascending order, and at most a batch.
pub(crate) fn batch_of_versions(
    conn: &Connection,
    stream: &str,
    versions: &[u64],
    up_to: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut batch = BatchBuilder::new(conn);
    let mut rest = &versions[..versions.partition_point(|version| *version <= up_to)];
    if let Some(first) = rest.first() {
        let mut appends = conn.prepare_cached(FROM_VERSION).map_err(store_error)?;
        let mut rows = appends.query((stream, first)).map_err(store_error)?;
        while !rest.is_empty()
            && let Some(row) = rows.next().map_err(store_error)?
        {
            let record = append_record(row)?;
            let position_of = |version| record.first_position + (version - record.first_version);
            let (here, later) =
                rest.split_at(rest.partition_point(|version| *version <= record.last_version()));
            for range in here.chunk_by(|one, other| one + 1 == *other) {
                let (first, last) = (range[0], range[range.len() - 1]);
                batch.add(&record, bytes(row, 11)?, position_of(first), position_of(last))?;
            }
            rest = later;
        }
    }
    Ok(batch.events)
}

/// Collects a batch, one append at a time.
struct BatchBuilder<'c> {
    conn: &'c Connection,
    events: Vec<StoredEvent>,
    /// The last version and hash of each stream in the batch. The next append of the stream needs
    /// no query for the hash before it.
    tails: HashMap<u64, (u64, Hash)>,
}

impl<'c> BatchBuilder<'c> {
    fn new(conn: &'c Connection) -> Self {
        Self { conn, events: Vec::new(), tails: HashMap::new() }
    }

    /// Adds the events of an append between two positions. Returns whether there is room for more.
    fn add(
        &mut self,
        record: &AppendRecord,
        stream: &[u8],
        from: u64,
        to: u64,
    ) -> Result<bool, StoreError> {
        let stream = std::str::from_utf8(stream)
            .map_err(|_| StoreError::Corrupt("a stream's name is not text".into()))?;
        let to = to.min(from + (EVENTS_PER_BATCH - self.events.len()) as u64 - 1);
        let mut version = record.first_version + (from - record.first_position);
        let known = self.known_before(record.stream_id, stream, version);
        // If the event before is in the same append, the same query reads it.
        let reads_event_before = known.is_none() && from > record.first_position;
        let mut select = self.conn.prepare_cached(EVENTS_BETWEEN).map_err(store_error)?;
        let mut rows =
            select.query((from - u64::from(reads_event_before), to)).map_err(store_error)?;
        let mut prev_hash = match known {
            Some(known) => known,
            None if reads_event_before => hash(
                expect_event(&mut rows, stream, [from - 1, record.stream_id, version - 1])?,
                6,
            )?,
            None => self.hash_of(record.stream_id, stream, version - 1)?,
        };
        for position in from..=to {
            let row = expect_event(&mut rows, stream, [position, record.stream_id, version])?;
            let hash = hash(row, 6)?;
            self.events.push(StoredEvent {
                stream: stream.to_owned(),
                stream_version: version,
                global_position: position,
                event_type: get(row, 3)?,
                schema_version: get(row, 4)?,
                payload: bytes(row, 5)?.to_vec(),
                tenant_id: record.meta.tenant_id.clone(),
                actor: record.meta.actor.clone(),
                recorded_at: record.meta.recorded_at,
                causation_id: record.meta.causation_id,
                correlation_id: record.meta.correlation_id,
                prev_hash,
                hash,
            });
            prev_hash = hash;
            version += 1;
        }
        self.tails.insert(record.stream_id, (version - 1, prev_hash));
        Ok(self.events.len() < EVENTS_PER_BATCH)
    }

    /// The hash before a version, if it is known without a query.
    fn known_before(&self, stream_id: u64, stream: &str, version: u64) -> Option<Hash> {
        if version == 1 {
            return Some(chain_start(stream));
        }
        self.tails.get(&stream_id).filter(|(at, _)| at + 1 == version).map(|(_, tail)| *tail)
    }

    fn hash_of(&self, stream_id: u64, stream: &str, version: u64) -> Result<Hash, StoreError> {
        let mut find = self.conn.prepare_cached(HASH_OF_VERSION).map_err(store_error)?;
        let mut rows = find.query((stream_id, version)).map_err(store_error)?;
        let row = rows.next().map_err(store_error)?.ok_or_else(|| {
            StoreError::Corrupt(format!("event {version} of stream {stream} is missing").into())
        })?;
        hash(row, 0)
    }
}

/// The next row, which must be the event with this position, stream number, and version.
fn expect_event<'r>(
    rows: &'r mut Rows<'_>,
    stream: &str,
    expected: [u64; 3],
) -> Result<&'r Row<'r>, StoreError> {
    let [position, _, version] = expected;
    let missing = || {
        StoreError::Corrupt(format!(
            "event {version} of stream {stream}, at position {position}, is missing or misplaced"
        ).into())
    };
    let row = rows.next().map_err(store_error)?.ok_or_else(missing)?;
    let found: [u64; 3] = [get(row, 0)?, get(row, 1)?, get(row, 2)?];
    if found == expected { Ok(row) } else { Err(missing()) }
}
