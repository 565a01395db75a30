//! 2.1 Who takes part.

use powerfill_events::values::{Day, Key, Name, PoolName};
use powerfill_snapshot::tables::{
    Loan, Pool, PoolStatus, ToleranceRule, ToleranceSide, Trade, TradeStatus, TradeType,
};
use powerfill_snapshot::{RunOptions, Scope, Snapshot};

use crate::number::{CENTS, of, round, whole};

/// A trade as the table of 2.1 leaves it; amounts in cents.
pub(crate) struct LookedAt {
    pub(crate) settlement_date: Option<Day>,
    pub(crate) exclusion: Option<&'static str>,
    pub(crate) open: i128,
    pub(crate) tolerance: i128,
    pub(crate) min: i128,
    pub(crate) max: i128,
}

impl LookedAt {
    pub(crate) fn included(&self) -> bool {
        self.exclusion.is_none()
    }
}

/// A loan as the table of 2.1 leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Locked,
    Held(&'static str),
    OutOfScope,
    Eligible,
}

impl Part {
    /// `held_reason` of 1.5.
    pub(crate) fn held_reason(self) -> Option<&'static str> {
        match self {
            Self::Locked => Some("Locked"),
            Self::Held(reason) => Some(reason),
            Self::OutOfScope | Self::Eligible => None,
        }
    }
}

/// Who and what is in a run.
pub(crate) struct Cast<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) options: &'a RunOptions,
    pub(crate) as_of: Day,
    /// As `snapshot.trades`.
    pub(crate) trades: Vec<LookedAt>,
    /// As `snapshot.pools`: the trade that each is designated to.
    pub(crate) pool_trade: Vec<Option<usize>>,
    /// As `snapshot.pools`.
    pub(crate) pool_locked: Vec<bool>,
    /// As `snapshot.loans`.
    pub(crate) parts: Vec<Part>,
    /// As `snapshot.loans`: the trade that the loan's present pool is designated to.
    pub(crate) prior_trade: Vec<Option<usize>>,
}

impl<'a> Cast<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let as_of = options.as_of.unwrap_or(snapshot.header.as_of);
        let trades = snapshot.trades.iter().map(|t| look_at(snapshot, options, as_of, t)).collect();
        let mut cast = Self {
            snapshot,
            options,
            as_of,
            trades,
            pool_trade: vec![],
            pool_locked: vec![],
            parts: vec![],
            prior_trade: vec![],
        };
        for pool in &snapshot.pools {
            cast.pool_trade.push(cast.designated_to(&pool.pool_name));
            cast.pool_locked.push(cast.locked(pool));
        }
        for loan in &snapshot.loans {
            cast.parts.push(cast.part(loan));
            cast.prior_trade.push(cast.pool_of(loan).and_then(|pool| cast.pool_trade[pool]));
        }
        cast
    }

    /// The loan's present pool.
    pub(crate) fn pool_of(&self, loan: &Loan) -> Option<usize> {
        let name = loan.pool_name.as_ref()?;
        self.snapshot.pools.iter().position(|pool| pool.pool_name == *name)
    }

    /// The trade that a pool is designated to; pools of cancelled, phantom and paired-off trades count as designated
    /// to no trade, everywhere.
    fn designated_to(&self, pool: &Key<PoolName>) -> Option<usize> {
        let row = self.snapshot.designations.iter().find(|row| row.pool_name == *pool)?;
        let trade = self.snapshot.trades.iter().position(|t| t.trade_id == row.trade_id)?;
        match self.trades[trade].exclusion {
            Some("Cancelled" | "Phantom" | "PairedOff") => None,
            _ => Some(trade),
        }
    }

    /// "A pool is locked when its row in pfill_lockdown_guide says Y, or when it is closed and has no row there."
    fn locked(&self, pool: &Pool) -> bool {
        match self.snapshot.lockdown.iter().find(|row| row.pool_name == pool.pool_name) {
            Some(row) => row.lock_pool,
            None => pool.status == PoolStatus::Closed,
        }
    }

    /// The table for loans: "in this order; the first line that holds decides".
    fn part(&self, loan: &Loan) -> Part {
        let pool = self.pool_of(loan);
        let trade = pool.and_then(|pool| self.pool_trade[pool]);
        if pool.is_some_and(|pool| self.pool_locked[pool]) {
            return Part::Locked;
        }
        if trade.is_some_and(|t| !self.trades[t].included()) {
            return Part::Held("TradeNotInRun");
        }
        let reason = if !self.passes_the_ladder(loan) {
            "Status"
        } else if self.options.scope == Scope::ClosedOnly
            && loan.close_date.is_none_or(|closed| closed > self.as_of)
        {
            "Scope"
        } else if eligibility_date(loan).is_none() {
            "NoEligibilityDate"
        } else if eligibility_date(loan) > Some(self.as_of.plus(self.options.max_eligible_days)) {
            "NotEligibleInTime"
        } else {
            return Part::Eligible;
        };
        // An OutOfScope loan in a pool designated to an included trade is Held for its reason.
        if trade.is_some() { Part::Held(reason) } else { Part::OutOfScope }
    }

    /// The status ladder.
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
        (0..self.parts.len()).filter(|l| self.parts[*l] == Part::Eligible)
    }

    /// Positions of the included trades, in order of trade_id.
    pub(crate) fn included(&self) -> impl Iterator<Item = usize> {
        (0..self.trades.len()).filter(|t| self.trades[*t].included())
    }

    /// Positions of the locked and held loans in a trade from the start.
    pub(crate) fn held_in(&self, trade: usize) -> impl Iterator<Item = usize> {
        (0..self.parts.len()).filter(move |l| {
            self.prior_trade[*l] == Some(trade) && self.parts[*l].held_reason().is_some()
        })
    }

    /// `held_amount` of a trade.
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

/// The table for trades: "the first line that holds decides".
fn look_at(snapshot: &Snapshot, options: &RunOptions, as_of: Day, trade: &Trade) -> LookedAt {
    let settlement_date = match trade.trade_type {
        TradeType::Bx if trade.settlement_date.is_none() => {
            first_grid_date(snapshot, options, as_of, trade)
        }
        _ => trade.settlement_date,
    };
    let open = i128::from(trade.trade_amount.units() - trade.pair_off_amount.units());
    let horizon = as_of.plus(options.max_trade_settle_days);
    let exclusion = if trade.status == TradeStatus::Cancelled {
        Some("Cancelled")
    } else if trade.status == TradeStatus::Phantom {
        Some("Phantom")
    } else if trade.status == TradeStatus::Settled {
        Some("Settled")
    } else if settlement_date.is_none() {
        Some("NoSettlement")
    } else if settlement_date < Some(as_of) {
        Some("PastSettlement")
    } else if settlement_date > Some(horizon) {
        Some("BeyondHorizon")
    } else if open <= 0 {
        Some("PairedOff")
    } else {
        None
    };
    // p = round(open × tolerance / 100, 2), then by tolerance_rule.
    let p = round(
        &(of(trade.trade_amount - trade.pair_off_amount) * of(trade.tolerance) / whole(100)),
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
    LookedAt { settlement_date, exclusion, open, tolerance, min, max }
}

/// 2.3 `bx_settle_and_price`: "the earliest settlement date in its instrument's grid that is ≥ as_of +
/// eligible_settle_buffer_days".
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
