//! What happens to pools: loans by pool action, and moves from pool to pool.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use powerfill_events::run::event::PoolAction;
use powerfill_events::values::Money;
use powerfill_tables::named_row::NamedRow;

use crate::document::{ActionCount, NameText, OverviewMoves, PoolMove};

/// The listed moves.
const MAX_MOVES: usize = 500;

/// A pool and its trade.
type PoolEnd = (Option<NameText>, Option<NameText>);

/// The moves so far.
#[derive(Default)]
pub(crate) struct Moves {
    actions: BTreeMap<PoolAction, (u64, Money)>,
    moves: HashMap<(PoolAction, PoolEnd, PoolEnd), (u64, Money)>,
}

impl Moves {
    /// Takes a row of `pfill_powerfill_guide`.
    pub(crate) fn place(&mut self, row: NamedRow<'_>) {
        let Some(action) = row.choice("pool_action") else { return };
        let from = (row.text("prior_pool_name"), row.text("prior_trade_id"));
        self.add(action, from, (row.text("pool_name"), row.text("trade_id")), row);
    }

    /// Takes a row of the kickouts, with the trade that the loan leaves.
    pub(crate) fn leave(&mut self, row: NamedRow<'_>, left_trade: Option<NameText>) {
        if let Some(pool) = row.text("pool_name") {
            self.add(PoolAction::Leaving, (Some(pool), left_trade), (None, None), row);
        }
    }

    fn add(&mut self, action: PoolAction, from: PoolEnd, to: PoolEnd, row: NamedRow<'_>) {
        let amount: Money = row.amount("loan_amount");
        let count = |(loans, sum): &mut (u64, Money)| {
            *loans += 1;
            *sum += amount;
        };
        count(self.actions.entry(action).or_default());
        if action != PoolAction::Remaining {
            count(self.moves.entry((action, from, to)).or_default());
        }
    }

    pub(crate) fn finish(self) -> OverviewMoves {
        let action = |(pool_action, (loans, amount))| ActionCount { pool_action, loans, amount };
        let mut result = OverviewMoves {
            actions: self.actions.into_iter().map(action).collect(),
            ..OverviewMoves::default()
        };
        let mut moves: Vec<_> = self.moves.into_iter().collect();
        moves.sort_unstable_by(|(a, (_, more)), (b, (_, less))| {
            (Reverse(more), a).cmp(&(Reverse(less), b))
        });
        for ((pool_action, (from_pool_name, from_trade_id), to), (loans, amount)) in moves {
            if result.moves.len() < MAX_MOVES {
                let (to_pool_name, to_trade_id) = to;
                result.moves.push(PoolMove {
                    pool_action,
                    from_pool_name,
                    from_trade_id,
                    to_pool_name,
                    to_trade_id,
                    loans,
                    amount,
                });
            } else {
                result.other_moves += 1;
                result.other_loans += loans;
                result.other_amount += amount;
            }
        }
        result
    }
}
