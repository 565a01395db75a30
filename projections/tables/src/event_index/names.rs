//! The events of many loans, or of many trades, while a run goes on.

use std::collections::{BTreeMap, HashMap};

use powerfill_events::values::fold;

use super::versions::Rising;

/// The events of a loan or a trade.
#[derive(Debug, Default)]
pub(super) struct Postings {
    /// All that name it, but for those of `placed`.
    pub(super) named: Rising,
    /// Of a loan, where it went; of a trade, what fills it.
    pub(super) placed: Rising,
}

/// Loans or trades, found by name: millions of times, so that a spelling is folded only when it
/// first comes.
#[derive(Debug, Default)]
pub(super) struct Names {
    postings: Vec<Postings>,
    /// Position in `postings`.
    by_spelling: HashMap<Box<str>, usize>,
    by_folded: BTreeMap<String, usize>,
}

impl Names {
    /// The events of this one.
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

    /// All of them by their folded names, in their order.
    pub(super) fn into_folded(mut self) -> impl Iterator<Item = (String, Postings)> {
        let by_folded = self.by_folded.into_iter();
        by_folded.map(move |(name, at)| (name, std::mem::take(&mut self.postings[at])))
    }
}
