//! A tenant's whole store in one SQLite file: events, captured snapshots, output tables, the queue
//! of runs.
//!
//! One connection writes, on a thread of its own; others read. Several processes may have the file
//! open: SQLite's write lock orders their commits, and a reader sees each commit as a whole. A
//! commit is on the disk before the call returns (`synchronous=FULL` over a write-ahead log).

mod append;
mod cells;
mod connection;
mod copying;
mod decode;
mod event_rows;
mod index;
mod lease;
mod log;
mod migrate;
mod notifier;
mod output_reader;
mod queue;
mod read;
mod schema;
mod snapshots;
pub mod source;
mod staging;
mod store;
mod subscribers;
mod verify;
mod worker_lock;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backon::{BlockingRetryable, ConstantBuilder};
use powerfill_ports::{StoreError, StoreFault};
use rusqlite::{Connection, OpenFlags};

use connection::{ReaderPool, WriterThread, connect, prepare_file, store_error};
use notifier::AppendNotifier;
use worker_lock::WorkerLock;

/// Pages in the write-ahead log before a checkpoint. A run of the `demo` scale stays below it, so
/// that it pays for no checkpoint; a larger run pays while it goes on.
const PAGES_BEFORE_CHECKPOINT: u32 = 24_576;
/// Room for the pages that one transaction changes: an append or a stage of about 20,000 rows.
const WRITER_CACHE_KIB: i64 = 128 * 1024;
/// Two processes may create one file at the same time; SQLite does not wait for the other in each
/// step of this. Together the retries last 2 s, and creating a file takes milliseconds.
const OPEN_RETRIES: usize = 200;
const OPEN_RETRY_PAUSE: Duration = Duration::from_millis(10);

/// The store of one tenant. Clones are the same store.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

/// Readers are closed before the writer: the last connection that closes the file moves the
/// write-ahead log into it, and must be able to write.
struct Inner {
    path: PathBuf,
    readers: ReaderPool,
    writer: WriterThread,
    notifier: AppendNotifier,
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
    /// Opens the store in this file, or creates it. An older schema is migrated.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if the file belongs to another program or to a newer PowerFill;
    /// [`StoreError::Failed`] if it cannot be opened or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::with_flags(path.as_ref(), flags)
    }

    /// Opens the store in an existing file.
    ///
    /// # Errors
    /// As [`SqliteStore::open`]; and [`StoreError::NotFound`] if there is no such file.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        if !path.exists() {
            let name = path.display().to_string();
            return Err(StoreError::NotFound { what: "store file", name });
        }
        Self::with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    fn with_flags(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let retries =
            ConstantBuilder::new().with_delay(OPEN_RETRY_PAUSE).with_max_times(OPEN_RETRIES);
        let conn =
            (|| open_writer(path, flags)).retry(retries).when(StoreError::is_transient).call()?;
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".worker");
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                readers: ReaderPool::new(path.to_owned()),
                writer: WriterThread::start(conn)?,
                notifier: AppendNotifier::new(),
                worker_lock: Arc::new(WorkerLock::new(lock_path.into())),
            }),
        })
    }

    /// The file of the store.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs work on the writer's thread.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.writer.run(work).await
    }

    /// Runs work on a thread that may block, with a connection that reads.
    async fn read_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        run_blocking(move || {
            let conn = inner.readers.take()?;
            let output = work(&conn)?;
            inner.readers.give_back(conn);
            Ok(output)
        })
        .await
    }
}

/// Runs work on a thread that may block.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        StoreError::Failed(StoreFault::caused_by(error).context("a reader panicked"))
    })?
}

/// Opens a connection that can write, and migrates the schema.
fn open_writer(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let mut conn = connect(path, flags, WRITER_CACHE_KIB)?;
    prepare_file(&conn)?;
    conn.pragma_update(None, "wal_autocheckpoint", PAGES_BEFORE_CHECKPOINT).map_err(store_error)?;
    schema::migrate(&mut conn)?;
    Ok(conn)
}
