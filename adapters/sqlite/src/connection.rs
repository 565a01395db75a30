//! Connections to the file: one that writes, on a thread of its own, and a pool of readers.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use powerfill_ports::{StoreError, StoreFault, StoreResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, Transaction, TransactionBehavior, ffi};
use tokio::sync::oneshot;

use crate::busy::{set_file, wait_for_other_processes};
use crate::file_access::{FileAccess, beside};
use crate::schema;

/// Measured from 4 to 64 KiB with rows of about 500 bytes (`examples/append.rs`): up to 16 KiB each
/// doubling saved processor time, beyond it hardly any.
const PAGE_BYTES: u32 = 16_384;
/// The page cache of a reader.
const READER_CACHE_KIB: i64 = 8 * 1024;
/// Marks the file as PowerFill's: "PWRF".
pub(crate) const APPLICATION_ID: i32 = 0x5057_5246;
/// A reader that is given back while this many are idle is closed.
const MAX_IDLE_READERS: usize = 8;
/// More than the number of different statements of this crate.
const STATEMENT_CACHE: usize = 256;

/// Translates an error of SQLite.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    use rusqlite::Error as Sqlite;
    let wrong_type = matches!(
        error,
        Sqlite::FromSqlConversionFailure(..)
            | Sqlite::IntegralValueOutOfRange(..)
            | Sqlite::InvalidColumnType(..)
            | Sqlite::Utf8Error(..)
    );
    let failure = match &error {
        Sqlite::SqliteFailure(failure, _) => Some(*failure),
        _ => None,
    };
    let fault = StoreFault::caused_by(error);
    let Some(failure) = failure else {
        return if wrong_type { StoreError::Corrupt(fault) } else { StoreError::Failed(fault) };
    };
    let context = match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            return StoreError::Unavailable(fault.context("another process is writing"));
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => return StoreError::Corrupt(fault),
        ErrorCode::DiskFull => "the disk is full",
        ErrorCode::ReadOnly => "the file is read-only",
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => "the file cannot be opened",
        // The index of the write-ahead log cannot grow. SQLite gives no more exact reason.
        ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            "writing beside the file failed; the disk is full"
        }
        ErrorCode::SystemIoFailure => "reading or writing the file failed",
        _ => return StoreError::Failed(fault),
    };
    StoreError::Failed(fault.context(context))
}

/// Adds the file to an error.
pub(crate) fn name_file(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Failed(fault) => StoreError::Failed(fault.context(path.display().to_string())),
        other => other,
    }
}

/// The store cannot be written, for this reason.
pub(crate) fn not_writable(path: &Path, reason: &str) -> StoreError {
    let path = path.display();
    StoreError::ReadOnly(
        format!(
            "the store {path} cannot be written: {reason}. Commands that only read it work; to \
             write, have its owner permit it, or copy it with `powerfill copy-store sqlite:{path} \
             sqlite:COPY` and use the copy"
        )
        .into(),
    )
}

/// Whether a file that exists, or one beside it, may not be written.
pub(crate) fn is_write_refused(error: &StoreError) -> bool {
    let cause = error.source().and_then(std::error::Error::source);
    let cause = cause.and_then(|cause| cause.downcast_ref::<rusqlite::Error>());
    let code = cause.and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied))
}

/// Opens the file with the settings that every connection needs.
pub(crate) fn connect(path: &Path, flags: OpenFlags, cache_kib: i64) -> StoreResult<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)
        .map_err(|error| name_file(path, store_error(error)))?;
    if flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE)
        && conn.is_readonly(MAIN_DB).map_err(store_error)?
    {
        return Err(not_writable(path, "the file is read-only for this user"));
    }
    prepare_connection(&mut conn, cache_kib)?;
    Ok(conn)
}

/// Makes the settings that every connection needs.
fn prepare_connection(conn: &mut Connection, cache_kib: i64) -> StoreResult<()> {
    wait_for_other_processes(conn).map_err(store_error)?;
    let set = |name: &str, value: &dyn rusqlite::ToSql| {
        conn.pragma_update(None, name, value).map_err(store_error)
    };
    // A commit is on the disk before the call returns.
    set("synchronous", &"FULL")?;
    set("cache_size", &-cache_kib)?;
    set("temp_store", &"MEMORY")?;
    // Without this, renaming an output table would parse every statement of the schema again.
    set("legacy_alter_table", &true)?;
    set("trusted_schema", &false)?;
    // A misspelled column in double quotes must be an error and not a text.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).map_err(store_error)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(())
}

/// Turns the file into a database with a write-ahead log, if it is not one yet.
pub(crate) fn prepare_file(conn: &Connection) -> StoreResult<()> {
    conn.pragma_update(None, "page_size", PAGE_BYTES).map_err(store_error)?;
    let mode: String =
        conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(store_error)?;
    if mode != "wal" {
        return Err(StoreError::Failed(
            format!("the file cannot have a write-ahead log ({mode})").into(),
        ));
    }
    Ok(())
}

