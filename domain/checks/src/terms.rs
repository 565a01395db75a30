//! The terms of a run, computed from its snapshot and options: pools, trades, and who takes part
//! (2.1). A row is known by its position in its table, and names are looked up once.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::ops::Range;

use powerfill_events::run::event::{HeldReason, ScopeReason};
use powerfill_events::values::{Day, LoanId, Name, TradeId};
use powerfill_snapshot::tables::{Loan, PoolStatus};
use powerfill_snapshot::{RunOptions, Scope, Snapshot};

use super::trades::{GridDates, Positions, TradeTerms, rows_by_instrument};
use super::violation::ViolationSubject;

/// How a loan takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoanTerms {
    Eligible {
        eligible_on: Day,
    },
    /// Locked or held: the loan stays in its pool.
    Pinned(HeldReason),
    OutOfScope,
}

pub(super) struct PoolTerms {
    locked: bool,
    /// The trade that the pool counts as designated to.
    trade: Option<usize>,
}

pub(super) struct RunTerms<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) options: &'a RunOptions,
    /// Per row of `snapshot.trades`.
    pub(super) trades: Vec<TradeTerms>,
    /// Per row of `snapshot.pools`.
    pools: Vec<PoolTerms>,
    /// Per row of `snapshot.loans`.
    pub(super) loans: Vec<LoanTerms>,
    /// Per loan: the pool that it is in.
    pub(super) pool_of: Vec<Option<usize>>,
    /// Per instrument: its rows of the price grid.
    pub(super) prices_of: Vec<Range<usize>>,
    /// Per instrument: its pay-ups.
    pub(super) payups_of: Vec<Range<usize>>,
    /// Per instrument: its carry buckets.
    pub(super) carry_of: Vec<Range<usize>>,
    /// Instruments by folded name.
    pub(super) instrument_at: Positions<'a>,
    /// Loans by the spelling that events use.
    loan_at: Positions<'a>,
    /// Trades by the spelling that events use.
    trade_at: Positions<'a>,
}

impl<'a> RunTerms<'a> {
    /// Applies 2.1 to the snapshot.
    pub(super) fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let as_of = options.as_of.unwrap_or(snapshot.header.as_of);
        let instruments = snapshot.instruments.iter();
        let instrument_at = positions(instruments.map(|row| row.investor_instrument_name.folded()));
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
        let trades: Vec<TradeTerms> = snapshot
            .trades
            .iter()
            .map(|trade| {
                let instrument = instrument_at[trade.investor_instrument_name.folded()];
                TradeTerms::assess(trade, instrument, &grid, options, as_of)
            })
            .collect();
        let mut terms = Self {
            snapshot,
            options,
            pools: pool_terms(snapshot, &trades),
            trades,
            loans: Vec::new(),
            pool_of: Vec::new(),
            prices_of,
            payups_of,
            carry_of,
            instrument_at,
            loan_at: positions(snapshot.loans.iter().map(|loan| loan.loan_id.as_str())),
            trade_at: positions(snapshot.trades.iter().map(|trade| trade.trade_id.as_str())),
        };
        terms.choose_destinations();
        terms.add_loans(as_of);
        terms
    }

    /// Sets the destination of each trade: its first pool by name that is open and not locked
    /// (2.10).
    fn choose_destinations(&mut self) {
        for (at, pool) in self.pools.iter().enumerate() {
            let open = self.snapshot.pools[at].status == PoolStatus::Open;
            if let (Some(trade), true, false) = (pool.trade, open, pool.locked) {
                self.trades[trade].destination.get_or_insert(at);
            }
        }
    }

    /// Sets how each loan takes part, and adds pinned loans to their trades' held amounts.
    fn add_loans(&mut self, as_of: Day) {
        let pool_at = positions(self.snapshot.pools.iter().map(|pool| pool.pool_name.folded()));
        let ladder = PassingStatuses::new(self.snapshot, self.options);
        for loan in &self.snapshot.loans {
            let pool = loan.pool_name.as_ref().map(|name| pool_at[name.folded()]);
            let loan_terms = self.loan_terms(loan, pool, &ladder, as_of);
            if let (LoanTerms::Pinned(_), Some(trade)) = (loan_terms, self.designated(pool)) {
                self.trades[trade].held += loan.loan_amount;
            }
            self.pool_of.push(pool);
            self.loans.push(loan_terms);
        }
    }

    /// The table "Loans" of 2.1: the first line that holds.
    fn loan_terms(
        &self,
        loan: &Loan,
        pool: Option<usize>,
        ladder: &PassingStatuses<'_>,
        as_of: Day,
    ) -> LoanTerms {
        if pool.is_some_and(|pool| self.pools[pool].locked) {
            return LoanTerms::Pinned(HeldReason::Locked);
        }
        let trade = self.designated(pool).map(|trade| &self.trades[trade]);
        if trade.is_some_and(|trade| !trade.is_included()) {
            return LoanTerms::Pinned(HeldReason::TradeNotInRun);
        }
        let closed = loan.close_date.is_some_and(|date| date <= as_of);
        let reason = if !ladder.passes(&loan.curr_status) {
            ScopeReason::Status
        } else if self.options.scope == Scope::ClosedOnly && !closed {
            ScopeReason::Scope
        } else {
            match loan.close_date.or(loan.lock_expiration_date) {
                None => ScopeReason::NoEligibilityDate,
                Some(day) if as_of.days_until(day) > self.options.max_eligible_days => {
                    ScopeReason::NotEligibleInTime
                }
                Some(eligible_on) => return LoanTerms::Eligible { eligible_on },
            }
        };
        // A designated trade that is not included has decided above.
        if trade.is_some() { LoanTerms::Pinned(reason.into()) } else { LoanTerms::OutOfScope }
    }

    /// The trade that a pool counts as designated to.
    fn designated(&self, pool: Option<usize>) -> Option<usize> {
        pool.and_then(|pool| self.pools[pool].trade)
    }

    /// The trade that a loan's present pool counts as designated to.
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
    pub(super) fn loan_subject(&self, loan: usize) -> ViolationSubject {
        ViolationSubject::Loan(LoanId::from(&self.snapshot.loans[loan].loan_id))
    }

    /// A trade as the subject of a violation.
    pub(super) fn trade_subject(&self, trade: usize) -> ViolationSubject {
        ViolationSubject::Trade(TradeId::from(&self.snapshot.trades[trade].trade_id))
    }
}

