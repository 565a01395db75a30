//! The events, with the same hash chain, seals, and positions as in a database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use powerfill_events::log::{
    AppendRecord, BlockEvent, EventRow, Hash, StreamRow, Verifier, chain_start, seal, seal_start,
};
use powerfill_events::values::TenantId;
use powerfill_ports::appending::ChainedEvent;
use powerfill_ports::copying::StoredAppend;
use powerfill_ports::events::{
    Append, AppendReceipt, Damage, EVENTS_PER_BATCH, EventBatches, EventStore, LogHead,
    StoredEvent, Verification,
};
use powerfill_ports::{StoreError, StoreResult, check_tenant};
use uuid::Uuid;

use crate::{MemoryStore, State};

/// All events in the order of their positions, and the indexes to them.
#[derive(Default)]
pub(crate) struct Log {
    events: Vec<StoredEvent>,
    appends: Vec<(AppendRecord, Hash)>,
    append_ids: BTreeMap<Uuid, usize>,
    streams: BTreeMap<String, StreamEvents>,
}

struct StreamEvents {
    stream_id: u64,
    /// Index in `Log::events` of each version, from version 1.
    events: Vec<usize>,
}

impl Log {
    fn head(&self) -> LogHead {
        LogHead {
            seq: self.appends.len() as u64,
            position: self.events.len() as u64,
            seal: self.appends.last().map_or_else(seal_start, |(_, seal)| *seal),
        }
    }

    pub(crate) fn version(&self, stream: &str) -> u64 {
        self.streams.get(stream).map_or(0, |stream| stream.events.len() as u64)
    }

    /// The tenant of the first append.
    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        self.appends.first().map(|(record, _)| &record.meta.tenant_id)
    }

    pub(crate) fn appends_after(&self, seq: usize, limit: usize) -> Vec<StoredAppend> {
        let kept = |(record, seal): &(AppendRecord, Hash)| {
            let stream = self.events[record.first_position as usize - 1].stream.clone();
            StoredAppend { record: record.clone(), stream, seal: *seal }
        };
        self.appends.iter().skip(seq).take(limit).map(kept).collect()
    }

    pub(crate) fn find_repeated(&self, append: &Append) -> StoreResult<Option<AppendReceipt>> {
        let Some(at) = self.append_ids.get(&append.append_id) else { return Ok(None) };
        let record = &self.appends[*at].0;
        let from = record.first_position as usize - 1;
        let stored = &self.events[from..from + record.event_count as usize];
        let is_same = stored[0].stream == append.stream
            && record.first_version == append.expected_version + 1
            && stored.len() == append.events.len()
            && stored.iter().zip(append.events.iter()).all(|(stored, (event_type, payload))| {
                stored.event_type == event_type.name()
                    && stored.schema_version == event_type.schema_version()
                    && stored.payload == payload
            });
        if !is_same {
            return Err(StoreError::AppendIdReused { append_id: append.append_id });
        }
        Ok(Some(AppendReceipt::new(record, true)))
    }

    pub(crate) fn append(&mut self, append: &Append) -> StoreResult<AppendReceipt> {
        append.ensure_events()?;
        if let Some(appended) = self.find_repeated(append)? {
            return Ok(appended);
        }
        let version = self.version(&append.stream);
        append.ensure_version(version)?;
        if version == 0 {
            check_tenant(self.tenant(), &append.meta.tenant_id)?;
        }
        let head = self.head();
        let next_id = self.streams.len() as u64 + 1;
        let stream = self
            .streams
            .entry(append.stream.clone())
            .or_insert_with(|| StreamEvents { stream_id: next_id, events: Vec::new() });
        let record = append.record(&head, stream.stream_id);
        let tail = stream.events.last().map(|at| self.events[*at].hash);
        let tail = tail.unwrap_or_else(|| chain_start(&append.stream));
        let events = stored_events(append, &record, tail);
        let last_hash = events[events.len() - 1].hash;
        stream.events.extend(self.events.len()..self.events.len() + events.len());
        self.events.extend(events);
        self.append_ids.insert(append.append_id, self.appends.len());
        let appended = AppendReceipt::new(&record, false);
        let seal = seal(&head.seal, &record, &last_hash);
        self.appends.push((record, seal));
        Ok(appended)
    }

    fn verify(&self, name: Option<&str>) -> StoreResult<Result<Verification, Box<Damage>>> {
        let row = |(name, stream): (&String, &StreamEvents)| StreamRow {
            stream_id: stream.stream_id,
            name: name.clone(),
            version: stream.events.len() as u64,
            tail_hash: stream.events.last().map_or_else(seal_start, |at| self.events[*at].hash),
        };
        let (mut verifier, only) = match name {
            None => (Verifier::for_log(self.streams.iter().map(row)), None),
            Some(name) => {
                let found = self.streams.get_key_value(name).map(row);
                let not_found = || StoreError::NotFound { what: "stream", name: name.to_owned() };
                let stream = found.ok_or_else(not_found)?;
                let only = Some(stream.stream_id);
                (Verifier::for_stream(stream), only)
            }
        };
        let mut walk = || {
            let mut prev = seal_start();
            for (record, seal) in &self.appends {
                if only.is_none_or(|only| only == record.stream_id) {
                    verifier.append(record.clone(), *seal, prev)?;
                    let from = record.first_position as usize - 1;
                    for event in &self.events[from..from + record.event_count as usize] {
                        verifier.event(event_row(record.stream_id, event))?;
                    }
                }
                prev = *seal;
            }
            Ok(())
        };
        Ok(walk().and_then(|()| verifier.finish(only.is_none().then(|| self.head()))))
    }
}

