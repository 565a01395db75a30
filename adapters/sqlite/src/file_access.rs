//! How a connection that only reads opens a database file, also where nothing can be written: on a
//! read-only file system, in a folder of another user.
//!
//! SQLite writes beside a database with a write-ahead log even to read it. Where that is impossible
//! or unwanted, and no process has the database open, it is read without locks and without files
//! beside it. Whoever does so must check afterwards that nothing was written meanwhile.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// The VFS of SQLite that takes no locks.
const VFS_WITHOUT_LOCKS: &str = if cfg!(windows) { "win32-none" } else { "unix-none" };
/// The byte of a database's header that is 2 if the database has a write-ahead log.
const READ_VERSION: usize = 19;

/// How connections that read open a file.
#[derive(Debug, Clone)]
pub(crate) enum FileAccess {
    /// With the right to write, as the connection that writes.
    Shared,
    /// Without the right to write. SQLite's locks order readers and writers.
    ReadOnly,
    /// Without locks: no process had the file open.
    Frozen(FileState),
}

/// What a write would change: size and last modification of the database, and of its write-ahead
/// log, if that has content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileState {
    database: Option<(u64, SystemTime)>,
    log: Option<(u64, SystemTime)>,
}

impl FileState {
    fn of(path: &Path) -> Self {
        let stamp = |path: &Path| {
            let metadata = fs::metadata(path).ok().filter(|metadata| metadata.len() > 0)?;
            Some((metadata.len(), metadata.modified().ok()?))
        };
        Self { database: stamp(path), log: stamp(&beside(path, "-wal")) }
    }
}

impl FileAccess {
    /// How to read this file without writing anything.
    pub(crate) fn for_reading(path: &Path) -> Self {
        // Taken first, so that no later write stays unseen.
        let state = FileState::of(path);
        let is_open = beside(path, "-wal").exists() && beside(path, "-shm").exists();
        if is_open || !has_write_ahead_log(path) { Self::ReadOnly } else { Self::Frozen(state) }
    }

    /// Opens a connection. The file is not read yet.
    pub(crate) fn open(&self, path: &Path) -> rusqlite::Result<Connection> {
        let (read_only, uri) = (OpenFlags::SQLITE_OPEN_READ_ONLY, OpenFlags::SQLITE_OPEN_URI);
        let open = |location: &Path, flags| {
            Connection::open_with_flags(location, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        };
        match self {
            Self::Shared => open(path, OpenFlags::SQLITE_OPEN_READ_WRITE),
            Self::ReadOnly => open(path, read_only),
            Self::Frozen(FileState { log: None, .. }) => {
                open(&file_uri(path, "immutable=1"), read_only | uri)
            }
            Self::Frozen(_) => {
                let parameter = format!("vfs={VFS_WITHOUT_LOCKS}");
                let conn = open(&file_uri(path, &parameter), read_only | uri)?;
                conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
                // The index of the write-ahead log is in memory then, and not in a file.
                conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
                Ok(conn)
            }
        }
    }

    /// Whether what was read is one state of the file. If it is not frozen, SQLite cares for that.
    pub(crate) fn is_unchanged(&self, path: &Path) -> bool {
        match self {
            Self::Shared | Self::ReadOnly => true,
            Self::Frozen(state) => *state == FileState::of(path),
        }
    }

    pub(crate) const fn is_frozen(&self) -> bool {
        matches!(self, Self::Frozen(_))
    }
}

/// A file that SQLite keeps beside a database.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn has_write_ahead_log(path: &Path) -> bool {
    let mut header = [0; READ_VERSION + 1];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header[READ_VERSION] == 2
}

/// The URI of a file, with a parameter of SQLite.
fn file_uri(path: &Path, parameter: &str) -> PathBuf {
    let mut uri = String::from("file:");
    if path.is_absolute() {
        uri.push_str(if cfg!(windows) { "///" } else { "//" });
    }
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            b'\\' | b':' if cfg!(windows) => uri.push(if *byte == b':' { ':' } else { '/' }),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    format!("{uri}?{parameter}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(conn: &Connection) -> i64 {
        conn.query_row("SELECT count(*) FROM kept", [], |row| row.get(0)).unwrap()
    }

    /// A database with a write-ahead log that has a row which is only in the log.
    fn database(path: &Path) -> Connection {
        let conn = Connection::open(path).unwrap();
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE kept (number INTEGER);
             PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO kept VALUES (1)",
        )
        .unwrap();
        conn
    }

    #[test]
    fn a_file_with_any_name_is_read_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let original = folder.path().join("original.db");
        let writer = database(&original);
        // As a copy of both files, which has no index of the log.
        for name in ["plain.db", "100% ? #1 & ü.db"] {
            let path = folder.path().join(name);
            fs::copy(&original, &path).unwrap();
            fs::copy(beside(&original, "-wal"), beside(&path, "-wal")).unwrap();
            let before = fs::read_dir(folder.path()).unwrap().count();
            let access = FileAccess::for_reading(&path);
            assert!(access.is_frozen());
            assert_eq!(rows(&access.open(&path).unwrap()), 1);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before, "{name}");
            assert!(access.is_unchanged(&path));

            fs::remove_file(beside(&path, "-wal")).unwrap();
            assert!(!access.is_unchanged(&path));
            let access = FileAccess::for_reading(&path);
            assert_eq!(rows(&access.open(&path).unwrap()), 0);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before - 1, "{name}");
        }
        drop(writer);
    }

    #[test]
    fn a_write_after_the_first_look_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        drop(database(&path));
        let access = FileAccess::for_reading(&path);
        assert!(access.is_frozen() && access.is_unchanged(&path));
        let writer = Connection::open(&path).unwrap();
        // A process that only opens the database changes nothing.
        assert_eq!(rows(&writer), 1);
        assert!(access.is_unchanged(&path));
        writer.execute("INSERT INTO kept VALUES (2)", []).unwrap();
        assert!(!access.is_unchanged(&path));
        // While it has the database open, SQLite's locks are used.
        let access = FileAccess::for_reading(&path);
        assert!(matches!(access, FileAccess::ReadOnly));
        assert_eq!(rows(&access.open(&path).unwrap()), 2);
    }
}
