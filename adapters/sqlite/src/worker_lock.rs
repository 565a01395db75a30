//! Detects whether a run's worker is alive. A process that is killed leaves its lease behind, and
//! the tenant would have to wait until the lease ends (4.4). Therefore a worker holds a lock of the
//! operating system on a file beside the database, which ends with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;

use parking_lot::Mutex;

/// The lock of this store's process.
pub(crate) struct WorkerLock {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

/// The result of an attempt to take the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockAttempt {
    /// No other process has the lock: the worker that had it before is dead or done.
    Acquired,
    /// This store has the lock already, which says nothing about other workers.
    AlreadyOwned,
    /// A living process has the lock. A file system without locks counts as this, too.
    Refused,
}

impl WorkerLock {
    /// The lock on this file, not taken yet.
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, file: Mutex::new(None) }
    }

    /// Tries to take the lock without waiting.
    pub(crate) fn take(&self) -> LockAttempt {
        let mut owned = self.file.lock();
        if owned.is_some() {
            return LockAttempt::AlreadyOwned;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path);
        let Ok(file) = file else { return LockAttempt::Refused };
        match file.try_lock() {
            Ok(()) => {
                *owned = Some(file);
                LockAttempt::Acquired
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => LockAttempt::Refused,
        }
    }

    /// Releases the lock, if this store has it.
    pub(crate) fn release(&self) {
        *self.file.lock() = None;
    }
}
