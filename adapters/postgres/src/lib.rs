//! A tenant's whole store in a PostgreSQL database (15 and later): events, captured snapshots, output tables, the queue
//! of runs, all in its schema `powerfill`.
//!
//! Any number of processes may have it open. An append is one transaction, whose last statements take the head row of
//! the log: positions are dense and in the order of the commits. Whoever waits for events is woken by NOTIFY and reads
//! the tables, which are the truth.
//!
//! [`source`] reads the tables of a snapshot from any database.

mod append;
mod beside;
mod bytes_in;
mod cells;
mod commit;
mod copy;
mod copying;
mod fault;
mod index;
mod numeric;
mod pool;
mod read;
mod runs;
mod schema;
mod shown;
mod snapshots;
pub mod source;
mod staging;
mod store;
mod subscribers;
mod tls;
mod url;
mod verify;
mod wake;

use std::sync::Arc;

use powerfill_ports::StoreError;

use pool::Connections;
use wake::Wake;

pub use schema::shape;
pub use url::{PostgresUrl, UrlFault};

/// The store of one tenant. Clones are the same store.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    connections: Connections,
    wake: Wake,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore")
            .field("url", &self.inner.connections.url().to_string())
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens the store in this database, and makes it where there is none. An older schema is brought to the present
    /// one. The database must be there.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where the schema `powerfill` is another program's or a newer PowerFill's;
    /// [`StoreError::Unavailable`] where the server cannot be reached now; [`StoreError::Failed`] where it refuses.
    pub async fn open(url: &PostgresUrl) -> Result<Self, StoreError> {
        if url.schema.is_some() {
            return Err(StoreError::Failed(
                "a store is in the schema powerfill; schema=NAME is for a source".to_owned(),
            ));
        }
        let connections = Connections::new(url)?;
        schema::migrate(&connections).await?;
        Ok(Self { inner: Arc::new(Inner { connections, wake: Wake::new() }) })
    }

    /// Opens the store in this database.
    ///
    /// # Errors
    /// As [`PostgresStore::open`]; and [`StoreError::NotFound`] where the database holds no store.
    pub async fn open_existing(url: &PostgresUrl) -> Result<Self, StoreError> {
        let connections = Connections::new(url)?;
        if !schema::is_there(&connections).await? {
            return Err(StoreError::NotFound { what: "store in", name: url.to_string() });
        }
        drop(connections);
        Self::open(url).await
    }

    /// Where the store is, without a password.
    pub fn url(&self) -> &PostgresUrl {
        self.inner.connections.url()
    }
}
