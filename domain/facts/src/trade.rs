//! The loans that match no node of a trade's instrument (2.4): how many, and why.

use std::sync::Arc;

use powerfill_events::run::event::Node;
use powerfill_events::values::{InvestorId, Rate};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{NodeFailure, TreeLevel};

/// How eligible loans fared at the nodes of a trade's instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnmatchedLoans {
    /// Loans that can be placed at all.
    pub eligible: u64,
    /// Of those, the ones that match no node of the instrument.
    pub matched_nothing: u64,
    /// The walkable nodes of the instrument, in walk order.
    pub nodes: Vec<NodeMatchCounts>,
}

/// How eligible loans fared at a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeMatchCounts {
    /// Its key and priority.
    pub node: Arc<Node>,
    /// Its turn, from 1.
    pub turn: u32,
    /// Eligible loans that match it.
    pub matched: u64,
    /// What kept the others away, most loans first. A loan counts under everything that failed it.
    pub turned_down: Vec<FailureCount>,
}

/// What kept loans from a node, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailureCount {
    /// How many.
    pub loans: u64,
    /// What.
    #[serde(flatten)]
    pub cause: FailureCause,
}

/// What keeps loans from a node, whatever their values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(tag = "failed", rename_all = "snake_case")]
pub enum FailureCause {
    /// `pscat_instruments` does not have the node's instrument.
    UnknownInstrument,
    /// The instrument is another investor's.
    OtherInvestor {
        /// Whose it is.
        investor_id: InvestorId,
    },
    /// Below the instrument's least.
    NoteRateBelow {
        /// The bound.
        min_note_rate: Rate,
    },
    /// Above the instrument's most.
    NoteRateAbove {
        /// The bound.
        max_note_rate: Rate,
    },
    /// Below the instrument's least.
    TermBelow {
        /// The bound.
        min_term_months: i64,
    },
    /// Above the instrument's most.
    TermAbove {
        /// The bound.
        max_term_months: i64,
    },
    /// A condition of a rule.
    Rule {
        /// The rule.
        rule_name: String,
        /// Where it is attached.
        attached_to: TreeLevel,
        /// The condition.
        clause: String,
    },
}

impl From<NodeFailure> for FailureCause {
    fn from(failure: NodeFailure) -> Self {
        match failure {
            NodeFailure::UnknownInstrument => Self::UnknownInstrument,
            NodeFailure::OtherInvestor { investor_id } => Self::OtherInvestor { investor_id },
            NodeFailure::NoteRateBelow { min_note_rate, .. } => {
                Self::NoteRateBelow { min_note_rate }
            }
            NodeFailure::NoteRateAbove { max_note_rate, .. } => {
                Self::NoteRateAbove { max_note_rate }
            }
            NodeFailure::TermBelow { min_term_months, .. } => Self::TermBelow { min_term_months },
            NodeFailure::TermAbove { max_term_months, .. } => Self::TermAbove { max_term_months },
            NodeFailure::Rule { rule_name, attached_to, clause, .. } => {
                Self::Rule { rule_name, attached_to, clause }
            }
        }
    }
}
