//! The rows of the six tables as events carry them. Field names are column names; names keep their spelling, for the
//! outputs show it (1.1): a name that is spelled otherwise is a change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::{
    ConstraintName, InstrumentName, InvestorId, PoolName, Rate, RuleName, Share, TradeId,
};

/// A row of `pfill_constraints`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConstraintRow {
    /// Key; never empty.
    pub investor_id: InvestorId,
    /// Key; empty at the investor level.
    pub investor_instrument_name: InstrumentName,
    /// Key; empty at the investor and the instrument level.
    pub constraint_name: ConstraintName,
    /// Lower first, 0 or more.
    pub constraint_priority: i64,
    /// A goal, share of the open amount.
    pub lo_limit: Option<Share>,
    /// A bound, share of the open amount.
    pub hi_limit: Option<Share>,
}

/// A row of `pfill_constraint_sec_rule_rel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleLinkRow {
    /// Key, the node's.
    pub investor_id: InvestorId,
    /// Key, the node's.
    pub investor_instrument_name: InstrumentName,
    /// Key, the node's.
    pub constraint_name: ConstraintName,
    /// Key: the rule.
    pub rule_name: RuleName,
}

/// A row of `pscat_securitization_rules`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleRow {
    /// Key.
    pub rule_name: RuleName,
    /// A condition over the columns of `loan` (1.4), as typed.
    pub rule_syntax: String,
}

/// A row of `pfill_carry_cost`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CarryBucketRow {
    /// Key.
    pub investor_instrument_name: InstrumentName,
    /// Key: first day of the bucket.
    pub on_day: i64,
    /// Last day, at or after `on_day`.
    pub to_day: i64,
    /// Points a year, 6 decimals; NULL counts for nothing.
    pub annual_rate: Option<Rate>,
}

/// A row of `pfill_lockdown_guide`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PoolLockRow {
    /// Key.
    pub pool_name: PoolName,
    /// Informs.
    pub investor_instrument_name: Option<InstrumentName>,
    /// Checked by preflight.
    pub trade_id: Option<TradeId>,
    /// Whether its loans stay.
    pub lock_pool: bool,
}

/// The row of `pfill_preflight_settings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreflightRow {
    /// Fewest eligible loans.
    pub min_pipeline_loans: i64,
    /// Days.
    pub max_snapshot_age_days: i64,
    /// Days.
    pub max_price_age_days: i64,
    /// Days.
    pub lockdown_days: i64,
}

impl Default for PreflightRow {
    fn default() -> Self {
        Self {
            min_pipeline_loans: 1,
            max_snapshot_age_days: 3,
            max_price_age_days: 1,
            lockdown_days: 2,
        }
    }
}
