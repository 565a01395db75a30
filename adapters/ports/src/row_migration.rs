//! The events of a store of 0.1.0, a row each, as event blocks.

use powerfill_events::log::{EncodedBatch, Hash, SchemaId, StoredEvent, seal};
use powerfill_events::stream::event_name;

use crate::block_codec::{CompressedBlock, compress_events};
use crate::copying::StoredAppend;
use crate::events::Append;
use crate::{StoreError, StoreResult};

/// Makes the blocks of an append whose events are rows, after it has checked the hash of each
/// event, the seal of the append, and that the blocks give the same events.
///
/// # Errors
/// [`StoreError::Corrupt`] if anything does not match.
pub fn blocks_of_rows(
    stored: &StoredAppend,
    seal_before: &Hash,
    rows: &[StoredEvent],
) -> StoreResult<(Append, Vec<CompressedBlock>)> {
    let StoredAppend { record, stream, seal: stored_seal } = stored;
    let damaged = |what: &str| {
        let what = format!("append {} of stream {stream} {what}", record.seq);
        Err(StoreError::Corrupt(what.into()))
    };
    let mut events = EncodedBatch::default();
    for event in rows {
        let Ok(name) = event_name(&event.event_type) else {
            return damaged("has an event of an unknown type");
        };
        events.push_stored(SchemaId::new(name, event.schema_version), &event.payload);
    }
    let append = Append {
        append_id: record.append_id,
        stream: stream.clone(),
        expected_version: record.first_version - 1,
        meta: record.meta.clone(),
        events,
        lease: None,
    };
    append.ensure_events()?;
    let tail = rows[0].prev_hash;
    let mut hashed = append.chained_events(tail);
    if let Some(event) =
        rows.iter().find(|row| hashed.next().map(|event| event.hash) != Some(row.hash))
    {
        return damaged(&format!(
            "has an event {} that is not what was hashed",
            event.stream_version
        ));
    }
    drop(hashed);
    let last_hash = rows[rows.len() - 1].hash;
    if seal(seal_before, record, &last_hash) != *stored_seal {
        return damaged("does not have the seal of its row and its events");
    }
    let compressed = compress_events(&append.events)?;
    let mut read = Vec::with_capacity(rows.len());
    for block in append.chained_blocks(&compressed, tail) {
        read.append(&mut block.as_stored(record.stream_id).events(record, stream, |_, _| true)?);
    }
    if read != rows {
        return damaged("is not the same in blocks");
    }
    Ok((append, compressed))
}
