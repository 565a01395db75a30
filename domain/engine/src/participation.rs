//! 2.1 Who takes part: the trades in the run with their bands, the locked pools, the standing of every loan.

use std::collections::BTreeMap;

use super::book::{Book, Ix};
use super::prices::Grids;
use powerfill_events::run::event::{Band, ExclusionReason, HeldReason, ScopeReason};
use powerfill_events::values::{Day, Money, Name};
use powerfill_snapshot::Scope;
use powerfill_snapshot::tables::{
    PoolStatus, ToleranceRule, ToleranceSide, Trade, TradeStatus, TradeType,
};

/// A trade as the run sees it.
#[derive(Debug, Clone)]
pub(crate) struct TradeStanding {
    /// As given, or set by [`Grids::settlement`].
    pub(crate) settles_on: Option<Day>,
    pub(crate) open: Money,
    pub(crate) inclusion: Inclusion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inclusion {
    Included(Band),
    Excluded(ExclusionReason),
}

impl TradeStanding {
    pub(crate) const fn band(&self) -> Option<&Band> {
        match &self.inclusion {
            Inclusion::Included(band) => Some(band),
            Inclusion::Excluded(_) => None,
        }
    }

    pub(crate) const fn is_included(&self) -> bool {
        matches!(self.inclusion, Inclusion::Included(_))
    }
}

/// A loan as the run sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoanStanding {
    Eligible,
    /// Locked or held: stays in its pool.
    Pinned(HeldReason),
    OutOfScope(ScopeReason),
}

/// Who takes part.
pub(crate) struct Participation {
    /// By position of the trade.
    pub(crate) trades: Vec<TradeStanding>,
    /// Positions of the included trades, by id.
    pub(crate) included: Vec<Ix>,
    /// The trade that each pool counts as designated to.
    pub(crate) pool_trade: Vec<Option<Ix>>,
    /// Whether each pool is locked.
    pub(crate) pool_locked: Vec<bool>,
    /// By position of the loan.
    pub(crate) loans: Vec<LoanStanding>,
}

impl Participation {
    pub(crate) fn new(book: &Book<'_>, grids: &Grids) -> Self {
        let snapshot = book.snapshot;
        let mut trades: Vec<TradeStanding> =
            (0..snapshot.trades.len() as Ix).map(|ix| assess(book, grids, ix)).collect();
        let pool_trade: Vec<Option<Ix>> = book
            .pool_trade
            .iter()
            .map(|trade| trade.filter(|ix| keeps_its_pools(trades[*ix as usize].inclusion)))
            .collect();
        let pool_locked = locked_pools(book);
        let ladder = Ladder::new(book);
        let mut loans = Vec::with_capacity(snapshot.loans.len());
        for (ix, loan) in snapshot.loans.iter().enumerate() {
            let pool = book.loan_pool[ix];
            let trade = pool.and_then(|pool| pool_trade[pool as usize]);
            let locked = pool.is_some_and(|pool| pool_locked[pool as usize]);
            let standing = match (locked, trade.map(|ix| &mut trades[ix as usize].inclusion)) {
                (true, inclusion) => {
                    if let Some(Inclusion::Included(band)) = inclusion {
                        band.held_amount += loan.loan_amount;
                    }
                    LoanStanding::Pinned(HeldReason::Locked)
                }
                (false, Some(Inclusion::Excluded(_))) => {
                    LoanStanding::Pinned(HeldReason::TradeNotInRun)
                }
                (false, inclusion) => match (out_of_scope(book, &ladder, ix), inclusion) {
                    (None, _) => LoanStanding::Eligible,
                    (Some(reason), Some(Inclusion::Included(band))) => {
                        band.held_amount += loan.loan_amount;
                        LoanStanding::Pinned(reason.into())
                    }
                    (Some(reason), _) => LoanStanding::OutOfScope(reason),
                },
            };
            loans.push(standing);
        }
        let included =
            (0..trades.len() as Ix).filter(|ix| trades[*ix as usize].is_included()).collect();
        Self { trades, included, pool_trade, pool_locked, loans }
    }

    /// The trade that the loan's present pool counts as designated to.
    pub(crate) fn present_trade(&self, book: &Book<'_>, loan: Ix) -> Option<Ix> {
        book.loan_pool[loan as usize].and_then(|pool| self.pool_trade[pool as usize])
    }

