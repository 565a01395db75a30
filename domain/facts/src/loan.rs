//! What the input says about one loan.

use powerfill_events::values::{Day, LoanId, Money, Rate};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{NodeFacts, ParticipationFacts, PoolFacts, RejectedPair};

/// What the input says about a loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoanFacts {
    /// As its table spells it.
    pub loan_id: LoanId,
    /// Its status.
    pub curr_status: String,
    /// Its amount.
    pub loan_amount: Money,
    /// Per cent.
    pub note_rate: Rate,
    /// NULL where it has none.
    #[schemars(with = "Option<String>")]
    pub term_months: Option<Decimal>,
    /// When it closed, or will.
    pub close_date: Option<Day>,
    /// When its lock expires.
    pub lock_expiration_date: Option<Day>,
    /// Its eligibility date (2.1): the first of these two that is there.
    pub deliverable_on: Option<Day>,
    /// The pool that it is in.
    pub pool: Option<PoolFacts>,
    /// Whether it takes part.
    pub participation: ParticipationFacts,
    /// Every walkable node, in walk order, whether the loan takes part or not.
    pub nodes: Vec<NodeFacts>,
    /// Pairs with included trades that are no candidates, by trade; none where the loan is not
    /// eligible.
    pub rejections: Vec<RejectedPair>,
}
