//! The jobs of all tenants, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::permits::Permit;
use crate::problem::Problem;

/// How long an ended job is kept, in microseconds: an hour.
const KEPT_MICROS: i64 = 3_600_000_000;
/// The ended jobs that a tenant keeps.
const KEPT_JOBS: usize = 50;
/// The bytes of the results that a tenant keeps.
const KEPT_BYTES: usize = 128 << 20;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobKind {
    /// Checks hashes, seals, tables, and indexes.
    Verification,
    /// Decides a run again, and compares the events.
    Replay,
    /// Compares the outputs of a run with those of another run.
    Comparison,
    /// Compares the outputs of a run with an export of another system.
    ExportComparison,
    /// Says how far a run is from the best possible, and records it.
    Challenge,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum JobStatus {
    /// It waits for its turn.
    Pending,
    /// It is worked on.
    Running,
    /// It has a result, which need not be a good one.
    Complete,
    /// It has no result; `failure` says why.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// The result of a job.
pub(crate) struct JobResult {
    /// The answer in one word, such as `whole`, `reproduced`, or `same`.
    pub(crate) answer: String,
    /// The result as JSON.
    pub(crate) json: Bytes,
}

/// How a job ended.
pub(crate) enum JobEnd {
    Result(JobResult),
    Failure(Problem),
    CancelledBy(String),
}

/// What a job has reached.
pub(crate) struct JobState {
    /// Whether its turn has come.
    has_begun: bool,
    /// What it does now.
    pub(crate) step: Option<&'static str>,
    /// The hundredths that are done.
    pub(crate) percent: u64,
    /// The moment of its end, and how it ended.
    pub(crate) end: Option<(Timestamp, JobEnd)>,
    /// Its place among the unfinished jobs of its caller, until it ends.
    place: Option<Permit>,
}

impl JobState {
    pub(crate) const fn status(&self) -> JobStatus {
        match &self.end {
            None if self.has_begun => JobStatus::Running,
            None => JobStatus::Pending,
            Some((_, JobEnd::Result(_))) => JobStatus::Complete,
            Some((_, JobEnd::Failure(_))) => JobStatus::Failed,
            Some((_, JobEnd::CancelledBy(_))) => JobStatus::Cancelled,
        }
    }

    /// The moment at which it is forgotten, if it has ended.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        let (at, _) = self.end.as_ref()?;
        Some(Timestamp::from_micros(at.micros() + KEPT_MICROS))
    }
}

/// A job.
pub(crate) struct Job {
    pub(crate) id: Uuid,
    pub(crate) kind: JobKind,
    /// The run that it is about; `None` for the whole store.
    pub(crate) run: Option<RunId>,
    pub(crate) requested_by: String,
    /// The token of the caller, by its id.
    pub(crate) token: Option<String>,
    pub(crate) requested_at: Timestamp,
    /// Cancelled when the job must end.
    pub(crate) stop: CancellationToken,
    state: Mutex<JobState>,
}

impl Job {
    /// A job that waits for its turn.
    pub(crate) fn new(
        (kind, run): (JobKind, Option<RunId>),
        requested_by: String,
        token: Option<String>,
        requested_at: Timestamp,
        place: Option<Permit>,
    ) -> Self {
        let state = JobState { has_begun: false, step: None, percent: 0, end: None, place };
        Self {
            id: Uuid::now_v7(),
            kind,
            run,
            requested_by,
            token,
            requested_at,
            stop: CancellationToken::new(),
            state: Mutex::new(state),
        }
    }

    /// Looks at what it has reached.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&JobState) -> T) -> T {
        look(&self.state.lock())
    }

    pub(crate) fn begin(&self) {
        self.state.lock().has_begun = true;
    }

    /// Notes what it does now, and how much is done.
    pub(crate) fn note_progress(&self, step: &'static str, done: u64, of: u64) {
        let mut state = self.state.lock();
        state.step = Some(step);
        state.percent = (done * 100).checked_div(of).unwrap_or(0).min(99);
    }

    /// Ends it, unless it has ended. Whoever reads of the end finds its place free.
    pub(crate) fn end(&self, at: Timestamp, end: JobEnd) -> bool {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return false;
        }
        if matches!(end, JobEnd::Result(_)) {
            state.percent = 100;
        }
        state.end = Some((at, end));
        state.place = None;
        self.stop.cancel();
        true
    }

    fn result_bytes(&self) -> usize {
        self.look(|state| match &state.end {
            Some((_, JobEnd::Result(result))) => result.json.len(),
            _ => 0,
        })
    }
}