    /// That trade, where it is in the run.
    pub(crate) fn included_trade(&self, book: &Book<'_>, loan: Ix) -> Option<Ix> {
        self.present_trade(book, loan).filter(|ix| self.trades[*ix as usize].is_included())
    }

    /// When an included trade settles.
    pub(crate) fn settles_on(&self, trade: Ix) -> Day {
        self.trades[trade as usize].settles_on.expect("an included trade has a settlement date")
    }

    /// Positions of the loans that can be placed, by id.
    pub(crate) fn eligible(&self) -> impl Iterator<Item = Ix> {
        let loans = self.loans.iter().zip(0..);
        loans.filter(|(standing, _)| **standing == LoanStanding::Eligible).map(|(_, ix)| ix)
    }

    /// The loans that stay in their pools, by id, with the reason.
    pub(crate) fn pinned(&self) -> impl Iterator<Item = (Ix, HeldReason)> {
        self.loans.iter().zip(0..).filter_map(|(standing, ix)| match standing {
            LoanStanding::Pinned(reason) => Some((ix, *reason)),
            LoanStanding::Eligible | LoanStanding::OutOfScope(_) => None,
        })
    }

    /// How many loans have each standing, by name.
    pub(crate) fn loan_counts(&self) -> BTreeMap<String, u64> {
        count(self.loans.iter().map(|standing| match standing {
            LoanStanding::Eligible => "Eligible".to_owned(),
            LoanStanding::Pinned(HeldReason::Locked) => "Locked".to_owned(),
            LoanStanding::Pinned(reason) => format!("Held({reason:?})"),
            LoanStanding::OutOfScope(reason) => format!("OutOfScope({reason:?})"),
        }))
    }

    /// How many trades are included, or excluded by reason.
    pub(crate) fn trade_counts(&self) -> BTreeMap<String, u64> {
        count(self.trades.iter().map(|trade| match trade.inclusion {
            Inclusion::Included(_) => "Included".to_owned(),
            Inclusion::Excluded(reason) => format!("{reason:?}"),
        }))
    }
}

fn count(names: impl Iterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// The table "Trades" of 2.1, for one trade; its held amount is still 0.
fn assess(book: &Book<'_>, grids: &Grids, ix: Ix) -> TradeStanding {
    let trade = book.trade(ix);
    let settles_on = match (trade.trade_type, trade.settlement_date) {
        (TradeType::Bx, None) => grids.settlement(book, book.trade_instrument[ix as usize]),
        (_, given) => given,
    };
    let open = trade.trade_amount - trade.pair_off_amount;
    let excluded = match (trade.status, settles_on) {
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
        excluded.map_or_else(|| Inclusion::Included(band(trade, open)), Inclusion::Excluded);
    TradeStanding { settles_on, open, inclusion }
}

/// Tolerance, min and max of an included trade.
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

/// Whether pools of such a trade still count as designated to it.
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

/// "Locked pools" of 2.1: as the lockdown guide says; without a row there, a closed pool is locked.
fn locked_pools(book: &Book<'_>) -> Vec<bool> {
    let closed = |pool: &powerfill_snapshot::tables::Pool| pool.status == PoolStatus::Closed;
    let mut locked: Vec<bool> = book.snapshot.pools.iter().map(closed).collect();
    for row in &book.snapshot.lockdown {
        if let Some(pool) = book.find_pool(&row.pool_name) {
            locked[pool as usize] = row.lock_pool;
        }
    }
    locked
}

/// "Status ladder" of 2.1.
enum Ladder<'a> {
    Exactly(&'a Name),
    From(std::collections::HashSet<&'a Name>),
}

impl<'a> Ladder<'a> {
    fn new(book: &Book<'a>) -> Self {
        let lowest = &book.options.min_status;
        let stages = &book.snapshot.stages;
        let rank = stages.iter().find(|s| s.stage_name == *lowest).and_then(|s| s.stage_rank);
        let Some(rank) = rank else { return Self::Exactly(lowest) };
        let passes = stages.iter().filter(|s| s.stage_rank.is_some_and(|r| r >= rank));
        Self::From(passes.map(|s| &s.stage_name).collect())
    }

    fn passes(&self, status: &Name) -> bool {
        match self {
            Self::Exactly(lowest) => status == *lowest,
            Self::From(stages) => stages.contains(status),
        }
    }
}

fn out_of_scope(book: &Book<'_>, ladder: &Ladder<'_>, loan: usize) -> Option<ScopeReason> {
    let row = &book.snapshot.loans[loan];
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
