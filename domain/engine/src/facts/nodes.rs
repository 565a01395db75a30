//! Which nodes a loan matches, and why it does not match the others (2.4).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Facts;
use crate::book::{LoanIdx, TradeIdx};
use crate::context::RunContext;
use crate::index::count;
use crate::matching::InstrumentBound;
use crate::tree::{NodeIdx, WalkNode};
use powerfill_events::run::event::ExclusionReason;
use powerfill_events::values::{InvestorId, Key, Name, RuleName};
use powerfill_facts::{NodeFacts, NodeFailure, NodeValue, TreeLevel};
use powerfill_snapshot::rules::Truth;
use powerfill_snapshot::tables::{Instrument, Loan};

impl Facts<'_> {
    /// Every walkable node, in walk order; `matched` are the nodes that the engine finds.
    pub(super) fn nodes(&self, loan: LoanIdx, matched: &[NodeIdx]) -> Vec<NodeFacts> {
        let row = self.context.book.loan(loan);
        let facts = self.context.tree.nodes.enumerate().map(|(idx, node)| {
            let matched = matched.binary_search(&idx).is_ok();
            let trades = self.included_trades(node);
            NodeFacts {
                node: Arc::clone(&node.node),
                turn: node.turn,
                matched,
                failures: if matched { Vec::new() } else { self.failures(node, row) },
                lo_limit: node.lo_limit,
                hi_limit: node.hi_limit,
                trades: count(trades.len()),
                excluded_trades: match matched && trades.is_empty() {
                    true => self.excluded_trades(node),
                    false => BTreeMap::new(),
                },
            }
        });
        facts.collect()
    }

    fn included_trades(&self, node: &WalkNode) -> &[TradeIdx] {
        let RunContext { book, participation, .. } = &self.context;
        let instrument = book.constraint_instrument[node.constraint];
        instrument.map_or(&[], |idx| &participation.included_of[idx])
    }

    fn excluded_trades(&self, node: &WalkNode) -> BTreeMap<ExclusionReason, u64> {
        let RunContext { book, participation, .. } = &self.context;
        let mut counts = BTreeMap::new();
        for (trade, instrument) in book.trade_instrument.enumerate() {
            let exclusion = participation.trades[trade].exclusion();
            if let Some(reason) = exclusion.filter(|_| Some(*instrument) == node.instrument) {
                *counts.entry(reason).or_default() += 1;
            }
        }
        counts
    }

    /// Why a loan does not match a node; empty where it matches.
    pub(super) fn failures(&self, node: &WalkNode, loan: &Loan) -> Vec<NodeFailure> {
        let book = &self.context.book;
        let Some(instrument) = node.instrument else {
            let named = book.constraint_instrument[node.constraint];
            return vec![named.map_or(NodeFailure::UnknownInstrument, |idx| {
                let investor_id = InvestorId::from(&book.instrument(idx).investor_id);
                NodeFailure::OtherInvestor { investor_id }
            })];
        };
        let instrument = book.instrument(instrument);
        let bounds = InstrumentBound::ALL.into_iter();
        let bounds = bounds.filter(|bound| bound.excludes(instrument, loan));
        let mut failures: Vec<NodeFailure> =
            bounds.filter_map(|bound| bound_failure(bound, instrument, loan)).collect();
        for rule in &node.rules {
            let rule = &book.snapshot.rules[rule.get()];
            let failed = rule.predicate.failures(&loan.attributes, &book.snapshot.loan_columns);
            failures.extend(failed.into_iter().map(|failure| {
                let values = failure.values.into_iter();
                let values =
                    values.map(|(column, value)| NodeValue { column: listed(&column), value });
                NodeFailure::Rule {
                    rule_name: rule.row.rule_name.as_str().to_owned(),
                    attached_to: self.level(node, &rule.row.rule_name),
                    clause: failure.clause,
                    values: values.collect(),
                    unknown: failure.truth == Truth::Unknown,
                }
            }));
        }
        failures
    }

    /// The nearest level that a rule of a node comes from.
    fn level(&self, node: &WalkNode, rule: &Key<RuleName>) -> TreeLevel {
        let book = &self.context.book;
        let key = book.constraint(node.constraint).node();
        let rows = book.snapshot.constraint_rules.iter();
        let rows = rows.filter(|row| row.rule_name == *rule && row.investor_id == key.investor_id);
        let levels = rows.filter_map(|row| match row.node() {
            at if at == key => Some(TreeLevel::Node),
            at if !at.constraint_name.is_empty() => None,
            at if at.investor_instrument_name.is_empty() => Some(TreeLevel::Investor),
            at if at.investor_instrument_name == key.investor_instrument_name => {
                Some(TreeLevel::Instrument)
            }
            _ => None,
        });
        levels.min().expect("a node's rules are its own or its ancestors'")
    }
}

/// The name of a column as 1.2 lists it. The canonical form has further columns in capitals.
fn listed(column: &Name) -> String {
    column.as_str().to_lowercase()
}

fn bound_failure(
    bound: InstrumentBound,
    instrument: &Instrument,
    loan: &Loan,
) -> Option<NodeFailure> {
    let note_rate = loan.note_rate;
    Some(match bound {
        InstrumentBound::MinNoteRate => {
            NodeFailure::NoteRateBelow { note_rate, min_note_rate: instrument.min_note_rate? }
        }
        InstrumentBound::MaxNoteRate => {
            NodeFailure::NoteRateAbove { note_rate, max_note_rate: instrument.max_note_rate? }
        }
        InstrumentBound::MinTerm => NodeFailure::TermBelow {
            term_months: loan.term_months?,
            min_term_months: instrument.min_term_months?,
        },
        InstrumentBound::MaxTerm => NodeFailure::TermAbove {
            term_months: loan.term_months?,
            max_term_months: instrument.max_term_months?,
        },
    })
}