/// The jobs of all tenants, the newest last.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<BTreeMap<String, Vec<Arc<Job>>>>);

impl Jobs {
    /// Adds a job, and forgets those that have expired.
    pub(crate) fn add(&self, tenant: &str, job: Arc<Job>, now: Timestamp) {
        let mut tenants = self.0.lock();
        tenants.values_mut().for_each(|jobs| forget(jobs, now));
        tenants.entry(tenant.to_owned()).or_default().push(job);
    }

    /// The jobs of a tenant, the newest first.
    pub(crate) fn of_tenant(&self, tenant: &str, now: Timestamp) -> Vec<Arc<Job>> {
        let mut tenants = self.0.lock();
        let Some(jobs) = tenants.get_mut(tenant) else { return Vec::new() };
        forget(jobs, now);
        jobs.iter().rev().cloned().collect()
    }

    pub(crate) fn find(&self, tenant: &str, id: Uuid, now: Timestamp) -> Option<Arc<Job>> {
        self.of_tenant(tenant, now).into_iter().find(|job| job.id == id)
    }
}

/// Forgets jobs that have expired, and the oldest ended ones beyond the limits.
fn forget(jobs: &mut Vec<Arc<Job>>, now: Timestamp) {
    let (mut kept, mut bytes) = (0, 0);
    let mut is_kept: Vec<bool> = Vec::with_capacity(jobs.len());
    for job in jobs.iter().rev() {
        let Some(expires) = job.look(JobState::expires_at) else {
            is_kept.push(true);
            continue;
        };
        kept += 1;
        bytes += job.result_bytes();
        is_kept.push(now < expires && kept <= KEPT_JOBS && (kept == 1 || bytes <= KEPT_BYTES));
    }
    let mut is_kept = is_kept.into_iter().rev();
    jobs.retain(|_| is_kept.next().unwrap_or(true));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(kind: JobKind) -> Job {
        Job::new((kind, None), "vera".to_owned(), None, Timestamp::from_micros(0), None)
    }

    fn ended(bytes: usize, at: i64) -> Arc<Job> {
        let job = waiting(JobKind::Replay);
        let json = Bytes::from(vec![b' '; bytes]);
        let result = JobResult { answer: "reproduced".to_owned(), json };
        assert!(job.end(Timestamp::from_micros(at), JobEnd::Result(result)));
        Arc::new(job)
    }

    #[test]
    fn a_job_expires_an_hour_after_its_end_and_an_unfinished_one_never() {
        let jobs = Jobs::default();
        let now = Timestamp::from_micros;
        let waiting = Arc::new(waiting(JobKind::Verification));
        jobs.add("one", Arc::clone(&waiting), now(0));
        let done = ended(1, 5);
        jobs.add("one", Arc::clone(&done), now(5));
        assert_eq!(jobs.of_tenant("one", now(KEPT_MICROS + 4)).len(), 2);
        assert!(jobs.find("one", done.id, now(KEPT_MICROS + 5)).is_none());
        assert!(jobs.find("one", waiting.id, now(KEPT_MICROS * 100)).is_some());
        assert!(jobs.find("other", waiting.id, now(0)).is_none());
    }

    #[test]
    fn the_oldest_results_make_room_and_the_newest_is_kept_whatever_its_size() {
        let jobs = Jobs::default();
        let now = Timestamp::from_micros(9);
        let old = ended(KEPT_BYTES / 2, 1);
        jobs.add("one", Arc::clone(&old), now);
        jobs.add("one", ended(KEPT_BYTES / 2, 2), now);
        assert!(jobs.find("one", old.id, now).is_some());
        let large = ended(KEPT_BYTES + 1, 3);
        jobs.add("one", Arc::clone(&large), now);
        let left: Vec<Uuid> = jobs.of_tenant("one", now).iter().map(|job| job.id).collect();
        assert_eq!(left, [large.id]);
        (0..KEPT_JOBS + 3).for_each(|at| jobs.add("other", ended(1, at as i64), now));
        assert_eq!(jobs.of_tenant("other", now).len(), KEPT_JOBS);
    }
}
