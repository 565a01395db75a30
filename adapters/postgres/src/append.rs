//! Appending (specification 3.2): one transaction. The stream's row comes first, so that writers of one stream wait for
//! each other; then the events, which need no place in the log yet; last the head row, which gives it. Whoever holds
//! the head computes one seal and commits, so that the order of positions is the order of commits, without a gap.

use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use futures::future::{join3, join4, join5};
use powerfill_events::run::RunId;
use powerfill_events::run::envelope::{Hash, MetaHash, chain, chain_start};
use powerfill_events::values::TenantId;
use powerfill_ports::events::{Append, AppendReceipt, LogHead};
use powerfill_ports::seal::{AppendRecord, seal, seal_start};
use powerfill_ports::{StoreError, check_tenant};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row};

use crate::beside::Beside;
use crate::bytes_in::{Moment, Raw, TextBytes, bound, get, hash, number};
use crate::copy::copy;
use crate::fault::fault;
use crate::pool::Connections;

const APPEND_BY_ID: &str = include_str!("../../../sql/postgres/queries/append_by_id.sql");
const EVENTS_STORED: &str = include_str!("../../../sql/postgres/queries/append_events_stored.sql");
const INSERT_EVENTS: &str = include_str!("../../../sql/postgres/queries/insert_events.sql");
const COPY_EVENTS: &str = include_str!("../../../sql/postgres/queries/copy_events.sql");
const INSERT_APPEND: &str = include_str!("../../../sql/postgres/queries/insert_append.sql");
const PUT_STREAM: &str = include_str!("../../../sql/postgres/queries/put_stream.sql");

const LOCK_STREAM: &str =
    "SELECT stream_id, version, tail_hash FROM es_streams WHERE name = $1 FOR UPDATE";
/// Streams begin one after the other, so that their numbers are dense and in the order in which they began.
const LOCK_BEGINNING: &str = "SELECT pg_advisory_xact_lock(8101262203462341)";
const LAST_STREAM: &str = "SELECT coalesce(max(stream_id), 0) FROM es_streams";
const LOCK_HEAD: &str = "SELECT seq, position, seal FROM es_head WHERE id = 1 FOR UPDATE";
const MOVE_HEAD: &str = "UPDATE es_head SET seq = $1, position = $2, seal = $3 WHERE id = 1";
/// Behind the commit and in a transaction of its own: within one, it would make all commits of the server wait for each
/// other, those of other tenants too.
const NOTIFY: &str = "NOTIFY powerfill_events";

/// From here on COPY is faster than one INSERT of arrays.
const COPIED: usize = 100;

/// A stream as it is before an append.
struct Tail {
    stream_id: u64,
    version: u64,
    hash: Hash,
}

/// Appends all events or none.
pub(crate) async fn append(
    connections: &Connections,
    append: Append,
) -> Result<AppendReceipt, StoreError> {
    carried_through(connections, append, None).await
}

/// Puts a run in the queue with its first event.
pub(crate) async fn enqueue(
    connections: &Connections,
    request: Append,
) -> Result<AppendReceipt, StoreError> {
    let run = request.run()?;
    carried_through(connections, request, Some(run)).await
}

async fn carried_through(
    connections: &Connections,
    append: Append,
    asking: Option<RunId>,
) -> Result<AppendReceipt, StoreError> {
    if append.events.is_empty() {
        return Err(StoreError::Failed("an append has at least one event".to_owned()));
    }
    let append = Arc::new(append);
    let session = connections.session().await?;
    loop {
        let refused = match within(&session, &append, asking).await {
            Ok(appended) => {
                session.give_back();
                return Ok(appended);
            }
            Err(refused) => refused,
        };
        let rolled_back = session.batch_execute("ROLLBACK").await.map_err(fault);
        match (refused, rolled_back) {
            // What cannot be rolled back is closed with its session.
            (Refused::Store(error), Err(_)) => return Err(error),
            (_, Err(error)) => return Err(error),
            (Refused::Store(error), Ok(())) => {
                session.give_back();
                return Err(error);
            }
            // Another writer had the same append id at the same time, on another stream.
            (Refused::IdTaken, Ok(())) => {
                let done = done_before(&session, &append).await?;
                session.give_back();
                let append_id = append.append_id;
                return done.ok_or(StoreError::AppendIdReused { append_id });
            }
            // The run that was in the way has just ended.
            (Refused::NotQueued, Ok(())) => {}
        }
    }
}

