//! Limits that leave too little for a loan (2.5).

use std::sync::Arc;

use powerfill_events::run::event::{ConstraintBlockEvaluated, Node};
use powerfill_events::values::{LoanId, Money, TradeId, fold};
use powerfill_facts::LimitFacts;
use schemars::JsonSchema;
use serde::Serialize;

use super::ledger::FillingLoan;

/// A limit of a trade that leaves too little for a loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FullLimit {
    /// The node with the limit.
    pub node: Arc<Node>,
    /// The bound.
    pub hi_amount: Money,
    /// How much of the bound is used.
    pub used_amount: Money,
    /// By how much the loan would exceed it.
    pub excess_amount: Money,
    /// The loans that use it; left out if only the events are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<FillingLoan>,
}

/// The limits of a trade that leave too little for a loan. In JSON, both are a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FullLimits {
    /// From the events alone: limits that leave too little at the end of the run. Events do not say
    /// which limits describe the loan, so some of these may not bind it.
    Possible(Vec<FullLimit>),
    /// From the input too: limits that describe the loan and left too little at that moment.
    Barring(Vec<FullLimit>),
}

impl FullLimits {
    /// The limits of a trade that leave too little at the end of the run.
    pub(super) fn possible(
        blocks: &[ConstraintBlockEvaluated],
        trade_id: &TradeId,
        loan_amount: Money,
    ) -> Self {
        let blocks = blocks.iter().filter(|block| block.trade_id == *trade_id);
        let full = blocks.filter_map(|block| {
            let hi_amount = block.hi_amount?;
            let excess_amount = block.used_amount + loan_amount - hi_amount;
            (excess_amount > Money::ZERO).then(|| FullLimit {
                node: Arc::clone(&block.node),
                hi_amount,
                used_amount: block.used_amount,
                excess_amount,
                used_by: Vec::new(),
            })
        });
        Self::Possible(full.collect())
    }

    /// The limits that describe a loan and leave too little for it while `present` are in the
    /// trade.
    pub(super) fn barring<'l>(
        limits: impl Iterator<Item = &'l LimitFacts>,
        present: &[FillingLoan],
        loan_id: &LoanId,
        loan_amount: Money,
    ) -> Self {
        let describing = limits.filter(|limit| limit.describes.contains(loan_id));
        let full = describing.filter_map(|limit| {
            let uses = |filler: &&FillingLoan| limit.describes.contains(&filler.loan_id);
            let used_by: Vec<FillingLoan> = present.iter().filter(uses).cloned().collect();
            let used_amount: Money = used_by.iter().map(|filler| filler.loan_amount).sum();
            let (node, hi_amount) = (Arc::clone(&limit.node), limit.hi_amount);
            let excess_amount = used_amount + loan_amount - hi_amount;
            (excess_amount > Money::ZERO).then_some(FullLimit {
                node,
                hi_amount,
                used_amount,
                excess_amount,
                used_by,
            })
        });
        Self::Barring(full.collect())
    }

    /// The limits, whether they are known to describe the loan or not.
    pub fn limits(&self) -> &[FullLimit] {
        match self {
            Self::Possible(limits) | Self::Barring(limits) => limits,
        }
    }

    /// The limits that surely describe a loan that is a candidate by this node.
    pub(super) fn describing(&self, candidate_node: &Node) -> Vec<&FullLimit> {
        let describes = |limit: &&FullLimit| match self {
            Self::Possible(_) => surely_describes(&limit.node, candidate_node),
            Self::Barring(_) => true,
        };
        self.limits().iter().filter(describes).collect()
    }

    pub(super) fn forget_users(&mut self) {
        let (Self::Possible(limits) | Self::Barring(limits)) = self;
        limits.iter_mut().for_each(|limit| limit.used_by.clear());
    }
}

/// Whether the limit of a node describes each loan that matches another node: the limit is of that
/// node, or of its instrument, whose rules the loan meets as well (2.4).
fn surely_describes(limit: &Node, matched: &Node) -> bool {
    let levels = |node: &Node| {
        let Node { investor_id, investor_instrument_name, constraint_name, .. } = node;
        [investor_id.as_str(), investor_instrument_name.as_str(), constraint_name.as_str()]
            .map(fold)
    };
    let ([investor, instrument, constraint], matched) = (levels(limit), levels(matched));
    [&investor, &instrument] == [&matched[0], &matched[1]]
        && (constraint.is_empty() || constraint == matched[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(constraint: &str) -> Arc<Node> {
        Arc::new(Node {
            investor_id: "FNMA".into(),
            investor_instrument_name: "FN 6.0".into(),
            constraint_name: constraint.into(),
            constraint_priority: 1,
        })
    }

    fn limit(constraint: &str, dollars: i64, describes: &[&str]) -> LimitFacts {
        LimitFacts {
            node: node(constraint),
            trade_id: "T1".into(),
            hi_limit: "0.5".parse().unwrap(),
            hi_amount: Money::whole(dollars),
            describes: describes.iter().map(|id| (*id).into()).collect(),
        }
    }

    fn filler(loan_id: &str, dollars: i64) -> FillingLoan {
        FillingLoan { loan_id: loan_id.into(), loan_amount: Money::whole(dollars), pass: None }
    }

    #[test]
    fn a_limit_bars_if_it_describes_the_loan_and_leaves_too_little() {
        let limits = [
            limit("describes others only", 0, &["A", "B"]),
            limit("just enough", 500, &["L", "A"]),
            limit("a cent too little for all", 499, &["L", "A"]),
            limit("unused and too small", 199, &["L"]),
            limit("used by loans that left", 400, &["L", "GONE"]),
        ];
        let present = [filler("A", 300), filler("B", 1_000)];
        let loan = LoanId::from("L");
        let full = FullLimits::barring(limits.iter(), &present, &loan, Money::whole(200));
        let barring = |constraint, hi, used, used_by: &[FillingLoan]| FullLimit {
            node: node(constraint),
            hi_amount: Money::whole(hi),
            used_amount: Money::whole(used),
            excess_amount: Money::whole(used + 200 - hi),
            used_by: used_by.to_vec(),
        };
        let expected = [
            barring("a cent too little for all", 499, 300, &present[..1]),
            barring("unused and too small", 199, 0, &[]),
        ];
        assert_eq!(full, FullLimits::Barring(expected.to_vec()));
        assert_eq!(full.describing(&node("any")).len(), 2);
    }

    #[test]
    fn of_possible_limits_those_of_the_node_and_its_instrument_surely_describe() {
        let block = |constraint: &str, hi: Option<i64>| ConstraintBlockEvaluated {
            node: node(constraint),
            trade_id: "T1".into(),
            lo_amount: None,
            hi_amount: hi.map(Money::whole),
            used_amount: Money::whole(100),
            used_share: None,
            lo_met: None,
        };
        let blocks =
            [block("CA", Some(150)), block("TX", Some(150)), block("NY", None), block("", Some(1))];
        let of = |limits: &[&FullLimit]| -> Vec<String> {
            limits.iter().map(|limit| limit.node.constraint_name.to_string()).collect()
        };
        let full = FullLimits::possible(&blocks, &"T1".into(), Money::whole(51));
        assert_eq!(of(&full.limits().iter().collect::<Vec<_>>()), ["CA", "TX", ""]);
        assert_eq!(of(&full.describing(&node("CA"))), ["CA", ""]);
        assert_eq!(of(&full.describing(&node(""))), [""]);
        let fits = FullLimits::possible(&blocks[..2], &"T1".into(), Money::whole(50));
        assert_eq!(fits, FullLimits::Possible(Vec::new()));
    }
}
