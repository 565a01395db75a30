//! Measuring the PostgreSQL store, on a server of its own whose commits are on the disk before they are answered:
//! appends against INSERTs of the same rows, a whole run, and how soon a subscriber sees an event.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use futures::StreamExt;
use powerfill_domain::engine;
use powerfill_domain::run::{EncodedBatch, Meta, RunEvent, RunId};
use powerfill_domain::snapshot::{RunOptions, validate};
use powerfill_domain::values::{TenantId, Timestamp};
use powerfill_ports::events::{Append, EventStore};
use powerfill_postgres::PostgresStore;
use powerfill_tests::postgres::{Database, Durable, OwnServer, connect};
use powerfill_tests::store_suite::Place;
use tokio_postgres::Client;
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use crate::{row, seconds};

/// Events of all appends and INSERTs of a round, however they are cut.
const EVENTS: usize = 20_000;
/// Rounds, in which the ways to write take turns.
const ROUNDS: usize = 5;
/// Rows of one statement with many.
const ROWS: usize = 1_000;
/// Events whose way to a subscriber is timed.
const NOTIFIED: usize = 200;

/// Everything about PostgreSQL.
pub(crate) fn bench(powerfill: &Path, book: &Path) {
    let server = OwnServer::start(Durable::Yes);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        whole_run(powerfill, book, &server).await;
        writing(book, &server).await;
        notifying(book, &server).await;
    });
}

async fn whole_run(powerfill: &Path, book: &Path, server: &OwnServer) {
    let mut times = Vec::new();
    let mut size = 0_i64;
    for _ in 0..5 {
        let place = Database::of(server);
        let begun = Instant::now();
        let done = Command::new(powerfill)
            .arg("run")
            .arg(format!("dir:{}", book.display()))
            .args(["--store", &place.url().await])
            .output()
            .unwrap();
        times.push(begun.elapsed().as_micros());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let client = connect(&place.url().await).await;
        let found = client.query_one("SELECT pg_database_size(current_database())", &[]).await;
        size = found.unwrap().get(0);
    }
    times.sort_unstable();
    let measured = format!(
        "{} (least {}) of 5; the database has {} MiB",
        seconds(times[2]),
        seconds(times[0]),
        size / (1024 * 1024)
    );
    row("`run dir:` at `demo`, PostgreSQL, durable", "4 s", &measured);
}

fn candidates(book: &Path) -> Vec<RunEvent> {
    let snapshot = validate(powerfill_csv::read_folder(book).unwrap()).unwrap().snapshot;
    let events = engine::decide_all(&snapshot, &RunOptions::default());
    let candidates = events.into_iter().filter(|e| matches!(e, RunEvent::CandidateScored(_)));
    candidates.take(EVENTS).collect()
}

fn appends(events: &[RunEvent], stream: u128, batch: usize) -> Vec<Append> {
    let meta = Meta {
        tenant_id: TenantId::from("bench"),
        actor: "bench".to_owned(),
        recorded_at: Timestamp::from_micros(1_770_000_000_000_000),
        causation_id: None,
        correlation_id: None,
    };
    let numbered = events.chunks(batch).enumerate();
    numbered
        .map(|(number, part)| Append {
            append_id: Uuid::from_u128((stream << 64) + number as u128),
            stream: RunId(Uuid::from_u128(stream)).stream(),
            expected_version: (number * batch) as u64,
            meta: meta.clone(),
            events: EncodedBatch::encode(part),
            lease: None,
        })
        .collect()
}

/// The ways to write, each with its share of the events, so that none takes for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Append(usize),
    /// A statement and a commit for each row.
    InsertAndCommit,
    /// A prepared statement for each row, one commit for 10,000.
    Insert,
    /// Prepared, a thousand rows with a parameter for each value.
    ManyRows,
    /// Not prepared, a thousand rows written into the statement's text.
    ManyRowsAsText,
}

