//! The rows of the six tables as events carry them. Field names are column names; names keep their spelling, for the
//! outputs show it (1.1): a name that is spelled otherwise is a change.

use super::row_key::RowKey;
use crate::RuleText;
use crate::tables::{CarryBucket, Constraint, ConstraintRule, Lockdown, PreflightSettings};
use powerfill_events::config::{
    CarryBucketRow, ConfigTable, ConstraintRow, PoolLockRow, PreflightRow, RuleLinkRow, RuleRow,
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
