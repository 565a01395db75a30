//! Which nodes a loan matches, and what keeps it from the others (2.4).

use std::collections::BTreeMap;
use std::sync::Arc;

use powerfill_events::run::event::{ExclusionReason, Node};
use powerfill_events::values::{InvestorId, Rate, Share};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

/// A walkable node, seen from a loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeFacts {
    /// Its key and priority.
    pub node: Arc<Node>,
    /// Its turn, from 1.
    pub turn: u32,
    /// Whether the loan matches it.
    pub matched: bool,
    /// What keeps the loan from it, all of it; none where it matches.
    pub failures: Vec<NodeFailure>,
    /// A goal, share of the open amount.
    pub lo_limit: Option<Share>,
    /// A bound, share of the open amount.
    pub hi_limit: Option<Share>,
    /// Included trades of its instrument.
    pub trades: u64,
    /// Trades of its instrument that are not in the run, by reason; left out where some are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub excluded_trades: BTreeMap<ExclusionReason, u64>,
}

/// What keeps a loan from a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "failed", rename_all = "snake_case")]
pub enum NodeFailure {
    /// `pscat_instruments` does not have the node's instrument: it matches nothing.
    UnknownInstrument,
    /// The instrument is another investor's: the node matches nothing.
    OtherInvestor {
        /// Whose it is.
        investor_id: InvestorId,
    },
    /// Below the instrument's least.
    NoteRateBelow {
        /// Of the loan.
        note_rate: Rate,
        /// The bound.
        min_note_rate: Rate,
    },
    /// Above the instrument's most.
    NoteRateAbove {
        /// Of the loan.
        note_rate: Rate,
        /// The bound.
        max_note_rate: Rate,
    },
    /// Below the instrument's least.
    TermBelow {
        /// Of the loan.
        #[schemars(with = "String")]
        term_months: Decimal,
        /// The bound.
        min_term_months: i64,
    },
    /// Above the instrument's most.
    TermAbove {
        /// Of the loan.
        #[schemars(with = "String")]
        term_months: Decimal,
        /// The bound.
        max_term_months: i64,
    },
    /// A condition of a rule is not TRUE (1.4).
    Rule {
        /// The rule.
        rule_name: String,
        /// Where it is attached.
        attached_to: TreeLevel,
        /// The smallest condition that failed, such as `fico >= 680`.
        clause: String,
        /// The loan's values of the columns that it names.
        values: Vec<NodeValue>,
        /// Whether it is unknown, because a value is NULL, rather than false.
        unknown: bool,
    },
}

/// A level of the tree that a node's rules come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TreeLevel {
    /// The node itself.
    Node,
    /// The instrument above it.
    Instrument,
    /// The investor above that.
    Investor,
}

/// A column that a condition names, and the loan's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeValue {
    /// The column of `loan`, in small letters.
    pub column: String,
    /// NULL where the loan has none.
    pub value: Option<String>,
}
