//! The story of a loan or of a trade (specification 3.4 `explain`).
//!
//! A story applies each event once, in order. It keeps what concerns its subject, and the fills of
//! the trades that the loan was a candidate for. So one pass over a long run explains a loan. The
//! result is typed, for programs; its `Display` is text for a desk.
//!
//! * [`StorySubject`]: the few events that a story needs
//! * [`LoanStory`] → [`LoanExplanation`]
//! * [`LoanStories`]: many loans at once, and the relation of each to one trade;
//!   [`OutcomeClause`] and [`RelationClause`] are their texts
//! * [`TradeStory`] → [`TradeExplanation`]
//! * [`TradePrices`]: what more room in a trade is worth
//! * [`LoanSummary`], [`TradeSummary`]: the text of an account for one screen; [`PairAccount`]: why
//!   a loan is, or is not, in a trade
//!
//! Stories come from a run's events and nothing else. [`LoanAccount`] and [`TradeAccount`] add what
//! no event carries: facts about the run's input, which the caller passes in as plain data.

#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod account;
mod answer;
mod clause;
mod facts_text;
mod ledger;
mod limit;
mod loan;
mod loan_stories;
mod loan_story;
mod loan_summary;
mod loan_text;
mod name_matcher;
mod pair;
mod prices;
mod screen;
mod step;
mod subject;
mod trade;
mod trade_history;
mod trade_story;
mod trade_summary;
mod trade_text;
mod verdict;
mod what_if_text;
mod words;

pub use account::{LoanAccount, TradeAccount};
pub use clause::{OutcomeClause, RelationClause};
pub use ledger::{FillingLoan, Moment};
pub use limit::{FullLimit, FullLimits};
pub use loan::{
    CandidateStory, FinalFill, LoanExplanation, LoanOutcome, Placement, RunInput, SyntheticStory,
};
pub use loan_stories::{LoanStories, TradeRelation};
pub use loan_story::LoanStory;
pub use loan_summary::LoanSummary;
pub use pair::{PairAccount, PairRelation};
pub use prices::{TradePrices, limit_name, price_words};
pub use step::LoanStep;
pub use subject::StorySubject;
pub use trade::{AbsentCandidate, LoanPlace, Shortage, TradeChange, TradeEntry, TradeExplanation};
pub use trade_story::TradeStory;
pub use trade_summary::TradeSummary;
pub use verdict::CandidateVerdict;
pub use what_if_text::change_kind_words;
pub use words::{points, thousands, usd};
