//! Reading (specification 3.2): a batch is a short query of its own, so that a slow reader holds neither a transaction
//! nor more than one batch.

use std::collections::HashMap;

use powerfill_events::run::AppendMeta;
use powerfill_events::run::envelope::{Hash, chain_start};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::StoreError;
use powerfill_ports::events::{EVENTS_PER_BATCH, StoredEvent};
use powerfill_ports::seal::AppendRecord;
use rusqlite::{Connection, Row, Rows};
use uuid::Uuid;

use crate::append::{bytes, hash};
use crate::connection::fault;

const FROM_POSITION: &str = include_str!("../../../sql/sqlite/queries/appends_from_position.sql");
const FROM_VERSION: &str = include_str!("../../../sql/sqlite/queries/appends_from_version.sql");
const EVENTS_BETWEEN: &str = include_str!("../../../sql/sqlite/queries/events_between.sql");
const HASH_OF_VERSION: &str = include_str!("../../../sql/sqlite/queries/hash_of_version.sql");

/// The columns that every query of appends begins with.
pub(crate) fn append_record(row: &Row<'_>) -> Result<AppendRecord, StoreError> {
    let read = || {
        let id = |column| row.get::<_, Option<Uuid>>(column);
        Ok(AppendRecord {
            seq: row.get(0)?,
            first_position: row.get(1)?,
            stream_id: row.get(2)?,
            first_version: row.get(3)?,
            event_count: row.get(4)?,
            append_id: row.get(5)?,
            meta: AppendMeta {
                tenant_id: TenantId::from(row.get::<_, String>(6)?),
                actor: row.get(7)?,
                recorded_at: Timestamp::from_micros(row.get(8)?),
                causation_id: id(9)?,
                correlation_id: id(10)?,
            },
        })
    };
    read().map_err(fault)
}

/// The next events in global order after a position, at most a batch, none beyond `up_to`.
pub(crate) fn batch_after_position(
    conn: &Connection,
    after: u64,
    up_to: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut batch = Batch::new(conn);
    if after < up_to {
        let mut appends = conn.prepare_cached(FROM_POSITION).map_err(fault)?;
        let mut rows = appends.query([after + 1]).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
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

/// The next events of a stream from a version on, at most a batch, none beyond `up_to`.
pub(crate) fn batch_from_version(
    conn: &Connection,
    stream: &str,
    version: u64,
    up_to: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut batch = Batch::new(conn);
    if version <= up_to {
        let mut appends = conn.prepare_cached(FROM_VERSION).map_err(fault)?;
        let mut rows = appends.query((stream, version)).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
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

/// The events of a stream with these versions, which rise and are no more than a batch; none beyond `up_to`.
pub(crate) fn batch_of_versions(
    conn: &Connection,
    stream: &str,
    versions: &[u64],
    up_to: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut batch = Batch::new(conn);
    let mut rest = &versions[..versions.partition_point(|version| *version <= up_to)];
    if let Some(first) = rest.first() {
        let mut appends = conn.prepare_cached(FROM_VERSION).map_err(fault)?;
        let mut rows = appends.query((stream, first)).map_err(fault)?;
        while !rest.is_empty()
            && let Some(row) = rows.next().map_err(fault)?
        {
            let record = append_record(row)?;
            let position_of = |version| record.first_position + (version - record.first_version);
            let (here, later) =
                rest.split_at(rest.partition_point(|version| *version <= record.last_version()));
            for neighbours in here.chunk_by(|one, other| one + 1 == *other) {
                let (first, last) = (neighbours[0], neighbours[neighbours.len() - 1]);
                batch.add(&record, bytes(row, 11)?, position_of(first), position_of(last))?;
            }
            rest = later;
        }
    }
    Ok(batch.events)
}

/// A batch being filled, an append at a time.
struct Batch<'c> {
    conn: &'c Connection,
    events: Vec<StoredEvent>,
    /// The last hash seen of each stream, so that the next append of it needs no query for its predecessor.
    tails: HashMap<u64, (u64, Hash)>,
}

impl<'c> Batch<'c> {
    fn new(conn: &'c Connection) -> Self {
        Self { conn, events: Vec::new(), tails: HashMap::new() }
    }

    /// Adds the events of an append between two positions; answers whether there is room for more.
    fn add(
        &mut self,
        record: &AppendRecord,
        stream: &[u8],
        from: u64,
        to: u64,
    ) -> Result<bool, StoreError> {
        let stream = std::str::from_utf8(stream)
            .map_err(|_| StoreError::Corrupt("a stream's name is not text".to_owned()))?;
        let to = to.min(from + (EVENTS_PER_BATCH - self.events.len()) as u64 - 1);
        let mut version = record.first_version + (from - record.first_position);
        let known = self.known_before(record.stream_id, stream, version);
        // Within an append the event before stands beside: one search finds both.
        let beside = known.is_none() && from > record.first_position;
        let mut select = self.conn.prepare_cached(EVENTS_BETWEEN).map_err(fault)?;
        let mut rows = select.query((from - u64::from(beside), to)).map_err(fault)?;
        let mut prev_hash = match known {
            Some(known) => known,
            None if beside => {
                hash(next_row(&mut rows, stream, [from - 1, record.stream_id, version - 1])?, 6)?
            }
            None => self.hash_of(record.stream_id, stream, version - 1)?,
        };
        for position in from..=to {
            let row = next_row(&mut rows, stream, [position, record.stream_id, version])?;
            let hash = hash(row, 6)?;
            self.events.push(StoredEvent {
                stream: stream.to_owned(),
                stream_version: version,
                global_position: position,
                event_type: row.get(3).map_err(fault)?,
                schema_version: row.get(4).map_err(fault)?,
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

    /// The hash before a version, where nothing has to be read for it.
    fn known_before(&self, stream_id: u64, stream: &str, version: u64) -> Option<Hash> {
        if version == 1 {
            return Some(chain_start(stream));
        }
        self.tails.get(&stream_id).filter(|(at, _)| at + 1 == version).map(|(_, tail)| *tail)
    }

    fn hash_of(&self, stream_id: u64, stream: &str, version: u64) -> Result<Hash, StoreError> {
        let mut find = self.conn.prepare_cached(HASH_OF_VERSION).map_err(fault)?;
        let mut rows = find.query((stream_id, version)).map_err(fault)?;
        let row = rows.next().map_err(fault)?.ok_or_else(|| {
            StoreError::Corrupt(format!("event {version} of stream {stream} is missing"))
        })?;
        hash(row, 0)
    }
}

/// The names of all streams, in the order in which they began.
pub(crate) fn streams(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut find =
        conn.prepare_cached("SELECT name FROM es_streams ORDER BY stream_id").map_err(fault)?;
    find.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(fault)
}

/// The next row, which must be the event with this position, stream and version.
fn next_row<'r>(
    rows: &'r mut Rows<'_>,
    stream: &str,
    place: [u64; 3],
) -> Result<&'r Row<'r>, StoreError> {
    let [position, _, version] = place;
    let lost = || {
        StoreError::Corrupt(format!(
            "event {version} of stream {stream}, at position {position}, is missing or misplaced"
        ))
    };
    let row = rows.next().map_err(fault)?.ok_or_else(lost)?;
    let found: [u64; 3] = (|| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))().map_err(fault)?;
    if found == place { Ok(row) } else { Err(lost()) }
}
