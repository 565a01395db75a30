//! Which limits of a trade describe which loans (2.5).

use powerfill_facts::LimitFacts;
use std::sync::Arc;

use super::Facts;
use crate::book::Ix;
use powerfill_events::values::{LoanId, Name, TradeId};

impl Facts<'_> {
    /// The upper limits of a trade, in walk order; none where it is not in the run.
    pub fn limits(&self, trade_id: &TradeId) -> Vec<LimitFacts> {
        let trade = self.book.find_trade(&Name::new(trade_id.as_str()));
        let trade = trade.filter(|ix| self.participation.trades[*ix as usize].is_included());
        let Some(trade) = trade else { return Vec::new() };
        let instrument = self.book.trade_instrument[trade as usize];
        let open = self.participation.trades[trade as usize].open;
        let limited = self.tree.nodes.iter().zip(0..).filter_map(|(node, ix)| {
            let hi_limit = node.hi_limit.filter(|_| node.instrument == Some(instrument))?;
            Some(LimitFacts {
                node: Arc::clone(&node.shown),
                trade_id: trade_id.clone(),
                hi_limit,
                hi_amount: open.share(hi_limit),
                describes: self.described(ix, instrument),
            })
        });
        limited.collect()
    }

    fn described(&self, node: Ix, instrument: Ix) -> Vec<LoanId> {
        let loans = self.book.snapshot.loans.iter().zip(0..);
        let described =
            loans.filter(|(_, ix)| self.matches().limited_at(*ix, instrument).contains(&node));
        described.map(|(loan, _)| LoanId::from(&loan.loan_id)).collect()
    }
}
