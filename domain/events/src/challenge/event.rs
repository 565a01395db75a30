//! What a challenge of a run found. Field names and spellings are the published schema: a version
//! that was written never changes.

use std::sync::Arc;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::log::{Upcaster, event_types};
use crate::run::RunId;
use crate::run::event::Node;
use crate::values::{LoanId, Money, Price, TradeId};

/// The upcasters of an event. Every event has its first version.
const fn upcasters(_: ChallengeEventType) -> &'static [Upcaster] {
    &[]
}

event_types! {
    /// An event of the stream of a challenge.
    ChallengeEvent,
    /// The type of an event of a challenge, by its name.
    ChallengeEventType,
    /// The groups of a challenge's events.
    ChallengeEventGroup,
    challenge_event_pattern in challenge, upcast by upcasters;

    Request {
        /// A challenge of a run was requested.
        ChallengeRequested(Box<ChallengeRequested>),
    }
    Bound {
        /// One per trade, limit, or turn with a price above 0.
        ShadowPriceFound(Box<ShadowPriceFound>),
        /// No allocation of the run's candidates is worth more.
        BoundCertified(Box<BoundCertified>),
    }
    Allocation {
        /// One per loan that the challenger places in another trade than the run, or that the run
        /// kicked out.
        ChallengerPlaced(Box<ChallengerPlaced>),
        /// One per loan that the run placed and the challenger does not.
        ChallengerReleased(Box<ChallengerReleased>),
        /// The checker that does not see the search found no violation.
        ChallengerVerified(Box<ChallengerVerified>),
    }
    Completion {
        /// The challenge is complete.
        ChallengeCompleted(Box<ChallengeCompleted>),
    }
}

/// What a placement is worth, beside its score (10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengeWeights {
    /// Points for a placement at all.
    pub placement: Price,
    /// Points for a loan that stays in the trade of its present pool.
    pub stay: Price,
    /// Dollars per loan that is placed.
    pub per_loan: Money,
}

impl Default for ChallengeWeights {
    fn default() -> Self {
        Self {
            placement: Price::whole(2),
            stay: Price::from_units(Price::ONE_UNITS / 8),
            per_loan: Money::whole(1000),
        }
    }
}

/// See [`ChallengeEvent::ChallengeRequested`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengeRequested {
    /// The run.
    #[schemars(with = "uuid::Uuid")]
    pub run_id: RunId,
    /// The digest of the run's snapshot.
    pub snapshot_digest: String,
    /// The program that computes.
    pub engine_version: String,
    /// What a placement is worth.
    pub weights: ChallengeWeights,
    /// The steps of the search; 0 for a certificate, which has no search.
    pub steps: u64,
    /// The seed of the search, 16 hexadecimal digits.
    pub seed: String,
    /// Who asked.
    pub requested_by: String,
}

/// What a shadow price is the price of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PriceSubject {
    /// The room of a trade.
    Trade {
        /// The trade.
        trade_id: TradeId,
    },
    /// The room under the upper limit of a node in a trade.
    Block {
        /// The node.
        node: Arc<Node>,
        /// The trade.
        trade_id: TradeId,
    },
    /// The priority of the turns up to this one.
    Turn {
        /// Its number, from 1.
        turn: u32,
    },
}

/// See [`ChallengeEvent::ShadowPriceFound`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowPriceFound {
    /// What it is the price of.
    pub subject: PriceSubject,
    /// Points per 100 of par; above 0.
    pub price: Price,
    /// The part of the run's gap that is due to it, in dollars: the price times the room that the
    /// run left unused, or, for a turn, times the amount that the run placed beyond the rule.
    #[schemars(with = "String")]
    pub run_gap: Decimal,
}

/// See [`ChallengeEvent::BoundCertified`]. Amounts are exact dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoundCertified {
    /// No allocation within rooms, limits, and the priority rule is worth more.
    #[schemars(with = "String")]
    pub bound: Decimal,
    /// What the run's allocation is worth.
    #[schemars(with = "String")]
    pub run_worth: Decimal,
    /// The difference.
    #[schemars(with = "String")]
    pub gap: Decimal,
    /// The amount of all eligible loans.
    pub eligible_amount: Money,
}

/// See [`ChallengeEvent::ChallengerPlaced`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengerPlaced {
    /// The loan.
    pub loan_id: LoanId,
    /// Its amount.
    pub loan_amount: Money,
    /// Where the run placed it; NULL where the run kicked it out.
    pub from_trade_id: Option<TradeId>,
    /// Where the challenger places it.
    pub to_trade_id: TradeId,
    /// The score there.
    pub from_score: Option<Price>,
    /// The score here.
    pub to_score: Price,
    /// The score there, less the shadow prices of that trade and its limits, plus those of the
    /// turns.
    pub from_score_after_prices: Option<Price>,
    /// The score here, less the shadow prices of this trade and its limits, plus those of the
    /// turns.
    pub to_score_after_prices: Price,
}

/// See [`ChallengeEvent::ChallengerReleased`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengerReleased {
    /// The loan.
    pub loan_id: LoanId,
    /// Its amount.
    pub loan_amount: Money,
    /// Where the run placed it.
    pub from_trade_id: TradeId,
    /// The score there.
    pub from_score: Price,
    /// The score there, less the shadow prices of that trade and its limits, plus those of the
    /// turns.
    pub from_score_after_prices: Price,
}

/// See [`ChallengeEvent::ChallengerVerified`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengerVerified {
    /// What the challenger's allocation is worth, exact dollars.
    #[schemars(with = "String")]
    pub worth: Decimal,
    /// The bound less that.
    #[schemars(with = "String")]
    pub gap: Decimal,
    /// Per turn, from 1: the amount that the challenger places by candidates of the turns up to it,
    /// less what the run placed so. None is negative.
    pub priority_margins: Vec<Money>,
}

/// The sums of an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AllocationTotals {
    /// Eligible loans that it places.
    pub placed: u64,
    /// Their amount.
    pub placed_amount: Money,
    /// Eligible loans that it does not place.
    pub kicked_out: u64,
    /// Included trades with a filled amount in their band.
    pub filled_trades: u64,
    /// Score times amount over the placed loans, rounded to cents.
    pub proceeds: Money,
    /// Placed loans that come from a pool of another trade.
    pub switches: u64,
    /// Placed loans that stay in the trade of their present pool.
    pub stays: u64,
}

/// See [`ChallengeEvent::ChallengeCompleted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengeCompleted {
    /// Steps of the search that were made: fewer than requested where a time limit or a cancel
    /// ended it.
    pub steps: u64,
    /// The run's allocation.
    pub run: AllocationTotals,
    /// The challenger's; NULL for a certificate.
    pub challenger: Option<AllocationTotals>,
}
