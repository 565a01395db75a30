//! The positions of subscribers (specification 4.5).

use async_trait::async_trait;
use powerfill_ports::StoreResult;
use powerfill_ports::subscribers::SubscriberStore;

use crate::SqliteStore;
use crate::decode::get;
use crate::statements::{execute, first_row, rows};

#[async_trait]
impl SubscriberStore for SqliteStore {
    async fn subscriber(&self, name: &str) -> StoreResult<Option<u64>> {
        let (find, name) = ("SELECT position FROM subscribers WHERE name = ?1", name.to_owned());
        self.read_with(move |conn| first_row(conn, find, [name], |row| get(row, 0))).await
    }

    async fn subscribers(&self) -> StoreResult<Vec<(String, u64)>> {
        let all = "SELECT name, position FROM subscribers ORDER BY name";
        self.read_with(|conn| rows(conn, all, [], |row| Ok((get(row, 0)?, get(row, 1)?)))).await
    }

    async fn advance(&self, name: &str, before: Option<u64>, position: u64) -> StoreResult<bool> {
        let name = name.to_owned();
        let insert =
            "INSERT INTO subscribers (name, position) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let update = "UPDATE subscribers SET position = ?2 WHERE name = ?1 AND position = ?3";
        let moved = self.write(move |conn| match before {
            None => execute(conn, insert, (name, position)),
            Some(before) => execute(conn, update, (name, position, before)),
        });
        Ok(moved.await? == 1)
    }
}
