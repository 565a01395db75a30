//! A tenant's whole store in a PostgreSQL database (15 and later): events, captured snapshots,
//! output tables, and the queue of runs, all in the schema `powerfill`.
//!
//! Any number of processes may have it open. An append is one transaction, whose last statements
//! lock the head row of the log. Therefore positions are dense and in the order of the commits.
//! NOTIFY wakes subscribers, which then read the tables.
//!
//! [`source`] reads the tables of a snapshot from any database.

mod append;
mod append_guard;
mod archive;
mod cells;
mod commit;
mod copy;
mod copying;
mod errors;
mod event_rows;
mod index;
mod lease;
mod listener;
mod locks;
mod log;
mod migrate;
mod numeric;
mod output_cursor;
mod pool;
mod queue;
mod read;
mod retry;
mod run_list;
mod schema;
mod server_watch;
mod snapshots;
pub mod source;
mod sql_names;
mod staging;
mod statements;
mod store;
mod subscribers;
mod tasks;
mod tls;
mod url;
mod values;
mod verify;

use std::sync::Arc;

use powerfill_ports::{StoreError, StoreResult};

use listener::AppendListener;
use pool::ConnectionPool;

pub use schema::shape;
pub use url::{PostgresUrl, PostgresUrlError};

/// The store of one tenant. Clones are the same store.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    pool: ConnectionPool,
    listener: AppendListener,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore")
            .field("url", &self.inner.pool.url().to_string())
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens the store in this database, or creates it. An older schema is migrated. The database
    /// must exist.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if the schema `powerfill` belongs to another program or to a newer
    /// PowerFill; [`StoreError::Unavailable`] if the server cannot be reached now;
    /// [`StoreError::Failed`] if it refuses.
    pub async fn open(url: &PostgresUrl) -> StoreResult<Self> {
        if url.schema.is_some() {
            return Err(StoreError::Failed(
                "a store is always in the schema powerfill; schema=NAME is only for a source"
                    .into(),
            ));
        }
        let pool = ConnectionPool::new(url)?;
        schema::migrate(&pool).await?;
        Ok(Self { inner: Arc::new(Inner { pool, listener: AppendListener::new() }) })
    }

    /// Opens the store in this database, which must contain one.
    ///
    /// # Errors
    /// As [`PostgresStore::open`]; and [`StoreError::NotFound`] if the database contains no store.
    pub async fn open_existing(url: &PostgresUrl) -> StoreResult<Self> {
        if !schema::exists(&ConnectionPool::new(url)?).await? {
            return Err(StoreError::NotFound { what: "store in", name: url.to_string() });
        }
        Self::open(url).await
    }

    /// The URL of the store.
    pub fn url(&self) -> &PostgresUrl {
        self.inner.pool.url()
    }
}