/// Positions by name.
fn positions<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Positions<'a> {
    names.enumerate().map(|(position, name)| (name, position)).collect()
}

/// Locks and designations: one walk through three tables that are sorted by the same key.
fn pool_terms(snapshot: &Snapshot, trades: &[TradeTerms]) -> Vec<PoolTerms> {
    let trade_at = positions(snapshot.trades.iter().map(|trade| trade.trade_id.folded()));
    let mut designations = snapshot.designations.iter().peekable();
    let mut lockdown = snapshot.lockdown.iter().peekable();
    snapshot
        .pools
        .iter()
        .map(|pool| {
            let key = &pool.pool_name;
            let row = row_of(&mut lockdown, |row| row.pool_name.cmp(key));
            let designation = row_of(&mut designations, |row| row.pool_name.cmp(key));
            PoolTerms {
                locked: row.map_or(pool.status == PoolStatus::Closed, |row| row.lock_pool),
                trade: designation
                    .map(|row| trade_at[row.trade_id.folded()])
                    .filter(|trade| !trades[*trade].releases_its_pools()),
            }
        })
        .collect()
}

/// The row that compares equal; rows before it are skipped.
fn row_of<'a, R>(
    rows: &mut Peekable<impl Iterator<Item = &'a R>>,
    order: impl Fn(&R) -> Ordering,
) -> Option<&'a R> {
    while rows.next_if(|row| order(row).is_lt()).is_some() {}
    rows.next_if(|row| order(row).is_eq())
}

/// "Status ladder" of 2.1.
enum PassingStatuses<'a> {
    /// The stages that rank at least as high as `min_status`.
    Stages(Vec<&'a str>),
    /// `min_status` alone, because it has no rank.
    Only(&'a str),
}

impl<'a> PassingStatuses<'a> {
    fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let stage = snapshot.stages.iter().find(|stage| stage.stage_name == options.min_status);
        let Some(lowest) = stage.and_then(|stage| stage.stage_rank) else {
            return Self::Only(options.min_status.folded());
        };
        let passing =
            snapshot.stages.iter().filter(|stage| stage.stage_rank.is_some_and(|r| r >= lowest));
        Self::Stages(passing.map(|stage| stage.stage_name.folded()).collect())
    }

    fn passes(&self, status: &Name) -> bool {
        match self {
            Self::Stages(passing) => passing.contains(&status.folded()),
            Self::Only(min_status) => status.folded() == *min_status,
        }
    }
}