const WAYS: [(Way, usize, &str); 7] = [
    (Way::Append(1), 400, "append, batches of 1"),
    (Way::InsertAndCommit, 400, "INSERT and COMMIT for each row"),
    (Way::Append(100), 10_000, "append, batches of 100"),
    (Way::Append(10_000), EVENTS, "append, batches of 10,000"),
    (Way::Insert, EVENTS, "INSERT of one row, prepared, COMMIT for 10,000"),
    (Way::ManyRows, EVENTS, "INSERT of 1,000 rows, prepared, COMMIT for 10,000"),
    (Way::ManyRowsAsText, EVENTS, "INSERT of 1,000 rows as text, COMMIT for 10,000"),
];

/// Appends and INSERTs take turns: whatever else the machine does meets all of them.
async fn writing(book: &Path, server: &OwnServer) {
    let events = candidates(book);
    assert_eq!(events.len(), EVENTS);
    let place = Database::of(server);
    let store = place.open().await;
    let mut client = connect(&place.url().await).await;
    client
        .batch_execute(
            "SET search_path = powerfill; CREATE TABLE plain (LIKE es_events INCLUDING ALL)",
        )
        .await
        .unwrap();
    let mut times = vec![Vec::new(); WAYS.len()];
    for round in 0..ROUNDS {
        for (at, (way, count, _)) in WAYS.iter().enumerate() {
            let stream = (round * 100 + at + 1) as u128;
            let events = &events[..*count];
            let micros = match way {
                Way::Append(batch) => appended(&store, appends(events, stream, *batch)).await,
                way => inserted(&mut client, *way, events, stream as i64).await,
            };
            times[at].push(*count as u128 * 1_000_000 / micros.max(1));
        }
    }
    let mut rates = Vec::new();
    for ((way, _, name), times) in WAYS.iter().zip(&mut times) {
        times.sort_unstable();
        let rate = times[ROUNDS / 2];
        rates.push((*way, rate));
        let measured = format!("{rate} events a second (best {}) of {ROUNDS}", times[ROUNDS - 1]);
        row(&format!("PostgreSQL, durable: {name}"), "–", &measured);
    }
    let rate = |of: Way| rates.iter().find(|(way, _)| *way == of).unwrap().1;
    let ours = rate(Way::Append(10_000));
    let times = |of: Way| {
        let times = ours * 100 / rate(of);
        format!("{}.{:02}", times / 100, times % 100)
    };
    let measured = format!(
        "{} × many rows as text, {} × many rows prepared, {} × one row",
        times(Way::ManyRowsAsText),
        times(Way::ManyRows),
        times(Way::Insert)
    );
    row("append of 10,000 against INSERT of the same rows", "5 × many rows", &measured);
}

async fn appended(store: &PostgresStore, appends: Vec<Append>) -> u128 {
    let begun = Instant::now();
    for append in appends {
        store.append(append).await.unwrap();
    }
    begun.elapsed().as_micros()
}

/// A row as it stands in the table of events; the hash is what it would be in length.
struct PlainRow {
    version: i64,
    event_type: &'static str,
    schema_version: i32,
    payload: String,
    hash: Vec<u8>,
}

fn plain(events: &[RunEvent]) -> Vec<PlainRow> {
    let batch = EncodedBatch::encode(events);
    let rows = batch.iter().zip(1..).map(|((event_type, payload), version)| PlainRow {
        version,
        event_type: event_type.name(),
        schema_version: i32::from(event_type.schema_version()),
        payload: String::from_utf8(payload.to_vec()).unwrap(),
        hash: blake3::hash(payload).as_bytes().to_vec(),
    });
    rows.collect()
}

const INTO: &str =
    "INSERT INTO plain (stream_id, version, event_type, schema_version, payload, hash) VALUES ";

async fn inserted(client: &mut Client, way: Way, events: &[RunEvent], stream: i64) -> u128 {
    let rows = plain(events);
    let begun = Instant::now();
    match way {
        Way::InsertAndCommit => {
            for row in &rows {
                insert(client, std::slice::from_ref(row), stream).await;
            }
        }
        _ => {
            for part in rows.chunks(10_000) {
                client.batch_execute("BEGIN").await.unwrap();
                let size = if way == Way::Insert { 1 } else { ROWS };
                for rows in part.chunks(size) {
                    if way == Way::ManyRowsAsText {
                        client.batch_execute(&text(rows, stream)).await.unwrap();
                    } else {
                        insert(client, rows, stream).await;
                    }
                }
                client.batch_execute("COMMIT").await.unwrap();
            }
        }
    }
    begun.elapsed().as_micros()
}

