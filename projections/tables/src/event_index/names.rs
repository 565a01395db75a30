//! The events of many loans, or of many trades, while a run is recorded.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use powerfill_events::values::fold;

use super::versions::Rising;

/// The events of a loan or a trade.
#[derive(Debug, Default)]
pub(super) struct Postings {
    /// Events that name it and are not in `placed`.
    pub(super) named: Rising,
    /// For a loan, its placements, moves, releases, and kickout; for a trade, what fills it.
    pub(super) placed: Rising,
}

/// Loans or trades by name. Look-ups happen millions of times, so each spelling is folded only
/// once.
#[derive(Debug, Default)]
pub(super) struct Names {
    postings: Vec<Postings>,
    /// Positions in `postings`.
    by_spelling: HashMap<Box<str>, usize, RandomState>,
    by_folded: BTreeMap<String, usize>,
}

impl Names {
    /// The events of a loan or a trade.
    pub(super) fn of(&mut self, spelled: &str) -> &mut Postings {
        let at = match self.by_spelling.get(spelled) {
            Some(at) => *at,
            None => {
                let next = self.postings.len();
                let at = *self.by_folded.entry(fold(spelled)).or_insert(next);
                if at == next {
                    self.postings.push(Postings::default());
                }
                self.by_spelling.insert(spelled.into(), at);
                at
            }
        };
        &mut self.postings[at]
    }

    /// All events by folded name, in the order of the names.
    pub(super) fn into_folded(mut self) -> impl Iterator<Item = (String, Postings)> {
        let by_folded = self.by_folded.into_iter();
        by_folded.map(move |(name, at)| (name, std::mem::take(&mut self.postings[at])))
    }
}
