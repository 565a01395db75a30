//! Event blocks as an editor sees them who knows the format: the text of a block, one line per
//! event, and the columns that a new text needs.

use powerfill_events::log::{AppendMeta, AppendRecord, Hash, MetaHash, chain, hash_check, seal};
use powerfill_events::values::{TenantId, Timestamp};
use rusqlite::Connection;
use tokio_postgres::Client;
use uuid::Uuid;

/// The columns of a block that follow from its text.
#[derive(Debug)]
pub struct BlockBody {
    /// The compressed text.
    pub body: Vec<u8>,
    /// The size of the text.
    pub byte_count: i64,
    /// BLAKE3 of the compressed text.
    pub stored_hash: Vec<u8>,
}

/// The lines of a block.
///
/// # Panics
/// If it cannot be decompressed.
pub fn lines(body: &[u8]) -> Vec<String> {
    let text = zstd::stream::decode_all(body).expect("the body is zstd");
    String::from_utf8(text).expect("events are text").lines().map(str::to_owned).collect()
}

/// The body of a block with these lines.
///
/// # Panics
/// Never: memory accepts every write.
pub fn body(lines: &[String]) -> BlockBody {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let body = zstd::bulk::compress(text.as_bytes(), 1).expect("a text is compressed");
    let stored_hash = blake3::hash(&body).as_bytes().to_vec();
    BlockBody {
        byte_count: i64::try_from(text.len()).expect("a block is small"),
        stored_hash,
        body,
    }
}

const FIND: &str = "SELECT body FROM es_event_blocks WHERE stream_id = ?1 AND first_version = ?2";
const REPLACE: &str = "UPDATE es_event_blocks SET body = ?3, byte_count = ?4, stored_hash = ?5
                              WHERE stream_id = ?1 AND first_version = ?2";

/// Changes the lines of the block of a stream that begins with a version. The hashes of the events
/// stay as they were.
///
/// # Panics
/// If there is no such block, or the connection has not switched off the guards.
pub fn edit(
    conn: &Connection,
    stream_id: i64,
    first_version: i64,
    change: impl FnOnce(&mut Vec<String>),
) {
    let place = (stream_id, first_version);
    let stored: Vec<u8> =
        conn.query_row(FIND, place, |row| row.get(0)).expect("there is such a block");
    let mut lines = lines(&stored);
    change(&mut lines);
    let BlockBody { body, byte_count, stored_hash } = body(&lines);
    let columns = (stream_id, first_version, body, byte_count, stored_hash);
    conn.execute(REPLACE, columns).expect("the guards are off");
}

const APPEND: &str = "
     SELECT s.name, a.tenant_id, a.actor, a.recorded_at, a.causation_id, a.correlation_id, b.hash_before,
            a.seq, a.first_position, a.event_count, a.append_id, a.first_version,
            (SELECT seal FROM es_appends before WHERE before.seq = a.seq - 1)
     FROM es_event_blocks b
     JOIN es_streams s USING (stream_id)
     JOIN es_appends a ON a.stream_id = b.stream_id AND b.first_version >= a.first_version
                      AND b.first_version < a.first_version + a.event_count
     WHERE b.stream_id = ?1 AND b.first_version = ?2";

/// As [`edit`] of a block of the log's last append, and computes its hashes, the seal, and the head
/// again: only a copy of the seal reveals the change.
///
/// # Panics
/// As [`edit`].
pub fn forge(
    conn: &Connection,
    stream_id: i64,
    first_version: i64,
    change: impl FnOnce(&mut Vec<String>),
) {
    let mut forged = Vec::new();
    edit(conn, stream_id, first_version, |lines| {
        change(lines);
        forged.clone_from(lines);
    });
    let id = |bytes: Option<Vec<u8>>| bytes.map(|bytes| Uuid::from_slice(&bytes).expect("an id"));
    let row = conn.query_row(APPEND, (stream_id, first_version), |row| {
        let meta = AppendMeta {
            tenant_id: TenantId::from(row.get::<_, String>(1)?),
            actor: row.get(2)?,
            recorded_at: Timestamp::from_micros(row.get(3)?),
            causation_id: id(row.get(4)?),
            correlation_id: id(row.get(5)?),
        };
        let hash = MetaHash::new(&row.get::<_, String>(0)?, &meta);
        let number = |column: usize| row.get::<_, i64>(column).map(i64::unsigned_abs);
        let record = AppendRecord {
            seq: number(7)?,
            first_position: number(8)?,
            stream_id: stream_id.unsigned_abs(),
            first_version: number(11)?,
            event_count: number(9)?,
            append_id: id(row.get(10)?).expect("an id"),
            meta,
        };
        Ok((hash, row.get::<_, Vec<u8>>(6)?, record, row.get::<_, Vec<u8>>(12)?))
    });
    let (meta, hash_before, record, seal_before) = row.expect("the block follows an append");
    let mut hash = Hash::from_slice(&hash_before).expect("a hash");
    let mut checks = Vec::new();
    for (line, version) in forged.iter().zip(first_version as u64..) {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().expect("type, schema version, and payload");
        let (event_type, schema_version) = (word(), word().parse().expect("a number"));
        hash = chain(&hash, &meta, version, event_type, schema_version, word().as_bytes());
        checks.extend(hash_check(&hash));
    }
    let sql = "UPDATE es_event_blocks SET hash_after = ?3, event_checks = ?4
               WHERE stream_id = ?1 AND first_version = ?2";
    let columns = (stream_id, first_version, &hash.as_bytes()[..], checks);
    conn.execute(sql, columns).expect("the guards are off");
    let before = Hash::from_slice(&seal_before).expect("a hash");
    write_head(conn, seal(&before, &record, &hash), hash);
}

/// Gives the log's last append this seal, and its stream this hash.
fn write_head(conn: &Connection, sealed: Hash, hash: Hash) {
    for (sql, hash) in [
        ("UPDATE es_appends SET seal = ?1 WHERE seq = (SELECT seq FROM es_head)", sealed),
        ("UPDATE es_head SET seal = ?1", sealed),
        (
            "UPDATE es_streams SET tail_hash = ?1
             WHERE stream_id = (SELECT stream_id FROM es_appends ORDER BY seq DESC LIMIT 1)",
            hash,
        ),
    ] {
        conn.execute(sql, (&hash.as_bytes()[..],)).expect("the guards are off");
    }
}

/// As [`edit`], in PostgreSQL.
///
/// # Panics
/// As [`edit`].
pub async fn edit_in_postgres(
    client: &Client,
    stream_id: i64,
    first_version: i64,
    change: impl FnOnce(&mut Vec<String>),
) {
    let sql = |sql: &str| sql.replace('?', "$");
    let row = client
        .query_one(&sql(FIND), &[&stream_id, &first_version])
        .await
        .expect("there is such a block");
    let mut lines = lines(row.get(0));
    change(&mut lines);
    let BlockBody { body, byte_count, stored_hash } = body(&lines);
    client
        .execute(&sql(REPLACE), &[&stream_id, &first_version, &body, &byte_count, &stored_hash])
        .await
        .expect("the guards are off");
}

/// Every event of a file with its position, as its line.
///
/// # Panics
/// If the file is no store.
pub fn all_lines(conn: &Connection) -> Vec<(i64, String)> {
    let mut blocks = conn
        .prepare("SELECT first_position, body FROM event_blocks ORDER BY first_position")
        .expect("the store has the view");
    let blocks = blocks
        .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .expect("blocks");
    blocks
        .flat_map(|block| {
            let (first, body) = block.expect("a block");
            (first..).zip(lines(&body)).collect::<Vec<_>>()
        })
        .collect()
}
