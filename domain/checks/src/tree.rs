//! The walkable nodes of the constraint tree, their effective rules, and which loans match them
//! (2.4).

use powerfill_events::run::event::Node;
use powerfill_events::values::{ConstraintName, InstrumentName, InvestorId};
use powerfill_snapshot::Snapshot;
use powerfill_snapshot::rules::{Predicate, Truth};
use powerfill_snapshot::tables::{ConstraintRow, Instrument, Loan, NodeKey};
use rust_decimal::Decimal;

use super::terms::RunTerms;

pub(super) struct WalkableNode<'a> {
    pub(super) row: &'a ConstraintRow,
    /// From 1.
    pub(super) turn: u32,
    /// `None` where the instrument does not exist or has another investor: the node matches
    /// nothing.
    pub(super) instrument: Option<usize>,
    rules: Vec<&'a Predicate>,
}

impl WalkableNode<'_> {
    /// The node as events carry it.
    pub(super) fn to_node(&self) -> Node {
        Node {
            investor_id: InvestorId::from(&self.row.investor_id),
            investor_instrument_name: InstrumentName::from(&self.row.investor_instrument_name),
            constraint_name: ConstraintName::from(&self.row.constraint_name),
            constraint_priority: self.row.constraint_priority,
        }
    }

    /// Whether an event refers to this node.
    pub(super) fn is_same(&self, node: &Node) -> bool {
        let key = self.row;
        node.constraint_priority == self.row.constraint_priority
            && node.investor_id.as_str() == key.investor_id.as_str()
            && node.investor_instrument_name.as_str() == key.investor_instrument_name.as_str()
            && node.constraint_name.as_str() == key.constraint_name.as_str()
    }

    /// Whether the node has a limit of either kind.
    pub(super) fn has_limit(&self) -> bool {
        self.row.lo_limit.is_some() || self.row.hi_limit.is_some()
    }
}

/// The walkable nodes, in walk order.
pub(super) struct NodeTree<'a> {
    instruments: &'a [Instrument],
    pub(super) nodes: Vec<WalkableNode<'a>>,
    /// Per instrument: the nodes that can match, in walk order.
    of_instrument: Vec<Vec<usize>>,
}

impl<'a> NodeTree<'a> {
    /// Sorts the nodes into walk order and collects their rules.
    pub(super) fn new(terms: &RunTerms<'a>) -> Self {
        let snapshot = terms.snapshot;
        let mut rows: Vec<&ConstraintRow> = snapshot
            .constraints
            .iter()
            .filter(|row| !row.investor_instrument_name.is_empty())
            .collect();
        rows.sort_by_cached_key(|row| {
            (row.constraint_priority, row.constraint_name.is_empty(), row.node())
        });
        let mut of_instrument = vec![Vec::new(); snapshot.instruments.len()];
        let mut nodes: Vec<WalkableNode<'_>> = Vec::with_capacity(rows.len());
        for row in rows {
            let turn = match nodes.last() {
                None => 1,
                Some(before) if before.row.constraint_priority == row.constraint_priority => {
                    before.turn
                }
                Some(before) => before.turn + 1,
            };
            let instrument = terms
                .instrument_at
                .get(row.investor_instrument_name.folded())
                .copied()
                .filter(|at| snapshot.instruments[*at].investor_id == row.investor_id);
            if let Some(at) = instrument {
                of_instrument[at].push(nodes.len());
            }
            let rules = effective_rules(snapshot, &row.node());
            nodes.push(WalkableNode { row, turn, instrument, rules });
        }
        Self { instruments: &snapshot.instruments, nodes, of_instrument }
    }

    /// The nodes of an instrument that can match, in walk order.
    fn nodes_of(&self, instrument: usize) -> impl Iterator<Item = usize> {
        self.of_instrument[instrument].iter().copied()
    }

    /// Whether a loan matches a node.
    pub(super) fn matches(&self, node: usize, loan: &Loan) -> bool {
        let node = &self.nodes[node];
        node.instrument.is_some_and(|at| buys(&self.instruments[at], loan))
            && node.rules.iter().all(|rule| rule.evaluate(&loan.attributes) == Truth::True)
    }

    /// The first node in walk order of an instrument that a loan matches.
    pub(super) fn first_match(&self, instrument: usize, loan: &Loan) -> Option<usize> {
        if !buys(&self.instruments[instrument], loan) {
            return None;
        }
        self.nodes_of(instrument).find(|node| self.matches(*node, loan))
    }
}

/// Whether the note rate and the term of the loan are within the instrument's bounds.
fn buys(instrument: &Instrument, loan: &Loan) -> bool {
    let rate = loan.note_rate;
    instrument.min_note_rate.is_none_or(|lowest| lowest <= rate)
        && instrument.max_note_rate.is_none_or(|highest| rate <= highest)
        && loan.term_months.is_none_or(|term| {
            instrument.min_term_months.is_none_or(|shortest| Decimal::from(shortest) <= term)
                && instrument.max_term_months.is_none_or(|longest| term <= Decimal::from(longest))
        })
}

/// The rules of a node and of its ancestors.
fn effective_rules<'a>(snapshot: &'a Snapshot, key: &NodeKey) -> Vec<&'a Predicate> {
    let instrument_level = NodeKey { constraint_name: "".into(), ..key.clone() };
    let investor_level =
        NodeKey { investor_instrument_name: "".into(), ..instrument_level.clone() };
    let mut levels = vec![key.clone()];
    for level in [instrument_level, investor_level] {
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    let rows = &snapshot.constraint_rules;
    let mut predicates = Vec::new();
    for level in &levels {
        let from = rows.partition_point(|row| row.node() < *level);
        for row in rows[from..].iter().take_while(|row| row.node() == *level) {
            let at = snapshot
                .rules
                .binary_search_by(|rule| rule.row.rule_name.cmp(&row.rule_name))
                .expect("the rule of a relation exists in a validated snapshot");
            predicates.push(&snapshot.rules[at].predicate);
        }
    }
    predicates
}
