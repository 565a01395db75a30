//! The loans that match no node of a trade's instrument (2.4): how many, and why.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::Facts;
use crate::book::LoanIdx;
use crate::context::RunContext;
use crate::index::count;
use crate::tree::WalkNode;
use powerfill_events::values::Name;
use powerfill_facts::{FailureCause, FailureCount, NodeMatchCounts, UnmatchedLoans};

/// How some loans fare at a node.
#[derive(Clone, Default)]
struct NodeCounts {
    matched: u64,
    causes: BTreeMap<FailureCause, u64>,
}

/// How some loans fare at the nodes of an instrument.
struct InstrumentCounts {
    matched_nothing: u64,
    /// One per node.
    nodes: Vec<NodeCounts>,
}

impl InstrumentCounts {
    fn new(nodes: usize) -> Self {
        Self { matched_nothing: 0, nodes: vec![NodeCounts::default(); nodes] }
    }

    fn merge(mut self, other: Self) -> Self {
        self.matched_nothing += other.matched_nothing;
        for (node, other) in self.nodes.iter_mut().zip(other.nodes) {
            node.matched += other.matched;
            for (cause, loans) in other.causes {
                *node.causes.entry(cause).or_default() += loans;
            }
        }
        self
    }
}

impl Facts<'_> {
    /// The eligible loans that match no node of a trade's instrument. The trade's id compares as
    /// text; `None` where the snapshot does not have it. Needs the whole snapshot, not an excerpt.
    pub fn unmatched_loans(&self, trade_id: &str) -> Option<UnmatchedLoans> {
        let RunContext { book, participation, tree, .. } = &self.context;
        let trade = book.trades.find(&Name::new(trade_id))?;
        let instrument = Some(book.trade_instrument[trade]);
        let is_of_instrument =
            |node: &&WalkNode| book.constraint_instrument[node.constraint] == instrument;
        let nodes: Vec<&WalkNode> = tree.nodes.iter().filter(is_of_instrument).collect();
        let eligible: Vec<LoanIdx> = participation.eligible().collect();
        let counts = eligible
            .par_chunks(1 << 10)
            .map(|loans| self.count_failures(&nodes, loans))
            .reduce(|| InstrumentCounts::new(nodes.len()), InstrumentCounts::merge);
        let turnouts = nodes.iter().zip(counts.nodes).map(|(node, counts)| {
            let causes = counts.causes.into_iter();
            let mut turned_down: Vec<FailureCount> =
                causes.map(|(cause, loans)| FailureCount { loans, cause }).collect();
            turned_down.sort_by_key(|cause| Reverse(cause.loans));
            let (matched, turn) = (counts.matched, node.turn);
            NodeMatchCounts { node: Arc::clone(&node.node), turn, matched, turned_down }
        });
        Some(UnmatchedLoans {
            eligible: count(eligible.len()),
            matched_nothing: counts.matched_nothing,
            nodes: turnouts.collect(),
        })
    }

    fn count_failures(&self, nodes: &[&WalkNode], loans: &[LoanIdx]) -> InstrumentCounts {
        let mut counts = InstrumentCounts::new(nodes.len());
        for loan in loans {
            let mut matches_any = false;
            for (node, counts) in nodes.iter().zip(&mut counts.nodes) {
                let failures = self.failures(node, self.context.book.loan(*loan));
                matches_any |= failures.is_empty();
                counts.matched += u64::from(failures.is_empty());
                for failure in failures {
                    *counts.causes.entry(failure.into()).or_default() += 1;
                }
            }
            counts.matched_nothing += u64::from(!matches_any);
        }
        counts
    }
}
