//! Which nodes a loan matches, and what keeps it from the others (2.4).

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::Serialize;

use super::Facts;
use crate::engine::book::Ix;
use crate::engine::tree::{Bound, WalkNode};
use crate::rules::Truth;
use crate::run::event::{ExclusionReason, Node};
use crate::snapshot::tables::{Instrument, Loan};
use crate::values::{InvestorId, Name, Rate, Share};

/// A walkable node, seen from a loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
        term_months: Decimal,
        /// The bound.
        min_term_months: i64,
    },
    /// Above the instrument's most.
    TermAbove {
        /// Of the loan.
        term_months: Decimal,
        /// The bound.
        max_term_months: i64,
    },
    /// A condition of a rule is not TRUE (1.4).
    Rule {
        /// The rule.
        rule_name: String,
        /// Where it is attached.
        attached_to: Level,
        /// The smallest condition that failed, such as `fico >= 680`.
        clause: String,
        /// The loan's values of the columns that it names.
        values: Vec<NodeValue>,
        /// Whether it is unknown, because a value is NULL, rather than false.
        unknown: bool,
    },
}

/// A level of the tree that a node's rules come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The node itself.
    Node,
    /// The instrument above it.
    Instrument,
    /// The investor above that.
    Investor,
}

/// A column that a condition names, and the loan's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeValue {
    /// The column of `loan`, in small letters.
    pub column: String,
    /// NULL where the loan has none.
    pub value: Option<String>,
}

impl Facts<'_> {
    /// Every walkable node, in walk order; `matched` are the positions of those that the engine finds.
    pub(super) fn nodes(&self, loan: Ix, matched: &[Ix]) -> Vec<NodeFacts> {
        let row = self.book.loan(loan);
        let nodes = self.tree.nodes.iter().zip(0..);
        let fact = |(node, ix): (&WalkNode, Ix)| {
            let matched = matched.binary_search(&ix).is_ok();
            let trades = self.included_trades(node);
            NodeFacts {
                node: Arc::clone(&node.shown),
                turn: node.turn,
                matched,
                failures: if matched { Vec::new() } else { self.failures(node, row) },
                lo_limit: node.lo_limit,
                hi_limit: node.hi_limit,
                trades: trades.len() as u64,
                excluded_trades: match matched && trades.is_empty() {
                    true => self.excluded_trades(node),
                    false => BTreeMap::new(),
                },
            }
        };
        nodes.map(fact).collect()
    }

    pub(super) fn included_trades(&self, node: &WalkNode) -> &[Ix] {
        let instrument = self.book.constraint_instrument[node.constraint as usize];
        instrument.map_or(&[], |ix| &self.trades_of_instrument[ix as usize])
    }

    fn excluded_trades(&self, node: &WalkNode) -> BTreeMap<ExclusionReason, u64> {
        let mut counts = BTreeMap::new();
        let of_instrument = self.book.trade_instrument.iter().zip(0..);
        for (_, trade) in
            of_instrument.filter(|(instrument, _)| Some(**instrument) == node.instrument)
        {
            if let Some(reason) = self.exclusion(trade) {
                *counts.entry(reason).or_default() += 1;
            }
        }
        counts
    }

    /// What keeps a loan from a node; nothing where it matches.
    pub(super) fn failures(&self, node: &WalkNode, loan: &Loan) -> Vec<NodeFailure> {
        let Some(instrument) = node.instrument else {
            let named = self.book.constraint_instrument[node.constraint as usize];
            return vec![named.map_or(NodeFailure::UnknownInstrument, |ix| {
                let investor_id = InvestorId::from(&self.book.instrument(ix).investor_id);
                NodeFailure::OtherInvestor { investor_id }
            })];
        };
        let instrument = self.book.instrument(instrument);
        let bounds = Bound::ALL.into_iter().filter(|bound| bound.refuses(instrument, loan));
        let mut failures: Vec<NodeFailure> =
            bounds.filter_map(|bound| of_bound(bound, instrument, loan)).collect();
        let snapshot = self.book.snapshot;
        for rule in &node.rules {
            let rule = &snapshot.rules[*rule as usize];
            let failed = rule.predicate.failures(&loan.attributes, &snapshot.loan_columns);
            failures.extend(failed.into_iter().map(|failure| {
                NodeFailure::Rule {
                    rule_name: rule.rule_name.as_str().to_owned(),
                    attached_to: self.level(node, &rule.rule_name),
                    clause: failure.clause,
                    values: failure
                        .values
                        .into_iter()
                        .map(|(column, value)| NodeValue { column: listed(&column), value })
                        .collect(),
                    unknown: failure.truth == Truth::Unknown,
                }
            }));
        }
        failures
    }

    /// The nearest level that a rule of a node comes from.
    pub(super) fn level(&self, node: &WalkNode, rule: &Name) -> Level {
        let key = &self.book.constraint(node.constraint).key;
        let attached = self
            .book
            .snapshot
            .constraint_rules
            .iter()
            .filter(|row| row.rule_name == *rule && row.key.investor_id == key.investor_id);
        let levels = attached.filter_map(|row| match &row.key {
            at if at == key => Some(Level::Node),
            at if !at.constraint_name.is_empty() => None,
            at if at.investor_instrument_name.is_empty() => Some(Level::Investor),
            at if at.investor_instrument_name == key.investor_instrument_name => {
                Some(Level::Instrument)
            }
            _ => None,
        });
        levels.min().expect("a node's rules are its own or its ancestors'")
    }
}

/// Names of columns as 1.2 lists them: the canonical form keeps further ones in capitals.
fn listed(column: &Name) -> String {
    column.as_str().to_lowercase()
}

fn of_bound(bound: Bound, instrument: &Instrument, loan: &Loan) -> Option<NodeFailure> {
    let note_rate = loan.note_rate;
    Some(match bound {
        Bound::LeastNoteRate => {
            NodeFailure::NoteRateBelow { note_rate, min_note_rate: instrument.min_note_rate? }
        }
        Bound::MostNoteRate => {
            NodeFailure::NoteRateAbove { note_rate, max_note_rate: instrument.max_note_rate? }
        }
        Bound::LeastTerm => NodeFailure::TermBelow {
            term_months: loan.term_months?,
            min_term_months: instrument.min_term_months?,
        },
        Bound::MostTerm => NodeFailure::TermAbove {
            term_months: loan.term_months?,
            max_term_months: instrument.max_term_months?,
        },
    })
}
