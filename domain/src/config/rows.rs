//! The rows of the six tables as events carry them. Field names are column names; names keep their spelling, for the
//! outputs show it (1.1): a name that is spelled otherwise is a change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{ConfigTable, RowKey};
use crate::snapshot::RuleText;
use crate::snapshot::tables::{
    CarryBucket, Constraint, ConstraintRule, Lockdown, PreflightSettings,
};
use crate::values::{
    ConstraintName, InstrumentName, InvestorId, PoolName, Rate, RuleName, Share, TradeId,
};

/// The cells of a row with their columns, in the table's order. An empty text is NULL.
pub type RowCells = Vec<(&'static str, String)>;

/// A row of a table of the configuration.
pub trait ConfigRow: Clone + Eq {
    /// Its table.
    const TABLE: ConfigTable;

    /// Its cells, as an export writes them.
    fn cells(&self) -> RowCells;

    /// Its key.
    fn key(&self) -> RowKey {
        let cells = self.cells();
        let text = |column: &&str| {
            cells.iter().find(|(name, _)| name == column).map_or("", |(_, text)| text.as_str())
        };
        RowKey::of(Self::TABLE, Self::TABLE.key_columns().iter().map(text))
    }
}

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
        Self::from(&PreflightSettings::default())
    }
}

impl ConfigRow for ConstraintRow {
    const TABLE: ConfigTable = ConfigTable::Constraints;

    fn cells(&self) -> RowCells {
        vec![
            ("investor_id", self.investor_id.to_string()),
            ("investor_instrument_name", self.investor_instrument_name.to_string()),
            ("constraint_name", self.constraint_name.to_string()),
            ("constraint_priority", self.constraint_priority.to_string()),
            ("lo_limit", shown(self.lo_limit)),
            ("hi_limit", shown(self.hi_limit)),
        ]
    }
}

impl ConfigRow for RuleLinkRow {
    const TABLE: ConfigTable = ConfigTable::Links;

    fn cells(&self) -> RowCells {
        vec![
            ("investor_id", self.investor_id.to_string()),
            ("investor_instrument_name", self.investor_instrument_name.to_string()),
            ("constraint_name", self.constraint_name.to_string()),
            ("rule_name", self.rule_name.to_string()),
        ]
    }
}

impl ConfigRow for RuleRow {
    const TABLE: ConfigTable = ConfigTable::Rules;

    fn cells(&self) -> RowCells {
        vec![("rule_name", self.rule_name.to_string()), ("rule_syntax", self.rule_syntax.clone())]
    }
}

impl ConfigRow for CarryBucketRow {
    const TABLE: ConfigTable = ConfigTable::Carry;

    fn cells(&self) -> RowCells {
        vec![
            ("investor_instrument_name", self.investor_instrument_name.to_string()),
            ("on_day", self.on_day.to_string()),
            ("to_day", self.to_day.to_string()),
            ("annual_rate", shown(self.annual_rate)),
        ]
    }
}

impl ConfigRow for PoolLockRow {
    const TABLE: ConfigTable = ConfigTable::Lockdown;

    fn cells(&self) -> RowCells {
        vec![
            ("pool_name", self.pool_name.to_string()),
            ("investor_instrument_name", shown(self.investor_instrument_name.as_ref())),
            ("trade_id", shown(self.trade_id.as_ref())),
            ("lock_pool", if self.lock_pool { "Y" } else { "N" }.to_owned()),
        ]
    }
}

impl ConfigRow for PreflightRow {
    const TABLE: ConfigTable = ConfigTable::Preflight;

    fn cells(&self) -> RowCells {
        vec![
            ("min_pipeline_loans", self.min_pipeline_loans.to_string()),
            ("max_snapshot_age_days", self.max_snapshot_age_days.to_string()),
            ("max_price_age_days", self.max_price_age_days.to_string()),
            ("lockdown_days", self.lockdown_days.to_string()),
        ]
    }
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

impl From<&Constraint> for ConstraintRow {
    fn from(row: &Constraint) -> Self {
        Self {
            investor_id: (&row.key.investor_id).into(),
            investor_instrument_name: (&row.key.investor_instrument_name).into(),
            constraint_name: (&row.key.constraint_name).into(),
            constraint_priority: row.constraint_priority,
            lo_limit: row.lo_limit,
            hi_limit: row.hi_limit,
        }
    }
}

impl From<&ConstraintRule> for RuleLinkRow {
    fn from(row: &ConstraintRule) -> Self {
        Self {
            investor_id: (&row.key.investor_id).into(),
            investor_instrument_name: (&row.key.investor_instrument_name).into(),
            constraint_name: (&row.key.constraint_name).into(),
            rule_name: (&row.rule_name).into(),
        }
    }
}

impl From<&RuleText> for RuleRow {
    fn from(row: &RuleText) -> Self {
        Self { rule_name: (&row.rule_name).into(), rule_syntax: row.rule_syntax.clone() }
    }
}

impl From<&CarryBucket> for CarryBucketRow {
    fn from(row: &CarryBucket) -> Self {
        Self {
            investor_instrument_name: (&row.investor_instrument_name).into(),
            on_day: row.on_day,
            to_day: row.to_day,
            annual_rate: row.annual_rate,
        }
    }
}

impl From<&Lockdown> for PoolLockRow {
    fn from(row: &Lockdown) -> Self {
        Self {
            pool_name: (&row.pool_name).into(),
            investor_instrument_name: row.investor_instrument_name.as_ref().map(Into::into),
            trade_id: row.trade_id.as_ref().map(Into::into),
            lock_pool: row.lock_pool,
        }
    }
}

impl From<&PreflightSettings> for PreflightRow {
    fn from(row: &PreflightSettings) -> Self {
        Self {
            min_pipeline_loans: row.min_pipeline_loans,
            max_snapshot_age_days: row.max_snapshot_age_days,
            max_price_age_days: row.max_price_age_days,
            lockdown_days: row.lockdown_days,
        }
    }
}
