//! A tenant's whole store in one SQLite file: events, captured snapshots, output tables, the queue
//! of runs.
//!
//! One connection writes, on a thread of its own; others read. Several processes may have the file
//! open: SQLite's write lock orders their commits, and a reader sees each commit as a whole. A
//! commit is on the disk before the call returns (`synchronous=FULL` over a write-ahead log).

mod append;
mod archive;
mod busy;
mod cells;
mod connection;
mod copying;
mod decode;
mod event_rows;
mod file_access;
mod index;
mod lease;
mod log;
mod migrate;
mod notifier;
mod output_reader;
mod queue;
mod read;
mod run_list;
mod schema;
mod snapshots;
pub mod source;
mod staging;
mod statements;
mod store;
mod subscribers;
mod verify;
mod worker_lock;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backon::{BlockingRetryable, ConstantBuilder};
use powerfill_ports::{StoreError, StoreFault, StoreResult};
use rusqlite::{Connection, OpenFlags};

use busy::set_file;
use connection::{
    ReaderPool, WriterThread, connect, is_write_refused, not_writable, prepare_file, store_error,
};
use file_access::{FileAccess, beside};
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
    /// `None` if the store is only read.
    writer: Option<WriterThread>,
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
    pub fn open(path: impl AsRef<Path>) -> StoreResult<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::with_flags(path.as_ref(), flags)
    }

    /// Opens the store in an existing file.
    ///
    /// # Errors
    /// As [`SqliteStore::open`]; and [`StoreError::NotFound`] if there is no such file.
    pub fn open_existing(path: impl AsRef<Path>) -> StoreResult<Self> {
        let path = path.as_ref();
        if !path.exists() {
            let name = path.display().to_string();
            return Err(StoreError::NotFound { what: "store file", name });
        }
        Self::with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Opens the store in an existing file for calls that only read. If this user cannot write it,
    /// nothing is written, and a call that writes fails.
    ///
    /// # Errors
    /// As [`SqliteStore::open_existing`]; and [`StoreError::ReadOnly`] if the file has a
    /// write-ahead log that cannot be read.
    pub fn open_for_reading(path: impl AsRef<Path>) -> StoreResult<Self> {
        let path = path.as_ref();
        match Self::open_existing(path) {
            Err(StoreError::ReadOnly(_)) => {}
            opened => return opened,
        }
        let readers = ReaderPool::new(path.to_owned(), FileAccess::for_reading(path));
        // Fails now if the store cannot be read either.
        readers.give_back(readers.open()?);
        Ok(Self::of_parts(path, readers, None))
    }

    fn with_flags(path: &Path, flags: OpenFlags) -> StoreResult<Self> {
        let retries =
            ConstantBuilder::new().with_delay(OPEN_RETRY_PAUSE).with_max_times(OPEN_RETRIES);
        let conn =
            (|| open_writer(path, flags)).retry(retries).when(StoreError::is_transient).call()?;
        let readers = ReaderPool::new(path.to_owned(), FileAccess::Shared);
        Ok(Self::of_parts(path, readers, Some(WriterThread::start(conn, path.to_owned())?)))
    }

    fn of_parts(path: &Path, readers: ReaderPool, writer: Option<WriterThread>) -> Self {
        let worker_lock = Arc::new(WorkerLock::new(beside(path, ".worker")));
        let (path, notifier) = (path.to_owned(), AppendNotifier::new());
        Self { inner: Arc::new(Inner { path, readers, writer, notifier, worker_lock }) }
    }

    /// The file of the store.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    fn worker_lock(&self) -> Arc<WorkerLock> {
        Arc::clone(&self.inner.worker_lock)
    }

    /// Runs work on the writer's thread.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        match &self.inner.writer {
            Some(writer) => writer.run(work).await,
            None => Err(not_writable(&self.inner.path, "it was opened to be read")),
        }
    }

    /// Runs work on a thread that may block, with a connection that reads.
    async fn read_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let inner = Arc::clone(&self.inner);
        run_blocking(move || {
            let conn = inner.readers.take()?;
            let output = inner.readers.checked(work(&conn))?;
            inner.readers.give_back(conn);
            Ok(output)
        })
        .await
    }
}

/// Runs work on a thread that may block.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    // Boxed: the task is compiled once per type of its result.
    let work: Box<dyn FnOnce() -> StoreResult<T> + Send> = Box::new(work);
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        StoreError::Failed(StoreFault::caused_by(error).context("a reader panicked"))
    })?
}

/// Opens a connection that can write, and migrates the schema.
fn open_writer(path: &Path, flags: OpenFlags) -> StoreResult<Connection> {
    set_file(path);
    let existed = path.exists();
    let opened = connect(path, flags, WRITER_CACHE_KIB).and_then(|mut conn| {
        prepare_file(&conn)?;
        conn.pragma_update(None, "wal_autocheckpoint", PAGES_BEFORE_CHECKPOINT)
            .map_err(store_error)?;
        schema::migrate(&mut conn)?;
        Ok(conn)
    });
    opened.map_err(|error| match existed && is_write_refused(&error) {
        true => not_writable(path, "this user cannot write in its folder"),
        false => error,
    })
}
