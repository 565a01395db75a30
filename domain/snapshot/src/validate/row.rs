//! The check of the rows of a table: cells, references, keys.

use std::collections::HashMap;
use std::fmt::Write as _;

use chrono::NaiveDate;
use foldhash::fast::RandomState;
use powerfill_events::input::{CellDisplay, InputCell, InputType, Measure};
use powerfill_events::values::{Day, Name};

use super::context::PlacedFault;
use super::layout::{ResolvedReference, TableLayout};
use super::suspects::{ColumnWatch, scaled_fault};
use super::suspicion::{Suspicion, suspicion};
use crate::cell::{CellFault, read_cell, unfit_code};
use crate::report::{FaultCode, Severity};
use crate::rules::{Predicate, RuleRemark, rule_remarks};
use crate::tables::ColumnType;

/// A column that repeats more texts than this has hardly any to share.
const MOST_SHARED_TEXTS: usize = 1 << 18;

/// The texts of a column that were read before, with what is suspicious about them.
type SharedTexts<'a> = HashMap<&'a str, (Name, Option<Suspicion>), RandomState>;

/// The check of one row after the other.
pub(super) struct RowCheck<'t, 'a> {
    layout: &'t TableLayout<'a>,
    row: usize,
    pub(super) cells: Vec<InputCell>,
    shared: Vec<SharedTexts<'a>>,
    pub(super) faults: Vec<PlacedFault>,
    pub(super) watches: Vec<ColumnWatch>,
    pub(super) has_errors: bool,
}

impl<'t, 'a> RowCheck<'t, 'a> {
    pub(super) fn new(layout: &'t TableLayout<'a>) -> Self {
        let columns = layout.columns.len();
        Self {
            layout,
            row: 0,
            cells: vec![InputCell::Null; columns],
            shared: vec![HashMap::default(); columns],
            faults: Vec::new(),
            watches: std::iter::repeat_with(ColumnWatch::default).take(columns).collect(),
            has_errors: false,
        }
    }

    pub(super) fn begin(&mut self, row: usize) {
        self.row = row;
        self.has_errors = false;
    }

    pub(super) fn is_ragged(&mut self) -> bool {
        let Some(cells) = self.layout.raw.ragged(self.row) else { return false };
        let fields = if cells == 1 { "field" } else { "fields" };
        let reason =
            format!("{cells} {fields}, the header has {}", self.layout.raw.columns().len());
        self.fault(Severity::Error, &[], CellFault::new(FaultCode::RaggedRow, reason));
        true
    }

    pub(super) fn key_of_ragged(&mut self) -> Option<Name> {
        let columns = self.layout.positions(self.layout.schema.key)?;
        for column in &columns {
            self.cells[*column] = self.read(*column).ok()?;
        }
        self.key(&columns)
    }

    pub(super) fn read_cells(&mut self) {
        for column in 0..self.layout.columns.len() {
            let cell = match self.read(column) {
                Ok(cell) => {
                    let schema = &self.layout.columns[column];
                    if schema.is_watched() {
                        let text = self.layout.text(self.row, column);
                        self.watches[column].value(schema, self.row, &cell, text);
                    }
                    cell
                }
                Err(fault) => {
                    self.fault(Severity::Error, &[column], fault);
                    InputCell::Faulty
                }
            };
            self.has_errors |= matches!(cell, InputCell::Faulty);
            self.cells[column] = cell;
        }
    }

    /// The typed cell of a column.
    fn read(&mut self, column: usize) -> Result<InputCell, CellFault> {
        let layout = self.layout;
        let (schema, raw, row) = (&layout.columns[column], layout.raw, self.row);
        let Some(source) = schema.source else {
            let empty = schema.empty.as_ref().filter(|_| !schema.is_required);
            return Ok(empty.cloned().unwrap_or(InputCell::Faulty));
        };
        if let Some(reason) = raw.unfit(row, source) {
            return Err(CellFault::new(unfit_code(schema.input_type), reason.to_owned()));
        }
        let text = raw.cell(row, source);
        if text.is_empty() {
            let required = || CellFault::new(FaultCode::Required, "must not be empty");
            return schema.empty.clone().ok_or_else(required);
        }
        if layout.has_nul && text.contains('\0') {
            return Err(CellFault::new(FaultCode::NotAllowed, "a NUL character in a text"));
        }
        if !raw.shown_cells().is_empty() {
            self.check_display(column, source, text)?;
        }
        match schema.input_type {
            InputType::Text if schema.shares_texts => {
                Ok(InputCell::Text(self.shared_name(column, text)))
            }
            InputType::Text => {
                self.watch_id(column, text);
                read_cell(schema.input_type, schema.bounds, text)
            }
            InputType::Rule => self.read_rule(column, text),
            _ => read_cell(schema.input_type, schema.bounds, text),
        }
    }

