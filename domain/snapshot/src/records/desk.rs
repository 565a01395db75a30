//! What the desk decides: the constraint tree, the carry curve, the lockdown guide, the settings;
//! and the header.

use std::cmp::Ordering;

use super::{Cells, Record, RowWriter};
use crate::choices::yes_no;
use crate::tables::{CarryBucket, Constraint, ConstraintRule, Header, Lockdown, PreflightSettings};

impl Record for Constraint {
    const TABLE: &'static str = "pfill_constraints";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self {
            key: cells.node_key(),
            constraint_priority: cells.whole(),
            lo_limit: cells.maybe_fixed(),
            hi_limit: cells.maybe_fixed(),
        }
    }

    fn write(&self, row: &mut RowWriter) {
        row.node_key(&self.key);
        row.shown(self.constraint_priority);
        row.maybe_fixed(self.lo_limit);
        row.maybe_fixed(self.hi_limit);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl Record for ConstraintRule {
    const TABLE: &'static str = "pfill_constraint_sec_rule_rel";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self { key: cells.node_key(), rule_name: cells.name() }
    }

    fn write(&self, row: &mut RowWriter) {
        row.node_key(&self.key);
        row.name(&self.rule_name);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then_with(|| self.rule_name.cmp(&other.rule_name))
    }
}

impl Record for CarryBucket {
    const TABLE: &'static str = "pfill_carry_cost";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self {
            investor_instrument_name: cells.name(),
            on_day: cells.whole(),
            to_day: cells.whole(),
            annual_rate: cells.maybe_fixed(),
        }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.investor_instrument_name);
        row.shown(self.on_day);
        row.shown(self.to_day);
        row.maybe_fixed(self.annual_rate);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.investor_instrument_name
            .cmp(&other.investor_instrument_name)
            .then(self.on_day.cmp(&other.on_day))
    }
}

impl Record for Lockdown {
    const TABLE: &'static str = "pfill_lockdown_guide";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self {
            pool_name: cells.name(),
            investor_instrument_name: cells.maybe_name(),
            trade_id: cells.maybe_name(),
            lock_pool: cells.choice(),
        }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.pool_name);
        row.maybe_name(self.investor_instrument_name.as_ref());
        row.maybe_name(self.trade_id.as_ref());
        row.text(yes_no(self.lock_pool));
    }

    fn order(&self, other: &Self) -> Ordering {
        self.pool_name.cmp(&other.pool_name)
    }
}

impl Record for PreflightSettings {
    const TABLE: &'static str = "pfill_preflight_settings";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self {
            min_pipeline_loans: cells.whole(),
            max_snapshot_age_days: cells.whole(),
            max_price_age_days: cells.whole(),
            lockdown_days: cells.whole(),
        }
    }

    fn write(&self, row: &mut RowWriter) {
        row.shown(self.min_pipeline_loans);
        row.shown(self.max_snapshot_age_days);
        row.shown(self.max_price_age_days);
        row.shown(self.lockdown_days);
    }

    fn order(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

impl Record for Header {
    const TABLE: &'static str = "snapshot";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self { tenant_id: cells.name(), as_of: cells.day(), prices_as_of: cells.maybe_day() }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.tenant_id);
        row.shown(self.as_of);
        row.maybe_shown(self.prices_as_of);
    }

    fn order(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}
