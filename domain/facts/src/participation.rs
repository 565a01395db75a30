//! Whether a loan takes part, and what decided it (2.1).

use powerfill_events::run::event::{ExclusionReason, HeldReason, ScopeReason};
use powerfill_events::values::{Day, PoolName, TradeId};
use schemars::JsonSchema;
use serde::Serialize;

/// Whether a loan takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "takes_part", rename_all = "snake_case")]
pub enum ParticipationFacts {
    /// It can be placed.
    Eligible,
    /// It stays in its pool, which is locked.
    Locked {
        /// By what.
        locked_by: LockSource,
    },
    /// It stays in its pool for another reason.
    Held {
        /// As the events name it.
        held_reason: HeldReason,
        /// With the values.
        #[serde(flatten)]
        hindrance: ParticipationFailure,
    },
    /// It plays no part.
    OutOfScope {
        /// As the counts name it.
        scope_reason: ScopeReason,
        /// With the values.
        #[serde(flatten)]
        hindrance: ParticipationFailure,
    },
}

/// What locks a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LockSource {
    /// Its row in `pfill_lockdown_guide` says Y.
    LockdownGuide,
    /// It is closed and has no row there.
    ClosedPool,
}

/// The line of 2.1 that keeps a loan out of the allocation, with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "hindrance", rename_all = "snake_case")]
pub enum ParticipationFailure {
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PoolTrade {
    /// The trade.
    pub trade_id: TradeId,
    /// NULL where it is in the run.
    pub exclusion_reason: Option<ExclusionReason>,
    /// When it settles.
    pub settlement_date: Option<Day>,
    /// Whether the pool counts as designated to it: not where it is cancelled, a phantom or paired
    /// off.
    pub counts: bool,
}
