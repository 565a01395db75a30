//! From raw tables to a typed snapshot, or to the report of every fault (specification 1.2).
//!
//! [`table`] and [`row`] judge any table by its schema, [`across`] what holds across the columns of
//! a row, this file the order of the tables and what holds across them. A fault does not breed
//! others: a row with a fault still counts for its key, a table that could not be read leaves the
//! references to it undecided, and so does a key column that is missing.

mod across;
mod columns;
mod configuration;
mod row;
mod table;

use std::collections::HashSet;

use foldhash::fast::RandomState;
use rayon::slice::ParallelSliceMut;

use self::columns::Declarations;
pub use self::configuration::{CONFIGURATION_TABLES, validate_configuration};
use super::raw::{RawSnapshot, RawTable};
use super::records::Record;
use super::report::{Fault, FaultCode, FaultReport, Severity};
use super::schema::{TABLES, Table};
use super::tables::{ColumnType, Header, Loan, LoanColumn, PreflightSettings, Snapshot};
use powerfill_events::values::Name;

/// A snapshot in order, and what was noticed about it.
#[derive(Debug, Clone)]
pub struct Validated {
    /// The typed tables.
    pub snapshot: Snapshot,
    /// Faults that do not refuse it: rows that the engine ignores.
    pub warnings: FaultReport,
    /// What the source has to say of how it was read.
    pub source_warnings: Vec<String>,
}

/// Judges the tables of a source and types them.
///
/// # Errors
/// The report of every fault, warnings included, where at least one is an error; in the order of
/// the tables, rows and columns.
pub fn validate(raw: RawSnapshot) -> Result<Validated, FaultReport> {
    let (source_warnings, mut checker) = (raw.warnings.clone(), Checker::new(raw));
    let snapshot = checker.snapshot();
    let warnings = checker.report();
    match snapshot {
        Some(snapshot) if warnings.errors() == 0 => {
            Ok(Validated { snapshot, warnings, source_warnings })
        }
        _ => Err(warnings),
    }
}

/// What came from the source for a table.
enum Source {
    Absent,
    /// It is there, but was not read: in the report already.
    Failed,
    Read(RawTable),
}

/// The keys of a table; `None` where they cannot be known.
type Keys = Option<HashSet<Name, RandomState>>;

/// A fault and where it stands in the report: table, row from 1, column.
struct Found {
    place: (usize, usize, usize),
    fault: Fault,
}

/// What the cells and rows of a table are judged against.
#[derive(Default)]
struct Context {
    /// By position in [`TABLES`], for the tables judged so far.
    keys: Vec<Keys>,
    declarations: Declarations,
    /// What rules can name.
    loan_columns: Vec<LoanColumn>,
    /// Whether `loan_columns` are those of a table that was read.
    loan_columns_known: bool,
    /// Whether the tables of a configuration are judged, which have no book.
    without_book: bool,
}

struct Checker {
    sources: Vec<Source>,
    context: Context,
    found: Vec<Found>,
}

impl Checker {
    fn new(raw: RawSnapshot) -> Self {
        let mut checker = Self {
            sources: TABLES.iter().map(|_| Source::Absent).collect(),
            context: Context::default(),
            found: Vec::new(),
        };
        checker.context.keys.resize_with(TABLES.len(), || None);
        for fault in raw.faults {
            if let Some(position) = Table::position(&fault.table) {
                checker.sources[position] = Source::Failed;
                checker.whole_table(position, fault.code, fault.reason);
            }
        }
        for table in raw.tables {
            let Some(position) = Table::position(table.name()) else { continue };
            match checker.sources[position] {
                Source::Absent => checker.sources[position] = Source::Read(table),
                Source::Read(_) => {
                    checker.sources[position] = Source::Failed;
                    let reason = "this table is there twice".to_owned();
                    checker.whole_table(position, FaultCode::Unreadable, reason);
                }
                Source::Failed => {}
            }
        }
        checker
    }

