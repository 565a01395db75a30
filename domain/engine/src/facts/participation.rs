//! Whether a loan takes part, and what decided it (2.1).

use powerfill_facts::{Hindrance, LockedBy, Participates, PoolFacts, PoolTrade};

use super::Facts;
use crate::book::Ix;
use crate::participation::{Inclusion, LoanStanding};
use powerfill_events::run::event::{ExclusionReason, HeldReason};
use powerfill_events::values::{Name, PoolName, TradeId};
use powerfill_snapshot::tables::PoolStatus;

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