/// Why nothing was appended.
enum Refused {
    Store(StoreError),
    IdTaken,
    NotQueued,
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Store(fault(error))
    }
}

async fn within(
    client: &ClientWrapper,
    append: &Arc<Append>,
    asking: Option<RunId>,
) -> Result<AppendReceipt, Refused> {
    let beside = Beside::of(client, append, asking).await?;
    let lock_stream = client.prepare_cached(LOCK_STREAM).await?;
    let by_id = client.prepare_cached(APPEND_BY_ID).await?;
    // The second look is made when the stream is locked: it sees what a former attempt may just have committed.
    let (begun, entered, stream, known, leased) = join5(
        client.batch_execute("BEGIN"),
        beside.enter(client, append),
        client.query_opt(&lock_stream, &[&append.stream]),
        client.query_opt(&by_id, &[&append.append_id]),
        beside.look(client),
    )
    .await;
    begun?;
    let entered = entered?;
    let (mut stream, mut known) = (stream?, known?);
    if !leased? {
        return Err(beside.lost().into());
    }
    if stream.is_none() {
        // Prepared before: what is sent together is carried out in this order.
        let lock_beginning = client.prepare_cached(LOCK_BEGINNING).await?;
        (_, stream, known) = {
            let (locked, stream, known) = join3(
                client.query_one(&lock_beginning, &[]),
                client.query_opt(&lock_stream, &[&append.stream]),
                client.query_opt(&by_id, &[&append.append_id]),
            )
            .await;
            (locked?, stream?, known?)
        };
    }
    if let Some(known) = known {
        let done = as_before(client, append, &known).await?;
        client.batch_execute("ROLLBACK").await?;
        return Ok(done);
    }
    if !entered {
        let in_the_way = beside.in_the_way(client).await?;
        return Err(in_the_way.map_or(Refused::NotQueued, Refused::Store));
    }
    let tail = tail(client, append, stream.as_ref()).await?;
    if tail.version != append.expected_version {
        return Err(Refused::Store(StoreError::Conflict {
            stream: append.stream.clone(),
            expected: append.expected_version,
            actual: tail.version,
        }));
    }
    let last_hash = if append.events.len() < COPIED {
        insert_events(client, append, &tail).await?
    } else {
        copy_events(client, append, &tail).await?
    };
    take_place(client, append, &beside, &tail, &last_hash).await
}

/// The number, version and last hash of a stream; those that it will begin with where it does not exist.
async fn tail(
    client: &ClientWrapper,
    append: &Append,
    stream: Option<&Row>,
) -> Result<Tail, StoreError> {
    if let Some(row) = stream {
        return Ok(Tail {
            stream_id: number(row, 0)?,
            version: number(row, 1)?,
            hash: hash(row, 2)?,
        });
    }
    // Whoever began the first stream has committed: one begins at a time.
    check_tenant(tenant(client).await?.as_ref(), &append.meta.tenant_id)?;
    let last = client.query_one(LAST_STREAM, &[]).await.map_err(fault)?;
    let stream_id = number(&last, 0)? + 1;
    Ok(Tail { stream_id, version: 0, hash: chain_start(&append.stream) })
}

