//! The sums of an allocation.

use powerfill_events::challenge::AllocationTotals;
use powerfill_events::values::{Money, Price};

use crate::instance::Instance;

impl Instance {
    /// The sums of an allocation over the eligible loans. A trade counts as filled with its locked
    /// and held loans.
    pub fn totals(&self, allocation: &[Option<u32>]) -> AllocationTotals {
        let mut in_trade = vec![0_i64; self.trades.len()];
        let mut totals = AllocationTotals::default();
        for (loan, pair) in self.loans.iter().zip(allocation) {
            let Some(pair) = pair else {
                totals.kicked_out += 1;
                continue;
            };
            let pair = &self.pairs[*pair as usize];
            let amount = Money::from_units(loan.amount);
            in_trade[pair.trade as usize] += loan.amount;
            totals.placed += 1;
            totals.placed_amount += amount;
            totals.proceeds += amount.at_points(Price::from_units(pair.price));
            let stays = loan.present == Some(pair.trade);
            totals.stays += u64::from(stays);
            totals.switches += u64::from(loan.is_pooled && !stays);
        }
        let filled = self.trades.iter().zip(in_trade);
        totals.filled_trades =
            filled.map(|(trade, placed)| u64::from(trade.is_filled_with(placed))).sum();
        totals
    }
}
