//! Which limits of a trade describe which loans (2.5).

use std::sync::Arc;

use super::Facts;
use crate::book::InstrumentIdx;
use crate::context::RunContext;
use crate::tree::NodeIdx;
use powerfill_events::values::{LoanId, Name, TradeId};
use powerfill_facts::LimitFacts;

impl Facts<'_> {
    /// The upper limits of a trade, in walk order; none where the trade is not included.
    pub fn limits(&self, trade_id: &TradeId) -> Vec<LimitFacts> {
        let RunContext { book, participation, tree, .. } = &self.context;
        let trade = book.trades.find(&Name::new(trade_id.as_str()));
        let trade = trade.filter(|trade| participation.trades[*trade].band().is_some());
        let Some(trade) = trade else { return Vec::new() };
        let instrument = book.trade_instrument[trade];
        let open = participation.trades[trade].open;
        let limits = tree.nodes.enumerate().filter_map(|(idx, node)| {
            let hi_limit = node.hi_limit.filter(|_| node.instrument == Some(instrument))?;
            Some(LimitFacts {
                node: Arc::clone(&node.node),
                trade_id: trade_id.clone(),
                hi_limit,
                hi_amount: open.share(hi_limit),
                describes: self.described_loans(idx, instrument),
            })
        });
        limits.collect()
    }

    fn described_loans(&self, node: NodeIdx, instrument: InstrumentIdx) -> Vec<LoanId> {
        let RunContext { book, participation, .. } = &self.context;
        let loans = participation.loans.indices().iter();
        let described =
            loans.filter(|loan| self.matches().limited_at(*loan, instrument).contains(&node));
        described.map(|loan| LoanId::from(&book.loan(loan).loan_id)).collect()
    }
}
