//! The six tables that a tenant can configure. Events, the configuration, and snapshots share their
//! rows: field names are column names and published JSON names.
//!
//! Two rows are equal where all their cells are written the same: a name that is spelled otherwise
//! is a change, because outputs show the spelling (1.1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::ConfigTable;
use crate::input::InputRow;
use crate::input_table;
use crate::values::{
    ConstraintName, InstrumentName, InvestorId, Key, PoolName, Rate, RuleName, Share, TradeId,
};

/// A row of a table that a tenant can configure.
pub trait ConfigRow: InputRow + Clone + Eq {
    /// Its table.
    const CONFIG_TABLE: ConfigTable;
}

macro_rules! config_rows {
    ($($row:ident in $table:ident;)*) => {
        $(
            impl ConfigRow for $row {
                const CONFIG_TABLE: ConfigTable = ConfigTable::$table;
            }

            impl PartialEq for $row {
                fn eq(&self, other: &Self) -> bool {
                    self.is_same(other)
                }
            }

            impl Eq for $row {}
        )*

        impl ConfigTable {
            /// What the table declares.
            pub const fn schema(self) -> &'static crate::input::InputTable {
                match self {
                    $(Self::$table => $row::TABLE,)*
                }
            }
        }
    };
}

config_rows! {
    RuleRow in Rules;
    ConstraintRow in Constraints;
    RuleLinkRow in Links;
    CarryBucketRow in Carry;
    PoolLockRow in Lockdown;
    PreflightRow in Preflight;
}

input_table! {
    /// A named boolean expression over the columns of loan.
    #[derive(Serialize, Deserialize, JsonSchema)]
    table RuleRow = "pscat_securitization_rules", key(rule_name);
    columns {
        /// The rule.
        rule_name: Key<RuleName>, example("High LTV");
        /// The expression (1.4), as typed.
        rule_syntax: String, example("ltv > 80");
    }
}

input_table! {
    /// A node of the constraint tree. Above their levels, instrument and name are empty texts.
    #[derive(Serialize, Deserialize, JsonSchema)]
    table ConstraintRow = "pfill_constraints",
        key(investor_id, investor_instrument_name, constraint_name), required;
    columns {
        /// The investor; never empty.
        investor_id: Key<InvestorId>, example("FNMA");
        /// The instrument; empty at the investor level.
        investor_instrument_name: Key<InstrumentName>, or_empty(), example("FN30 6.0");
        /// The sub-constraint; empty at the investor level and at the instrument level.
        constraint_name: Key<ConstraintName>, or_empty(), example("HIGH LTV");
        /// Lower priorities are filled first; equal ones form one turn (2.5).
        constraint_priority: i64, at_least(0), example("10");
        /// A goal: share of the open amount. NULL: none.
        lo_limit: Option<Share>, within(0, 1);
        /// A bound: share of the open amount. NULL: none.
        hi_limit: Option<Share>, within(0, 1), example("0.5");
    }
}

input_table! {
    /// A rule of a node of the constraint tree.
    #[derive(Serialize, Deserialize, JsonSchema)]
    table RuleLinkRow = "pfill_constraint_sec_rule_rel",
        key(investor_id, investor_instrument_name, constraint_name, rule_name);
    reference (investor_id, investor_instrument_name, constraint_name) = "pfill_constraints",
        unknown Error;
    reference (rule_name) = "pscat_securitization_rules", unknown Error;
    columns {
        /// The investor of the node.
        investor_id: Key<InvestorId>, example("FNMA");
        /// The instrument of the node; empty at the investor level.
        investor_instrument_name: Key<InstrumentName>, or_empty(), example("FN30 6.0");
        /// The name of the node; empty above the sub-constraints.
        constraint_name: Key<ConstraintName>, or_empty(), example("HIGH LTV");
        /// The rule.
        rule_name: Key<RuleName>, example("High LTV");
    }
}

input_table! {
    /// A bucket of the carry curve of an instrument. Buckets may overlap.
    #[derive(Serialize, Deserialize, JsonSchema)]
    table CarryBucketRow = "pfill_carry_cost", key(investor_instrument_name, on_day),
        check("to_day >= on_day");
    reference (investor_instrument_name) = "pscat_instruments", unknown Warning;
    columns {
        /// The instrument.
        investor_instrument_name: Key<InstrumentName>, example("FN30 6.0");
        /// First day of the bucket, in interest-earning days (2.3).
        on_day: i64, example("0");
        /// Last day of the bucket.
        to_day: i64, example("30");
        /// Points per year, 6 decimals. NULL: the bucket counts for nothing.
        annual_rate: Option<Rate>, plausible(-30, 30), example("4.25");
    }
}

input_table! {
    /// A pool whose loans stay, or may leave.
    #[derive(Serialize, Deserialize, JsonSchema)]
    table PoolLockRow = "pfill_lockdown_guide", key(pool_name);
    columns {
        /// The pool. Preflight warns where it does not exist.
        pool_name: Key<PoolName>, example("P1");
        /// The instrument, for information.
        investor_instrument_name: Option<Key<InstrumentName>>, example("FN30 6.0");
        /// The trade that the pool should be designated to; preflight checks it.
        trade_id: Option<Key<TradeId>>, example("T0001");
        /// Whether the loans of the pool stay in it.
        lock_pool: bool, example("N");
    }
}

input_table! {
    /// The settings of preflight (2.2).
    #[derive(Serialize, Deserialize, JsonSchema)]
    table PreflightRow = "pfill_preflight_settings", key(), at_most_one_row;
    defaults;
    columns {
        /// Fewest eligible loans of a run.
        min_pipeline_loans: i64 = 1;
        /// Days by which as_of of a run may be later than the snapshot's before preflight warns.
        max_snapshot_age_days: i64 = 3, within(-99_999_999, 99_999_999);
        /// Days by which prices may be older than as_of before preflight warns.
        max_price_age_days: i64 = 1, within(-99_999_999, 99_999_999);
        /// Days from as_of within which a settlement makes preprocess propose to lock the pools.
        lockdown_days: i64 = 2, within(-99_999_999, 99_999_999);
    }
}

/// The key of a node of the constraint tree; empty names stand for absent levels. It orders "by
/// id".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey {
    /// Never empty.
    pub investor_id: Key<InvestorId>,
    /// Empty at the investor level.
    pub investor_instrument_name: Key<InstrumentName>,
    /// Empty at the investor level and at the instrument level.
    pub constraint_name: Key<ConstraintName>,
}

macro_rules! rows_of_nodes {
    ($($row:ident)*) => {$(
        impl $row {
            /// The node.
            pub fn node(&self) -> NodeKey {
                NodeKey {
                    investor_id: self.investor_id.clone(),
                    investor_instrument_name: self.investor_instrument_name.clone(),
                    constraint_name: self.constraint_name.clone(),
                }
            }
        }
    )*};
}

rows_of_nodes! { ConstraintRow RuleLinkRow }
