//! The columns of `loan`: the listed ones, and further ones, whose types `loan_columns` declares
//! (1.2).

use std::collections::BTreeMap;

use super::UNDECLARED;
use crate::cell::{Kind, Value};
use crate::raw::RawTable;
use crate::records::Record;
use crate::schema::{Column, TABLES, Table};
use crate::tables::{ColumnType, Loan, LoanColumn};
use powerfill_events::values::{Name, fold};

/// What `loan_columns` says, read ahead of its own check, which reports its faults.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    /// By folded name, the first row of each; `None` where the row has no type.
    types: BTreeMap<String, Option<ColumnType>>,
    /// Whether the table could not be read, so that any further column may have any type.
    unknown: bool,
}

impl Declarations {
    pub(super) fn unknown() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    pub(super) fn read(raw: &RawTable) -> Self {
        let column = |name: &str| raw.columns().iter().position(|c| fold(c) == name);
        let (Some(name), Some(kind)) = (column("COLUMN_NAME"), column("TYPE")) else {
            return Self::unknown();
        };
        let mut declarations = Self::default();
        for row in (0..raw.rows()).filter(|row| raw.ragged(*row).is_none()) {
            let declared = match Kind::OneOf(ColumnType::WORDS).read(raw.cell(row, kind), &[]) {
                Ok(Value::Choice(position)) => {
                    [ColumnType::Text, ColumnType::Number, ColumnType::Date].get(position).copied()
                }
                _ => None,
            };
            declarations.types.entry(fold(raw.cell(row, name))).or_insert(declared);
        }
        declarations
    }

    /// The type of a further column; `None` where a fault of `loan_columns` leaves it open.
    pub(super) fn of(&self, folded: &str) -> Option<ColumnType> {
        match self.types.get(folded) {
            Some(declared) => *declared,
            None if self.unknown => None,
            None => Some(UNDECLARED),
        }
    }

    /// The further columns that a table `loan` has, by name.
    pub(super) fn further(&self, loan: &RawTable) -> Vec<LoanColumn> {
        let mut further: BTreeMap<Name, ColumnType> = BTreeMap::new();
        for spelled in loan.columns().iter().filter(|name| is_further(name)) {
            let name = Name::new(spelled);
            let column_type = self.of(name.folded()).unwrap_or(UNDECLARED);
            further.entry(name).or_insert(column_type);
        }
        further
            .into_iter()
            .map(|(column_name, column_type)| LoanColumn { column_name, column_type })
            .collect()
    }

    /// Every declared column, for rules where the table `loan` itself is not there.
    pub(super) fn all(&self) -> Vec<LoanColumn> {
        let declared = self.types.iter().filter(|(name, _)| is_further(name));
        declared
            .map(|(name, declared)| LoanColumn {
                column_name: Name::new(name),
                column_type: declared.unwrap_or(UNDECLARED),
            })
            .collect()
    }
}

/// The listed columns of `loan`.
pub(super) fn listed_schema() -> &'static [Column] {
    Table::position(Loan::TABLE).map_or(&[], |position| TABLES[position].columns)
}

/// The listed columns of `loan`, as rules see them.
pub(super) fn listed() -> Vec<LoanColumn> {
    listed_schema()
        .iter()
        .map(|column| LoanColumn {
            column_name: Name::new(column.name),
            column_type: match column.kind {
                Kind::Text => ColumnType::Text,
                Kind::Day => ColumnType::Date,
                _ => ColumnType::Number,
            },
        })
        .collect()
}

/// Whether a column of `loan` is one besides the listed ones; one without a proper name is none at
/// all.
pub(super) fn is_further(name: &str) -> bool {
    !name.is_empty() && !name.contains('\0') && !is_listed(name)
}

/// Whether a name is that of a listed column of `loan`.
pub(super) fn is_listed(name: &str) -> bool {
    listed_schema().iter().any(|column| fold(column.name) == fold(name))
}

/// The kind of the cells of a further column.
pub(super) fn kind_of(column_type: ColumnType) -> Kind {
    match column_type {
        ColumnType::Text => Kind::Text,
        ColumnType::Number => Kind::Number,
        ColumnType::Date => Kind::Day,
    }
}
