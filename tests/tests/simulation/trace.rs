//! What happened in a world, in order: the same for the same seed.

use std::collections::BTreeMap;
use std::fmt;

/// A process of the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Who {
    pub(crate) role: &'static str,
    pub(crate) number: u64,
    /// It begins anew after each death.
    pub(crate) life: u64,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}.{}", self.role, self.number, self.life))
    }
}

/// A thing that happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Milliseconds since the world began.
    pub(crate) at: u64,
    pub(crate) who: Who,
    pub(crate) what: &'static str,
    /// What became of it.
    pub(crate) how: &'static str,
    pub(crate) answer: &'static str,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, who, what, how, answer } = self;
        write!(f, "{:>5}.{:03}  {who:<14} {what:<14} {how:<22} {answer}", at / 1000, at % 1000)
    }
}

/// How often something happened, by its name.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
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

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, count)| writeln!(f, "{count:>9}  {what}"))
    }
}