async fn insert_events(
    client: &ClientWrapper,
    append: &Append,
    tail: &Tail,
) -> Result<Hash, StoreError> {
    let meta = MetaHash::new(&append.stream, &append.meta);
    let (mut types, mut versions, mut payloads, mut hashes) = (vec![], vec![], vec![], vec![]);
    let mut hash = tail.hash;
    for (version, (event_type, payload)) in (tail.version + 1..).zip(append.events.iter()) {
        let (name, schema_version) = (event_type.name(), event_type.schema_version());
        hash = chain(&hash, &meta, version, name, schema_version, payload);
        types.push(name);
        versions.push(i32::from(schema_version));
        payloads.push(TextBytes(payload));
        hashes.push(hash);
    }
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash.as_bytes()[..]).collect();
    let insert = client.prepare_cached(INSERT_EVENTS).await.map_err(fault)?;
    let (stream_id, first) = (bound(tail.stream_id), bound(tail.version + 1));
    client
        .execute(&insert, &[&stream_id, &first, &types, &versions, &payloads, &hashes])
        .await
        .map_err(fault)?;
    Ok(hash)
}

/// Hashes and encodes on a thread of its own, while this one sends.
async fn copy_events(
    client: &ClientWrapper,
    append: &Arc<Append>,
    tail: &Tail,
) -> Result<Hash, StoreError> {
    let (append, stream_id) = (Arc::clone(append), bound(tail.stream_id));
    let (mut hash, before) = (tail.hash, tail.version);
    copy(client, COPY_EVENTS, move |rows| {
        let meta = MetaHash::new(&append.stream, &append.meta);
        for (version, (event_type, payload)) in (before + 1..).zip(append.events.iter()) {
            let (name, schema_version) = (event_type.name(), event_type.schema_version());
            hash = chain(&hash, &meta, version, name, schema_version, payload);
            rows.row(6)?;
            rows.big(stream_id);
            rows.big(bound(version));
            rows.bytes(name.as_bytes());
            rows.int(i32::from(schema_version));
            rows.bytes(payload);
            rows.bytes(hash.as_bytes());
        }
        Ok(hash)
    })
    .await
}

/// Takes the head, writes the append's row, commits. From the head row to the commit there is one answer to wait for.
async fn take_place(
    client: &ClientWrapper,
    append: &Append,
    beside: &Beside,
    tail: &Tail,
    last_hash: &Hash,
) -> Result<AppendReceipt, Refused> {
    let put_stream = client.prepare_cached(PUT_STREAM).await?;
    let lock_head = client.prepare_cached(LOCK_HEAD).await?;
    let insert_append = client.prepare_cached(INSERT_APPEND).await?;
    let move_head = client.prepare_cached(MOVE_HEAD).await?;
    let version = tail.version + append.events.len() as u64;
    let (put, leased, head) = join3(
        client.execute(
            &put_stream,
            &[&bound(tail.stream_id), &append.stream, &bound(version), &&last_hash.as_bytes()[..]],
        ),
        beside.hold(client),
        client.query_opt(&lock_head, &[]),
    )
    .await;
    put?;
    if !leased? {
        return Err(beside.lost().into());
    }
    let head = as_head(head?.as_ref())?;
    let record = AppendRecord {
        seq: head.seq + 1,
        first_position: head.position + 1,
        stream_id: tail.stream_id,
        first_version: tail.version + 1,
        event_count: append.events.len() as u64,
        append_id: append.append_id,
        meta: append.meta.clone(),
    };
    let seal = seal(&head.seal, &record, last_hash);
    let (seq, position) = (bound(record.seq), bound(record.last_position()));
    let (seal, meta) = (&seal.as_bytes()[..], &record.meta);
    let (inserted, moved, committed, _) = join4(
        client.execute(
            &insert_append,
            &[
                &seq,
                &bound(record.first_position),
                &bound(record.stream_id),
                &bound(record.first_version),
                &bound(record.event_count),
                &record.append_id,
                &meta.tenant_id.as_str(),
                &meta.actor,
                &Moment(meta.recorded_at),
                &meta.causation_id,
                &meta.correlation_id,
                &seal,
            ],
        ),
        client.execute(&move_head, &[&seq, &position, &seal]),
        client.batch_execute("COMMIT"),
        // Whoever misses it looks by itself soon after.
        client.batch_execute(NOTIFY),
    )
    .await;
    match inserted {
        Err(error) if is_taken_id(&error) => return Err(Refused::IdTaken),
        inserted => inserted?,
    };
    moved?;
    committed?;
    Ok(AppendReceipt {
        seq: record.seq,
        stream_version: record.last_version(),
        position: record.last_position(),
        repeated: false,
    })
}