    fn whole_table(&mut self, position: usize, code: FaultCode, reason: String) {
        let fault = Fault {
            severity: Severity::Error,
            table: TABLES[position].name.into(),
            row: String::new(),
            column: "".into(),
            value: String::new(),
            code,
            reason: reason.into(),
        };
        self.found.push(Found { place: (position, 0, 0), fault });
    }

    /// Judges every table, each after those that it refers to. `None` where there is no header to
    /// build with.
    fn snapshot(&mut self) -> Option<Snapshot> {
        self.context.declarations = self.declarations();
        self.table::<LoanColumn>();
        let stages = self.table();
        let instruments = self.table();
        let pools = self.table();
        self.context.loan_columns = self.loan_columns();
        let loans: Vec<Loan> = self.table();
        self.sum_of_loans(&loans);
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
        let preflight = self.table::<PreflightSettings>().pop().unwrap_or_default();
        let header = self.table::<Header>().pop()?;
        let loan_columns = std::mem::take(&mut self.context.loan_columns);
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
    fn table<T: Record>(&mut self) -> Vec<T> {
        let Some(position) = Table::position(T::TABLE) else { return Vec::new() };
        let schema = &TABLES[position];
        match std::mem::replace(&mut self.sources[position], Source::Absent) {
            Source::Absent if schema.required => {
                let reason = "this table must be there".to_owned();
                self.whole_table(position, FaultCode::MissingTable, reason);
                Vec::new()
            }
            Source::Absent => {
                self.context.keys[position] = Some(HashSet::default());
                Vec::new()
            }
            Source::Failed => Vec::new(),
            Source::Read(raw) => {
                let (mut rows, keys) =
                    table::check::<T>(position, &raw, &self.context, &mut self.found);
                self.context.keys[position] = keys;
                drop(raw);
                rows.par_sort_by(T::order);
                rows
            }
        }
    }

    fn raw(&self, table: &str) -> Option<&RawTable> {
        match Table::position(table).map(|position| &self.sources[position]) {
            Some(Source::Read(raw)) => Some(raw),
            _ => None,
        }
    }

    fn declarations(&self) -> Declarations {
        let position = Table::position(LoanColumn::TABLE);
        match position.map(|position| &self.sources[position]) {
            Some(Source::Read(raw)) => Declarations::read(raw),
            Some(Source::Failed) => Declarations::unknown(),
            _ => Declarations::default(),
        }
    }

    /// What rules can name: the listed columns, always, then those that the table has besides, by
    /// name (1.4).
    fn loan_columns(&mut self) -> Vec<LoanColumn> {
        let declarations = &self.context.declarations;
        let further = match self.raw(Loan::TABLE) {
            Some(raw) => declarations.further(raw),
            None => declarations.all(),
        };
        let known = self.raw(Loan::TABLE).is_some();
        self.context.loan_columns_known = known;
        columns::listed().into_iter().chain(further).collect()
    }

    /// No sum of loans, and so no filled or used amount, may leave 64-bit cents.
    fn sum_of_loans(&mut self, loans: &[Loan]) {
        const LIMIT_CENTS: i128 = 9_000_000_000_000_000_000;
        let sum: i128 = loans.iter().map(|loan| i128::from(loan.loan_amount.units())).sum();
        if sum < LIMIT_CENTS {
            return;
        }
        if let Some(position) = Table::position(Loan::TABLE) {
            let reason = "the amounts of all loans together must be below 9e16".to_owned();
            self.whole_table(position, FaultCode::OutOfRange, reason);
            if let Some(found) = self.found.last_mut() {
                found.fault.column = "loan_amount".into();
                found.fault.value = format!("{}.{:02}", sum / 100, sum % 100);
            }
        }
    }

    fn report(mut self) -> FaultReport {
        self.found.sort_by_key(|found| found.place);
        FaultReport { faults: self.found.into_iter().map(|found| found.fault).collect() }
    }
}

/// The type of a further column that nothing declares.
const UNDECLARED: ColumnType = ColumnType::Text;

#[cfg(test)]
mod tests;
