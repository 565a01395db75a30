//! 2.1 Participation.

use powerfill_events::run::event::{ExclusionReason, HeldReason, ScopeReason};
use powerfill_events::values::{Day, Key, Name, PoolName};
use powerfill_snapshot::tables::{
    Loan, Pool, PoolStatus, ToleranceRule, ToleranceSide, Trade, TradeStatus, TradeType,
};
use powerfill_snapshot::{RunOptions, Scope, Snapshot};

use crate::number::{CENTS, exact, round, whole};

/// The result of the table "Trades" for a trade; amounts in cents.
pub(crate) struct AssessedTrade {
    pub(crate) settlement_date: Option<Day>,
    pub(crate) exclusion: Option<ExclusionReason>,
    pub(crate) open: i128,
    pub(crate) tolerance: i128,
    pub(crate) min: i128,
    pub(crate) max: i128,
}

impl AssessedTrade {
    pub(crate) fn included(&self) -> bool {
        self.exclusion.is_none()
    }
}

/// The result of the table "Loans" for a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoanResult {
    Locked,
    Held(HeldReason),
    OutOfScope,
    Eligible,
}

impl LoanResult {
    /// `held_reason` of 1.5.
    pub(crate) fn held_reason(self) -> Option<HeldReason> {
        match self {
            Self::Locked => Some(HeldReason::Locked),
            Self::Held(reason) => Some(reason),
            Self::OutOfScope | Self::Eligible => None,
        }
    }
}

/// The input of a run, with the results of 2.1.
pub(crate) struct ModelInput<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) options: &'a RunOptions,
    pub(crate) as_of: Day,
    /// Per row of `snapshot.trades`.
    pub(crate) trades: Vec<AssessedTrade>,
    /// Per row of `snapshot.pools`: the trade that the pool counts as designated to.
    pub(crate) pool_trade: Vec<Option<usize>>,
    /// Per row of `snapshot.pools`.
    pub(crate) pool_locked: Vec<bool>,
    /// Per row of `snapshot.loans`.
    pub(crate) loans: Vec<LoanResult>,
    /// Per row of `snapshot.loans`: the trade that the loan's present pool counts as designated to.
    pub(crate) prior_trade: Vec<Option<usize>>,
}

impl<'a> ModelInput<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let as_of = options.as_of.unwrap_or(snapshot.header.as_of);
        let trades = snapshot.trades.iter().map(|t| assess(snapshot, options, as_of, t)).collect();
        let mut input = Self {
            snapshot,
            options,
            as_of,
            trades,
            pool_trade: vec![],
            pool_locked: vec![],
            loans: vec![],
            prior_trade: vec![],
        };
        for pool in &snapshot.pools {
            input.pool_trade.push(input.designated_to(&pool.pool_name));
            input.pool_locked.push(input.locked(pool));
        }
        for loan in &snapshot.loans {
            input.loans.push(input.loan_result(loan));
            input.prior_trade.push(input.pool_of(loan).and_then(|pool| input.pool_trade[pool]));
        }
        input
    }

    /// The loan's present pool.
    pub(crate) fn pool_of(&self, loan: &Loan) -> Option<usize> {
        let name = loan.pool_name.as_ref()?;
        self.snapshot.pools.iter().position(|pool| pool.pool_name == *name)
    }

    /// The trade that a pool counts as designated to: "its pools count as designated to no trade,
    /// everywhere" for cancelled, phantom, and paired-off trades.
    fn designated_to(&self, pool: &Key<PoolName>) -> Option<usize> {
        let row = self.snapshot.designations.iter().find(|row| row.pool_name == *pool)?;
        let trade = self.snapshot.trades.iter().position(|t| t.trade_id == row.trade_id)?;
        match self.trades[trade].exclusion {
            Some(
                ExclusionReason::Cancelled | ExclusionReason::Phantom | ExclusionReason::PairedOff,
            ) => None,
            Some(
                ExclusionReason::Settled
                | ExclusionReason::NoSettlement
                | ExclusionReason::PastSettlement
                | ExclusionReason::BeyondHorizon,
            )
            | None => Some(trade),
        }
    }

    /// "A pool is locked when its row in pfill_lockdown_guide says Y, or when it is closed and has
    /// no row there."
    fn locked(&self, pool: &Pool) -> bool {
        match self.snapshot.lockdown.iter().find(|row| row.pool_name == pool.pool_name) {
            Some(row) => row.lock_pool,
            None => pool.status == PoolStatus::Closed,
        }
    }

    /// The table "Loans": "in this order; the first line that holds decides".
    fn loan_result(&self, loan: &Loan) -> LoanResult {
        let pool = self.pool_of(loan);
        let trade = pool.and_then(|pool| self.pool_trade[pool]);
        if pool.is_some_and(|pool| self.pool_locked[pool]) {
            return LoanResult::Locked;
        }
        if trade.is_some_and(|t| !self.trades[t].included()) {
            return LoanResult::Held(HeldReason::TradeNotInRun);
        }
        let reason = if !self.passes_the_ladder(loan) {
            ScopeReason::Status
        } else if self.options.scope == Scope::ClosedOnly
            && loan.close_date.is_none_or(|closed| closed > self.as_of)
        {
            ScopeReason::Scope
        } else if eligibility_date(loan).is_none() {
            ScopeReason::NoEligibilityDate
        } else if eligibility_date(loan) > Some(self.as_of.plus(self.options.max_eligible_days)) {
            ScopeReason::NotEligibleInTime
        } else {
            return LoanResult::Eligible;
        };
        // "An OutOfScope loan in a pool that is designated to an included trade becomes Held(its
        // reason)."
        if trade.is_some() { LoanResult::Held(held(reason)) } else { LoanResult::OutOfScope }
    }

    /// "Status ladder."
    fn passes_the_ladder(&self, loan: &Loan) -> bool {
        let rank_of = |status: &Name| {
            let stage = self.snapshot.stages.iter().find(|stage| stage.stage_name == *status);
            stage.and_then(|stage| stage.stage_rank)
        };
        match rank_of(&self.options.min_status) {
            None => loan.curr_status == self.options.min_status,
            Some(lowest) => rank_of(&loan.curr_status).is_some_and(|rank| rank >= lowest),
        }
    }

    /// Positions of the Eligible loans, in order of loan_id.
    pub(crate) fn eligible(&self) -> impl Iterator<Item = usize> {
        (0..self.loans.len()).filter(|l| self.loans[*l] == LoanResult::Eligible)
    }

    /// Positions of the included trades, in order of trade_id.
    pub(crate) fn included(&self) -> impl Iterator<Item = usize> {
        (0..self.trades.len()).filter(|t| self.trades[*t].included())
    }

    /// Positions of the locked and held loans whose pool counts as designated to a trade.
    pub(crate) fn held_in(&self, trade: usize) -> impl Iterator<Item = usize> {
        (0..self.loans.len()).filter(move |l| {
            self.prior_trade[*l] == Some(trade) && self.loans[*l].held_reason().is_some()
        })
    }

    /// `held_amount` of a trade, in cents.
    pub(crate) fn held_amount(&self, trade: usize) -> i128 {
        self.held_in(trade).map(|l| self.amount(l)).sum()
    }

    /// loan_amount, in cents.
    pub(crate) fn amount(&self, loan: usize) -> i128 {
        self.snapshot.loans[loan].loan_amount.units().into()
    }
}

