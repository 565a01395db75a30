//! The six tables of the configuration, and the keys of their rows.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::snapshot::{table_key, table_named, whole_number};
use crate::values::Name;

/// A table that a tenant can manage, by its name of 1.2.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
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
        match self {
            Self::Rules => "pscat_securitization_rules",
            Self::Constraints => "pfill_constraints",
            Self::Links => "pfill_constraint_sec_rule_rel",
            Self::Carry => "pfill_carry_cost",
            Self::Lockdown => "pfill_lockdown_guide",
            Self::Preflight => "pfill_preflight_settings",
        }
    }

    /// The table of this name, which compares as text.
    pub fn named(name: &str) -> Option<Self> {
        let proper = table_named(name)?;
        Self::ALL.into_iter().find(|table| table.name() == proper)
    }

    /// The columns of its key; none for the settings, which are one row.
    pub fn key_columns(self) -> &'static [&'static str] {
        table_key(self.name())
    }
}

impl fmt::Display for ConfigTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The key of a row. Names compare as text, days by their number; the order is that of the table (1.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(Vec<KeyPart>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum KeyPart {
    Name(Name),
    Day(i64),
}

impl RowKey {
    /// The key of these texts, in the order of the table's key columns: as a person types it, or an address has it.
    /// Missing parts are empty. A day that is no whole number is no row's, and stands as the text that it is.
    pub fn of<'a>(table: ConfigTable, parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut parts = parts.into_iter();
        let part = |column: &&str| {
            let text = parts.next().unwrap_or_default();
            match (*column == "on_day").then(|| whole_number(text)).flatten() {
                Some(day) => KeyPart::Day(day),
                None => KeyPart::Name(Name::new(text)),
            }
        };
        Self(table.key_columns().iter().map(part).collect())
    }
}

impl fmt::Display for RowKey {
    /// The parts joined by `|`, as the report of faults names a row.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("|")?;
            }
            match part {
                KeyPart::Name(name) => f.write_str(name.as_str())?,
                KeyPart::Day(day) => fmt::Display::fmt(day, f)?,
            }
        }
        Ok(())
    }
}
