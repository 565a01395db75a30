//! The snapshot with its references resolved to positions. Every table of a snapshot is sorted by key, so that a
//! smaller position is an earlier id wherever the specification breaks ties "by id".

use std::collections::HashMap;

use rayon::prelude::*;

use powerfill_events::values::{Day, Money, Name};
use powerfill_snapshot::tables::{Constraint, Instrument, Loan, Pool, Trade};
use powerfill_snapshot::{RunOptions, Snapshot};

/// Position in a table of the snapshot, or of something derived from one.
pub(crate) type Ix = u32;

/// Positions by folded name.
type Index<'a> = HashMap<&'a str, Ix>;

fn index<'a>(names: impl Iterator<Item = &'a Name>) -> Index<'a> {
    names.zip(0..).map(|(name, ix)| (name.folded(), ix)).collect()
}

fn find(index: &Index<'_>, name: &Name) -> Option<Ix> {
    index.get(name.folded()).copied()
}

/// What the engine works on.
pub(crate) struct Book<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) options: &'a RunOptions,
    /// The day that the run reckons from (1.3).
    pub(crate) as_of: Day,
    /// Eligibility date of each loan (2.1).
    pub(crate) eligible_on: Vec<Option<Day>>,
    /// The amount of each loan, side by side: the passes ask for them all the time.
    pub(crate) amounts: Vec<Money>,
    /// The pool that each loan is in.
    pub(crate) loan_pool: Vec<Option<Ix>>,
    /// The instrument of each trade.
    pub(crate) trade_instrument: Vec<Ix>,
    /// The trade that each pool is designated to, whatever became of the trade.
    pub(crate) pool_trade: Vec<Option<Ix>>,
    /// The instrument that each row of `pfill_constraints` names, where it exists.
    pub(crate) constraint_instrument: Vec<Option<Ix>>,
    instruments: Index<'a>,
    pools: Index<'a>,
    trades: Index<'a>,
    rules: Index<'a>,
}

impl<'a> Book<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let instruments = index(snapshot.instruments.iter().map(|i| &i.investor_instrument_name));
        let pools = index(snapshot.pools.iter().map(|p| &p.pool_name));
        let trades = index(snapshot.trades.iter().map(|t| &t.trade_id));
        let rules = index(snapshot.rules.iter().map(|r| &r.rule_name));
        let mut pool_trade = vec![None; snapshot.pools.len()];
        for row in &snapshot.designations {
            if let Some(pool) = find(&pools, &row.pool_name) {
                pool_trade[pool as usize] = find(&trades, &row.trade_id);
            }
        }
        let instrument_of = |name: &Name| find(&instruments, name);
        let known = "validation refuses an unknown instrument of a trade";
        let trade_instrument = snapshot.trades.iter();
        let trade_instrument = trade_instrument
            .map(|t| instrument_of(&t.investor_instrument_name).expect(known))
            .collect();
        let constraint_instrument = snapshot.constraints.iter();
        let constraint_instrument =
            constraint_instrument.map(|c| instrument_of(&c.key.investor_instrument_name)).collect();
        let pool_of = |loan: &Loan| loan.pool_name.as_ref().and_then(|name| find(&pools, name));
        Self {
            as_of: options.as_of.unwrap_or(snapshot.header.as_of),
            eligible_on: snapshot
                .loans
                .iter()
                .map(|loan| loan.close_date.or(loan.lock_expiration_date))
                .collect(),
            amounts: snapshot.loans.iter().map(|loan| loan.loan_amount).collect(),
            loan_pool: snapshot.loans.par_iter().map(pool_of).collect(),
            trade_instrument,
            pool_trade,
            constraint_instrument,
            snapshot,
            options,
            instruments,
            pools,
            trades,
            rules,
        }
    }

    pub(crate) fn loan(&self, ix: Ix) -> &'a Loan {
        &self.snapshot.loans[ix as usize]
    }

    pub(crate) fn amount(&self, loan: Ix) -> Money {
        self.amounts[loan as usize]
    }

    pub(crate) fn trade(&self, ix: Ix) -> &'a Trade {
        &self.snapshot.trades[ix as usize]
    }

    pub(crate) fn instrument(&self, ix: Ix) -> &'a Instrument {
        &self.snapshot.instruments[ix as usize]
    }

    pub(crate) fn pool(&self, ix: Ix) -> &'a Pool {
        &self.snapshot.pools[ix as usize]
    }

    pub(crate) fn constraint(&self, ix: Ix) -> &'a Constraint {
        &self.snapshot.constraints[ix as usize]
    }

    pub(crate) fn find_instrument(&self, name: &Name) -> Option<Ix> {
        find(&self.instruments, name)
    }

    pub(crate) fn find_pool(&self, name: &Name) -> Option<Ix> {
        find(&self.pools, name)
    }

    pub(crate) fn find_trade(&self, name: &Name) -> Option<Ix> {
        find(&self.trades, name)
    }

    pub(crate) fn find_rule(&self, name: &Name) -> Option<Ix> {
        find(&self.rules, name)
    }

    /// The last settlement date of the run: as_of + max_trade_settle_days.
    pub(crate) fn horizon(&self) -> Day {
        self.as_of.plus(self.options.max_trade_settle_days)
    }
}
