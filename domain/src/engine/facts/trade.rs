//! The loans that a trade never saw, because they match no node of its instrument (2.4): how many, and what kept them
//! away.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use super::{Facts, Level, NodeFailure};
use crate::engine::book::Ix;
use crate::run::event::Node;
use crate::values::{InvestorId, Name, Rate};

/// How eligible loans fared at the nodes of a trade's instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NeverCame {
    /// Loans that can be placed at all.
    pub eligible: u64,
    /// Of those, the ones that match no node of the instrument.
    pub matched_nothing: u64,
    /// The walkable nodes of the instrument, in walk order.
    pub nodes: Vec<NodeTurnout>,
}

/// How eligible loans fared at a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeTurnout {
    /// Its key and priority.
    pub node: Arc<Node>,
    /// Its turn, from 1.
    pub turn: u32,
    /// Eligible loans that match it.
    pub matched: u64,
    /// What kept the others away, most loans first. A loan counts under everything that failed it.
    pub turned_down: Vec<TurnedDown>,
}

/// What kept loans from a node, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TurnedDown {
    /// How many.
    pub loans: u64,
    /// What.
    #[serde(flatten)]
    pub cause: Cause,
}

/// What keeps loans from a node, whatever their values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "failed", rename_all = "snake_case")]
pub enum Cause {
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
        attached_to: Level,
        /// The condition.
        clause: String,
    },
}

impl From<NodeFailure> for Cause {
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

/// What some loans were kept away by, at each node.
type Causes = Vec<(u64, BTreeMap<Cause, u64>)>;

impl Facts<'_> {
    /// The loans that never came to a trade, its id compared as text; `None` where it is not in the snapshot. Needs the
    /// whole snapshot, not an excerpt.
    pub fn never_came(&self, trade_id: &str) -> Option<NeverCame> {
        let trade = self.book.find_trade(&Name::new(trade_id))?;
        let instrument = Some(self.book.trade_instrument[trade as usize]);
        let named = |node: &&crate::engine::tree::WalkNode| {
            self.book.constraint_instrument[node.constraint as usize] == instrument
        };
        let nodes: Vec<_> = self.tree.nodes.iter().filter(named).collect();
        let eligible: Vec<Ix> = self.participation.eligible().collect();
        let count = |loans: &[Ix]| -> (u64, Causes) {
            let mut matched_nothing = 0;
            let mut causes: Causes = vec![Default::default(); nodes.len()];
            for loan in loans {
                let mut matches_any = false;
                for (node, (matched, causes)) in nodes.iter().zip(&mut causes) {
                    let failures = self.failures(node, self.book.loan(*loan));
                    matches_any |= failures.is_empty();
                    *matched += u64::from(failures.is_empty());
                    for failure in failures {
                        *causes.entry(failure.into()).or_default() += 1;
                    }
                }
                matched_nothing += u64::from(!matches_any);
            }
            (matched_nothing, causes)
        };
        let counted: Vec<(u64, Causes)> = eligible.par_chunks(1 << 10).map(count).collect();
        let mut matched_nothing = 0;
        let mut causes: Causes = vec![Default::default(); nodes.len()];
        for (nothing, some) in counted {
            matched_nothing += nothing;
            for ((matched, all), (more_matched, more)) in causes.iter_mut().zip(some) {
                *matched += more_matched;
                more.into_iter().for_each(|(cause, loans)| *all.entry(cause).or_default() += loans);
            }
        }
        let turnout = nodes.iter().zip(causes).map(|(node, (matched, causes))| {
            let turned_down = causes.into_iter().map(|(cause, loans)| TurnedDown { loans, cause });
            let mut turned_down: Vec<TurnedDown> = turned_down.collect();
            turned_down.sort_by_key(|cause| Reverse(cause.loans));
            NodeTurnout { node: Arc::clone(&node.shown), turn: node.turn, matched, turned_down }
        });
        Some(NeverCame {
            eligible: eligible.len() as u64,
            matched_nothing,
            nodes: turnout.collect(),
        })
    }
}
