//! What a run decides, event by event (specification 3.1). The output tables are projections of
//! these and of nothing else, so each event carries what its rows need.
//!
//! Field names and enum spellings are the published schema: a version that was written never
//! changes.

mod life;
mod passes;
mod reasons;
mod results;
mod synthetic;
mod trades;

pub use life::*;
pub use passes::*;
pub use reasons::*;
pub use results::*;
pub use synthetic::*;
pub use trades::*;

pub use crate::values::Severity;

use super::upcasters::upcasters;
use crate::log::event_types;

event_types! {
    /// An event of a run's stream.
    RunEvent,
    /// The type of an event, by its name in the specification.
    EventType,
    /// The groups of a run's events, in the order in which a run reaches them.
    EventGroup,
    run_event_pattern in run, upcast by upcasters;

    Opening {
        /// A run was requested.
        RunRequested(Box<RunRequested>),
        /// A worker started the run.
        RunStarted(Box<RunStarted>),
        /// The nine checks of preflight are done.
        PreflightCompleted(PreflightCompleted),
    }
    Positions {
        /// One per trade: whether it is in the run, and its amounts.
        TradeAssessed(Box<TradeAssessed>),
        /// A locked or held loan stays where it is.
        LoanPinned(Box<LoanPinned>),
    }
    CashGrids {
        /// The grid of a bx instrument.
        CashGridBuilt(Box<CashGridBuilt>),
        /// A bx trade without a settlement date got one.
        TradeSettlementSet(TradeSettlementSet),
    }
    Candidates {
        /// One per walkable node.
        ConstraintMatched(Box<ConstraintMatched>),
        /// One per candidate, in the order of turn and rank.
        CandidateScored(CandidateScored),
        /// One per loan with at least one rejected trade.
        CandidatesRejected(CandidatesRejected),
    }
    Passes {
        /// A pass allocated a loan that was not allocated.
        LoanAllocated(Box<LoanAllocated>),
        /// A pass moved an allocated loan to another trade.
        LoanMoved(Box<LoanMoved>),
        /// An exchange took a loan out of its trade.
        LoanReleased(Box<LoanReleased>),
        /// One per pass and turn.
        PassCompleted(PassCompleted),
    }
    Results {
        /// One per block (node with a limit, included trade).
        ConstraintBlockEvaluated(Box<ConstraintBlockEvaluated>),
        /// One per included trade.
        TradeFillEvaluated(Box<TradeFillEvaluated>),
        /// An eligible loan is in no trade.
        LoanKickedOut(Box<LoanKickedOut>),
        /// One per posting of the pool guide.
        PoolActionDerived(Box<PoolActionDerived>),
    }
    Synthetic {
        /// One per synthetic trade.
        SyntheticTradePriced(Box<SyntheticTradePriced>),
        /// One per loan with an option.
        SyntheticOptionsRanked(Box<SyntheticOptionsRanked>),
        /// One per loan with a cash option.
        CashMarketMapped(Box<CashMarketMapped>),
    }
    Verification {
        /// The independent checker found no violation.
        InvariantsVerified(InvariantsVerified),
    }
    End {
        /// The run is Complete.
        RunCompleted(Box<RunCompleted>),
        /// The run is Failed.
        RunFailed(RunFailed),
        /// The run is Cancelled.
        RunCancelled(RunCancelled),
    }
}

impl EventType {
    /// Whether an event of this type ends the run, so that no event may follow it.
    pub const fn is_terminal(self) -> bool {
        match self.group() {
            EventGroup::End => true,
            EventGroup::Opening
            | EventGroup::Positions
            | EventGroup::CashGrids
            | EventGroup::Candidates
            | EventGroup::Passes
            | EventGroup::Results
            | EventGroup::Synthetic
            | EventGroup::Verification => false,
        }
    }
}

impl RunEvent {
    /// Whether no event may follow this one.
    pub const fn is_terminal(&self) -> bool {
        self.event_type().is_terminal()
    }
}
