//! A small file of rows that only its owner can read: tokens and sessions. It is replaced whole, so
//! that every process of the folder sees a change at once, and none sees half of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::tokens::TokenError;

/// A row of such a file.
pub(crate) trait PrivateRow: Clone + Serialize + DeserializeOwned {
    /// The name of a row in the file.
    const KEY: &'static str;
    /// What writes the file.
    const WRITER: &'static str;
}

#[derive(Debug)]
pub(crate) struct PrivateFile<R> {
    path: PathBuf,
    loaded: Mutex<Option<(FileVersion, Arc<Vec<R>>)>>,
}

/// Time, length, and inode of the file; `None` without one.
type FileVersion = Option<(SystemTime, u64, u64)>;

impl<R: PrivateRow> PrivateFile<R> {
    /// The rows of this file, which need not exist yet.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), loaded: Mutex::new(None) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn fault(&self, what: impl std::fmt::Display) -> TokenError {
        TokenError::File { file: self.path.display().to_string(), what: what.to_string() }
    }

    fn version(&self) -> Result<FileVersion, TokenError> {
        match fs::metadata(&self.path) {
            Ok(metadata) => {
                let changed = metadata.modified().map_err(|error| self.fault(error))?;
                Ok(Some((changed, metadata.len(), inode(&metadata))))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// The rows. The file is read again if it was replaced.
    ///
    /// # Errors
    /// If the file cannot be read; then every request must be refused.
    pub(crate) fn all(&self) -> Result<Arc<Vec<R>>, TokenError> {
        let version = self.version()?;
        let mut loaded = self.loaded.lock();
        if let Some((before, rows)) = &*loaded
            && *before == version
        {
            return Ok(Arc::clone(rows));
        }
        let rows = Arc::new(self.load()?);
        *loaded = Some((version, Arc::clone(&rows)));
        Ok(rows)
    }

    fn load(&self) -> Result<Vec<R>, TokenError> {
        // The message of the parser would quote the text.
        let unreadable = || self.fault(format!("is not what {} writes", R::WRITER));
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.fault(error)),
        };
        let mut tables: BTreeMap<String, Vec<R>> =
            toml::from_str(&text).map_err(|_| unreadable())?;
        let rows = tables.remove(R::KEY).unwrap_or_default();
        if tables.is_empty() { Ok(rows) } else { Err(unreadable()) }
    }

    /// Changes the rows, while no other process does.
    ///
    /// # Errors
    /// If the file cannot be read or written, or `change` fails. Then it stays as it was.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<R>) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        let _lock = self.lock()?;
        let mut rows = self.load()?;
        let answer = change(&mut rows)?;
        self.write(&rows)?;
        Ok(answer)
    }

    /// Locks the rows against changes by other processes until the file is dropped.
    fn lock(&self) -> Result<fs::File, TokenError> {
        let lock = open_private(&with_suffix(&self.path, ".lock"));
        lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|error| self.fault(error))
    }

    /// Writes a new file that only its owner can read, and replaces the old one.
    fn write(&self, rows: &[R]) -> Result<(), TokenError> {
        let table = BTreeMap::from([(R::KEY, rows)]);
        let text = toml::to_string(&table).map_err(|error| self.fault(error))?;
        let partial = with_suffix(&self.path, ".partial");
        let written = open_private(&partial)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&partial, &self.path));
        written.map_err(|error| self.fault(error))
    }
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &fs::Metadata) -> u64 {
    0
}

/// The path with a suffix.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens a new file that only its owner can read.
fn open_private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Random bytes as hexadecimal digits.
pub(crate) fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut random = [0; BYTES];
    getrandom::fill(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether a text has this hash. Hashes compare in constant time.
pub(crate) fn has_hash(text: &str, hash: &str) -> bool {
    let given = blake3::hash(text.as_bytes());
    blake3::Hash::from_hex(hash).is_ok_and(|hash| hash == given)
}
