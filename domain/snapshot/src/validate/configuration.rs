//! The tables that a tenant can manage, judged by themselves: what holds between them and the book can only be judged
//! with a book, at the run.

use super::Checker;
use crate::raw::RawSnapshot;
use crate::records::Record;
use crate::report::FaultReport;
use crate::schema::{TABLES, Table};
use crate::tables::{CarryBucket, Constraint, ConstraintRule, Lockdown, PreflightSettings};
use crate::{ConfigurationTables, RuleText};

/// The tables of the configuration, in the order of 1.2.
pub const CONFIGURATION_TABLES: [&str; 6] = [
    RuleText::TABLE,
    Constraint::TABLE,
    ConstraintRule::TABLE,
    CarryBucket::TABLE,
    Lockdown::TABLE,
    PreflightSettings::TABLE,
];

/// Judges the six tables of the configuration as the validation of a snapshot does, but for what needs the book: a rule
/// is held against the listed columns of `loan`, a column besides them may be one of the book's; whether there is an
/// instrument, a pool or a trade is not looked at. Other tables of the source are left alone.
///
/// # Errors
/// The report of every fault, in the order of the tables, rows and columns.
pub fn validate_configuration(mut raw: RawSnapshot) -> Result<ConfigurationTables, FaultReport> {
    let is_of_it = |name: &str| {
        let position = Table::position(name);
        position.is_some_and(|position| CONFIGURATION_TABLES.contains(&TABLES[position].name))
    };
    raw.tables.retain(|table| is_of_it(table.name()));
    raw.faults.retain(|fault| is_of_it(&fault.table));
    let mut checker = Checker::new(raw);
    checker.context.loan_columns = super::columns::listed();
    checker.context.without_book = true;
    let tables = ConfigurationTables {
        rules: checker.table(),
        constraints: checker.table(),
        constraint_rules: checker.table(),
        carry_costs: checker.table(),
        lockdown: checker.table(),
        preflight: checker.table::<PreflightSettings>().pop().unwrap_or_default(),
    };
    let report = checker.report();
    if report.errors() == 0 { Ok(tables) } else { Err(report) }
}
