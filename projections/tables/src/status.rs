//! Where a run stands (specification 4.4), derived from its events.

use powerfill_events::run::RunEvent;
use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RunStatus {
    /// Asked for.
    Pending,
    /// Validation, preflight, bx steps.
    PreProcessing,
    /// Candidates and passes.
    Allocating,
    /// Pool guide, UE, invariants, outputs.
    PostProcessing,
    /// Its outputs are shown.
    Complete,
    /// It ended at a step, with a message.
    Failed,
    /// Someone ended it.
    Cancelled,
}

impl RunStatus {
    /// Every status, in the order of 4.4.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::PreProcessing,
        Self::Allocating,
        Self::PostProcessing,
        Self::Complete,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Its name in 4.4.
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

    /// Whether the run is over.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Complete | Self::Failed | Self::Cancelled)
    }

    /// The status that a run has reached with this event.
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
