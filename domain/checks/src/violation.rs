//! A broken invariant: which one, where, and how.

use std::fmt;

use powerfill_events::run::event::Node;
use powerfill_events::values::{LoanId, TradeId};

/// The statements of the invariants of 2.12, in its order.
pub const STATEMENTS: [&str; 7] = [
    "every eligible loan is either allocated or kicked out, and no other loan is",
    "no trade is filled above its maximum, unless held loans alone exceed it; filled is the sum of \
     its loans",
    "no limit is exceeded, unless held loans alone exceed it",
    "every allocation is a candidate of this run; score and price recompute from the snapshot",
    "no locked or held loan has moved",
    "every loan with a present or a destination pool has its posting; switches come in pairs",
    "no open candidate fits",
];

/// An invariant of 2.12 that a run breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invariant {invariant} ({}) is broken at {subject}: expected {expected}, found {found}",
    STATEMENTS[usize::from(*invariant) - 1]
)]
pub struct Violation {
    /// Its number in 2.12, from 1.
    pub invariant: u8,
    /// The loan, trade, or block that breaks it.
    pub subject: ViolationSubject,
    /// What follows from the snapshot.
    pub expected: String,
    /// What the events say.
    pub found: String,
}

impl Violation {
    pub(crate) fn new(
        invariant: u8,
        subject: ViolationSubject,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { invariant, subject, expected: expected.into(), found: found.into() }
    }
}

/// What breaks an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViolationSubject {
    /// A row of `loan`.
    Loan(LoanId),
    /// A row of `pscat_trades`.
    Trade(TradeId),
    /// A limit of a node in a trade.
    Block {
        /// Key and priority of the node.
        node: Box<Node>,
        /// The trade in which the limit applies.
        trade_id: TradeId,
    },
}

impl fmt::Display for ViolationSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loan(loan_id) => write!(f, "loan {loan_id}"),
            Self::Trade(trade_id) => write!(f, "trade {trade_id}"),
            Self::Block { node, trade_id } => write!(
                f,
                "node {}|{}|{} in trade {trade_id}",
                node.investor_id, node.investor_instrument_name, node.constraint_name
            ),
        }
    }
}
