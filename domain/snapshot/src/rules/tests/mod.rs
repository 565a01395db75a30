//! Rules, feature by feature of 1.4.

mod accepted;
mod explained;
mod limits;
mod logic;
mod properties;
mod refused;

use super::{Predicate, RuleFault, Truth};
use crate::tables::{Attribute, ColumnType, LoanColumn};
use powerfill_events::values::Name;

/// The columns of the tests' loans.
pub(super) fn columns() -> Vec<LoanColumn> {
    use ColumnType::{Date, Number, Text};
    [
        ("loan_amount", Number),
        ("note_rate", Number),
        ("close_date", Date),
        ("lock_expiration_date", Date),
        ("fico", Number),
        ("ltv", Number),
        ("dti", Number),
        ("state", Text),
        ("property_type", Text),
        ("loan_type", Text),
        ("zip", Text),
        ("never", Text),
        ("num", Number),
        ("seen", Date),
        ("Größe in m²", Number),
        ("order", Text),
    ]
    .map(|(name, column_type)| LoanColumn { column_name: Name::new(name), column_type })
    .into()
}

/// A loan with these values, the others NULL.
pub(super) fn loan(values: &[(&str, &str)]) -> Vec<Option<Attribute>> {
    let value = |column: &LoanColumn| {
        let (_, text) = values.iter().find(|(name, _)| column.column_name == Name::new(name))?;
        Some(match column.column_type {
            ColumnType::Text => Attribute::Text(Name::new(text)),
            ColumnType::Number => Attribute::Number(text.parse().unwrap()),
            ColumnType::Date => Attribute::Date(text.parse().unwrap()),
        })
    };
    columns().iter().map(value).collect()
}

pub(super) fn compile(rule: &str) -> Result<Predicate, RuleFault> {
    Predicate::compile(rule, &columns())
}

pub(super) fn truth(rule: &str, values: &[(&str, &str)]) -> Truth {
    match compile(rule) {
        Ok(predicate) => predicate.evaluate(&loan(values)),
        Err(fault) => panic!("{rule}: {fault}"),
    }
}
