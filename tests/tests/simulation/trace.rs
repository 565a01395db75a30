//! The trace of a world, which its seed determines.

use std::collections::BTreeMap;
use std::fmt;

/// A process of the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ProcessName {
    pub(crate) role: &'static str,
    pub(crate) number: u64,
    /// Counts the processes of this role and number; a new one starts after each death.
    pub(crate) life: u64,
}

impl fmt::Display for ProcessName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}.{}", self.role, self.number, self.life))
    }
}

/// A call or a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceEntry {
    /// Milliseconds since the world began.
    pub(crate) at: u64,
    pub(crate) name: ProcessName,
    pub(crate) what: &'static str,
    /// The outcome.
    pub(crate) how: &'static str,
    pub(crate) answer: &'static str,
}

impl fmt::Display for TraceEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, name, what, how, answer } = self;
        write!(f, "{:>5}.{:03}  {name:<14} {what:<14} {how:<22} {answer}", at / 1000, at % 1000)
    }
}

/// Number of occurrences per situation.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct EventCounts(BTreeMap<&'static str, u64>);

impl EventCounts {
    pub(crate) fn add(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }
}

impl fmt::Display for EventCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, count)| writeln!(f, "{count:>9}  {what}"))
    }
}
