//! Ids and moments as people read them.

use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;

/// The characters of a short id: the time and a little more, because ids begin with the time.
const SHORT_ID: usize = 13;

/// The beginning of a run's id, which finds the run.
pub(crate) fn short_id(run: RunId) -> String {
    run.to_string().chars().take(SHORT_ID).collect()
}

/// `2026-01-15 10:00` of a moment.
pub(crate) fn minutes(at: Timestamp) -> String {
    first(at, 16)
}

/// `2026-01-15 10:00:00 UTC` of a moment.
pub(crate) fn seconds(at: Timestamp) -> String {
    first(at, 19) + " UTC"
}

fn first(at: Timestamp, characters: usize) -> String {
    at.to_string().chars().take(characters).collect::<String>().replace('T', " ")
}