/// Statements are prepared once for each number of rows.
async fn insert(client: &Client, rows: &[PlainRow], stream: i64) {
    static PREPARED: tokio::sync::Mutex<Vec<(usize, tokio_postgres::Statement)>> =
        tokio::sync::Mutex::const_new(Vec::new());
    let mut prepared = PREPARED.lock().await;
    let found = prepared.iter().find(|(size, _)| *size == rows.len());
    let statement = match found {
        Some((_, statement)) => statement.clone(),
        None => {
            let values: Vec<String> = (0..rows.len())
                .map(|row| {
                    let at = row * 6;
                    format!(
                        "(${}, ${}, ${}, ${}, ${}, ${})",
                        at + 1,
                        at + 2,
                        at + 3,
                        at + 4,
                        at + 5,
                        at + 6
                    )
                })
                .collect();
            let statement = client.prepare(&format!("{INTO}{}", values.join(", "))).await.unwrap();
            prepared.push((rows.len(), statement.clone()));
            statement
        }
    };
    let payloads: Vec<Json<&serde_json::value::RawValue>> =
        rows.iter().map(|row| Json(serde_json::from_str(&row.payload).unwrap())).collect();
    let mut values: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(rows.len() * 6);
    for (row, payload) in rows.iter().zip(&payloads) {
        values.extend([
            &stream as &(dyn ToSql + Sync),
            &row.version,
            &row.event_type,
            &row.schema_version,
            payload,
            &row.hash,
        ]);
    }
    client.execute(&statement, &values).await.unwrap();
}

fn text(rows: &[PlainRow], stream: i64) -> String {
    let values: Vec<String> = rows
        .iter()
        .map(|row| {
            let hash: String = row.hash.iter().map(|byte| format!("{byte:02x}")).collect();
            format!(
                "({stream}, {}, '{}', {}, '{}', '\\x{hash}')",
                row.version,
                row.event_type,
                row.schema_version,
                row.payload.replace('\'', "''")
            )
        })
        .collect();
    format!("{INTO}{}", values.join(", "))
}

/// From before the append to the subscriber, through another store, as from another process; and from its answer.
async fn notifying(book: &Path, server: &OwnServer) {
    let events = candidates(book);
    let place = Database::of(server);
    let (writer, reader) = (place.open().await, place.open().await);
    let mut subscription = reader.subscribe(0);
    let appends = appends(&events[..NOTIFIED + 1], 1, 1);
    let (seen, mut told) = tokio::sync::mpsc::unbounded_channel();
    let following = tokio::spawn(async move {
        let mut count = 0;
        while count <= NOTIFIED {
            count += subscription.next().await.unwrap().unwrap().len();
            seen.send(Instant::now()).unwrap();
        }
    });
    let (mut whole, mut after) = (Vec::new(), Vec::new());
    for append in appends {
        let begun = Instant::now();
        writer.append(append).await.unwrap();
        let committed = Instant::now();
        let seen = told.recv().await.unwrap();
        whole.push(seen.duration_since(begun).as_micros());
        after.push(seen.saturating_duration_since(committed).as_micros());
    }
    following.await.unwrap();
    // The first one waits for the connection that listens.
    let (whole, after) = (&mut whole[1..], &mut after[1..]);
    whole.sort_unstable();
    after.sort_unstable();
    let millis = |micros: u128| format!("{}.{:03} ms", micros / 1_000, micros % 1_000);
    let measured = format!(
        "{} median, {} at 99 of 100; from the append's beginning {} median",
        millis(after[NOTIFIED / 2]),
        millis(after[NOTIFIED * 99 / 100]),
        millis(whole[NOTIFIED / 2])
    );
    row("committed → at a subscriber of another store, PostgreSQL", "50 ms (SSE)", &measured);
}
