//! The steps of a loan through the passes (2.7), and its stays in trades.

use powerfill_events::ignored;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{LoanAllocated, LoanMoved, LoanReleased, Pass};
use powerfill_events::values::{Money, TradeId};
use schemars::JsonSchema;
use serde::Serialize;

use super::ledger::Moment;

/// A step of a loan through the allocation.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum LoanStep {
    /// A pass placed it.
    Allocated(LoanAllocated),
    /// A pass moved it.
    Moved(LoanMoved),
    /// An exchange took it out.
    Released(LoanReleased),
}

impl LoanStep {
    /// The step that an event records; `None` for an event that is no step.
    pub(super) fn from_event(event: &RunEvent) -> Option<Self> {
        match event {
            RunEvent::LoanAllocated(placed) => Some(Self::Allocated((**placed).clone())),
            RunEvent::LoanMoved(moved) => Some(Self::Moved((**moved).clone())),
            RunEvent::LoanReleased(released) => Some(Self::Released((**released).clone())),
            ignored!(
                Opening Positions CashGrids Candidates PassCompleted Results Synthetic
                Verification End
            ) => None,
        }
    }

    /// The pass and the turn of the step.
    pub const fn moment(&self) -> Moment {
        match self {
            Self::Allocated(placed) => Moment::new(placed.turn, placed.pass),
            Self::Moved(moved) => Moment::new(moved.turn, moved.pass),
            Self::Released(released) => Moment::new(released.turn, released.pass),
        }
    }

    /// The trade that the loan enters; `None` for a release.
    pub const fn entered_trade(&self) -> Option<&TradeId> {
        match self {
            Self::Allocated(placed) => Some(&placed.trade_id),
            Self::Moved(moved) => Some(&moved.to_trade_id),
            Self::Released(_) => None,
        }
    }

    /// The trade that the loan leaves; `None` for an allocation.
    pub const fn left_trade(&self) -> Option<&TradeId> {
        match self {
            Self::Allocated(_) => None,
            Self::Moved(moved) => Some(&moved.from_trade_id),
            Self::Released(released) => Some(&released.trade_id),
        }
    }

    pub(super) const fn loan_amount(&self) -> Money {
        match self {
            Self::Allocated(placed) => placed.loan_amount,
            Self::Moved(moved) => moved.loan_amount,
            Self::Released(released) => released.loan_amount,
        }
    }

    pub(super) const fn allocated(&self) -> Option<&LoanAllocated> {
        match self {
            Self::Allocated(placed) => Some(placed),
            Self::Moved(_) | Self::Released(_) => None,
        }
    }
}

/// A step with the version of its event.
#[derive(Debug, Clone)]
pub(super) struct RecordedStep {
    pub(super) version: u64,
    pub(super) step: LoanStep,
}

/// A stay of a loan in a trade, from one step to the next.
pub(super) struct Stay<'a> {
    pub(super) version: u64,
    pub(super) trade_id: &'a TradeId,
    from: Moment,
    pub(super) turn: u32,
    pub(super) pass: Pass,
    pub(super) allocation_seq: u64,
    /// When the loan left; `None` if it is there at the end.
    pub(super) until: Option<Moment>,
}

impl Stay<'_> {
    /// Whether the stay covers a visit of best_fit. `is_earlier` decides if the loan entered in the
    /// same best_fit: whether that was before the visit.
    pub(super) fn covers(&self, visit: Moment, is_earlier: impl FnOnce() -> bool) -> bool {
        let has_entered = self.from < visit || (self.from == visit && is_earlier());
        has_entered && self.until.is_none_or(|until| until > visit)
    }
}

/// The stays of a loan, in their order.
pub(super) fn stays(steps: &[RecordedStep]) -> Vec<Stay<'_>> {
    let mut stays: Vec<Stay<'_>> = Vec::new();
    for RecordedStep { version, step } in steps {
        let (turn, pass, arrival) = match step {
            LoanStep::Allocated(placed) => {
                (placed.turn, placed.pass, Some((&placed.trade_id, placed.allocation_seq)))
            }
            LoanStep::Moved(moved) => {
                (moved.turn, moved.pass, Some((&moved.to_trade_id, moved.allocation_seq)))
            }
            LoanStep::Released(released) => (released.turn, released.pass, None),
        };
        let from = Moment::new(turn, pass);
        if let Some(stay) = stays.last_mut() {
            stay.until.get_or_insert(from);
        }
        if let Some((trade_id, allocation_seq)) = arrival {
            let (version, until) = (*version, None);
            stays.push(Stay { version, trade_id, from, turn, pass, allocation_seq, until });
        }
    }
    stays
}
