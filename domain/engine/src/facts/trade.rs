//! The loans that a trade never saw, because they match no node of its instrument (2.4): how many, and what kept them
//! away.

use powerfill_facts::{Cause, NeverCame, NodeTurnout, TurnedDown};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::Facts;
use crate::book::Ix;
use powerfill_events::values::Name;

/// What some loans were kept away by, at each node.
type Causes = Vec<(u64, BTreeMap<Cause, u64>)>;

impl Facts<'_> {
    /// The loans that never came to a trade, its id compared as text; `None` where it is not in the snapshot. Needs the
    /// whole snapshot, not an excerpt.
    pub fn never_came(&self, trade_id: &str) -> Option<NeverCame> {
        let trade = self.book.find_trade(&Name::new(trade_id))?;
        let instrument = Some(self.book.trade_instrument[trade as usize]);
        let named = |node: &&crate::tree::WalkNode| {
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
