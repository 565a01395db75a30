//! 2.1 Participation: the included trades with their bands, the locked pools, and what each loan
//! does in the run.

use std::collections::{BTreeMap, HashSet};

use super::book::{LoanIdx, PoolIdx, RunBook, TradeIdx};
use super::grid::PriceGrids;
use super::index::{IdxRange, IdxVec};
use powerfill_events::run::event::{Band, ExclusionReason, HeldReason, ScopeReason};
use powerfill_events::values::{Day, Money, Name};
use powerfill_snapshot::Scope;
use powerfill_snapshot::tables::{
    Instrument, Loan, Pool, PoolStatus, ToleranceRule, ToleranceSide, Trade, TradeStatus, TradeType,
};

#[derive(Debug, Clone)]
pub(crate) struct TradeAssessment {
    /// As given, or from [`PriceGrids::settlement`].
    pub(crate) settles_on: Option<Day>,
    pub(crate) open: Money,
    pub(crate) inclusion: Inclusion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inclusion {
    Included(Band),
    Excluded(ExclusionReason),
}

impl TradeAssessment {
    pub(crate) const fn band(&self) -> Option<&Band> {
        match &self.inclusion {
            Inclusion::Included(band) => Some(band),
            Inclusion::Excluded(_) => None,
        }
    }

    pub(crate) const fn exclusion(&self) -> Option<ExclusionReason> {
        match self.inclusion {
            Inclusion::Included(_) => None,
            Inclusion::Excluded(reason) => Some(reason),
        }
    }
}

/// How a loan takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoanParticipation {
    Eligible,
    /// Locked or held: the loan stays in its pool.
    Pinned(HeldReason),
    OutOfScope(ScopeReason),
}

/// Which trades and loans take part in a run.
pub(crate) struct Participation {
    pub(crate) trades: IdxVec<Trade, TradeAssessment>,
    /// By id.
    pub(crate) included: Vec<TradeIdx>,
    /// The included trades of each instrument, by id.
    pub(crate) included_of: IdxVec<Instrument, Vec<TradeIdx>>,
    /// The trade that each pool counts as designated to.
    pub(crate) pool_trade: IdxVec<Pool, Option<TradeIdx>>,
    pub(crate) pool_locked: IdxVec<Pool, bool>,
    pub(crate) loans: IdxVec<Loan, LoanParticipation>,
}

impl Participation {
    pub(crate) fn new(book: &RunBook<'_>, grids: &PriceGrids) -> Self {
        let mut trades: IdxVec<Trade, TradeAssessment> = IdxRange::all(&book.snapshot.trades)
            .iter()
            .map(|idx| assess(book, grids, idx))
            .collect();
        let keeps_pool = |trade: &TradeIdx| keeps_its_pools(trades[*trade].inclusion);
        let pool_trade = book.pool_trade.iter().map(|trade| trade.filter(keeps_pool)).collect();
        let pool_locked = locked_pools(book);
        let loans = participations(book, &pool_trade, &pool_locked, &mut trades);
        let is_included = |trade: &TradeIdx| trades[*trade].band().is_some();
        let included: Vec<TradeIdx> = trades.indices().iter().filter(is_included).collect();
        let mut included_of = IdxVec::per_row(&book.snapshot.instruments, Vec::new());
        for trade in &included {
            included_of[book.trade_instrument[*trade]].push(*trade);
        }
        Self { trades, included, included_of, pool_trade, pool_locked, loans }
    }

    /// The trade that the loan's present pool counts as designated to.
    pub(crate) fn present_trade(&self, book: &RunBook<'_>, loan: LoanIdx) -> Option<TradeIdx> {
        book.loan_pool[loan].and_then(|pool| self.pool_trade[pool])
    }

    /// The present trade of a loan, where it is included.
    pub(crate) fn present_included_trade(
        &self,
        book: &RunBook<'_>,
        loan: LoanIdx,
    ) -> Option<TradeIdx> {
        self.present_trade(book, loan).filter(|trade| self.trades[*trade].band().is_some())
    }

    /// The settlement date of an included trade.
    pub(crate) fn settles_on(&self, trade: TradeIdx) -> Day {
        self.trades[trade].settles_on.expect("an included trade has a settlement date")
    }

