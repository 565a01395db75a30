//! The positions of subscribers (specification 4.5).

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use powerfill_ports::StoreError;
use powerfill_ports::subscribers::SubscriberStore;

use crate::PostgresStore;
use crate::errors::store_error;
use crate::values::{get, to_bigint, unsigned};

async fn position(client: &ClientWrapper, name: &str) -> Result<Option<u64>, StoreError> {
    let find = "SELECT position FROM subscribers WHERE name = $1";
    let row = client.query_opt(find, &[&name]).await.map_err(store_error)?;
    row.map(|row| unsigned(&row, 0)).transpose()
}

async fn all(client: &ClientWrapper) -> Result<Vec<(String, u64)>, StoreError> {
    let all = "SELECT name, position FROM subscribers ORDER BY name";
    let rows = client.query(all, &[]).await.map_err(store_error)?;
    rows.iter().map(|row| Ok((get(row, 0)?, unsigned(row, 1)?))).collect()
}

/// Moves a subscriber from one position to another. Returns whether it was at the first one.
async fn advance(
    client: &ClientWrapper,
    name: &str,
    before: Option<u64>,
    position: u64,
) -> Result<bool, StoreError> {
    let position = to_bigint(position);
    let moved = match before {
        None => {
            let insert =
                "INSERT INTO subscribers (name, position) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            client.execute(insert, &[&name, &position]).await
        }
        Some(before) => {
            let update = "UPDATE subscribers SET position = $2 WHERE name = $1 AND position = $3";
            client.execute(update, &[&name, &position, &to_bigint(before)]).await
        }
    };
    moved.map(|moved| moved == 1).map_err(store_error)
}

#[async_trait]
impl SubscriberStore for PostgresStore {
    async fn subscriber(&self, name: &str) -> Result<Option<u64>, StoreError> {
        position(&*self.inner.pool.get().await?, name).await
    }

    async fn subscribers(&self) -> Result<Vec<(String, u64)>, StoreError> {
        all(&*self.inner.pool.get().await?).await
    }

    async fn advance(
        &self,
        name: &str,
        before: Option<u64>,
        position: u64,
    ) -> Result<bool, StoreError> {
        let client = self.inner.pool.get().await?;
        advance(&client, name, before, position).await
    }
}
