//! Verifies a store: the hash chains and seals, and everything that is kept beside the events
//! against the events (specification 3.4).

mod kept;
mod since;
mod tables;

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use powerfill_events::run::RunId;
use powerfill_ports::detached_block::HashCheck;
use powerfill_ports::events::{Damage, Verification};
use powerfill_ports::{Store, StoreError};
use powerfill_tables::tables::{Projectors, projectors};

pub use since::{IncrementalReport, seal_difference, verify_incrementally, verify_since};

use crate::{AppError, AppResult};

/// A finished verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// The checked events, appends, and snapshots, and the first damage.
    pub log: Verification,
    /// The run whose outputs are shown, if they were compared.
    pub published: Option<RunId>,
    /// The number of rows that were compared with a rebuild; of a table without stored rows, the
    /// rebuilt ones, whose digest was compared with the recorded one.
    pub rows: u64,
    /// The number of index entries that were compared with the events.
    pub index_entries: u64,
    /// The first difference between the events and what is kept beside them.
    pub difference: Option<String>,
}

impl VerifyReport {
    /// The report of a log with which nothing was compared yet.
    const fn of_log(log: Verification) -> Self {
        Self { log, published: None, rows: 0, index_entries: 0, difference: None }
    }

    /// Whether there is neither damage nor a difference.
    pub const fn is_clean(&self) -> bool {
        self.log.damage.is_none() && self.difference.is_none()
    }

    /// The first damage of the log.
    pub const fn damage(&self) -> Option<&Damage> {
        self.log.damage.as_ref()
    }
}

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyProgress {
    /// All hashes and seals were computed again.
    LogVerified,
    /// So many runs were compared with their events.
    Runs {
        /// The runs that were compared.
        done: u64,
        /// All of them.
        of: u64,
    },
}

/// Observes a verification.
pub type VerifyObserver<'a> = &'a (dyn Fn(VerifyProgress) + Sync);

/// Verifies the whole store, or one run of it. If the log is damaged, nothing is compared with it.
///
/// # Errors
/// [`StoreError::NotFound`] if the run has no events; the store fails. Damage and differences are
/// results.
pub async fn verify(store: &dyn Store, only: Option<RunId>) -> AppResult<VerifyReport> {
    verify_all(store, only, projectors, &|_| {}).await
}

/// As [`verify`], with its progress.
///
/// # Errors
/// As for [`verify`].
pub async fn verify_observed(
    store: &dyn Store,
    only: Option<RunId>,
    observer: VerifyObserver<'_>,
) -> AppResult<VerifyReport> {
    verify_all(store, only, projectors, observer).await
}

/// As [`verify`], for any set of tables.
///
/// # Errors
/// As for [`verify`].
pub async fn verify_with(
    store: &dyn Store,
    only: Option<RunId>,
    projectors: Projectors,
) -> AppResult<VerifyReport> {
    verify_all(store, only, projectors, &|_| {}).await
}

async fn verify_all(
    store: &dyn Store,
    only: Option<RunId>,
    projectors: Projectors,
    observer: VerifyObserver<'_>,
) -> AppResult<VerifyReport> {
    let log = store.verify(only.map(|run| run.stream()).as_deref()).await?;
    let mut report = VerifyReport::of_log(log);
    if report.log.damage.is_none() {
        observer(VerifyProgress::LogVerified);
        let hashes = HashCheck::Elsewhere;
        let comparer = Comparer { store, threads: None, projectors, hashes, observer };
        let is_chosen = |run| only.is_none_or(|only| only == run);
        comparer.compare(&is_chosen, only.is_none(), &mut report).await?;
    }
    Ok(report)
}

/// As [`verify`] of the whole store, on all cores: the log is verified while runs are compared with
/// their events.
///
/// # Errors
/// As for [`verify`].
pub async fn verify_in_parallel(
    store: &Arc<dyn Store>,
    observer: VerifyObserver<'_>,
) -> AppResult<VerifyReport> {
    let log = async {
        let store = Arc::clone(store);
        let verified = tokio::spawn(async move { store.verify(None).await }).await;
        observer(VerifyProgress::LogVerified);
        verified.map_err(|panic| AppError::Panicked(panic.to_string()))?.map_err(AppError::from)
    };
    let compared = async {
        let mut report = VerifyReport::of_log(Verification::default());
        let comparer = Comparer::new(store, Workers::AllCores, HashCheck::Elsewhere, observer);
        comparer.compare(&|_| true, true, &mut report).await.map(|()| report)
    };
    let (log, compared) = tokio::join!(log, compared);
    let log = log?;
    if log.damage.is_some() {
        return Ok(VerifyReport::of_log(log));
    }
    Ok(VerifyReport { log, ..compared? })
}

/// How many runs or streams are verified at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// One after the other, so that other work goes on.
    One,
    /// As many as there are cores.
    AllCores,
}

impl Workers {
    fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::AllCores => available_parallelism().map_or(1, NonZero::get),
        }
    }
}

/// Compares what is kept beside the events with them.
struct Comparer<'a> {
    store: &'a dyn Store,
    /// The same store, if runs are compared on threads of their own.
    threads: Option<Arc<dyn Store>>,
    projectors: Projectors,
    /// Whether the log of the compared runs is verified too.
    hashes: HashCheck,
    observer: VerifyObserver<'a>,
}

impl<'a> Comparer<'a> {
    fn new(
        store: &'a Arc<dyn Store>,
        workers: Workers,
        hashes: HashCheck,
        observer: VerifyObserver<'a>,
    ) -> Self {
        let threads = (workers == Workers::AllCores).then(|| Arc::clone(store));
        Self { store: store.as_ref(), threads, projectors, hashes, observer }
    }

    /// Compares the chosen runs. Damage is a difference.
    async fn compare(
        &self,
        is_chosen: &(dyn Fn(RunId) -> bool + Sync),
        refuses_strays: bool,
        report: &mut VerifyReport,
    ) -> AppResult<()> {
        match self.compare_kept(is_chosen, refuses_strays, report).await {
            Err(AppError::Store(StoreError::Corrupt(fault))) => {
                report.difference = Some(fault.to_string());
                Ok(())
            }
            compared => compared,
        }
    }
}