    /// The name of a text, one for all its occurrences in the column.
    fn shared_name(&mut self, column: usize, text: &'a str) -> Name {
        let (shared, watch) = (&mut self.shared[column], &mut self.watches[column]);
        if let Some((name, suspicion)) = shared.get(text) {
            if let Some(suspicion) = suspicion {
                watch.suspect(*suspicion, self.row, text);
            }
            return name.clone();
        }
        let name = Name::new(text);
        let suspicion = suspicion(text, self.layout.columns[column].is_name, self.layout.is_plain);
        if let Some(suspicion) = suspicion {
            watch.suspect(suspicion, self.row, text);
        }
        if shared.len() < MOST_SHARED_TEXTS {
            shared.insert(text, (name.clone(), suspicion));
        }
        name
    }

    fn watch_id(&mut self, column: usize, text: &str) {
        let (layout, watch) = (self.layout, &mut self.watches[column]);
        if let Some(suspicion) = suspicion(text, layout.columns[column].is_name, layout.is_plain) {
            watch.suspect(suspicion, self.row, text);
        }
        watch.id(self.row, text);
    }

    /// Looks at a cell that its source displays other than it stores it.
    fn check_display(&mut self, column: usize, source: usize, text: &str) -> Result<(), CellFault> {
        let schema = &self.layout.columns[column];
        let Some(cell) = self.layout.raw.shown(self.row, source) else { return Ok(()) };
        if let Some(fault) = scaled_fault(schema, text, cell) {
            return Err(fault);
        }
        let is_suspect = match cell.display {
            CellDisplay::LeadingZeros => matches!(schema.input_type, InputType::Text),
            CellDisplay::Percent => schema.measure != Measure::Share,
            CellDisplay::Thousands => true,
        };
        if is_suspect {
            self.watches[column].suspect(Suspicion::Shown(cell.display), self.row, text);
        }
        Ok(())
    }

    /// Checks a rule. A fault that may come from a fault in the columns of `loan` is not reported
    /// besides that one.
    fn read_rule(&mut self, column: usize, text: &str) -> Result<InputCell, CellFault> {
        let context = self.layout.context;
        let rule = || Ok(InputCell::Rule(text.into()));
        let fault = match Predicate::compile(text, &context.loan_columns) {
            Ok(_) => {
                for RuleRemark { code, reason } in rule_remarks(text) {
                    let reason = format!("rule {}, {reason}", self.layout.text(self.row, 0));
                    let fault = CellFault::new(code, reason);
                    self.fault(Severity::Warning, &[column], fault);
                }
                return rule();
            }
            Err(fault) => fault,
        };
        match fault.code {
            FaultCode::RuleColumn if context.is_configuration => return rule(),
            FaultCode::RuleColumn if !context.loan_columns_known => return Ok(InputCell::Faulty),
            FaultCode::RuleType if !context.is_configuration => {
                for guess in [ColumnType::Number, ColumnType::Date] {
                    if let Some(columns) = self.layout.columns_with_guess(guess)
                        && Predicate::compile(text, &columns).is_ok()
                    {
                        return Ok(InputCell::Faulty);
                    }
                }
            }
            _ => {}
        }
        let reason = format!("rule {}, {fault}", self.layout.text(self.row, 0));
        Err(CellFault::new(fault.code, reason))
    }

    pub(super) fn check_references(&mut self, references: &[ResolvedReference<'_>]) {
        for ResolvedReference { reference, columns, keys } in references {
            if let Some(key) = self.key(columns)
                && !keys.contains(&key)
            {
                let reason = format!("no such row in {}", reference.table);
                let fault = CellFault::new(FaultCode::UnknownReference, reason);
                self.fault(reference.unknown, columns, fault);
            }
        }
    }

    /// Cells as one name that is equal where they all are; `None` where one of them is NULL or has
    /// a fault. Texts have no NUL character, so that it can divide them.
    pub(super) fn key(&self, columns: &[usize]) -> Option<Name> {
        if let [column] = columns
            && let InputCell::Text(name) = &self.cells[*column]
        {
            return Some(name.clone());
        }
        let epoch = Day::from(NaiveDate::default());
        let mut key = String::with_capacity(48);
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                key.push('\0');
            }
            match &self.cells[*column] {
                InputCell::Text(name) => key.push_str(name.folded()),
                InputCell::Decimal { units, .. } => write!(key, "{units}").ok()?,
                InputCell::Whole(number) => write!(key, "{number}").ok()?,
                InputCell::Day(day) => write!(key, "{}", epoch.days_until(*day)).ok()?,
                _ => return None,
            }
        }
        Some(Name::new(&key))
    }

    /// The cell of a listed column.
    pub(super) fn cell(&self, column: &str) -> &InputCell {
        let position = self.layout.columns.iter().position(|c| c.name == column);
        position.map_or(&InputCell::Faulty, |position| &self.cells[position])
    }

    /// Reports an error of a listed column.
    pub(super) fn error(&mut self, column: &str, code: FaultCode, reason: &'static str) {
        let position = self.layout.columns.iter().position(|c| c.name == column);
        let columns = position.as_slice();
        self.fault(Severity::Error, columns, CellFault::new(code, reason));
    }

    fn fault(&mut self, severity: Severity, columns: &[usize], fault: CellFault) {
        self.has_errors |= severity == Severity::Error;
        self.faults.push(self.layout.row_fault(severity, self.row, columns, fault));
    }
}
