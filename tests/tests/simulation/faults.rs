//! What becomes of a call to the store.

use crate::world::{LEASE, State};

/// Whether the same call may be made again when its answer is lost: the ports promise that a store which answers
/// "unavailable" has done nothing, or what may be done twice; where it cannot know, it answers otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeated {
    Safely,
    /// And one that is still on its way when the next one comes is recognised too.
    Recognised,
    Never,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Done after a while, and answered after another.
    Done {
        out: u64,
        back: u64,
    },
    /// The store does not hear it.
    Away,
    /// The store does it, and its answer is lost.
    Lost,
    /// Answered as unavailable while it is on its way, and done so much later.
    Late(u64),
    /// The process dies before the store hears it, after it has done it, or so much before it does it.
    DiesBefore,
    DiesAfter,
    DiesWhile(u64),
    /// The whole process stands still for so long, with the call on its lips.
    StandsStill(u64),
}

impl Fate {
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
            Self::StandsStill(_) => "stands still before it",
        }
    }
}

/// Every kind of fault by the name that it is counted under.
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
    "fault: a process stands still",
    "fault: a clock jumps forward",
    "fault: a clock jumps backward",
    "fault: a subscriber begins anew",
];

/// What becomes of the next call, and under which name it is counted.
pub(crate) fn fate(state: &mut State, name: &str, repeated: Repeated) -> Fate {
    let lease = LEASE.as_millis() as u64;
    let State { chance, counts, rarity, latency, calm, .. } = state;
    let quick =
        Fate::Done { out: chance.in_range(0, *latency), back: chance.in_range(0, *latency) };
    // Whoever waits for something to do makes most of the calls.
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
            ("fault: a call hangs", Fate::Done { out, back })
        }
        1 => {
            let long = chance.in_range(lease, 4 * lease);
            let (out, back) = if chance.one_in(2) { (long, 1) } else { (1, long) };
            ("fault: a call hangs longer than a lease", Fate::Done { out, back })
        }
        2 | 3 => ("fault: the store is away", Fate::Away),
        4 => ("fault: an answer is lost", Fate::Lost),
        5 if repeated == Repeated::Recognised => {
            ("fault: a call comes late", Fate::Late(chance.in_range(1, 2 * lease)))
        }
        5 => ("fault: an answer is lost", Fate::Lost),
        6 => ("fault: death before a call", Fate::DiesBefore),
        7 => ("fault: death after a call", Fate::DiesAfter),
        8 => ("fault: death while a call is done", Fate::DiesWhile(chance.in_range(1, 2 * lease))),
        _ => return Fate::StandsStill(chance.in_range(lease, 3 * lease)),
    };
    counts.add(name);
    fate
}
