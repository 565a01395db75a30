//! Which nodes a loan matches, and what keeps it from the others (2.4).

use powerfill_facts::{Level, NodeFacts, NodeFailure, NodeValue};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Facts;
use crate::book::Ix;
use crate::tree::{Bound, WalkNode};
use powerfill_events::run::event::ExclusionReason;
use powerfill_events::values::{InvestorId, Name};
use powerfill_snapshot::rules::Truth;
use powerfill_snapshot::tables::{Instrument, Loan};

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
