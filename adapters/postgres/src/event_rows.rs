//! The events of a store of 0.1.0, a row each: they are read as they are until `powerfill migrate`
//! moves them into blocks.

use deadpool_postgres::ClientWrapper;
use powerfill_events::log::{AppendRecord, BlockEvent, Hash, StoredEvent, chain_start};
use powerfill_ports::{StoreError, StoreResult};

use crate::errors::store_error;
use crate::statements::{one_row, prepared, query};
use crate::values::{RawBytes, get, hash, schema_version, to_bigint, unsigned};

/// Selects the rows of a stream between two versions.
pub(crate) const EVENTS_BETWEEN: &str =
    include_str!("../../../sql/postgres/queries/events_between.sql");

/// The events of an append between two versions.
///
/// # Errors
/// [`StoreError::Corrupt`] if one is missing.
pub(crate) async fn events(
    client: &ClientWrapper,
    record: &AppendRecord,
    stream: &str,
    first: u64,
    last: u64,
) -> StoreResult<Vec<StoredEvent>> {
    let find = prepared(client, EVENTS_BETWEEN).await?;
    let (stream_id, from, to) = (to_bigint(record.stream_id), to_bigint(first), to_bigint(last));
    let rows = client.query(&find, &[&stream_id, &from, &to]).await.map_err(store_error)?;
    let mut prev_hash = hash_before(client, record.stream_id, stream, first).await?;
    let mut rows = rows.iter();
    let mut events = Vec::with_capacity(rows.len());
    for version in first..=last {
        let missing = || StoreError::missing_event(stream, version);
        let row = rows.next().ok_or_else(missing)?;
        if unsigned(row, 0)? != version {
            return Err(missing());
        }
        let hash = hash(row, 4)?;
        let event = BlockEvent {
            event_type: get(row, 1)?,
            schema_version: u16::try_from(schema_version(row, 2)?).map_err(|_| missing())?,
            payload: get::<RawBytes<'_>>(row, 3)?.0,
        };
        let links = [prev_hash, hash];
        events.push(StoredEvent::in_append(record, stream, version, event, links));
        prev_hash = hash;
    }
    Ok(events)
}

/// The hash that a version links to.
async fn hash_before(
    client: &ClientWrapper,
    stream_id: u64,
    stream: &str,
    version: u64,
) -> StoreResult<Hash> {
    if version == 1 {
        return Ok(chain_start(stream));
    }
    let find = prepared(client, query!("hash_of_version")).await?;
    let [stream_id, before] = [stream_id, version - 1].map(to_bigint);
    let found = one_row(client, &find, &[&stream_id, &before], |row| hash(row, 0)).await?;
    found.ok_or_else(|| StoreError::missing_event(stream, version - 1))
}
