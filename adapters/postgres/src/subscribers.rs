//! The positions of subscribers (specification 4.5).

use async_trait::async_trait;
use powerfill_ports::StoreResult;
use powerfill_ports::subscribers::SubscriberStore;

use crate::PostgresStore;
use crate::statements::{execute, one_row, rows};
use crate::values::{get, to_bigint, unsigned};

#[async_trait]
impl SubscriberStore for PostgresStore {
    async fn subscriber(&self, name: &str) -> StoreResult<Option<u64>> {
        let client = self.inner.pool.get().await?;
        let find = "SELECT position FROM subscribers WHERE name = $1";
        one_row(&client, find, &[&name], |row| unsigned(row, 0)).await
    }

    async fn subscribers(&self) -> StoreResult<Vec<(String, u64)>> {
        let client = self.inner.pool.get().await?;
        let all = "SELECT name, position FROM subscribers ORDER BY name";
        rows(&client, all, &[], |row| Ok((get(row, 0)?, unsigned(row, 1)?))).await
    }

    async fn advance(&self, name: &str, before: Option<u64>, position: u64) -> StoreResult<bool> {
        let (client, position) = (self.inner.pool.get().await?, to_bigint(position));
        let insert =
            "INSERT INTO subscribers (name, position) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let update = "UPDATE subscribers SET position = $2 WHERE name = $1 AND position = $3";
        let moved = match before.map(to_bigint) {
            None => execute(&client, insert, &[&name, &position]).await?,
            Some(before) => execute(&client, update, &[&name, &position, &before]).await?,
        };
        Ok(moved == 1)
    }
}
