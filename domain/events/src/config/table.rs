//! The six tables of the configuration.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::fold;

/// A table that a tenant can manage, by its name of 1.2.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ConfigTable {
    /// The securitization rules.
    #[serde(rename = "pscat_securitization_rules")]
    Rules,
    /// The constraint tree.
    #[serde(rename = "pfill_constraints")]
    Constraints,
    /// The rules that are linked to nodes of the tree.
    #[serde(rename = "pfill_constraint_sec_rule_rel")]
    Links,
    /// The carry curve.
    #[serde(rename = "pfill_carry_cost")]
    Carry,
    /// The lockdown guide.
    #[serde(rename = "pfill_lockdown_guide")]
    Lockdown,
    /// The settings of preflight.
    #[serde(rename = "pfill_preflight_settings")]
    Preflight,
}

impl ConfigTable {
    /// All of them, in the order of 1.2.
    pub const ALL: [Self; 6] =
        [Self::Rules, Self::Constraints, Self::Links, Self::Carry, Self::Lockdown, Self::Preflight];

    /// Its name (1.2).
    pub const fn name(self) -> &'static str {
        self.schema().name
    }

    /// The table of this name, which compares as text.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| fold(table.name()) == fold(name))
    }

    /// The columns of its key; none for the settings, which are one row.
    pub const fn key_columns(self) -> &'static [&'static str] {
        self.schema().key
    }
}

impl fmt::Display for ConfigTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_names_are_table_names() {
        for table in ConfigTable::ALL {
            assert_eq!(serde_json::to_value(table).unwrap(), table.name());
        }
    }
}
