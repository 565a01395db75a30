//! Positions and page sizes that requests give.

use futures::TryStreamExt;
use powerfill_ports::events::EventBatches;
use serde::Deserialize;

use crate::problem::{ApiResult, Problem, ProblemKind};

/// A position in the log, or a version of a stream.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct Position(pub(crate) u64);

impl TryFrom<u64> for Position {
    type Error = &'static str;
    fn try_from(position: u64) -> Result<Self, Self::Error> {
        match i64::try_from(position) {
            Ok(_) => Ok(Self(position)),
            Err(_) => Err("no log is as long"),
        }
    }
}

/// Refuses a position after the last event. A client that has it remembers another log: that of
/// another store or tenant, or this one before it was set back to a backup.
pub(crate) fn ensure_reached(Position(after): Position, head: u64) -> ApiResult<()> {
    if after <= head {
        return Ok(());
    }
    let detail = format!(
        "The last event is {head}, and events after {after} were asked for: this position is not \
         of this log. Was the store restored from a backup, or is this another one? Begin again \
         with after=0, and drop what was made of events that this log does not have."
    );
    Err(Problem::new(ProblemKind::PositionAhead, detail).with("head", head))
}

/// Refuses a position whose event has another hash than the one that the client received.
pub(crate) async fn ensure_same_event<'a>(
    read_after: impl FnOnce(u64) -> EventBatches<'a>,
    Position(after): Position,
    hash: Option<&str>,
) -> ApiResult<()> {
    let Some(hash) = hash else { return Ok(()) };
    let Some(before) = after.checked_sub(1) else {
        return Err(Problem::bad("after_hash is the hash of the event at `after`; give both."));
    };
    let batch = read_after(before).try_next().await?;
    let event = batch.and_then(|batch| batch.into_iter().next());
    if event.is_some_and(|event| event.hash.to_string().eq_ignore_ascii_case(hash)) {
        return Ok(());
    }
    let detail = format!(
        "Event {after} of this log has another hash: the position is of another log. Was the \
         store restored from a backup, or is this another one? Begin again with after=0, and drop \
         what was made of events that this log does not have."
    );
    Err(Problem::new(ProblemKind::AnotherLog, detail))
}

/// The size of a page: `usual` if the request has no limit.
pub(crate) fn page_size(limit: Option<usize>, usual: usize, most: usize) -> ApiResult<usize> {
    match limit.unwrap_or(usual) {
        size if (1..=most).contains(&size) => Ok(size),
        size => Err(Problem::bad(format!("limit is {size}; it may be 1 to {most}."))),
    }
}