/// "e = close_date, or lock_expiration_date where that is NULL."
pub(crate) fn eligibility_date(loan: &Loan) -> Option<Day> {
    loan.close_date.or(loan.lock_expiration_date)
}

/// A loan is held for the reason for which it would be out of scope.
fn held(reason: ScopeReason) -> HeldReason {
    match reason {
        ScopeReason::Status => HeldReason::Status,
        ScopeReason::Scope => HeldReason::Scope,
        ScopeReason::NoEligibilityDate => HeldReason::NoEligibilityDate,
        ScopeReason::NotEligibleInTime => HeldReason::NotEligibleInTime,
    }
}

/// The table "Trades": "the first line that holds decides".
fn assess(snapshot: &Snapshot, options: &RunOptions, as_of: Day, trade: &Trade) -> AssessedTrade {
    let settlement_date = match trade.trade_type {
        TradeType::Bx if trade.settlement_date.is_none() => {
            first_grid_date(snapshot, options, as_of, trade)
        }
        _ => trade.settlement_date,
    };
    let open = i128::from(trade.trade_amount.units() - trade.pair_off_amount.units());
    let horizon = as_of.plus(options.max_trade_settle_days);
    let exclusion = if trade.status == TradeStatus::Cancelled {
        Some(ExclusionReason::Cancelled)
    } else if trade.status == TradeStatus::Phantom {
        Some(ExclusionReason::Phantom)
    } else if trade.status == TradeStatus::Settled {
        Some(ExclusionReason::Settled)
    } else if settlement_date.is_none() {
        Some(ExclusionReason::NoSettlement)
    } else if settlement_date < Some(as_of) {
        Some(ExclusionReason::PastSettlement)
    } else if settlement_date > Some(horizon) {
        Some(ExclusionReason::BeyondHorizon)
    } else if open <= 0 {
        Some(ExclusionReason::PairedOff)
    } else {
        None
    };
    // p = round(open × tolerance / 100, 2); then tolerance_rule decides.
    let p = round(
        &(exact(trade.trade_amount - trade.pair_off_amount) * exact(trade.tolerance) / whole(100)),
        CENTS,
    );
    let amount = trade.tolerance_amount.map(|amount| i128::from(amount.units()));
    let tolerance = match (trade.tolerance_rule, amount) {
        (ToleranceRule::GreaterOf, Some(amount)) => p.max(amount),
        (ToleranceRule::LesserOf, Some(amount)) => p.min(amount),
        _ => p,
    };
    let min = match trade.tolerance_side {
        ToleranceSide::Both | ToleranceSide::Under => (open - tolerance).max(0),
        ToleranceSide::Over | ToleranceSide::None => open,
    };
    let max = match trade.tolerance_side {
        ToleranceSide::Both | ToleranceSide::Over => open + tolerance,
        ToleranceSide::Under | ToleranceSide::None => open,
    };
    AssessedTrade { settlement_date, exclusion, open, tolerance, min, max }
}

/// 2.3 `bx_settle_and_price`: "the earliest settlement date in its instrument's grid that is ≥
/// as_of + eligible_settle_buffer_days".
fn first_grid_date(
    snapshot: &Snapshot,
    options: &RunOptions,
    as_of: Day,
    trade: &Trade,
) -> Option<Day> {
    let from = as_of.plus(options.eligible_settle_buffer_days);
    snapshot
        .prices
        .iter()
        .filter(|row| row.investor_instrument_name == trade.investor_instrument_name)
        .map(|row| row.settlement_date)
        .filter(|date| *date >= from)
        .min()
}