/// Begins a transaction that holds the write lock from the start.
pub(crate) fn begin_write(conn: &mut Connection) -> StoreResult<Transaction<'_>> {
    conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(store_error)
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The one connection that writes, on its own thread: callers prepare the next batch while it
/// writes this one.
pub(crate) struct WriterThread {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl WriterThread {
    /// Moves the connection to a new thread.
    pub(crate) fn start(mut conn: Connection, path: PathBuf) -> StoreResult<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                set_file(&path);
                while let Ok(job) = queue.recv() {
                    job(&mut conn);
                }
            })
            .map_err(|error| {
                StoreError::Failed(StoreFault::caused_by(error).context("no thread for the writer"))
            })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs work on the writer's thread, after all work that was given to it before. The work is
    /// done even if the caller drops the future after its first poll.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            // The send fails if the caller has dropped the future; the work stays done.
            let _ = sender.send(work(conn));
        });
        let ended = || StoreError::Failed("the writer's thread has ended".into());
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(job).map_err(|_| ended())?;
        receiver.await.map_err(|_| ended())?
    }
}

impl Drop for WriterThread {
    /// Finishes all work and closes the connection, which moves the write-ahead log into the file.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) =
            self.thread.take().filter(|t| t.thread().id() != std::thread::current().id())
        {
            let _ = thread.join();
        }
    }
}

/// Connections that read. Idle ones are kept.
pub(crate) struct ReaderPool {
    path: PathBuf,
    access: FileAccess,
    idle: Mutex<Vec<Connection>>,
}

impl ReaderPool {
    /// An empty pool.
    pub(crate) const fn new(path: PathBuf, access: FileAccess) -> Self {
        Self { path, access, idle: Mutex::new(Vec::new()) }
    }

    /// Whether no process had the file open, so that nothing can be appended.
    pub(crate) const fn is_frozen(&self) -> bool {
        self.access.is_frozen()
    }

    /// Passes on what was read, if the file is still as it was.
    pub(crate) fn checked<T>(&self, read: StoreResult<T>) -> StoreResult<T> {
        if self.access.is_unchanged(&self.path) {
            return read;
        }
        let path = self.path.display();
        Err(StoreError::Unavailable(
            format!("{path} was written while it was read without locks; try again").into(),
        ))
    }

    /// Takes a connection out of the pool, or opens one. A connection that is dropped and not given
    /// back is closed.
    pub(crate) fn take(&self) -> StoreResult<Connection> {
        let idle = self.idle.lock().pop();
        idle.map_or_else(|| self.open(), Ok)
    }

    /// Returns a connection to the pool.
    pub(crate) fn give_back(&self, conn: Connection) {
        let mut idle = self.idle.lock();
        if idle.len() < MAX_IDLE_READERS {
            idle.push(conn);
        }
    }

    /// Opens a connection outside of the pool.
    pub(crate) fn open(&self) -> StoreResult<Connection> {
        let opened = self.access.open(&self.path).map_err(store_error);
        let mut conn = opened.map_err(|error| self.unreadable(error))?;
        let prepared = prepare_connection(&mut conn, READER_CACHE_KIB).and_then(|()| {
            if !matches!(self.access, FileAccess::Shared) {
                schema::complete_for_reading(&conn)?;
            }
            conn.pragma_update(None, "query_only", true).map_err(store_error)
        });
        prepared.map_err(|error| self.unreadable(error))?;
        Ok(conn)
    }

    /// Says what to do about a file that may neither be written nor read.
    fn unreadable(&self, error: StoreError) -> StoreError {
        let is_refused = !matches!(self.access, FileAccess::Shared) && is_write_refused(&error);
        if !is_refused || !beside(&self.path, "-wal").exists() {
            return name_file(&self.path, error);
        }
        let path = self.path.display();
        StoreError::ReadOnly(
            format!(
                "{path} has a write-ahead log, {path}-wal, that this user cannot read here \
                 ({error}); without it the store would be read in an older state. Copy {path} and \
                 {path}-wal together to a folder of your own and read the copy, or have its \
                 owner end the programs that have it open"
            )
            .into(),
        )
    }

    /// Closes the idle connections.
    pub(crate) fn close(&self) {
        self.idle.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: OpenFlags =
        OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_CREATE);

    fn message(error: rusqlite::Error) -> String {
        match store_error(error) {
            StoreError::Failed(fault) => fault.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_full_disk_is_reported_and_keeps_the_rows_before() {
        let folder = tempfile::tempdir().unwrap();
        let conn = connect(&folder.path().join("full.db"), CREATE, 1_024).unwrap();
        prepare_file(&conn).unwrap();
        conn.execute_batch("CREATE TABLE filled (bytes BLOB); INSERT INTO filled VALUES (x'01')")
            .unwrap();
        // Simulates a disk with room for four pages.
        conn.pragma_update(None, "max_page_count", 4).unwrap();
        let full = conn.execute("INSERT INTO filled VALUES (zeroblob(1000000))", []).unwrap_err();
        assert!(message(full).contains("the disk is full"));
        let rows: i64 =
            conn.query_row("SELECT count(*) FROM filled", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_read_only_file_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("read.db");
        let writer = connect(&path, CREATE, 1_024).unwrap();
        writer.execute_batch("CREATE TABLE kept (number INTEGER)").unwrap();
        let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, 1_024).unwrap();
        let refused = conn.execute("INSERT INTO kept VALUES (1)", []).unwrap_err();
        assert!(message(refused).contains("read-only"));
        let readers = ReaderPool::new(path, FileAccess::Shared);
        let refused = readers.open().unwrap().execute("DELETE FROM kept", []).unwrap_err();
        assert!(message(refused).contains("read-only"));
    }

    #[test]
    fn a_word_in_double_quotes_is_a_name_and_never_a_text() {
        let conn =
            connect(Path::new(":memory:"), OpenFlags::SQLITE_OPEN_READ_WRITE, 1_024).unwrap();
        assert!(conn.prepare("SELECT \"no_such_column\"").is_err());
    }
}