fn event_row(stream_id: u64, event: &StoredEvent) -> EventRow<'_> {
    EventRow {
        position: event.global_position,
        stream_id,
        version: event.stream_version,
        event_type: event.event_type.as_bytes(),
        schema_version: event.schema_version.into(),
        payload: &event.payload,
        hash: event.hash.as_bytes(),
    }
}

fn stored_events(append: &Append, record: &AppendRecord, tail: Hash) -> Vec<StoredEvent> {
    let mut prev_hash = tail;
    let stored = append.chained_events(tail).map(|chained| {
        let ChainedEvent { version, event_type, schema_version, payload, hash } = chained;
        let event = BlockEvent { event_type, schema_version, payload };
        let links = [std::mem::replace(&mut prev_hash, hash), hash];
        StoredEvent::in_append(record, &append.stream, version, event, links)
    });
    stored.collect()
}

impl MemoryStore {
    /// Wakes the subscribers. The lock is held, so that positions are announced in their order.
    pub(crate) fn notify(&self, state: &State) {
        self.shared.position.send_replace(state.log.events.len() as u64);
    }

    /// The next batch after a position, up to and including `up_to`.
    fn batch_after(&self, after: u64, up_to: u64) -> Vec<StoredEvent> {
        let state = self.state();
        let end = up_to.min(state.log.events.len() as u64);
        let to = end.min(after.saturating_add(EVENTS_PER_BATCH as u64));
        state.log.events.get(after as usize..to as usize).unwrap_or_default().to_vec()
    }

    /// The next batch of a stream from a version on, up to and including `up_to`.
    fn stream_batch(&self, stream: &str, from: u64, up_to: u64) -> Vec<StoredEvent> {
        let state = self.state();
        let Some(stream) = state.log.streams.get(stream) else { return Vec::new() };
        let to = up_to.min((from - 1).saturating_add(EVENTS_PER_BATCH as u64));
        let found = stream.events.get(from as usize - 1..to as usize).unwrap_or_default();
        found.iter().map(|at| state.log.events[*at].clone()).collect()
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append(&self, append: Append) -> StoreResult<AppendReceipt> {
        let mut state = self.state();
        if let Some(lease) = append.lease {
            state.queue.leased_run(lease)?;
        }
        let appended = state.log.append(&append)?;
        self.notify(&state);
        Ok(appended)
    }

    async fn stream_version(&self, stream: &str) -> StoreResult<u64> {
        Ok(self.state().log.version(stream))
    }

    async fn streams(&self) -> StoreResult<Vec<String>> {
        let state = self.state();
        let mut streams: Vec<_> = state
            .log
            .streams
            .iter()
            .map(|(name, stream)| (stream.stream_id, name.clone()))
            .collect();
        streams.sort_unstable();
        Ok(streams.into_iter().map(|(_, name)| name).collect())
    }

    fn read_between(&self, stream: &str, from_version: u64, to_version: u64) -> EventBatches<'_> {
        let stream = stream.to_owned();
        let begin = (from_version.max(1), None);
        stream::unfold(begin, move |(from, end)| {
            let end = end.unwrap_or_else(|| self.state().log.version(&stream).min(to_version));
            let batch = self.stream_batch(&stream, from, end);
            let next = batch.last().map(|last| last.stream_version + 1);
            std::future::ready(next.map(|next| (Ok(batch), (next, Some(end)))))
        })
        .boxed()
    }

    fn read_versions(&self, stream: &str, versions: Vec<u64>) -> EventBatches<'_> {
        let state = self.state();
        let end = state.log.version(stream);
        let existing = versions.into_iter().filter(|version| (1..=end).contains(version));
        let positions: Vec<usize> = existing
            .filter_map(|version| Some(state.log.streams.get(stream)?.events[version as usize - 1]))
            .collect();
        let batches = positions.chunks(EVENTS_PER_BATCH).map(|positions| {
            Ok(positions.iter().map(|at| state.log.events[*at].clone()).collect())
        });
        stream::iter(batches.collect::<Vec<_>>()).boxed()
    }

    fn read_all(&self, after_position: u64) -> EventBatches<'_> {
        stream::unfold((after_position, None), move |(after, end)| {
            let end = end.unwrap_or_else(|| self.state().log.events.len() as u64);
            let batch = self.batch_after(after, end);
            let next = batch.last().map(|last| last.global_position);
            std::future::ready(next.map(|next| (Ok(batch), (next, Some(end)))))
        })
        .boxed()
    }

    fn subscribe(&self, after_position: u64) -> EventBatches<'static> {
        let begin = (self.clone(), self.shared.position.subscribe(), after_position);
        stream::unfold(begin, |(store, mut position, after)| async move {
            loop {
                let batch = store.batch_after(after, u64::MAX);
                if let Some(last) = batch.last().map(|last| last.global_position) {
                    return Some((Ok(batch), (store, position, last)));
                }
                position.wait_for(|position| *position > after).await.ok()?;
            }
        })
        .boxed()
    }

    async fn head(&self) -> StoreResult<LogHead> {
        Ok(self.state().log.head())
    }

    async fn seal_at(&self, seq: u64) -> StoreResult<Option<Hash>> {
        let state = self.state();
        let Some(before) = (seq as usize).checked_sub(1) else { return Ok(Some(seal_start())) };
        Ok(state.log.appends.get(before).map(|(_, seal)| *seal))
    }

    async fn verify(&self, stream: Option<&str>) -> StoreResult<Verification> {
        let state = self.state();
        let mut verification = match state.log.verify(stream)? {
            Ok(verification) => verification,
            Err(damage) => Verification { damage: Some(*damage), ..Verification::default() },
        };
        if stream.is_none() {
            verification.snapshots = state.snapshots.len() as u64;
        }
        Ok(verification)
    }
}
