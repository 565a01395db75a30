//! The whole story of a loan, or of a trade (specification 3.4 `explain`).
//!
//! A story takes every event once, in order, and keeps what concerns its subject and how full the
//! trades were that it could have gone to, so that one loan of a long run is explained in one pass.
//! What comes out is typed, for programs; its `Display` tells it in the words of a desk.
//!
//! * [`StorySubject`]: the few events that a story needs
//! * [`LoanStory`] → [`LoanExplanation`]
//! * [`LoanStories`]: many loans at once, and how each stands to one trade; [`OutcomeClause`] and [`RelationClause`]
//!   say it shortly
//! * [`TradeStory`] → [`TradeExplanation`]
//!
//! These are from a run's events and nothing else. [`LoanAccount`] and [`TradeAccount`] tell them
//! together with what no event carries: what the engine says of the run's input, handed in as plain
//! values.

mod about;
mod account;
mod brief;
mod facts_text;
mod ledger;
mod loan;
mod loan_story;
mod loan_text;
mod trade;
mod trade_text;
mod turned_away;
mod verdict;
mod what_if_text;
mod words;

pub use about::StorySubject;
pub use account::{LoanAccount, TradeAccount};
pub use brief::{OutcomeClause, RelationClause};
pub use ledger::FillingLoan;
pub use loan::{
    CandidateStory, FinalFill, LoanExplanation, LoanOutcome, LoanStep, Placement, RunInput,
    SyntheticStory,
};
pub use loan_story::{LoanStories, LoanStory, TradeRelation};
pub use trade::{
    AbsentCandidate, LoanPlace, Shortage, TradeChange, TradeEntry, TradeExplanation, TradeStory,
};
pub use verdict::{CandidateVerdict, FullLimit};
pub use what_if_text::change_kind_words;
pub use words::{points, usd};

use powerfill_events::values::fold;

/// A name that someone asked for, in whatever case; recognised without allocating for the names
/// that are plain ASCII.
#[derive(Debug, Clone)]
pub(crate) struct NameMatcher {
    folded: String,
}

impl NameMatcher {
    fn new(spelled: &str) -> Self {
        Self { folded: fold(spelled) }
    }

    /// Names in events have no trailing blanks (1.1).
    fn is(&self, name: &str) -> bool {
        if name.is_ascii() {
            name.eq_ignore_ascii_case(&self.folded)
        } else {
            fold(name) == self.folded
        }
    }
}