fn is_taken_id(error: &Error) -> bool {
    let answer = error.as_db_error();
    answer.is_some_and(|answer| {
        *answer.code() == SqlState::UNIQUE_VIOLATION
            && answer.constraint() == Some("es_appends_append_id_key")
    })
}

/// The answer to an append that was made before, where this one is its retry.
async fn done_before(
    client: &ClientWrapper,
    append: &Append,
) -> Result<Option<AppendReceipt>, StoreError> {
    let by_id = client.prepare_cached(APPEND_BY_ID).await.map_err(fault)?;
    let known = client.query_opt(&by_id, &[&append.append_id]).await.map_err(fault)?;
    match known {
        Some(known) => as_before(client, append, &known).await.map(Some),
        None => Ok(None),
    }
}

/// Whether the content of the append that is known is that of this one; actor and time may differ.
async fn as_before(
    client: &ClientWrapper,
    append: &Append,
    known: &Row,
) -> Result<AppendReceipt, StoreError> {
    let (seq, first_position, stream_id) =
        (number(known, 0)?, number(known, 1)?, number(known, 2)?);
    let (first_version, event_count) = (number(known, 3)?, number(known, 4)?);
    let stream: &str = get(known, 5)?;
    let same = stream == append.stream
        && first_version == append.expected_version + 1
        && event_count == append.events.len() as u64
        && same_events(client, append, stream_id, first_version).await?;
    if !same {
        return Err(StoreError::AppendIdReused { append_id: append.append_id });
    }
    Ok(AppendReceipt {
        seq,
        stream_version: first_version + event_count - 1,
        position: first_position + event_count - 1,
        repeated: true,
    })
}

async fn same_events(
    client: &ClientWrapper,
    append: &Append,
    stream_id: u64,
    first_version: u64,
) -> Result<bool, StoreError> {
    let last_version = first_version + append.events.len() as u64 - 1;
    let versions = [bound(stream_id), bound(first_version), bound(last_version)];
    let stored = client
        .query(EVENTS_STORED, &[&versions[0], &versions[1], &versions[2]])
        .await
        .map_err(fault)?;
    if stored.len() != append.events.len() {
        return Ok(false);
    }
    for (row, (event_type, payload)) in stored.iter().zip(append.events.iter()) {
        let same = get::<&str>(row, 0)? == event_type.name()
            && get::<i32>(row, 1)? == i32::from(event_type.schema_version())
            && get::<Raw<'_>>(row, 2)?.0 == payload;
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The row of the head.
pub(crate) fn as_head(row: Option<&Row>) -> Result<LogHead, StoreError> {
    let row = row.ok_or_else(|| StoreError::Corrupt("the log has no head".to_owned()))?;
    Ok(LogHead { seq: number(row, 0)?, position: number(row, 1)?, seal: hash(row, 2)? })
}

/// The end of the log.
pub(crate) async fn head(client: &ClientWrapper) -> Result<LogHead, StoreError> {
    let find = client
        .prepare_cached("SELECT seq, position, seal FROM es_head WHERE id = 1")
        .await
        .map_err(fault)?;
    as_head(client.query_opt(&find, &[]).await.map_err(fault)?.as_ref())
}

/// Whose events these are.
pub(crate) async fn tenant(client: &ClientWrapper) -> Result<Option<TenantId>, StoreError> {
    let first = client.query_opt("SELECT tenant_id FROM es_appends WHERE seq = 1", &[]).await;
    first.map_err(fault)?.map(|row| get::<&str>(&row, 0).map(TenantId::from)).transpose()
}

/// The stored seal of an append.
pub(crate) async fn seal_at(client: &ClientWrapper, seq: u64) -> Result<Option<Hash>, StoreError> {
    if seq == 0 {
        return Ok(Some(seal_start()));
    }
    let row = client
        .query_opt("SELECT seal FROM es_appends WHERE seq = $1", &[&bound(seq)])
        .await
        .map_err(fault)?;
    row.map(|row| hash(&row, 0)).transpose()
}
