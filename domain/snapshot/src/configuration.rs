//! The typed tables that a tenant can manage, where there is no book to go with them.

use super::tables::{CarryBucket, Constraint, ConstraintRule, Lockdown, PreflightSettings};
use powerfill_events::values::Name;

/// The tables that a tenant can manage, without the book: each in the order of its key.
#[derive(Debug, Clone)]
pub struct ConfigurationTables {
    /// Table `pscat_securitization_rules`.
    pub rules: Vec<RuleText>,
    /// Table `pfill_constraints`.
    pub constraints: Vec<Constraint>,
    /// Table `pfill_constraint_sec_rule_rel`.
    pub constraint_rules: Vec<ConstraintRule>,
    /// Table `pfill_carry_cost`.
    pub carry_costs: Vec<CarryBucket>,
    /// Table `pfill_lockdown_guide`.
    pub lockdown: Vec<Lockdown>,
    /// Table `pfill_preflight_settings`, its row or the defaults.
    pub preflight: PreflightSettings,
}

/// A row of `pscat_securitization_rules` without a book to compile it against.
#[derive(Debug, Clone)]
pub struct RuleText {
    /// Key.
    pub rule_name: Name,
    /// As typed. Its syntax is sound, and so is what it says of the listed columns of `loan`; another column may be one
    /// of the book's.
    pub rule_syntax: String,
}
