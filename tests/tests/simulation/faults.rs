//! The outcomes of calls to the store, and the faults among them.

use crate::world::{LEASE, State};

/// Whether a call can be repeated when its answer is lost. The ports promise that after
/// "unavailable" a repetition is safe; a store that cannot know answers with another error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetrySafety {
    Safely,
    /// The store also recognizes a call that arrives after its own repetition.
    Recognized,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallOutcome {
    /// Done after `out` milliseconds, and answered after another `back`.
    Done {
        out: u64,
        back: u64,
    },
    /// The store does not receive it.
    Away,
    /// Done, and the answer is lost.
    Lost,
    /// Answered as unavailable, and done this many milliseconds later.
    Late(u64),
    /// The process dies before the store receives the call, after the store has done it, or this
    /// many milliseconds before the store does it.
    DiesBefore,
    DiesAfter,
    DiesWhile(u64),
    /// The whole process pauses for this many milliseconds before the call.
    Pauses(u64),
}

impl CallOutcome {
    pub(crate) fn how(self) -> &'static str {
        match self {
            Self::Done { out, back } if out + back > 1_000 => "hangs",
            Self::Done { .. } => "",
            Self::Away => "store away",
            Self::Lost => "answer lost",
            Self::Late(_) => "comes late",
            Self::DiesBefore => "dies before it",
            Self::DiesAfter => "dies after it",
            Self::DiesWhile(_) => "dies while it is done",
            Self::Pauses(_) => "pauses before it",
        }
    }
}

/// The faults, by the name under which they are counted.
pub(crate) const FAULTS: [&str; 14] = [
    "fault: a call hangs",
    "fault: a call hangs longer than a lease",
    "fault: the store is away",
    "fault: the store is away for long",
    "fault: an answer is lost",
    "fault: a call comes late",
    "fault: death before a call",
    "fault: death after a call",
    "fault: death while a call is done",
    "fault: a process dies",
    "fault: a process pauses",
    "fault: a clock jumps forward",
    "fault: a clock jumps backward",
    "fault: a subscriber restarts",
];

/// Draws the outcome of a call, and counts it.
pub(crate) fn draw_outcome(state: &mut State, name: &str, retry: RetrySafety) -> CallOutcome {
    let lease = LEASE.as_millis() as u64;
    let State { chance, counts, rarity, latency, calm, .. } = state;
    let quick =
        CallOutcome::Done { out: chance.in_range(0, *latency), back: chance.in_range(0, *latency) };
    // Idle workers make most of the calls.
    let weight = match name {
        "claim" => 8,
        "renew" => 2,
        _ => 1,
    };
    if *calm || !chance.one_in(*rarity * weight) {
        return quick;
    }
    let (name, fate) = match chance.in_range(0, 9) {
        0 => {
            let (out, back) = (chance.in_range(100, lease / 2), chance.in_range(0, lease / 2));
            ("fault: a call hangs", CallOutcome::Done { out, back })
        }
        1 => {
            let long = chance.in_range(lease, 4 * lease);
            let (out, back) = if chance.one_in(2) { (long, 1) } else { (1, long) };
            ("fault: a call hangs longer than a lease", CallOutcome::Done { out, back })
        }
        2 | 3 => ("fault: the store is away", CallOutcome::Away),
        4 => ("fault: an answer is lost", CallOutcome::Lost),
        5 if retry == RetrySafety::Recognized => {
            ("fault: a call comes late", CallOutcome::Late(chance.in_range(1, 2 * lease)))
        }
        5 => ("fault: an answer is lost", CallOutcome::Lost),
        6 => ("fault: death before a call", CallOutcome::DiesBefore),
        7 => ("fault: death after a call", CallOutcome::DiesAfter),
        8 => (
            "fault: death while a call is done",
            CallOutcome::DiesWhile(chance.in_range(1, 2 * lease)),
        ),
        _ => return CallOutcome::Pauses(chance.in_range(lease, 3 * lease)),
    };
    counts.add(name);
    fate
}
