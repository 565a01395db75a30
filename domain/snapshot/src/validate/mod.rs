//! From raw tables to a typed snapshot, or to the report of every fault (specification 1.2).
//!
//! [`table`], [`layout`], and [`row`] check any table by its schema, [`across`] the rules across
//! the columns of a row, and this file the order of the tables and the rules across them. A fault
//! does not cause others: a row with a fault still counts for its key, a table that could not be
//! read leaves the references to it undecided, and so does a key column that is missing.

mod across;
mod configuration;
mod context;
mod header;
mod layout;
mod loan_columns;
mod parallel;
mod row;
mod suspects;
mod suspicion;
mod table;

use std::collections::HashSet;

use powerfill_events::config::RuleRow;
use powerfill_events::input::InputRow;
use powerfill_events::run::event::{SourceMapping, SourceProvenance};

pub use self::configuration::{columns_for_rules, validate_configuration};
use self::context::{Context, PlacedFault};
use self::loan_columns::DeclaredTypes;
pub use self::loan_columns::listed_columns;
pub use self::suspicion::is_null_word;
use super::raw::{IgnoredPart, RawSnapshot, RawTable};
use super::report::{Fault, FaultCode, FaultReport, Severity};
use super::rules::Predicate;
use super::tables::{
    Header, Loan, LoanColumn, SecuritizationRule, Snapshot, TABLES, table_position,
};

/// A snapshot without errors, and its warnings.
#[derive(Debug, Clone)]
pub struct Validated {
    /// The typed tables.
    pub snapshot: Snapshot,
    /// Faults that do not refuse it: rows that the engine ignores.
    pub warnings: FaultReport,
    /// The source's remarks on how it was read.
    pub source_warnings: Vec<String>,
    /// The mapping that made the tables.
    pub mapping: Option<SourceMapping>,
    /// Where the tables were read.
    pub provenance: Option<SourceProvenance>,
}

/// Checks the tables of a source and types them.
///
/// # Errors
/// The report of every fault, warnings included, where at least one is an error; in the order of
/// the tables, rows and columns.
pub fn validate(mut raw: RawSnapshot) -> Result<Validated, FaultReport> {
    let (mapping, provenance) = (raw.mapping.take(), raw.provenance.take());
    let (source_warnings, mut checker) = (raw.warnings.clone(), Checker::new(raw));
    let snapshot = checker.snapshot();
    let warnings = checker.report();
    match snapshot {
        Some(snapshot) if warnings.errors() == 0 => {
            Ok(Validated { snapshot, warnings, source_warnings, mapping, provenance })
        }
        _ => Err(warnings),
    }
}

enum SourceTable {
    Absent,
    /// The source could not read it. The report has the fault already.
    Failed,
    Read(Box<RawTable>),
}

struct Checker {
    sources: Vec<SourceTable>,
    /// What other parts of the source look like this table.
    near_tables: Vec<Option<String>>,
    context: Context,
    faults: Vec<PlacedFault>,
}

impl Checker {
    fn new(raw: RawSnapshot) -> Self {
        let mut checker = Self {
            sources: TABLES.iter().map(|_| SourceTable::Absent).collect(),
            near_tables: vec![None; TABLES.len()],
            context: Context::default(),
            faults: Vec::new(),
        };
        checker.context.keys.resize_with(TABLES.len(), || None);
        for fault in raw.faults {
            if let Some(position) = table_position(&fault.table) {
                checker.sources[position] = SourceTable::Failed;
                checker.table_fault(position, fault.code, fault.reason);
            }
        }
        for (table, reason) in raw.ignored.iter().filter_map(IgnoredPart::near_table) {
            if let Some(position) = table_position(table) {
                checker.near_tables[position].get_or_insert(reason);
            }
        }
        for table in raw.tables {
            let Some(position) = table_position(table.name()) else { continue };
            match checker.sources[position] {
                SourceTable::Absent => {
                    checker.sources[position] = SourceTable::Read(Box::new(table))
                }
                SourceTable::Read(_) => {
                    checker.sources[position] = SourceTable::Failed;
                    let reason = "this table is there twice".to_owned();
                    checker.table_fault(position, FaultCode::Unreadable, reason);
                }
                SourceTable::Failed => {}
            }
        }
        checker
    }

    fn table_fault(&mut self, position: usize, code: FaultCode, reason: String) {
        let fault = Fault {
            severity: Severity::Error,
            table: TABLES[position].name.into(),
            row: String::new(),
            column: "".into(),
            value: String::new(),
            code,
            reason: reason.into(),
        };
        self.faults.push(PlacedFault { position: (position, 0, 0), fault });
    }

