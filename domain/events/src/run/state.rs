//! The state of a run, as far as its rules need it (specification 3.1): `check` tests whether an
//! event may come next, and `apply` adds it to the state.

use std::collections::{HashMap, HashSet};

use super::event::{EventType, LoanMoved, PoolAction, RunEvent};
use super::rejection::RunRejection;
use crate::values::{Day, LoanId, Money, TradeId};

/// The phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunPhase {
    /// Before the request.
    #[default]
    New,
    /// After the request.
    Requested,
    /// After a worker started it.
    Started,
    /// After the last event, which has this type.
    Over(EventType),
}

/// The fill of an included trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fill {
    filled: Money,
    max: Money,
}

/// The key of a posting (2.10).
type PostingKey = (Option<TradeId>, LoanId, PoolAction, Option<Day>);

/// The state of the aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunState {
    phase: RunPhase,
    trades: HashMap<TradeId, Fill>,
    allocated: HashMap<LoanId, TradeId>,
    kicked_out: HashSet<LoanId>,
    postings: HashSet<PostingKey>,
}

impl RunState {
    /// The phase of the run.
    pub const fn phase(&self) -> RunPhase {
        self.phase
    }

    /// The trade that a loan is allocated to after the events so far.
    pub fn trade_of(&self, loan: &LoanId) -> Option<&TradeId> {
        self.allocated.get(loan)
    }

    /// The filled amount of an included trade, held loans included.
    pub fn filled(&self, trade: &TradeId) -> Option<Money> {
        self.trades.get(trade).map(|fill| fill.filled)
    }

    /// Checks that the event may come next.
    ///
    /// # Errors
    /// The first rule that the event breaks, in the order of [`RunRejection`].
    pub fn check(&self, event: &RunEvent) -> Result<(), RunRejection> {
        self.check_phase(event)?;
        match event {
            RunEvent::TradeAssessed(e) if self.trades.contains_key(&e.trade_id) => {
                Err(RunRejection::TradeAssessedBefore { trade: e.trade_id.clone() })
            }
            RunEvent::LoanAllocated(e) => {
                self.check_unplaced(&e.loan_id)?;
                let fill = self.included(&e.trade_id)?;
                check_sum(&e.trade_id, fill.filled + e.loan_amount, e.filled_after)?;
                check_max(&e.trade_id, fill.max, e.filled_after)
            }
            RunEvent::LoanMoved(e) => self.check_move(e),
            RunEvent::LoanReleased(e) => {
                self.check_allocated(&e.loan_id, &e.trade_id)?;
                let fill = self.included(&e.trade_id)?;
                check_sum(&e.trade_id, fill.filled - e.loan_amount, e.filled_after)
            }
            RunEvent::LoanKickedOut(e) => match self.allocated.get(&e.loan_id) {
                Some(trade) => {
                    let (loan, trade) = (e.loan_id.clone(), trade.clone());
                    Err(RunRejection::KickoutOfAllocatedLoan { loan, trade })
                }
                None => self.check_unplaced(&e.loan_id),
            },
            RunEvent::PoolActionDerived(_) => match posting_key(event) {
                Some(key) if self.postings.contains(&key) => {
                    Err(RunRejection::PostingRepeated { loan: key.1 })
                }
                _ => Ok(()),
            },
            run_event_pattern!(Opening)
            | run_event_pattern!(Positions)
            | run_event_pattern!(CashGrids)
            | run_event_pattern!(Candidates)
            | run_event_pattern!(PassCompleted)
            | run_event_pattern!(ConstraintBlockEvaluated)
            | run_event_pattern!(TradeFillEvaluated)
            | run_event_pattern!(Synthetic)
            | run_event_pattern!(Verification)
            | run_event_pattern!(End) => Ok(()),
        }
    }

    /// Adds an event that passed [`RunState::check`].
    pub fn apply(&mut self, event: &RunEvent) {
        match event {
            RunEvent::RunRequested(_) => self.phase = RunPhase::Requested,
            RunEvent::RunStarted(_) => self.phase = RunPhase::Started,
            RunEvent::TradeAssessed(e) => {
                if let Some(band) = &e.band {
                    let fill = Fill { filled: band.held_amount, max: band.max_amount };
                    self.trades.insert(e.trade_id.clone(), fill);
                }
            }
            RunEvent::LoanAllocated(e) => {
                self.set_filled(&e.trade_id, e.filled_after);
                self.allocated.insert(e.loan_id.clone(), e.trade_id.clone());
            }
            RunEvent::LoanMoved(e) => {
                self.set_filled(&e.from_trade_id, e.from_filled_after);
                self.set_filled(&e.to_trade_id, e.filled_after);
                self.allocated.insert(e.loan_id.clone(), e.to_trade_id.clone());
            }
            RunEvent::LoanReleased(e) => {
                self.set_filled(&e.trade_id, e.filled_after);
                self.allocated.remove(&e.loan_id);
            }
            RunEvent::LoanKickedOut(e) => {
                self.kicked_out.insert(e.loan_id.clone());
            }
            RunEvent::PoolActionDerived(_) => self.postings.extend(posting_key(event)),
            run_event_pattern!(End) => {
                self.phase = RunPhase::Over(event.event_type());
            }
            run_event_pattern!(PreflightCompleted)
            | run_event_pattern!(LoanPinned)
            | run_event_pattern!(CashGrids)
            | run_event_pattern!(Candidates)
            | run_event_pattern!(PassCompleted)
            | run_event_pattern!(ConstraintBlockEvaluated)
            | run_event_pattern!(TradeFillEvaluated)
            | run_event_pattern!(Synthetic)
            | run_event_pattern!(Verification) => {}
        }
    }

