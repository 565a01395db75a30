//! Tells whether a run's worker still lives. A process that is killed leaves its lease behind, and the tenant would
//! have to wait until it ends (4.4). The worker therefore holds a lock of the operating system on a file beside the
//! database, which no death can leave behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The lock of this store's process.
pub(crate) struct WorkerLock {
    path: PathBuf,
    held: Mutex<Option<File>>,
}

/// What an attempt to take the lock came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Nobody held it: whoever had it before is dead, or done.
    Now,
    /// This store has held it already, which says nothing about others.
    Before,
    /// A living process holds it; or the file system has no locks, which must count the same.
    No,
}

impl WorkerLock {
    /// Not held yet.
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, held: Mutex::new(None) }
    }

    /// Tries to hold it, without waiting.
    pub(crate) fn take(&self) -> Taken {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return Taken::Before;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path);
        let Ok(file) = file else { return Taken::No };
        match file.try_lock() {
            Ok(()) => {
                *held = Some(file);
                Taken::Now
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => Taken::No,
        }
    }

    /// Lets it go, where it is held.
    pub(crate) fn release(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
