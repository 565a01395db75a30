//! How a loan takes part, and what decided that (2.1).

use super::Facts;
use crate::book::LoanIdx;
use crate::context::RunContext;
use crate::participation::LoanParticipation;
use powerfill_events::run::event::HeldReason;
use powerfill_events::values::{Name, PoolName, TradeId};
use powerfill_facts::{LockSource, ParticipationFacts, ParticipationFailure, PoolFacts, PoolTrade};
use powerfill_snapshot::tables::PoolStatus;

impl Facts<'_> {
    pub(super) fn pool(&self, loan: LoanIdx) -> Option<PoolFacts> {
        let RunContext { book, participation, .. } = &self.context;
        let idx = book.loan_pool[loan]?;
        let pool = book.pool(idx);
        let mut guide = book.snapshot.lockdown.iter();
        Some(PoolFacts {
            pool_name: PoolName::from(&pool.pool_name),
            closed: pool.status == PoolStatus::Closed,
            lock_pool: guide.find(|row| row.pool_name == pool.pool_name).map(|row| row.lock_pool),
            locked: participation.pool_locked[idx],
            trade: book.pool_trade[idx].map(|trade| PoolTrade {
                trade_id: TradeId::from(&book.trade(trade).trade_id),
                exclusion_reason: participation.trades[trade].exclusion(),
                settlement_date: participation.trades[trade].settles_on,
                counts: participation.pool_trade[idx].is_some(),
            }),
        })
    }

    pub(super) fn participation(&self, loan: LoanIdx) -> ParticipationFacts {
        match self.context.participation.loans[loan] {
            LoanParticipation::Eligible => ParticipationFacts::Eligible,
            LoanParticipation::Pinned(HeldReason::Locked) => {
                let row = self.pool(loan).and_then(|pool| pool.lock_pool);
                let locked_by = row.map_or(LockSource::ClosedPool, |_| LockSource::LockdownGuide);
                ParticipationFacts::Locked { locked_by }
            }
            LoanParticipation::Pinned(held_reason) => ParticipationFacts::Held {
                held_reason,
                hindrance: self.hindrance(loan, held_reason),
            },
            LoanParticipation::OutOfScope(scope_reason) => ParticipationFacts::OutOfScope {
                scope_reason,
                hindrance: self.hindrance(loan, scope_reason.into()),
            },
        }
    }

    /// The values behind a reason.
    fn hindrance(&self, loan: LoanIdx, reason: HeldReason) -> ParticipationFailure {
        let RunContext { book, participation, .. } = &self.context;
        let row = book.loan(loan);
        match reason {
            HeldReason::Status => {
                let min_status = &book.options.min_status;
                ParticipationFailure::Status {
                    curr_status: row.curr_status.as_str().to_owned(),
                    stage_rank: self.stage_rank(&row.curr_status),
                    min_status: min_status.as_str().to_owned(),
                    min_rank: self.stage_rank(min_status),
                }
            }
            HeldReason::Scope => {
                ParticipationFailure::Scope { close_date: row.close_date, as_of: book.as_of }
            }
            HeldReason::NoEligibilityDate => ParticipationFailure::NoEligibilityDate,
            HeldReason::NotEligibleInTime => ParticipationFailure::NotEligibleInTime {
                deliverable_on: book.eligible_on[loan]
                    .expect("a loan that is eligible too late has a date"),
                latest: book.as_of.plus(book.options.max_eligible_days),
            },
            HeldReason::TradeNotInRun | HeldReason::Locked => {
                let trade = participation.present_trade(book, loan);
                let trade = trade.expect("a loan is held by the trade of its pool");
                let assessment = &participation.trades[trade];
                ParticipationFailure::TradeNotInRun {
                    trade_id: TradeId::from(&book.trade(trade).trade_id),
                    exclusion_reason: assessment
                        .exclusion()
                        .expect("a trade that holds its loans is excluded"),
                    settlement_date: assessment.settles_on,
                }
            }
        }
    }

    fn stage_rank(&self, status: &Name) -> Option<i64> {
        let mut stages = self.context.book.snapshot.stages.iter();
        stages.find(|stage| stage.stage_name == *status).and_then(|stage| stage.stage_rank)
    }
}
