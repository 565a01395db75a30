//! INSERTs of the rows that an append stores.

use std::time::Instant;

use powerfill_events::log::EncodedBatch;
use powerfill_events::run::RunEvent;
use tokio_postgres::Client;
use tokio_postgres::types::{Json, ToSql};

/// Rows of one statement with many.
const ROWS: usize = 1_000;

/// A table like that of the events, without guards.
pub(super) const PLAIN: &str =
    "SET search_path = powerfill; CREATE TABLE plain (LIKE es_events INCLUDING ALL)";

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

/// How rows are inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Insert {
    /// A statement and a commit for each row.
    AndCommit,
    /// A prepared statement for each row, one commit for 10,000.
    One,
    /// Prepared, a thousand rows with a parameter for each value.
    Many,
    /// Not prepared, a thousand rows written into the statement's text.
    ManyAsText,
}

/// Inserts events as they stand in the store's table; answers how many microseconds that took.
pub(super) async fn inserted(
    client: &Client,
    how: Insert,
    events: &[RunEvent],
    stream: i64,
) -> u128 {
    let rows = plain(events);
    let begun = Instant::now();
    match how {
        Insert::AndCommit => {
            for row in &rows {
                insert(client, std::slice::from_ref(row), stream).await;
            }
        }
        _ => {
            for part in rows.chunks(10_000) {
                client.batch_execute("BEGIN").await.unwrap();
                let size = if how == Insert::One { 1 } else { ROWS };
                for rows in part.chunks(size) {
                    if how == Insert::ManyAsText {
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
