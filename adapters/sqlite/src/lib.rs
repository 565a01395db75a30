//! A tenant's whole store in one SQLite file: events, captured snapshots, output tables, the queue of runs.
//!
//! One connection writes, on a thread of its own; others read. Several processes may have the file open: SQLite's write
//! lock orders their commits, and a reader sees each commit whole. A commit is on the disk before it is answered
//! (`synchronous=FULL` over a write-ahead log).

mod append;
mod cells;
mod connection;
mod copying;
mod index;
mod read;
mod runs;
mod schema;
mod shown;
mod snapshots;
pub mod source;
mod staging;
mod store;
mod subscribers;
mod verify;
mod wake;
mod worker_lock;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use powerfill_ports::StoreError;
use rusqlite::{Connection, OpenFlags};

use connection::{Readers, Writer, connect, fault, prepare_file};
use wake::Wake;
use worker_lock::WorkerLock;

/// Held back until a run of the `demo` scale is through; a larger one pays for it as it goes.
const PAGES_BEFORE_CHECKPOINT: u32 = 24_576;
/// For the pages that a transaction changes: an append or a stage of some 20,000 rows.
const WRITER_CACHE_KIB: i64 = 128 * 1024;
/// Two processes that make one file at the same time: one of them waits this often for the other.
const OPEN_ATTEMPTS: u32 = 200;
const OPEN_PAUSE: Duration = Duration::from_millis(10);

/// The store of one tenant. Clones are the same store.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

/// Readers are closed before the writer, so that the last one to close the file moves the log into it.
struct Inner {
    path: PathBuf,
    readers: Readers,
    writer: Writer,
    wake: Wake,
    worker_lock: Arc<WorkerLock>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.readers.close();
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store in this file, and makes it where there is none. An older schema is brought to the present one.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where the file is another program's or a newer PowerFill's; [`StoreError::Failed`] where
    /// it cannot be opened or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::with_flags(path.as_ref(), flags)
    }

    /// Opens the store in this file.
    ///
    /// # Errors
    /// As [`SqliteStore::open`]; and [`StoreError::NotFound`] where there is no such file.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        if !path.exists() {
            let name = path.display().to_string();
            return Err(StoreError::NotFound { what: "store file", name });
        }
        Self::with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    fn with_flags(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let mut attempt = 0;
        let conn = loop {
            attempt += 1;
            match ready(path, flags) {
                Err(StoreError::Unavailable(_)) if attempt < OPEN_ATTEMPTS => {
                    std::thread::sleep(OPEN_PAUSE);
                }
                ready => break ready?,
            }
        };
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".worker");
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                readers: Readers::new(path.to_owned()),
                writer: Writer::start(conn)?,
                wake: Wake::new(),
                worker_lock: Arc::new(WorkerLock::new(lock_path.into())),
            }),
        })
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs on the writer's thread.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.writer.run(work).await
    }

    /// Runs on a thread that may block, with a connection that reads.
    async fn read_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let conn = inner.readers.take()?;
            let answer = work(&conn)?;
            inner.readers.give_back(conn);
            Ok(answer)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Failed(format!("a reader ended early: {error}")))?
}

/// A connection that can write, to a file with the present schema.
fn ready(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let mut conn = connect(path, flags, WRITER_CACHE_KIB)?;
    prepare_file(&conn)?;
    conn.pragma_update(None, "wal_autocheckpoint", PAGES_BEFORE_CHECKPOINT).map_err(fault)?;
    schema::migrate(&mut conn)?;
    Ok(conn)
}
