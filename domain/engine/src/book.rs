//! The snapshot with its references resolved to positions.

use std::collections::HashMap;

use rayon::prelude::*;

use super::index::{Idx, IdxRange, IdxVec};
use powerfill_events::values::{Day, Key, Money, Name};
use powerfill_snapshot::tables::{
    ConstraintRow, Instrument, Loan, Pool, SecuritizationRule, Trade,
};
use powerfill_snapshot::{RunOptions, Snapshot};

pub(crate) type LoanIdx = Idx<Loan>;
pub(crate) type TradeIdx = Idx<Trade>;
pub(crate) type PoolIdx = Idx<Pool>;
pub(crate) type InstrumentIdx = Idx<Instrument>;
pub(crate) type ConstraintIdx = Idx<ConstraintRow>;
pub(crate) type RuleIdx = Idx<SecuritizationRule>;

/// Positions of the rows of a table by name.
pub(crate) struct NameIndex<'a, T>(HashMap<&'a str, Idx<T>>);

impl<'a, T> NameIndex<'a, T> {
    fn new(table: &'a [T], name: impl Fn(&'a T) -> &'a Name) -> Self {
        let positions = IdxRange::all(table).iter();
        Self(table.iter().map(|row| name(row).folded()).zip(positions).collect())
    }

    pub(crate) fn find(&self, name: &Name) -> Option<Idx<T>> {
        self.0.get(name.folded()).copied()
    }
}

/// The input of a run: the snapshot, the options, and what follows from rows alone.
pub(crate) struct RunBook<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) options: &'a RunOptions,
    /// The option, or the day of the snapshot where that is NULL (1.3).
    pub(crate) as_of: Day,
    /// Eligibility dates (2.1).
    pub(crate) eligible_on: IdxVec<Loan, Option<Day>>,
    /// Side by side, because the passes read them all the time.
    pub(crate) amounts: IdxVec<Loan, Money>,
    pub(crate) loan_pool: IdxVec<Loan, Option<PoolIdx>>,
    pub(crate) trade_instrument: IdxVec<Trade, InstrumentIdx>,
    /// The trade that each pool is designated to, also where that trade is not in the run.
    pub(crate) pool_trade: IdxVec<Pool, Option<TradeIdx>>,
    /// The instrument that each row of `pfill_constraints` names, where that exists.
    pub(crate) constraint_instrument: IdxVec<ConstraintRow, Option<InstrumentIdx>>,
    pub(crate) instruments: NameIndex<'a, Instrument>,
    pub(crate) pools: NameIndex<'a, Pool>,
    pub(crate) trades: NameIndex<'a, Trade>,
    pub(crate) rules: NameIndex<'a, SecuritizationRule>,
}

impl<'a> RunBook<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let instruments =
            NameIndex::new(&snapshot.instruments, |row| &row.investor_instrument_name);
        let pools = NameIndex::new(&snapshot.pools, |row| &row.pool_name);
        let trades = NameIndex::new(&snapshot.trades, |row| &row.trade_id);
        let rules = NameIndex::new(&snapshot.rules, |row| &row.row.rule_name);
        let mut pool_trade = IdxVec::per_row(&snapshot.pools, None);
        for row in &snapshot.designations {
            if let Some(pool) = pools.find(&row.pool_name) {
                pool_trade[pool] = trades.find(&row.trade_id);
            }
        }
        let instrument_of_trade = |trade: &Trade| {
            let instrument = instruments.find(&trade.investor_instrument_name);
            instrument.expect("validation refuses an unknown instrument of a trade")
        };
        let instrument_of_constraint =
            |row: &ConstraintRow| instruments.find(&row.investor_instrument_name);
        let pool_of = |loan: &Loan| loan.pool_name.as_ref().and_then(|name| pools.find(name));
        let eligible_on = |loan: &Loan| loan.close_date.or(loan.lock_expiration_date);
        let loan_pool: Vec<_> = snapshot.loans.par_iter().map(pool_of).collect();
        Self {
            as_of: options.as_of.unwrap_or(snapshot.header.as_of),
            eligible_on: snapshot.loans.iter().map(eligible_on).collect(),
            amounts: snapshot.loans.iter().map(|loan| loan.loan_amount).collect(),
            loan_pool: loan_pool.into(),
            trade_instrument: snapshot.trades.iter().map(instrument_of_trade).collect(),
            pool_trade,
            constraint_instrument: snapshot
                .constraints
                .iter()
                .map(instrument_of_constraint)
                .collect(),
            snapshot,
            options,
            instruments,
            pools,
            trades,
            rules,
        }
    }

    pub(crate) fn loan(&self, idx: LoanIdx) -> &'a Loan {
        &self.snapshot.loans[idx.get()]
    }

    /// The loan with this id, which is compared as text (1.1).
    pub(crate) fn find_loan(&self, loan_id: &str) -> Option<LoanIdx> {
        let wanted = Key::from(loan_id);
        let found = self.snapshot.loans.binary_search_by(|loan| loan.loan_id.cmp(&wanted));
        found.ok().map(LoanIdx::new)
    }

    pub(crate) fn trade(&self, idx: TradeIdx) -> &'a Trade {
        &self.snapshot.trades[idx.get()]
    }

    pub(crate) fn instrument(&self, idx: InstrumentIdx) -> &'a Instrument {
        &self.snapshot.instruments[idx.get()]
    }

    pub(crate) fn pool(&self, idx: PoolIdx) -> &'a Pool {
        &self.snapshot.pools[idx.get()]
    }

    pub(crate) fn constraint(&self, idx: ConstraintIdx) -> &'a ConstraintRow {
        &self.snapshot.constraints[idx.get()]
    }

    /// The last settlement date of the run: as_of + max_trade_settle_days.
    pub(crate) fn horizon(&self) -> Day {
        self.as_of.plus(self.options.max_trade_settle_days)
    }
}
