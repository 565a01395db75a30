//! What can be asked of a tenant's configuration.

use super::row_key::{GivenRow, RowKey};
use super::tables::{ConfigTables, cell};
use crate::rules::Predicate;
use crate::tables::LoanColumn;
use crate::{Fault, FaultReport, Severity};
use powerfill_events::config::ConfigTable;

/// What is asked, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigCommand {
    /// What is asked.
    pub what: ConfigChange,
    /// Why, in the words of who asks; every event of the command carries it.
    pub reason: Option<String>,
}

impl ConfigCommand {
    /// Whether it writes rules.
    pub fn writes_rules(&self) -> bool {
        !self.rules().is_empty()
    }

    /// The faults of the rules that it writes, if `loan` has these columns: without a book, a rule
    /// may name any column (1.4).
    pub fn rule_faults(&self, columns: &[LoanColumn], severity: Severity) -> FaultReport {
        let fault = |(name, syntax): (&str, &str)| {
            let found = Predicate::compile(syntax, columns).err()?;
            Some(Fault {
                severity,
                table: ConfigTable::Rules.name().into(),
                row: name.to_owned(),
                column: "rule_syntax".into(),
                value: syntax.to_owned(),
                code: found.code,
                reason: format!("rule {name}, {found}").into(),
            })
        };
        FaultReport { faults: self.rules().into_iter().filter_map(fault).collect() }
    }

    /// The names and the conditions of the rules that it writes.
    fn rules(&self) -> Vec<(&str, &str)> {
        match &self.what {
            ConfigChange::Write { table: ConfigTable::Rules, rows, .. } => {
                let rules = rows.iter();
                rules
                    .filter_map(|row| Some((cell(row, "rule_name")?, cell(row, "rule_syntax")?)))
                    .collect()
            }
            ConfigChange::Import { tables, .. } => {
                let rules = tables.rules.iter();
                rules.map(|rule| (rule.rule_name.as_str(), rule.rule_syntax.as_str())).collect()
            }
            ConfigChange::Write { .. }
            | ConfigChange::Remove { .. }
            | ConfigChange::Reprioritise { .. } => Vec::new(),
        }
    }
}

impl From<ConfigChange> for ConfigCommand {
    fn from(what: ConfigChange) -> Self {
        Self { what, reason: None }
    }
}

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigChange {
    /// Write rows of a table, all of them or none.
    Write {
        /// The table.
        table: ConfigTable,
        /// The rows, each with the columns of its key.
        rows: Vec<GivenRow>,
        /// What a column that a row does not name becomes.
        left_out: LeftOut,
        /// What must hold of each row before.
        precondition: Precondition,
    },
    /// Remove a row. Without their row, the settings of preflight are the defaults.
    Remove {
        /// The table.
        table: ConfigTable,
        /// The row.
        key: RowKey,
        /// What must hold of it before.
        precondition: Precondition,
    },
    /// Give every node of the constraint tree its priority. Nodes of the same priority form one
    /// turn (2.5).
    Reprioritise {
        /// Every node once: the columns of its key, and `constraint_priority`.
        order: Vec<GivenRow>,
        /// The token of the constraints that the order was made from; `None` where it does not
        /// matter.
        token: Option<u64>,
    },
    /// Take these tables over whole.
    Import {
        /// Where they come from, as the event says it: without a password.
        source: String,
        /// The tables.
        tables: Box<ConfigTables>,
    },
}

/// What a column that a row does not name becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// NULL, or its default: the row is given whole.
    Empty,
    /// What it was: the row is changed.
    AsItWas,
}

/// What must hold of a row for a command to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    Any,
    /// It is not there.
    Absent,
    /// It is there.
    Present,
    /// It is as it was when it had this token.
    Token(u64),
}