    /// Checks an event and adds it.
    ///
    /// # Errors
    /// As [`RunState::check`]. The state is unchanged then.
    pub fn accept(&mut self, event: &RunEvent) -> Result<(), RunRejection> {
        self.check(event)?;
        self.apply(event);
        Ok(())
    }

    fn check_phase(&self, event: &RunEvent) -> Result<(), RunRejection> {
        let starts = matches!(event, RunEvent::RunStarted(_));
        // A run can fail or be cancelled before a worker starts it.
        let ends_early = matches!(event, RunEvent::RunFailed(_) | RunEvent::RunCancelled(_));
        match (self.phase, event) {
            (RunPhase::Over(ended_by), _) => {
                Err(RunRejection::RunIsOver { ended_by: ended_by.name() })
            }
            (RunPhase::New, RunEvent::RunRequested(_)) => Ok(()),
            (_, RunEvent::RunRequested(_)) => Err(RunRejection::AlreadyRequested),
            (RunPhase::New, _) => Err(RunRejection::NotRequested),
            (RunPhase::Started, _) if starts => Err(RunRejection::AlreadyStarted),
            (RunPhase::Requested, _) if !starts && !ends_early => {
                Err(RunRejection::NotStarted { event: event.event_type().name() })
            }
            (RunPhase::Requested | RunPhase::Started, _) => Ok(()),
        }
    }

    fn check_unplaced(&self, loan: &LoanId) -> Result<(), RunRejection> {
        if let Some(trade) = self.allocated.get(loan) {
            let (loan, trade) = (loan.clone(), trade.clone());
            return Err(RunRejection::LoanAlreadyAllocated { loan, trade });
        }
        if self.kicked_out.contains(loan) {
            return Err(RunRejection::LoanKickedOutBefore { loan: loan.clone() });
        }
        Ok(())
    }

    fn check_allocated(&self, loan: &LoanId, trade: &TradeId) -> Result<(), RunRejection> {
        if self.allocated.get(loan) == Some(trade) {
            return Ok(());
        }
        Err(RunRejection::LoanNotThere { loan: loan.clone(), trade: trade.clone() })
    }

    fn check_move(&self, e: &LoanMoved) -> Result<(), RunRejection> {
        if e.from_trade_id == e.to_trade_id {
            self.check_unplaced(&e.loan_id)?;
        }
        self.check_allocated(&e.loan_id, &e.from_trade_id)?;
        let (from, to) = (self.included(&e.from_trade_id)?, self.included(&e.to_trade_id)?);
        check_sum(&e.from_trade_id, from.filled - e.loan_amount, e.from_filled_after)?;
        check_sum(&e.to_trade_id, to.filled + e.loan_amount, e.filled_after)?;
        check_max(&e.to_trade_id, to.max, e.filled_after)
    }

    fn included(&self, trade: &TradeId) -> Result<Fill, RunRejection> {
        let fill = self.trades.get(trade).copied();
        fill.ok_or_else(|| RunRejection::TradeNotIncluded { trade: trade.clone() })
    }

    fn set_filled(&mut self, trade: &TradeId, filled: Money) {
        if let Some(fill) = self.trades.get_mut(trade) {
            fill.filled = filled;
        }
    }
}

fn check_sum(trade: &TradeId, actual: Money, said: Money) -> Result<(), RunRejection> {
    if actual == said {
        return Ok(());
    }
    Err(RunRejection::FillDoesNotAddUp { trade: trade.clone(), said, actual })
}

fn check_max(trade: &TradeId, max: Money, filled: Money) -> Result<(), RunRejection> {
    if filled <= max {
        return Ok(());
    }
    Err(RunRejection::TradeAboveMax { trade: trade.clone(), filled, max })
}

fn posting_key(event: &RunEvent) -> Option<PostingKey> {
    let RunEvent::PoolActionDerived(posting) = event else { return None };
    let trade = posting.trade_id.clone();
    Some((trade, posting.loan_id.clone(), posting.pool_action, posting.settlement_date))
}
