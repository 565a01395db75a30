//! The check of the rows of a table: cells, references, what holds across columns.

use std::collections::HashMap;
use std::fmt::Write as _;

use chrono::NaiveDate;
use foldhash::fast::RandomState;

use super::Found;
use super::table::{Laid, Resolved, TableCheck};
use crate::cell::{CellFault, Kind, Value};
use crate::report::{FaultCode, Severity};
use crate::schema::Presence;
use powerfill_events::values::{Day, Name};

/// A column that repeats more texts than this has hardly any to share.
const MOST_SHARED_TEXTS: usize = 1 << 18;

/// The check of one row after the other.
pub(super) struct RowCheck<'t, 'a> {
    table: &'t TableCheck<'a>,
    row: usize,
    pub(super) values: Vec<Value>,
    shared: Vec<HashMap<&'a str, Name, RandomState>>,
    pub(super) found: Vec<Found>,
    pub(super) has_errors: bool,
}

impl<'t, 'a> RowCheck<'t, 'a> {
    pub(super) fn new(table: &'t TableCheck<'a>) -> Self {
        let columns = table.layout.len();
        Self {
            table,
            row: 0,
            values: vec![Value::Null; columns],
            shared: vec![HashMap::default(); columns],
            found: Vec::new(),
            has_errors: false,
        }
    }

    pub(super) fn begin(&mut self, row: usize) {
        self.row = row;
        self.has_errors = false;
    }

    pub(super) fn is_ragged(&mut self) -> bool {
        let Some(cells) = self.table.raw.ragged(self.row) else { return false };
        let reason = format!("{cells} fields, the header has {}", self.table.raw.columns().len());
        self.fault(Severity::Error, &[], CellFault::new(FaultCode::RaggedRow, reason));
        true
    }

    pub(super) fn key_of_ragged(&mut self) -> Option<Name> {
        let columns = self.table.columns_of(self.table.schema.key)?;
        for column in &columns {
            self.values[*column] = self.read(*column).ok()?;
        }
        self.key(&columns)
    }

    pub(super) fn read_cells(&mut self) {
        for column in 0..self.table.layout.len() {
            let value = match self.read(column) {
                Ok(value) => value,
                Err(fault) => {
                    self.fault(Severity::Error, &[column], fault);
                    Value::Faulty
                }
            };
            self.has_errors |= matches!(value, Value::Faulty);
            self.values[column] = value;
        }
    }

    /// Reads a cell, whatever is wrong with it.
    fn read(&mut self, column: usize) -> Result<Value, CellFault> {
        let Laid { kind, presence, source, shares, .. } = self.table.layout[column];
        let (raw, row) = (self.table.raw, self.row);
        let Some(source) = source else {
            return match presence {
                Presence::Required | Presence::EmptyText => Ok(Value::Faulty),
                Presence::Nullable => Ok(Value::Null),
                Presence::Default(text) => kind.read(text, &[]),
            };
        };
        if let Some(reason) = raw.unfit(row, source) {
            return Err(CellFault::new(kind.unfit_code(), reason.to_owned()));
        }
        let text = raw.cell(row, source);
        if text.is_empty() {
            return match presence {
                Presence::Required => Err(CellFault::new(FaultCode::Required, "must not be empty")),
                Presence::Nullable => Ok(Value::Null),
                Presence::Default(default) => kind.read(default, &[]),
                Presence::EmptyText => Ok(Value::Text(self.share(column, ""))),
            };
        }
        if self.table.has_nul && text.contains('\0') {
            return Err(CellFault::new(FaultCode::NotAllowed, "a NUL character in a text"));
        }
        match kind {
            Kind::Text if shares => Ok(Value::Text(self.share(column, text))),
            Kind::Rule => self.table.read_rule(row, text),
            _ => kind.read(text, &[]),
        }
    }

    /// The name of a text, one for all its occurrences in the column.
    fn share(&mut self, column: usize, text: &'a str) -> Name {
        let shared = &mut self.shared[column];
        if let Some(name) = shared.get(text) {
            return name.clone();
        }
        let name = Name::new(text);
        if shared.len() < MOST_SHARED_TEXTS {
            shared.insert(text, name.clone());
        }
        name
    }

    pub(super) fn check_references(&mut self, references: &[Resolved<'_>]) {
        for Resolved { reference, columns, keys } in references {
            if let Some(key) = self.key(columns)
                && !keys.contains(&key)
            {
                let reason = format!("no such row in {}", reference.table);
                let fault = CellFault::new(FaultCode::UnknownReference, reason);
                self.fault(reference.unknown, columns, fault);
            }
        }
    }

    /// Values as one name that is equal where they all are; `None` where one of them is NULL or at
    /// fault. Texts have no NUL character, so that it can divide them.
    pub(super) fn key(&self, columns: &[usize]) -> Option<Name> {
        if let [column] = columns
            && let Value::Text(name) = &self.values[*column]
        {
            return Some(name.clone());
        }
        let epoch = Day::from(NaiveDate::default());
        let mut key = String::with_capacity(48);
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                key.push('\0');
            }
            match &self.values[*column] {
                Value::Text(name) => key.push_str(name.folded()),
                Value::Fixed { units, .. } => write!(key, "{units}").ok()?,
                Value::Whole(number) => write!(key, "{number}").ok()?,
                Value::Day(day) => write!(key, "{}", epoch.days_until(*day)).ok()?,
                _ => return None,
            }
        }
        Some(Name::new(&key))
    }

    /// The value of a listed column.
    pub(super) fn value(&self, column: &str) -> &Value {
        let position = self.table.layout.iter().position(|c| c.name == column);
        position.map_or(&Value::Faulty, |position| &self.values[position])
    }

    /// Reports an error of a listed column.
    pub(super) fn error(&mut self, column: &str, code: FaultCode, reason: &'static str) {
        let position = self.table.layout.iter().position(|c| c.name == column);
        let columns = position.as_slice();
        self.fault(Severity::Error, columns, CellFault::new(code, reason));
    }

    fn fault(&mut self, severity: Severity, columns: &[usize], fault: CellFault) {
        self.has_errors |= severity == Severity::Error;
        self.found.push(self.table.found(severity, self.row, columns, fault));
    }
}
