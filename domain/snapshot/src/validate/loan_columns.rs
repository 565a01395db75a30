//! The columns of `loan`: the listed ones, and additional ones, whose types `loan_columns` declares
//! (1.2).

use std::collections::BTreeMap;

use powerfill_events::input::{Bounds, InputRow, InputType, InputValue};
use powerfill_events::values::{Day, Name, fold};
use rust_decimal::Decimal;

use crate::cell::read_cell;
use crate::raw::RawTable;
use crate::tables::{ColumnType, Loan, LoanColumn};

/// The type of an additional column that nothing declares.
const UNDECLARED: ColumnType = ColumnType::Text;

/// The types that `loan_columns` declares, read before its own check, which reports its faults.
#[derive(Debug, Default)]
pub(super) struct DeclaredTypes {
    /// By folded name, the first row of each; `None` where the row has no type.
    types: BTreeMap<String, Option<ColumnType>>,
    /// Whether the table could not be read, so that any additional column may have any type.
    unknown: bool,
}

impl DeclaredTypes {
    pub(super) fn unknown() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    pub(super) fn read(raw: &RawTable) -> Self {
        let column = |name: &str| raw.columns().iter().position(|c| fold(c) == name);
        let (Some(name), Some(column_type)) = (column("COLUMN_NAME"), column("TYPE")) else {
            return Self::unknown();
        };
        let mut declared_types = Self::default();
        for row in (0..raw.rows()).filter(|row| raw.ragged(*row).is_none()) {
            let cell = read_cell(ColumnType::TYPE, Bounds::Any, raw.cell(row, column_type));
            let declared = cell.ok().and_then(ColumnType::from_cell);
            declared_types.types.entry(fold(raw.cell(row, name))).or_insert(declared);
        }
        declared_types
    }

    /// The type of an additional column; `None` where a fault of `loan_columns` leaves it open.
    pub(super) fn type_of(&self, folded: &str) -> Option<ColumnType> {
        match self.types.get(folded) {
            Some(declared) => *declared,
            None if self.unknown => None,
            None => Some(UNDECLARED),
        }
    }

    /// Whether `loan_columns` has a row for a column.
    pub(super) fn declares(&self, folded: &str) -> bool {
        self.types.contains_key(folded)
    }

    /// The additional columns that a table `loan` has, by name.
    pub(super) fn additional_columns(&self, loan: &RawTable) -> Vec<LoanColumn> {
        let mut additional: BTreeMap<Name, ColumnType> = BTreeMap::new();
        for spelled in loan.columns().iter().filter(|name| is_additional(name)) {
            let name = Name::new(spelled);
            let column_type = self.type_of(name.folded()).unwrap_or(UNDECLARED);
            additional.entry(name).or_insert(column_type);
        }
        additional
            .into_iter()
            .map(|(column_name, column_type)| LoanColumn { column_name, column_type })
            .collect()
    }

    /// Every declared column, for rules where the table `loan` itself is absent.
    pub(super) fn all(&self) -> Vec<LoanColumn> {
        let declared = self.types.iter().filter(|(name, _)| is_additional(name));
        declared
            .map(|(name, declared)| LoanColumn {
                column_name: Name::new(name),
                column_type: declared.unwrap_or(UNDECLARED),
            })
            .collect()
    }
}

/// The listed columns of `loan`, as rules see them.
pub fn listed_columns() -> Vec<LoanColumn> {
    Loan::TABLE
        .columns
        .iter()
        .map(|column| LoanColumn {
            column_name: Name::new(column.name),
            column_type: match column.input_type {
                InputType::Text => ColumnType::Text,
                InputType::Day => ColumnType::Date,
                _ => ColumnType::Number,
            },
        })
        .collect()
}

/// Whether a column of `loan` is an additional one. A column without a proper name is none at all.
pub(super) fn is_additional(name: &str) -> bool {
    !name.is_empty() && !name.contains('\0') && Loan::TABLE.position(name).is_none()
}

/// The type of the cells of an additional column.
pub(super) fn input_type(column_type: ColumnType) -> InputType {
    match column_type {
        ColumnType::Text => Name::TYPE,
        ColumnType::Number => Decimal::TYPE,
        ColumnType::Date => Day::TYPE,
    }
}
