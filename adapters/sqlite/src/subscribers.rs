//! The positions of subscribers (specification 4.5).

use powerfill_ports::StoreError;
use rusqlite::{Connection, OptionalExtension};

use crate::connection::store_error;

pub(crate) fn position(conn: &Connection, name: &str) -> Result<Option<u64>, StoreError> {
    conn.prepare_cached("SELECT position FROM subscribers WHERE name = ?1")
        .and_then(|mut find| find.query_row([name], |row| row.get(0)).optional())
        .map_err(store_error)
}

pub(crate) fn all(conn: &Connection) -> Result<Vec<(String, u64)>, StoreError> {
    conn.prepare_cached("SELECT name, position FROM subscribers ORDER BY name")
        .and_then(|mut all| {
            all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).and_then(Iterator::collect)
        })
        .map_err(store_error)
}

/// Moves a subscriber from one position to another. Returns whether it was at the first one.
pub(crate) fn advance(
    conn: &Connection,
    name: &str,
    before: Option<u64>,
    position: u64,
) -> Result<bool, StoreError> {
    let moved = match before {
        None => conn.execute(
            "INSERT INTO subscribers (name, position) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            (name, position),
        ),
        Some(before) => conn.execute(
            "UPDATE subscribers SET position = ?2 WHERE name = ?1 AND position = ?3",
            (name, position, before),
        ),
    };
    moved.map(|moved| moved == 1).map_err(store_error)
}