    /// The eligible loans, by id.
    pub(crate) fn eligible(&self) -> impl Iterator<Item = LoanIdx> {
        let loans = self.loans.enumerate();
        loans.filter(|(_, loan)| **loan == LoanParticipation::Eligible).map(|(idx, _)| idx)
    }

    /// The locked and held loans, by id.
    pub(crate) fn pinned(&self) -> impl Iterator<Item = (LoanIdx, HeldReason)> {
        self.loans.enumerate().filter_map(|(idx, loan)| match loan {
            LoanParticipation::Pinned(reason) => Some((idx, *reason)),
            LoanParticipation::Eligible | LoanParticipation::OutOfScope(_) => None,
        })
    }

    /// Number of loans per kind of participation, by its name in `RunStarted`.
    pub(crate) fn loan_counts(&self) -> BTreeMap<String, u64> {
        count_names(self.loans.iter().map(|loan| match loan {
            LoanParticipation::Eligible => "Eligible".to_owned(),
            LoanParticipation::Pinned(HeldReason::Locked) => "Locked".to_owned(),
            LoanParticipation::Pinned(reason) => format!("Held({reason:?})"),
            LoanParticipation::OutOfScope(reason) => format!("OutOfScope({reason:?})"),
        }))
    }

    /// Number of included trades, and of excluded ones per reason.
    pub(crate) fn trade_counts(&self) -> BTreeMap<String, u64> {
        count_names(self.trades.iter().map(|trade| match trade.exclusion() {
            None => "Included".to_owned(),
            Some(reason) => format!("{reason:?}"),
        }))
    }
}

