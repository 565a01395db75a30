//! 2.4 The constraint tree: the walkable nodes in walk order, with their rules and turns.

use std::collections::HashMap;
use std::sync::Arc;

use super::book::{ConstraintIdx, InstrumentIdx, RuleIdx, RunBook};
use super::index::{Idx, IdxRange, IdxVec};
use powerfill_events::run::event::Node;
use powerfill_events::values::{ConstraintName, InstrumentName, InvestorId, Share};
use powerfill_snapshot::tables::{Instrument, NodeKey};

/// Position of a node in walk order.
pub(crate) type NodeIdx = Idx<WalkNode>;

/// A walkable node.
pub(crate) struct WalkNode {
    /// Its row in `pfill_constraints`.
    pub(crate) constraint: ConstraintIdx,
    /// The node as events carry it.
    pub(crate) node: Arc<Node>,
    /// From 1.
    pub(crate) turn: u32,
    /// `None` where the instrument does not exist or has another investor: the node matches
    /// nothing.
    pub(crate) instrument: Option<InstrumentIdx>,
    pub(crate) lo_limit: Option<Share>,
    pub(crate) hi_limit: Option<Share>,
    /// Its own rules and those of its ancestors, by name.
    pub(crate) rules: Vec<RuleIdx>,
}

impl WalkNode {
    pub(crate) const fn is_limited(&self) -> bool {
        self.lo_limit.is_some() || self.hi_limit.is_some()
    }
}

/// The walkable nodes.
pub(crate) struct ConstraintTree {
    pub(crate) nodes: IdxVec<WalkNode>,
    /// The nodes that can match, per instrument, in walk order.
    pub(crate) of_instrument: IdxVec<Instrument, Vec<NodeIdx>>,
}

impl ConstraintTree {
    pub(crate) fn new(book: &RunBook<'_>) -> Self {
        let own_rules = own_rules(book);
        let mut walk: Vec<ConstraintIdx> = IdxRange::all(&book.snapshot.constraints)
            .iter()
            .filter(|idx| !book.constraint(*idx).investor_instrument_name.is_empty())
            .collect();
        walk.sort_by_cached_key(|idx| {
            let row = book.constraint(*idx);
            (row.constraint_priority, row.constraint_name.is_empty(), row.node())
        });
        let (mut turn, mut priority) = (0, None);
        let nodes: IdxVec<WalkNode> = walk
            .into_iter()
            .map(|idx| {
                let row_priority = Some(book.constraint(idx).constraint_priority);
                turn += u32::from(priority != row_priority);
                priority = row_priority;
                walk_node(book, &own_rules, idx, turn)
            })
            .collect();
        let mut of_instrument = IdxVec::per_row(&book.snapshot.instruments, Vec::new());
        for (idx, node) in nodes.enumerate() {
            if let Some(instrument) = node.instrument {
                of_instrument[instrument].push(idx);
            }
        }
        Self { nodes, of_instrument }
    }

    /// The last turn; 0 where no node is walkable.
    pub(crate) fn turns(&self) -> u32 {
        self.nodes.as_slice().last().map_or(0, |node| node.turn)
    }
}

fn own_rules(book: &RunBook<'_>) -> HashMap<NodeKey, Vec<RuleIdx>> {
    let mut own: HashMap<NodeKey, Vec<RuleIdx>> = HashMap::new();
    for row in &book.snapshot.constraint_rules {
        let rule = book.rules.find(&row.rule_name);
        let rule = rule.expect("validation refuses an unknown rule of a rule relation");
        own.entry(row.node()).or_default().push(rule);
    }
    own
}

fn walk_node(
    book: &RunBook<'_>,
    own_rules: &HashMap<NodeKey, Vec<RuleIdx>>,
    idx: ConstraintIdx,
    turn: u32,
) -> WalkNode {
    let row = book.constraint(idx);
    let at_instrument = NodeKey { constraint_name: "".into(), ..row.node() };
    let at_investor = NodeKey { investor_instrument_name: "".into(), ..at_instrument.clone() };
    let mut rules: Vec<RuleIdx> = [&row.node(), &at_instrument, &at_investor]
        .iter()
        .filter_map(|key| own_rules.get(*key))
        .flatten()
        .copied()
        .collect();
    rules.sort_unstable();
    rules.dedup();
    let has_same_investor =
        |instrument: &InstrumentIdx| book.instrument(*instrument).investor_id == row.investor_id;
    let node = Node {
        investor_id: InvestorId::from(&row.investor_id),
        investor_instrument_name: InstrumentName::from(&row.investor_instrument_name),
        constraint_name: ConstraintName::from(&row.constraint_name),
        constraint_priority: row.constraint_priority,
    };
    WalkNode {
        constraint: idx,
        node: Arc::new(node),
        turn,
        instrument: book.constraint_instrument[idx].filter(has_same_investor),
        lo_limit: row.lo_limit,
        hi_limit: row.hi_limit,
        rules,
    }
}
