//! The terms of a run, worked out from its snapshot and options: pools, trades and who takes part (2.1). Rows are
//! named by their position in their table; names are looked up once.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use powerfill_events::run::event::{HeldReason, ScopeReason};
use powerfill_events::values::{Day, LoanId, Name, TradeId};
use powerfill_snapshot::tables::{Loan, PoolStatus};
use powerfill_snapshot::{RunOptions, Scope, Snapshot};

use super::Subject;
use super::trades::{GridDates, TradeStand, rows_by_instrument};

/// Where a loan stands in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoanStand {
    /// Takes part.
    Eligible {
        /// Its eligibility date.
        from: Day,
    },
    /// Locked or held: stays where it is.
    Pinned(HeldReason),
    /// Takes no part.
    OutOfScope,
}

/// Where a pool stands in the run.
pub(super) struct PoolStand {
    /// Whether its loans stay.
    pub(super) locked: bool,
    /// The trade that it is designated to; none where that trade lets go of its pools.
    pub(super) trade: Option<usize>,
}

/// The terms of a run.
pub(super) struct Book<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) options: &'a RunOptions,
    /// As `snapshot.trades`.
    pub(super) trades: Vec<TradeStand>,
    /// As `snapshot.pools`.
    pub(super) pools: Vec<PoolStand>,
    /// As `snapshot.loans`.
    pub(super) loans: Vec<LoanStand>,
    /// As `snapshot.loans`: the pool that each is in.
    pub(super) pool_of: Vec<Option<usize>>,
    /// For each instrument its rows of the price grid.
    pub(super) prices_of: Vec<Range<usize>>,
    /// For each instrument its pay-ups.
    pub(super) payups_of: Vec<Range<usize>>,
    /// For each instrument its carry buckets.
    pub(super) carry_of: Vec<Range<usize>>,
    /// Instruments by folded name.
    pub(super) instrument_at: HashMap<&'a str, usize>,
    /// Loans as the events spell them.
    loan_at: HashMap<&'a str, usize>,
    /// Trades as the events spell them.
    trade_at: HashMap<&'a str, usize>,
}

impl<'a> Book<'a> {
    /// Works out everything that 2.1 says.
    pub(super) fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let as_of = options.as_of.unwrap_or(snapshot.header.as_of);
        let folded = |name: &'a Name| name.folded();
        let instrument_at: HashMap<&str, usize> =
            at(snapshot.instruments.iter().map(|row| folded(&row.investor_instrument_name)));
        let prices_of = rows_by_instrument(
            &snapshot.prices,
            |row| &row.investor_instrument_name,
            &instrument_at,
        );
        let payups_of = rows_by_instrument(
            &snapshot.payups,
            |row| &row.investor_instrument_name,
            &instrument_at,
        );
        let carry_of = rows_by_instrument(
            &snapshot.carry_costs,
            |row| &row.investor_instrument_name,
            &instrument_at,
        );
        let grid = GridDates::new(snapshot, &prices_of);
        let trades: Vec<TradeStand> = snapshot
            .trades
            .iter()
            .map(|trade| {
                let instrument = instrument_at[trade.investor_instrument_name.folded()];
                TradeStand::assess(trade, instrument, &grid, options, as_of)
            })
            .collect();
        let mut book = Self {
            snapshot,
            options,
            pools: pools(snapshot, &trades),
            trades,
            loans: Vec::new(),
            pool_of: Vec::new(),
            prices_of,
            payups_of,
            carry_of,
            instrument_at,
            loan_at: at(snapshot.loans.iter().map(|loan| loan.loan_id.as_str())),
            trade_at: at(snapshot.trades.iter().map(|trade| trade.trade_id.as_str())),
        };
        book.choose_destinations();
        book.place_loans(as_of);
        book
    }

    /// The first pool by name of each trade that is open and not locked (2.10).
    fn choose_destinations(&mut self) {
        for (at, pool) in self.pools.iter().enumerate() {
            let open = self.snapshot.pools[at].status == PoolStatus::Open;
            if let (Some(trade), true, false) = (pool.trade, open, pool.locked) {
                self.trades[trade].destination.get_or_insert(at);
            }
        }
    }

    /// Who takes part, and what the others use up.
    fn place_loans(&mut self, as_of: Day) {
        let pool_at = at(self.snapshot.pools.iter().map(|pool| pool.pool_name.folded()));
        let ladder = Ladder::new(self.snapshot, self.options);
        for loan in &self.snapshot.loans {
            let pool = loan.pool_name.as_ref().map(|name| pool_at[name.folded()]);
            let stand = self.stand(loan, pool, &ladder, as_of);
            if let (LoanStand::Pinned(_), Some(trade)) = (stand, self.designated(pool)) {
                self.trades[trade].held += loan.loan_amount;
            }
            self.pool_of.push(pool);
            self.loans.push(stand);
        }
    }

    /// The table of 2.1 for loans, the first line that holds.
    fn stand(
        &self,
        loan: &Loan,
        pool: Option<usize>,
        ladder: &Ladder<'_>,
        as_of: Day,
    ) -> LoanStand {
        if pool.is_some_and(|pool| self.pools[pool].locked) {
            return LoanStand::Pinned(HeldReason::Locked);
        }
        let trade = self.designated(pool).map(|trade| &self.trades[trade]);
        if trade.is_some_and(|trade| !trade.included()) {
            return LoanStand::Pinned(HeldReason::TradeNotInRun);
        }
        let closed = loan.close_date.is_some_and(|date| date <= as_of);
        let reason = if !ladder.passes(&loan.curr_status) {
            ScopeReason::Status
        } else if self.options.scope == Scope::ClosedOnly && !closed {
            ScopeReason::Scope
        } else {
            match loan.close_date.or(loan.lock_expiration_date) {
                None => ScopeReason::NoEligibilityDate,
                Some(from) if as_of.days_until(from) > self.options.max_eligible_days => {
                    ScopeReason::NotEligibleInTime
                }
                Some(from) => return LoanStand::Eligible { from },
            }
        };
        // Here a designated trade is an included one.
        if trade.is_some() { LoanStand::Pinned(reason.into()) } else { LoanStand::OutOfScope }
    }

    /// The trade that a pool is designated to.
    fn designated(&self, pool: Option<usize>) -> Option<usize> {
        pool.and_then(|pool| self.pools[pool].trade)
    }

    /// The trade that a loan's present pool is designated to.
    pub(super) fn prior_trade(&self, loan: usize) -> Option<usize> {
        self.designated(self.pool_of[loan])
    }

    /// The loan that an event names.
    pub(super) fn find_loan(&self, id: &LoanId) -> Option<usize> {
        self.loan_at.get(id.as_str()).copied()
    }

    /// The trade that an event names.
    pub(super) fn find_trade(&self, id: &TradeId) -> Option<usize> {
        self.trade_at.get(id.as_str()).copied()
    }

    /// A loan as the subject of a violation.
    pub(super) fn loan_subject(&self, loan: usize) -> Subject {
        Subject::Loan(LoanId::from(&self.snapshot.loans[loan].loan_id))
    }

    /// A trade as the subject of a violation.
    pub(super) fn trade_subject(&self, trade: usize) -> Subject {
        Subject::Trade(TradeId::from(&self.snapshot.trades[trade].trade_id))
    }
}