fn count_names(names: impl Iterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// The table "Trades" of 2.1 for one trade. The held amount is added later.
fn assess(book: &RunBook<'_>, grids: &PriceGrids, idx: TradeIdx) -> TradeAssessment {
    let trade = book.trade(idx);
    let settles_on = match (trade.trade_type, trade.settlement_date) {
        (TradeType::Bx, None) => grids.settlement(book, book.trade_instrument[idx]),
        (_, given) => given,
    };
    let open = trade.trade_amount - trade.pair_off_amount;
    let exclusion = match (trade.status, settles_on) {
        (TradeStatus::Cancelled, _) => Some(ExclusionReason::Cancelled),
        (TradeStatus::Phantom, _) => Some(ExclusionReason::Phantom),
        (TradeStatus::Settled, _) => Some(ExclusionReason::Settled),
        (TradeStatus::Open, None) => Some(ExclusionReason::NoSettlement),
        (TradeStatus::Open, Some(day)) if day < book.as_of => Some(ExclusionReason::PastSettlement),
        (TradeStatus::Open, Some(day)) if day > book.horizon() => {
            Some(ExclusionReason::BeyondHorizon)
        }
        (TradeStatus::Open, Some(_)) if open <= Money::ZERO => Some(ExclusionReason::PairedOff),
        (TradeStatus::Open, Some(_)) => None,
    };
    let inclusion =
        exclusion.map_or_else(|| Inclusion::Included(band(trade, open)), Inclusion::Excluded);
    TradeAssessment { settles_on, open, inclusion }
}

/// Tolerance, min, and max of a trade with this open amount; the held amount is 0.
pub(crate) fn band(trade: &Trade, open: Money) -> Band {
    let percent = open.percent(trade.tolerance);
    let amount = trade.tolerance_amount.unwrap_or(percent);
    let tolerance_amount = match trade.tolerance_rule {
        ToleranceRule::Percent => percent,
        ToleranceRule::GreaterOf => percent.max(amount),
        ToleranceRule::LesserOf => percent.min(amount),
    };
    let (under, over) = match trade.tolerance_side {
        ToleranceSide::Both => (true, true),
        ToleranceSide::Over => (false, true),
        ToleranceSide::Under => (true, false),
        ToleranceSide::None => (false, false),
    };
    Band {
        tolerance_amount,
        min_amount: if under { (open - tolerance_amount).max(Money::ZERO) } else { open },
        max_amount: if over { open + tolerance_amount } else { open },
        held_amount: Money::ZERO,
    }
}

/// Whether the pools of a trade count as designated to it.
const fn keeps_its_pools(inclusion: Inclusion) -> bool {
    match inclusion {
        Inclusion::Included(_) => true,
        Inclusion::Excluded(reason) => match reason {
            ExclusionReason::Cancelled | ExclusionReason::Phantom | ExclusionReason::PairedOff => {
                false
            }
            ExclusionReason::Settled
            | ExclusionReason::NoSettlement
            | ExclusionReason::PastSettlement
            | ExclusionReason::BeyondHorizon => true,
        },
    }
}

/// "Locked pools" of 2.1: the lockdown guide decides; without a row there, a closed pool is locked.
fn locked_pools(book: &RunBook<'_>) -> IdxVec<Pool, bool> {
    let pools = book.snapshot.pools.iter();
    let mut locked: IdxVec<Pool, bool> =
        pools.map(|pool| pool.status == PoolStatus::Closed).collect();
    for row in &book.snapshot.lockdown {
        if let Some(pool) = book.pools.find(&row.pool_name) {
            locked[pool] = row.lock_pool;
        }
    }
    locked
}

/// The table "Loans" of 2.1. Adds the amounts of pinned loans to their trades' held amounts.
fn participations(
    book: &RunBook<'_>,
    pool_trade: &IdxVec<Pool, Option<TradeIdx>>,
    pool_locked: &IdxVec<Pool, bool>,
    trades: &mut IdxVec<Trade, TradeAssessment>,
) -> IdxVec<Loan, LoanParticipation> {
    let ladder = StatusLadder::new(book);
    let mut participation = |loan: LoanIdx| {
        let pool: Option<PoolIdx> = book.loan_pool[loan];
        let locked = pool.is_some_and(|pool| pool_locked[pool]);
        let trade = pool.and_then(|pool| pool_trade[pool]);
        let inclusion = trade.map(|trade| &mut trades[trade].inclusion);
        let reason = match (locked, &inclusion) {
            (true, _) => HeldReason::Locked,
            (false, Some(Inclusion::Excluded(_))) => HeldReason::TradeNotInRun,
            (false, _) => match out_of_scope(book, &ladder, loan) {
                None => return LoanParticipation::Eligible,
                Some(reason) if inclusion.is_none() => {
                    return LoanParticipation::OutOfScope(reason);
                }
                Some(reason) => reason.into(),
            },
        };
        if let Some(Inclusion::Included(band)) = inclusion {
            band.held_amount += book.amounts[loan];
        }
        LoanParticipation::Pinned(reason)
    };
    book.amounts.indices().iter().map(&mut participation).collect()
}

fn out_of_scope(
    book: &RunBook<'_>,
    ladder: &StatusLadder<'_>,
    loan: LoanIdx,
) -> Option<ScopeReason> {
    let row = book.loan(loan);
    let closed = row.close_date.is_some_and(|day| day <= book.as_of);
    let latest = book.as_of.plus(book.options.max_eligible_days);
    if !ladder.passes(&row.curr_status) {
        Some(ScopeReason::Status)
    } else if book.options.scope == Scope::ClosedOnly && !closed {
        Some(ScopeReason::Scope)
    } else {
        match book.eligible_on[loan] {
            None => Some(ScopeReason::NoEligibilityDate),
            Some(day) if day > latest => Some(ScopeReason::NotEligibleInTime),
            Some(_) => None,
        }
    }
}

/// "Status ladder" of 2.1: the statuses that pass.
enum StatusLadder<'a> {
    /// `min_status` alone, because it has no rank.
    Exactly(&'a Name),
    /// The stages that rank at least as high as `min_status`.
    From(HashSet<&'a Name>),
}

impl<'a> StatusLadder<'a> {
    fn new(book: &RunBook<'a>) -> Self {
        let lowest = &book.options.min_status;
        let stages = &book.snapshot.stages;
        let rank = stages.iter().find(|s| s.stage_name == *lowest).and_then(|s| s.stage_rank);
        let Some(rank) = rank else { return Self::Exactly(lowest) };
        let passing = stages.iter().filter(|s| s.stage_rank.is_some_and(|r| r >= rank));
        Self::From(passing.map(|s| &s.stage_name).collect())
    }

    fn passes(&self, status: &Name) -> bool {
        match self {
            Self::Exactly(lowest) => status == *lowest,
            Self::From(stages) => stages.contains(status),
        }
    }
}
