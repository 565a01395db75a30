//! The tables that a tenant can configure, checked by themselves: what holds between them and the
//! other tables can only be checked together, at the run.

use powerfill_events::config::ConfigTable;
use powerfill_events::input::InputRow;

use super::Checker;
use super::loan_columns::{DeclaredTypes, listed_columns};
use crate::config::ConfigTables;
use crate::raw::RawSnapshot;
use crate::report::FaultReport;
use crate::tables::{Loan, LoanColumn};

/// The columns that the rules of a source can name, by its table `loan`; `None` if it has none.
pub fn columns_for_rules(raw: &RawSnapshot) -> Option<Vec<LoanColumn>> {
    let table = |name: &str| raw.tables.iter().find(|t| t.name().eq_ignore_ascii_case(name));
    let declared = table(LoanColumn::TABLE.name).map(DeclaredTypes::read).unwrap_or_default();
    let additional = declared.additional_columns(table(Loan::TABLE.name)?);
    Some(listed_columns().into_iter().chain(additional).collect())
}

/// Checks the six tables of the configuration as the validation of a snapshot does, except for what
/// needs other tables: a rule is checked against the listed columns of `loan`, and may name others;
/// instruments, pools, and trades may be unknown. Other tables of the source are ignored. Gives the
/// warnings too.
///
/// # Errors
/// The report of every fault, in the order of the tables, rows and columns.
pub fn validate_configuration(
    mut raw: RawSnapshot,
) -> Result<(ConfigTables, FaultReport), FaultReport> {
    let is_configured = |name: &str| ConfigTable::named(name).is_some();
    raw.tables.retain(|table| is_configured(table.name()));
    raw.faults.retain(|fault| is_configured(&fault.table));
    let mut checker = Checker::new(raw);
    checker.context.loan_columns = listed_columns();
    checker.context.is_configuration = true;
    let tables = ConfigTables {
        rules: checker.table(),
        constraints: checker.table(),
        links: checker.table(),
        carry: checker.table(),
        lockdown: checker.table(),
        preflight: checker.table().pop().unwrap_or_default(),
    };
    let report = checker.report();
    if report.errors() == 0 { Ok((tables, report)) } else { Err(report) }
}
