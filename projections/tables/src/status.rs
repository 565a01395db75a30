//! The status of a run (specification 4.4), which follows from its events.

use powerfill_events::run::RunEvent;
use serde::{Deserialize, Serialize};

/// The status of a run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub enum RunStatus {
    /// Requested and not started.
    #[default]
    Pending,
    /// Preflight, assessed trades, grids, and settlement dates.
    PreProcessing,
    /// Matches, candidates, and the allocation with its results.
    Allocating,
    /// The pool guide, the UE pass, and the invariants.
    PostProcessing,
    /// Everything is recorded and checked; the output tables show the run.
    Complete,
    /// A step failed.
    Failed,
    /// A cancel ended it.
    Cancelled,
}

impl RunStatus {
    /// All statuses, in the order of 4.4.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::PreProcessing,
        Self::Allocating,
        Self::PostProcessing,
        Self::Complete,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name in 4.4.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::PreProcessing => "PreProcessing",
            Self::Allocating => "Allocating",
            Self::PostProcessing => "PostProcessing",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the run is Complete, Failed, or Cancelled.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Complete | Self::Failed | Self::Cancelled)
    }

    /// The status that a run reaches with this event.
    pub const fn reached_with(event: &RunEvent) -> Self {
        match event {
            RunEvent::RunRequested(_) => Self::Pending,
            RunEvent::RunStarted(_)
            | RunEvent::PreflightCompleted(_)
            | RunEvent::TradeAssessed(_)
            | RunEvent::LoanPinned(_)
            | RunEvent::CashGridBuilt(_)
            | RunEvent::TradeSettlementSet(_) => Self::PreProcessing,
            RunEvent::ConstraintMatched(_)
            | RunEvent::CandidateScored(_)
            | RunEvent::CandidatesRejected(_)
            | RunEvent::LoanAllocated(_)
            | RunEvent::LoanMoved(_)
            | RunEvent::LoanReleased(_)
            | RunEvent::PassCompleted(_)
            | RunEvent::ConstraintBlockEvaluated(_)
            | RunEvent::TradeFillEvaluated(_)
            | RunEvent::LoanKickedOut(_) => Self::Allocating,
            RunEvent::PoolActionDerived(_)
            | RunEvent::SyntheticTradePriced(_)
            | RunEvent::SyntheticOptionsRanked(_)
            | RunEvent::CashMarketMapped(_)
            | RunEvent::InvariantsVerified(_) => Self::PostProcessing,
            RunEvent::RunCompleted(_) => Self::Complete,
            RunEvent::RunFailed(_) => Self::Failed,
            RunEvent::RunCancelled(_) => Self::Cancelled,
        }
    }
}
