//! Closed lists of values in events. One declaration yields rank, spelling, words, and schema.

use crate::values::reasons;

crate::choices! {
    /// A step of a run, by its name in part 2.
    Step {
        /// 2.2
        Preflight = "preflight",
        /// 2.3
        BxCashGrids = "bx_cash_grids",
        /// 2.3
        BxSettleAndPrice = "bx_settle_and_price",
        /// 2.6
        CandidateBuilder = "candidate_builder",
        /// 2.7 to 2.9
        Allocation = "allocation",
        /// 2.10
        PoolGuide = "pool_guide",
        /// 2.11
        Ue = "ue",
        /// 2.12
        Invariants = "invariants",
        /// Storing and publishing what was decided.
        Record = "record",
    }
    /// A pass of the allocation, or why a loan did not need one (1.5 `pass`).
    Pass {
        /// Places what has one answer.
        ExactFit = "exact_fit",
        /// Once through the candidates in rank order.
        BestFit = "best_fit",
        /// Brings short trades into their band.
        FillRemaining = "fill_remaining",
        /// The last fallback, after the last turn.
        OrphanHandling = "orphan_handling",
        /// Places what an adopted challenge says, in place of the other passes (10.7).
        Challenger = "challenger",
    }
    /// Why a loan takes no part (2.1).
    ScopeReason {
        /// Below the status ladder.
        Status = "Status",
        /// Not closed by as_of, in scope closed_only.
        Scope = "Scope",
        /// Neither closed nor locked.
        NoEligibilityDate = "NoEligibilityDate",
        /// Deliverable too late.
        NotEligibleInTime = "NotEligibleInTime",
    }
    /// How a trade ended up against its band (2.9).
    FillStatus {
        /// From min to max.
        Filled = "Filled",
        /// Below min.
        Under = "Under",
        /// Above max, which held loans alone can cause.
        Over = "Over",
    }
    /// What a loan does about pools (2.10).
    PoolAction {
        /// Stays in its pool.
        Remaining = "Remaining",
        /// Comes in from no pool.
        Joining = "Joining",
        /// Kicked out of its pool.
        Leaving = "Leaving",
        /// Goes from its pool to another: the side that it leaves.
        Switching = "Switching",
        /// The side that it goes to.
        SwappedIn = "Swapped In",
    }
    /// The nine checks of 2.2, in their order.
    #[allow(missing_docs, reason = "the codes of the specification")]
    FindingCode {
        PipelineEmpty = "PIPELINE_EMPTY",
        NoOpenTrades = "NO_OPEN_TRADES",
        NoConstraints = "NO_CONSTRAINTS",
        ConstraintUnreachable = "CONSTRAINT_UNREACHABLE",
        PricesMissing = "PRICES_MISSING",
        PricesStale = "PRICES_STALE",
        CarryCurveGap = "CARRY_CURVE_GAP",
        LockdownInconsistent = "LOCKDOWN_INCONSISTENT",
        SnapshotStale = "SNAPSHOT_STALE",
    }
}

impl PoolAction {
    /// `pa_key` of 2.10.
    pub const fn key(self) -> u8 {
        self as u8 + 1
    }
}

reasons! {
    /// Why a trade is not in the run (2.1).
    ExclusionReason {
        /// Its pools count as designated to no trade.
        Cancelled = "Cancelled", "it is cancelled";
        /// Likewise.
        Phantom = "Phantom", "it is a phantom";
        /// Loans in its pools are held.
        Settled = "Settled", "it has settled";
        /// A bx trade for which the grid has no date; held.
        NoSettlement = "NoSettlement", "the price grid has no settlement date for it";
        /// It settled before as_of; held.
        PastSettlement = "PastSettlement", "its settlement date is past";
        /// It settles after the horizon; held.
        BeyondHorizon = "BeyondHorizon", "it settles beyond the horizon of the run";
        /// Nothing is open; its pools count as designated to no trade.
        PairedOff = "PairedOff", "all of it is paired off";
    }
    /// Why a loan stays where it is (1.5 `held_reason`).
    HeldReason {
        /// Its pool is locked.
        Locked = "Locked", "the pool is locked";
        /// Its pool is designated to a trade whose loans are held.
        TradeNotInRun = "TradeNotInRun", "the pool's trade is not in the run";
        /// Out of scope, in a pool of an included trade.
        Status = "Status",
            "held there, because its status is below the lowest that takes part";
        /// Likewise.
        Scope = "Scope", "held there, because it is not closed and the run takes closed loans";
        /// Likewise.
        NoEligibilityDate = "NoEligibilityDate",
            "held there, because it is neither closed nor locked";
        /// Likewise.
        NotEligibleInTime = "NotEligibleInTime",
            "held there, because it becomes deliverable too late";
    }
    /// Why a pair is no candidate (2.6). Ordered by how far it got.
    RejectionReason {
        /// The trade settles before the loan is deliverable.
        SettlesTooSoon = "SettlesTooSoon", "settles before it would be deliverable";
        /// Nothing prices the pair.
        NoPrice = "NoPrice", "nothing prices it there";
        /// A bx price below the floor.
        BelowPriceFloor = "BelowPriceFloor", "its price is below the floor";
    }
    /// Why a loan was kicked out: the furthest that it got (2.8).
    KickoutReason {
        /// It matched no walkable node.
        NoMatchingConstraint = "NoMatchingConstraint", "it matches no constraint";
        /// No node that it matched has an included trade.
        NoOpenTrade = "NoOpenTrade", "no constraint that it matches has a trade in the run";
        /// Every trade settles too soon for it.
        SettlesTooSoon = "SettlesTooSoon", "every trade settles before it would be deliverable";
        /// At best, no price.
        NoPrice = "NoPrice", "at best, nothing prices it";
        /// At best, a price below the floor.
        BelowPriceFloor = "BelowPriceFloor", "at best, its price is below the floor";
        /// A candidate, too large for what is left in every one of its trades.
        CapacityExhausted = "CapacityExhausted",
            "it is too large for what is left in each of its trades";
        /// A candidate, with room somewhere, but barred by a limit.
        LimitReached = "LimitReached",
            "a trade has room for it, but a constraint's limit bars it";
    }
}

impl Pass {
    /// Whether it runs once for all turns, so that its completion has no turn.
    pub const fn is_of_all_turns(self) -> bool {
        match self {
            Self::OrphanHandling | Self::Challenger => true,
            Self::ExactFit | Self::BestFit | Self::FillRemaining => false,
        }
    }
}

impl From<ScopeReason> for HeldReason {
    fn from(reason: ScopeReason) -> Self {
        match reason {
            ScopeReason::Status => Self::Status,
            ScopeReason::Scope => Self::Scope,
            ScopeReason::NoEligibilityDate => Self::NoEligibilityDate,
            ScopeReason::NotEligibleInTime => Self::NotEligibleInTime,
        }
    }
}

impl From<RejectionReason> for KickoutReason {
    fn from(reason: RejectionReason) -> Self {
        match reason {
            RejectionReason::SettlesTooSoon => Self::SettlesTooSoon,
            RejectionReason::NoPrice => Self::NoPrice,
            RejectionReason::BelowPriceFloor => Self::BelowPriceFloor,
        }
    }
}