/// Positions by name.
fn at<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    names.enumerate().map(|(position, name)| (name, position)).collect()
}

/// Locks and designations: three tables in the order of the same key, walked side by side.
fn pools(snapshot: &Snapshot, trades: &[TradeStand]) -> Vec<PoolStand> {
    let trade_at = at(snapshot.trades.iter().map(|trade| trade.trade_id.folded()));
    let mut designations = snapshot.designations.iter().peekable();
    let mut lockdown = snapshot.lockdown.iter().peekable();
    snapshot
        .pools
        .iter()
        .map(|pool| {
            let key = &pool.pool_name;
            let row = row_of(&mut lockdown, |row| row.pool_name.cmp(key));
            let designation = row_of(&mut designations, |row| row.pool_name.cmp(key));
            PoolStand {
                locked: row.map_or(pool.status == PoolStatus::Closed, |row| row.lock_pool),
                trade: designation
                    .map(|row| trade_at[row.trade_id.folded()])
                    .filter(|trade| !trades[*trade].lets_go_of_its_pools()),
            }
        })
        .collect()
}

/// The row that compares equal, rows before it skipped.
fn row_of<'a, R>(
    rows: &mut std::iter::Peekable<impl Iterator<Item = &'a R>>,
    order: impl Fn(&R) -> Ordering,
) -> Option<&'a R> {
    while rows.next_if(|row| order(row).is_lt()).is_some() {}
    rows.next_if(|row| order(row).is_eq())
}

/// The statuses that pass (2.1, status ladder).
enum Ladder<'a> {
    /// The stages with a rank that is high enough.
    Stages(Vec<&'a str>),
    /// `min_status` itself: it is no stage, or one without a rank.
    Itself(&'a str),
}

impl<'a> Ladder<'a> {
    fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let stage = snapshot.stages.iter().find(|stage| stage.stage_name == options.min_status);
        let Some(lowest) = stage.and_then(|stage| stage.stage_rank) else {
            return Self::Itself(options.min_status.folded());
        };
        let passing =
            snapshot.stages.iter().filter(|stage| stage.stage_rank.is_some_and(|r| r >= lowest));
        Self::Stages(passing.map(|stage| stage.stage_name.folded()).collect())
    }

    fn passes(&self, status: &Name) -> bool {
        match self {
            Self::Stages(passing) => passing.contains(&status.folded()),
            Self::Itself(status_itself) => status.folded() == *status_itself,
        }
    }
}