    /// Checks every table, each after those that it refers to. `None` where there is no header to
    /// build with.
    fn snapshot(&mut self) -> Option<Snapshot> {
        self.context.declared_types = self.declared_types();
        self.table::<LoanColumn>();
        let stages = self.table();
        let instruments = self.table();
        let pools = self.table();
        self.context.loan_columns = self.loan_columns();
        let loans: Vec<Loan> = self.table();
        self.check_sum_of_loans(&loans);
        let trades = self.table();
        let designations = self.table();
        let rules = self.table();
        let prices = self.table();
        let payups = self.table();
        let loan_prices = self.table();
        let constraints = self.table();
        let constraint_rules = self.table();
        let carry_costs = self.table();
        let lockdown = self.table();
        let preflight = self.table().pop().unwrap_or_default();
        let header = self.table::<Header>().pop()?;
        let loan_columns = std::mem::take(&mut self.context.loan_columns);
        let rules = compiled(rules, &loan_columns);
        Some(Snapshot {
            header,
            loan_columns,
            loans,
            stages,
            instruments,
            trades,
            pools,
            designations,
            rules,
            prices,
            payups,
            loan_prices,
            constraints,
            constraint_rules,
            carry_costs,
            lockdown,
            preflight,
        })
    }

    /// The typed rows of a table, by key. Rows with an error are left out; the snapshot is refused
    /// then.
    fn table<T: InputRow>(&mut self) -> Vec<T> {
        let Some(position) = table_position(T::TABLE.name) else { return Vec::new() };
        match std::mem::replace(&mut self.sources[position], SourceTable::Absent) {
            SourceTable::Absent if T::TABLE.is_required => {
                let near = self.near_tables[position].take();
                let near = near.map_or_else(String::new, |near| format!("; {near}"));
                let reason = format!("this table must be there{near}");
                self.table_fault(position, FaultCode::MissingTable, reason);
                Vec::new()
            }
            SourceTable::Absent => {
                if let Some(near) = self.near_tables[position].take() {
                    let reason = format!("absent, which makes it empty; {near}");
                    self.table_fault(position, FaultCode::NearName, reason);
                    if let Some(placed) = self.faults.last_mut() {
                        placed.fault.severity = Severity::Warning;
                    }
                }
                self.context.keys[position] = Some(HashSet::default());
                Vec::new()
            }
            SourceTable::Failed => Vec::new(),
            SourceTable::Read(raw) => {
                let (mut rows, keys) =
                    table::check::<T>(position, &raw, &self.context, &mut self.faults);
                self.context.keys[position] = keys;
                drop(raw);
                parallel::sort(&mut rows);
                rows
            }
        }
    }

    fn source<T: InputRow>(&self) -> &SourceTable {
        table_position(T::TABLE.name).map_or(&SourceTable::Absent, |table| &self.sources[table])
    }

    fn declared_types(&self) -> DeclaredTypes {
        match self.source::<LoanColumn>() {
            SourceTable::Read(raw) => DeclaredTypes::read(raw),
            SourceTable::Failed => DeclaredTypes::unknown(),
            SourceTable::Absent => DeclaredTypes::default(),
        }
    }

    /// The columns that rules can name: always the listed ones, then the additional ones of the
    /// table, by name (1.4).
    fn loan_columns(&mut self) -> Vec<LoanColumn> {
        let declared_types = &self.context.declared_types;
        let (known, additional) = match self.source::<Loan>() {
            SourceTable::Read(raw) => (true, declared_types.additional_columns(raw)),
            _ => (false, declared_types.all()),
        };
        self.context.loan_columns_known = known;
        listed_columns().into_iter().chain(additional).collect()
    }

    /// No sum of loans, and so no filled or used amount, may leave 64-bit cents.
    fn check_sum_of_loans(&mut self, loans: &[Loan]) {
        const LIMIT_CENTS: i128 = 9_000_000_000_000_000_000;
        let sum: i128 = loans.iter().map(|loan| i128::from(loan.loan_amount.units())).sum();
        if sum < LIMIT_CENTS {
            return;
        }
        if let Some(position) = table_position(Loan::TABLE.name) {
            let reason = "the amounts of all loans together must be below 9e16".to_owned();
            self.table_fault(position, FaultCode::OutOfRange, reason);
            if let Some(placed) = self.faults.last_mut() {
                placed.fault.column = "loan_amount".into();
                placed.fault.value = format!("{}.{:02}", sum / 100, sum % 100);
            }
        }
    }

    fn report(mut self) -> FaultReport {
        self.faults.sort_by_key(|placed| placed.position);
        FaultReport { faults: self.faults.into_iter().map(|placed| placed.fault).collect() }
    }
}

/// The rules with their predicates. Rows are without error, so that each of their rules compiles.
fn compiled(rows: Vec<RuleRow>, columns: &[LoanColumn]) -> Vec<SecuritizationRule> {
    let predicates =
        parallel::collect(rows.len(), |at| Predicate::compile(&rows[at].rule_syntax, columns).ok());
    let rules = rows.into_iter().zip(predicates);
    rules
        .filter_map(|(row, predicate)| Some(SecuritizationRule { row, predicate: predicate? }))
        .collect()
}

#[cfg(test)]
mod tests;
