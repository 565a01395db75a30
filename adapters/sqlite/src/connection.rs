//! Connections to the file: one that writes, on a thread of its own, and some that read.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use powerfill_ports::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use tokio::sync::oneshot;

/// How long a writer waits for another process's transaction, the longest of which is one append or one publish.
const BUSY: Duration = Duration::from_secs(30);
/// Of 4 to 64 KiB: up to here each doubling saved processor time for rows of some 500 bytes, beyond it hardly any
/// (`examples/append.rs`).
const PAGE_BYTES: u32 = 16_384;
/// Marks the file as PowerFill's: "PWRF".
pub(crate) const APPLICATION_ID: i32 = 0x5057_5246;
/// Readers beyond this many are closed when they are done.
const IDLE_READERS: usize = 8;

/// What SQLite says, in a store's terms.
pub(crate) fn fault(error: rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match &error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                StoreError::Unavailable(format!("another process is writing: {text}"))
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(text),
            ErrorCode::DiskFull => StoreError::Failed(format!("the disk is full: {text}")),
            ErrorCode::ReadOnly => StoreError::Failed(format!("the file is read-only: {text}")),
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                StoreError::Failed(format!("the file cannot be opened: {text}"))
            }
            // The index of the log beside the file cannot grow: SQLite says no more than that.
            ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
                StoreError::Failed(format!(
                    "writing beside the file failed; the disk is full: {text}"
                ))
            }
            ErrorCode::SystemIoFailure => {
                StoreError::Failed(format!("reading or writing the file failed: {text}"))
            }
            _ => StoreError::Failed(text),
        },
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => StoreError::Corrupt(text),
        _ => StoreError::Failed(text),
    }
}

/// Opens the file and sets what every connection needs.
pub(crate) fn connect(
    path: &Path,
    flags: OpenFlags,
    cache_kib: i64,
) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| match fault(error) {
        StoreError::Failed(text) => StoreError::Failed(format!("{}: {text}", path.display())),
        other => other,
    })?;
    let set = |name: &str, value: &dyn rusqlite::ToSql| {
        conn.pragma_update(None, name, value).map_err(fault)
    };
    conn.busy_timeout(BUSY).map_err(fault)?;
    // A commit is on the disk before it is answered.
    set("synchronous", &"FULL")?;
    set("cache_size", &-cache_kib)?;
    set("temp_store", &"MEMORY")?;
    // Renaming an output table must not read every statement of the schema again.
    set("legacy_alter_table", &true)?;
    set("trusted_schema", &false)?;
    // A misspelled column must be an error, not a text.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).map_err(fault)?;
    conn.set_prepared_statement_cache_capacity(256);
    Ok(conn)
}

/// Makes the file a write-ahead-logged database, where it is not one yet.
pub(crate) fn prepare_file(conn: &Connection) -> Result<(), StoreError> {
    conn.pragma_update(None, "page_size", PAGE_BYTES).map_err(fault)?;
    let mode: String =
        conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(fault)?;
    if mode != "wal" {
        return Err(StoreError::Failed(format!("the file cannot have a write-ahead log ({mode})")));
    }
    Ok(())
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The one connection that writes, on its own thread: callers prepare the next batch while it binds this one.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Gives the connection a thread.
    pub(crate) fn start(mut conn: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                while let Ok(job) = queue.recv() {
                    job(&mut conn);
                }
            })
            .map_err(|error| StoreError::Failed(format!("no thread for the writer: {error}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs on the writer's thread, after what was given to it before.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            // A caller that went away does not undo what it asked for.
            let _ = answer.send(work(conn));
        });
        let gone = || StoreError::Failed("the writer's thread has ended".to_owned());
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    /// Finishes what was asked for and closes the connection, which moves the log into the file.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) =
            self.thread.take().filter(|t| t.thread().id() != std::thread::current().id())
        {
            let _ = thread.join();
        }
    }
}

/// Connections that read, kept while idle.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// None yet.
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    /// One to read with; give it back when done. One that is dropped instead is closed.
    pub(crate) fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.open(), Ok)
    }

    /// For the next one who reads.
    pub(crate) fn give_back(&self, conn: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(conn);
        }
    }

    /// A new one, outside of the pool.
    pub(crate) fn open(&self) -> Result<Connection, StoreError> {
        let conn = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE, 8 * 1024)?;
        conn.pragma_update(None, "query_only", true).map_err(fault)?;
        Ok(conn)
    }

    /// Closes those that are idle.
    pub(crate) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(error: rusqlite::Error) -> String {
        match fault(error) {
            StoreError::Failed(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_full_disk_says_so_and_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let conn = connect(&folder.path().join("full.db"), flags, 1_024).unwrap();
        prepare_file(&conn).unwrap();
        conn.execute_batch("CREATE TABLE filled (bytes BLOB); INSERT INTO filled VALUES (x'01')")
            .unwrap();
        // As a disk with room for four pages.
        conn.pragma_update(None, "max_page_count", 4).unwrap();
        let full = conn.execute("INSERT INTO filled VALUES (zeroblob(1000000))", []).unwrap_err();
        assert!(message(full).contains("the disk is full"));
        let rows: i64 =
            conn.query_row("SELECT count(*) FROM filled", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_file_that_may_only_be_read_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("read.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let writer = connect(&path, flags, 1_024).unwrap();
        writer.execute_batch("CREATE TABLE kept (number INTEGER)").unwrap();
        let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, 1_024).unwrap();
        let refused = conn.execute("INSERT INTO kept VALUES (1)", []).unwrap_err();
        assert!(message(refused).contains("read-only"));
        let readers = Readers::new(path);
        let refused = readers.open().unwrap().execute("DELETE FROM kept", []).unwrap_err();
        assert!(message(refused).contains("read-only"));
    }

    #[test]
    fn a_word_in_quotes_is_a_name_and_never_a_text() {
        let conn =
            connect(Path::new(":memory:"), OpenFlags::SQLITE_OPEN_READ_WRITE, 1_024).unwrap();
        assert!(conn.prepare("SELECT \"no_such_column\"").is_err());
    }
}
