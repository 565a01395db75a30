//! Whether a loan takes part, and what decided it (2.1).

use serde::Serialize;

use super::Facts;
use crate::engine::book::Ix;
use crate::engine::participation::{Inclusion, LoanStanding};
use crate::run::event::{ExclusionReason, HeldReason, ScopeReason};
use crate::snapshot::tables::PoolStatus;
use crate::values::{Day, Name, PoolName, TradeId};

/// Whether a loan takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "takes_part", rename_all = "snake_case")]
pub enum Participates {
    /// It can be placed.
    Eligible,
    /// It stays in its pool, which is locked.
    Locked {
        /// By what.
        locked_by: LockedBy,
    },
    /// It stays in its pool for another reason.
    Held {
        /// As the events name it.
        held_reason: HeldReason,
        /// With the values.
        #[serde(flatten)]
        hindrance: Hindrance,
    },
    /// It plays no part.
    OutOfScope {
        /// As the counts name it.
        scope_reason: ScopeReason,
        /// With the values.
        #[serde(flatten)]
        hindrance: Hindrance,
    },
}

/// What locks a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LockedBy {
    /// Its row in `pfill_lockdown_guide` says Y.
    LockdownGuide,
    /// It is closed and has no row there.
    ClosedPool,
}

/// The line of 2.1 that keeps a loan out of the allocation, with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "hindrance", rename_all = "snake_case")]
pub enum Hindrance {
    /// Its status does not pass the ladder.
    Status {
        /// What it has.
        curr_status: String,
        /// Its rank; NULL where it is no stage, or one without a rank.
        stage_rank: Option<i64>,
        /// The lowest that takes part.
        min_status: String,
        /// That one's rank; without one only this very status passes.
        min_rank: Option<i64>,
    },
    /// Not closed, where the run takes closed loans.
    Scope {
        /// When it closes.
        close_date: Option<Day>,
        /// The day of the run.
        as_of: Day,
    },
    /// Neither closed nor locked.
    NoEligibilityDate,
    /// Deliverable too late.
    NotEligibleInTime {
        /// Its eligibility date.
        deliverable_on: Day,
        /// as_of + max_eligible_days.
        latest: Day,
    },
    /// The trade of its pool holds its loans.
    TradeNotInRun {
        /// The trade.
        trade_id: TradeId,
        /// Why it is not in the run.
        exclusion_reason: ExclusionReason,
        /// When it settles.
        settlement_date: Option<Day>,
    },
}

/// The pool that a loan is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolFacts {
    /// Its name.
    pub pool_name: PoolName,
    /// Whether `pscat_pools` has it as closed.
    pub closed: bool,
    /// Its row in `pfill_lockdown_guide`: whether it locks; NULL where there is none.
    pub lock_pool: Option<bool>,
    /// What comes of both.
    pub locked: bool,
    /// The trade that it is designated to.
    pub trade: Option<PoolTrade>,
}

/// The trade that a pool is designated to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolTrade {
    /// The trade.
    pub trade_id: TradeId,
    /// NULL where it is in the run.
    pub exclusion_reason: Option<ExclusionReason>,
    /// When it settles.
    pub settlement_date: Option<Day>,
    /// Whether the pool counts as designated to it: not where it is cancelled, a phantom or paired off.
    pub counts: bool,
}

impl Facts<'_> {
    pub(super) fn pool(&self, loan: Ix) -> Option<PoolFacts> {
        let (book, participation) = (&self.book, &self.participation);
        let ix = book.loan_pool[loan as usize]?;
        let pool = book.pool(ix);
        let mut guide = book.snapshot.lockdown.iter();
        Some(PoolFacts {
            pool_name: PoolName::from(&pool.pool_name),
            closed: pool.status == PoolStatus::Closed,
            lock_pool: guide.find(|row| row.pool_name == pool.pool_name).map(|row| row.lock_pool),
            locked: participation.pool_locked[ix as usize],
            trade: book.pool_trade[ix as usize].map(|trade| PoolTrade {
                trade_id: TradeId::from(&book.trade(trade).trade_id),
                exclusion_reason: self.exclusion(trade),
                settlement_date: participation.trades[trade as usize].settles_on,
                counts: participation.pool_trade[ix as usize].is_some(),
            }),
        })
    }

    pub(super) fn exclusion(&self, trade: Ix) -> Option<ExclusionReason> {
        match self.participation.trades[trade as usize].inclusion {
            Inclusion::Included(_) => None,
            Inclusion::Excluded(reason) => Some(reason),
        }
    }

    pub(super) fn participates(&self, loan: Ix) -> Participates {
        match self.participation.loans[loan as usize] {
            LoanStanding::Eligible => Participates::Eligible,
            LoanStanding::Pinned(HeldReason::Locked) => {
                let row = self.pool(loan).and_then(|pool| pool.lock_pool);
                let locked_by = row.map_or(LockedBy::ClosedPool, |_| LockedBy::LockdownGuide);
                Participates::Locked { locked_by }
            }
            LoanStanding::Pinned(held_reason) => {
                Participates::Held { held_reason, hindrance: self.hindrance(loan, held_reason) }
            }
            LoanStanding::OutOfScope(scope_reason) => Participates::OutOfScope {
                scope_reason,
                hindrance: self.hindrance(loan, scope_reason.into()),
            },
        }
    }

    /// The values behind a reason that the run has found.
    fn hindrance(&self, loan: Ix, reason: HeldReason) -> Hindrance {
        let book = &self.book;
        let row = book.loan(loan);
        match reason {
            HeldReason::Status => {
                let min_status = &book.options.min_status;
                Hindrance::Status {
                    curr_status: row.curr_status.as_str().to_owned(),
                    stage_rank: self.stage_rank(&row.curr_status),
                    min_status: min_status.as_str().to_owned(),
                    min_rank: self.stage_rank(min_status),
                }
            }
            HeldReason::Scope => Hindrance::Scope { close_date: row.close_date, as_of: book.as_of },
            HeldReason::NoEligibilityDate => Hindrance::NoEligibilityDate,
            HeldReason::NotEligibleInTime => Hindrance::NotEligibleInTime {
                deliverable_on: book.eligible_on[loan as usize]
                    .expect("a loan that is deliverable too late has a date"),
                latest: book.as_of.plus(book.options.max_eligible_days),
            },
            HeldReason::TradeNotInRun | HeldReason::Locked => {
                let trade = self.participation.present_trade(book, loan);
                let trade = trade.expect("a loan is held by the trade of its pool");
                Hindrance::TradeNotInRun {
                    trade_id: TradeId::from(&book.trade(trade).trade_id),
                    exclusion_reason: self
                        .exclusion(trade)
                        .expect("a trade that holds is excluded"),
                    settlement_date: self.participation.trades[trade as usize].settles_on,
                }
            }
        }
    }

    fn stage_rank(&self, status: &Name) -> Option<i64> {
        let mut stages = self.book.snapshot.stages.iter();
        stages.find(|stage| stage.stage_name == *status).and_then(|stage| stage.stage_rank)
    }
}
