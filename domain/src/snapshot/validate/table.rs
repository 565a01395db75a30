//! The check of one table by its schema: header, cells, keys, references.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::columns::{self, is_further, kind_of};
use super::{Context, Found, Keys, across};
use crate::snapshot::cell::{CellFault, Kind, Value};
use crate::snapshot::raw::RawTable;
use crate::snapshot::records::{Cells, Record};
use crate::snapshot::report::{Fault, FaultCode, Severity, shown};
use crate::snapshot::schema::{Presence, Reference, Rows, TABLES, Table};
use crate::snapshot::tables::{ColumnType, LoanColumn};
use crate::values::{Name, fold};

/// A column that repeats more texts than this has hardly any to share.
const MOST_SHARED_TEXTS: usize = 1 << 18;

/// Judges a table. Gives the rows without an error, in the source's order, and the keys of all rows.
pub(super) fn check<T: Record>(
    position: usize,
    raw: &RawTable,
    context: &Context,
    found: &mut Vec<Found>,
) -> (Vec<T>, Keys) {
    let mut check = TableCheck::new(position, raw, context, found);
    check.count_rows();
    let has_key = check.columns_of(check.schema.key).is_some_and(|columns| {
        !columns.is_empty() && columns.iter().all(|c| check.layout[*c].source.is_some())
    });
    let references = check.resolve_references();
    let rules = across::of(check.schema.name);
    let mut keys = HashSet::new();
    let mut ragged_keys = Vec::new();
    let mut rows = Vec::new();
    for row in 0..raw.rows() {
        let mut row = RowCheck::new(&mut check, row);
        if row.is_ragged() {
            ragged_keys.extend(row.key_of_ragged());
            continue;
        }
        row.read_cells();
        rules(&mut row);
        row.check_references(&references);
        if has_key {
            row.check_key(&mut keys);
        }
        if !row.has_errors {
            rows.push(T::read(&mut Cells::new(&mut row.table.values)));
        }
    }
    // What a ragged row names is likely there: a reference to it is no fault of its own.
    keys.extend(ragged_keys);
    (rows, has_key.then_some(keys))
}

/// A column as this table has it.
struct Laid {
    name: Cow<'static, str>,
    kind: Kind,
    presence: Presence,
    /// Its position in the source; `None` where it is absent.
    source: Option<usize>,
    /// Whether its texts are likely to repeat, and are shared.
    shares: bool,
}

/// A reference by the positions of its columns, and the keys that it can name.
struct Resolved<'a> {
    reference: &'static Reference,
    columns: Vec<usize>,
    keys: &'a HashSet<Name>,
}

pub(super) struct TableCheck<'a> {
    schema: &'static Table,
    position: usize,
    raw: &'a RawTable,
    context: &'a Context,
    found: &'a mut Vec<Found>,
    layout: Vec<Laid>,
    values: Vec<Value>,
    shared: Vec<HashMap<&'a str, Name>>,
    has_nul: bool,
}

impl<'a> TableCheck<'a> {
    fn new(
        position: usize,
        raw: &'a RawTable,
        context: &'a Context,
        found: &'a mut Vec<Found>,
    ) -> Self {
        let schema = &TABLES[position];
        let (layout, values, shared) = (Vec::new(), Vec::new(), Vec::new());
        let has_nul = raw.has_nul();
        let mut check =
            Self { schema, position, raw, context, found, layout, values, shared, has_nul };
        check.lay_out();
        check.values.resize(check.layout.len(), Value::Null);
        check.shared.resize_with(check.layout.len(), HashMap::new);
        check
    }

    /// Matches the header with the listed columns; in `loan`, further ones follow by name.
    fn lay_out(&mut self) {
        let mut sources: HashMap<String, usize> = HashMap::new();
        let is_loan = self.schema.name == "loan";
        for (at, spelled) in self.raw.columns().iter().enumerate() {
            let folded = fold(spelled);
            let listed = self.schema.columns.iter().find(|c| fold(c.name) == folded);
            if let Some(first) = sources.get(&folded) {
                let name =
                    listed.map_or_else(|| self.raw.columns()[*first].clone(), |c| c.name.into());
                let reason = "the column is there twice";
                self.header_fault(name.into(), spelled, FaultCode::DuplicateColumn, reason);
                continue;
            }
            if listed.is_none() && !(is_loan && is_further(spelled)) {
                let reason = if spelled.is_empty() {
                    "a column without a name"
                } else {
                    "not a column of this table"
                };
                let name = spelled.clone().into();
                self.header_fault(name, spelled, FaultCode::UnknownColumn, reason);
            }
            sources.insert(folded, at);
        }
        for column in self.schema.columns {
            let source = sources.get(&fold(column.name)).copied();
            let needed = matches!(column.presence, Presence::Required | Presence::EmptyText);
            if source.is_none() && needed {
                let reason = "this column must be there";
                self.header_fault(column.name.into(), "", FaultCode::MissingColumn, reason);
            }
            self.layout.push(Laid {
                name: column.name.into(),
                kind: column.kind,
                presence: column.presence,
                source,
                shares: self.schema.key != [column.name],
            });
        }
        if is_loan {
            self.lay_out_further(&sources);
        }
    }

    fn lay_out_further(&mut self, sources: &HashMap<String, usize>) {
        for column in &self.context.loan_columns[self.schema.columns.len()..] {
            let folded = column.column_name.folded();
            let declared = self.context.declarations.of(folded);
            self.layout.push(Laid {
                name: column.column_name.as_str().to_owned().into(),
                kind: kind_of(declared.unwrap_or(ColumnType::Text)),
                presence: Presence::Nullable,
                source: sources.get(folded).copied(),
                shares: true,
            });
        }
    }

    fn header_fault(
        &mut self,
        column: Cow<'static, str>,
        value: &str,
        code: FaultCode,
        reason: &'static str,
    ) {
        let order = self.schema.columns.iter().position(|c| c.name == column);
        let fault = Fault {
            severity: Severity::Error,
            table: self.schema.name.into(),
            row: String::new(),
            column,
            value: shown(value),
            code,
            reason: reason.into(),
        };
        self.found.push(Found { place: (self.position, 0, order.unwrap_or(usize::MAX)), fault });
    }

    fn count_rows(&mut self) {
        let rows = self.raw.rows();
        let reason = match self.schema.rows {
            Rows::ExactlyOne if rows != 1 => "exactly one row is expected",
            Rows::AtMostOne if rows > 1 => "at most one row is expected",
            _ => return,
        };
        self.header_fault("".into(), &rows.to_string(), FaultCode::RowCount, reason);
    }

    fn columns_of(&self, names: &[&str]) -> Option<Vec<usize>> {
        names.iter().map(|name| self.layout.iter().position(|c| c.name == *name)).collect()
    }

    /// The references that can be decided: those to tables whose keys are known.
    fn resolve_references(&self) -> Vec<Resolved<'a>> {
        let references = self.schema.references.iter();
        let context = self.context;
        references
            .filter_map(|reference| {
                let keys = context.keys[Table::position(reference.table)?].as_ref()?;
                Some(Resolved { reference, columns: self.columns_of(reference.columns)?, keys })
            })
            .collect()
    }

    fn text(&self, row: usize, column: usize) -> &'a str {
        self.layout[column].source.map_or("", |source| self.raw.cell(row, source))
    }

    /// Reads a cell, whatever is wrong with it.
    fn read(&mut self, row: usize, column: usize) -> Result<Value, CellFault> {
        let Laid { kind, presence, source, shares, .. } = self.layout[column];
        let Some(source) = source else {
            return match presence {
                Presence::Required | Presence::EmptyText => Ok(Value::Faulty),
                Presence::Nullable => Ok(Value::Null),
                Presence::Default(text) => kind.read(text, &[]),
            };
        };
        if let Some(reason) = self.raw.unfit(row, source) {
            return Err(CellFault::new(kind.unfit_code(), reason.to_owned()));
        }
        let text = self.raw.cell(row, source);
        if text.is_empty() {
            return match presence {
                Presence::Required => Err(CellFault::new(FaultCode::Required, "must not be empty")),
                Presence::Nullable => Ok(Value::Null),
                Presence::Default(default) => kind.read(default, &[]),
                Presence::EmptyText => Ok(Value::Text(self.share(column, ""))),
            };
        }
        if self.has_nul && text.contains('\0') {
            return Err(CellFault::new(FaultCode::NotAllowed, "a NUL character in a text"));
        }
        match kind {
            Kind::Text if shares => Ok(Value::Text(self.share(column, text))),
            Kind::Rule => self.read_rule(row, text),
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

    /// Compiles a rule. A fault that may come from a fault in the columns of `loan` is not reported besides that one.
    fn read_rule(&self, row: usize, text: &str) -> Result<Value, CellFault> {
        let columns = &self.context.loan_columns;
        let fault = match Kind::Rule.read(text, columns) {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        if fault.code == FaultCode::RuleColumn && !self.context.loan_columns_known {
            return Ok(Value::Faulty);
        }
        if fault.code == FaultCode::RuleType {
            for guess in [ColumnType::Number, ColumnType::Date] {
                if let Some(columns) = self.guessed(columns, guess)
                    && Kind::Rule.read(text, &columns).is_ok()
                {
                    return Ok(Value::Faulty);
                }
            }
        }
        let reason = format!("rule {}, {}", self.text(row, 0), fault.reason);
        Err(CellFault::new(fault.code, reason))
    }

    /// The columns as they would be, were those that `loan_columns` leaves open of this type.
    fn guessed(&self, columns: &[LoanColumn], guess: ColumnType) -> Option<Vec<LoanColumn>> {
        let listed = columns::listed_schema().len();
        let mut guessed = columns.to_vec();
        let mut any = false;
        for column in &mut guessed[listed..] {
            if self.context.declarations.of(column.column_name.folded()).is_none() {
                column.column_type = guess;
                any = true;
            }
        }
        any.then_some(guessed)
    }
}

/// The check of one row.
pub(super) struct RowCheck<'t, 'a> {
    table: &'t mut TableCheck<'a>,
    row: usize,
    has_errors: bool,
}

impl<'t, 'a> RowCheck<'t, 'a> {
    fn new(table: &'t mut TableCheck<'a>, row: usize) -> Self {
        Self { table, row, has_errors: false }
    }

    fn is_ragged(&mut self) -> bool {
        let Some(cells) = self.table.raw.ragged(self.row) else { return false };
        let reason = format!("{cells} fields, the header has {}", self.table.raw.columns().len());
        self.fault(Severity::Error, &[], CellFault::new(FaultCode::RaggedRow, reason));
        true
    }

    fn key_of_ragged(&mut self) -> Option<Name> {
        let columns = self.table.columns_of(self.table.schema.key)?;
        for column in &columns {
            self.table.values[*column] = self.table.read(self.row, *column).ok()?;
        }
        self.key(&columns)
    }

    fn read_cells(&mut self) {
        for column in 0..self.table.layout.len() {
            let value = match self.table.read(self.row, column) {
                Ok(value) => value,
                Err(fault) => {
                    self.fault(Severity::Error, &[column], fault);
                    Value::Faulty
                }
            };
            self.has_errors |= matches!(value, Value::Faulty);
            self.table.values[column] = value;
        }
    }

    fn check_key(&mut self, keys: &mut HashSet<Name>) {
        let schema = self.table.schema;
        let Some(columns) = self.table.columns_of(schema.key) else { return };
        if let Some(key) = self.key(&columns)
            && !keys.insert(key)
        {
            let fault = CellFault::new(FaultCode::DuplicateKey, "another row has this key");
            self.fault(Severity::Error, &columns, fault);
        }
    }

    fn check_references(&mut self, references: &[Resolved<'_>]) {
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

    /// Values as one name that is equal where they all are; `None` where one of them is NULL or at fault. Texts have no
    /// NUL character, so that it can divide them.
    fn key(&self, columns: &[usize]) -> Option<Name> {
        if let [column] = columns
            && let Value::Text(name) = &self.table.values[*column]
        {
            return Some(name.clone());
        }
        let mut key = String::with_capacity(48);
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                key.push('\0');
            }
            match &self.table.values[*column] {
                Value::Text(name) => key.push_str(name.folded()),
                Value::Fixed { units, .. } => write!(key, "{units}").ok()?,
                Value::Whole(number) => write!(key, "{number}").ok()?,
                Value::Day(day) => write!(key, "{day}").ok()?,
                _ => return None,
            }
        }
        Some(Name::new(&key))
    }

    /// The value of a listed column.
    pub(super) fn value(&self, column: &str) -> &Value {
        let position = self.table.layout.iter().position(|c| c.name == column);
        position.map_or(&Value::Faulty, |position| &self.table.values[position])
    }

    /// Reports an error of a listed column.
    pub(super) fn error(&mut self, column: &str, code: FaultCode, reason: &'static str) {
        let position = self.table.layout.iter().position(|c| c.name == column);
        let columns = position.as_ref().map_or(&[][..], std::slice::from_ref);
        self.fault(Severity::Error, columns, CellFault::new(code, reason));
    }

    fn fault(&mut self, severity: Severity, columns: &[usize], fault: CellFault) {
        self.has_errors |= severity == Severity::Error;
        let layout = &self.table.layout;
        let column = match columns {
            [] => "".into(),
            [column] => layout[*column].name.clone(),
            several => {
                let names: Vec<&str> = several.iter().map(|c| &*layout[*c].name).collect();
                names.join("+").into()
            }
        };
        let values: Vec<&str> = columns.iter().map(|c| self.table.text(self.row, *c)).collect();
        let place =
            (self.table.position, self.row + 1, columns.first().map_or(0, |column| column + 1));
        let fault = Fault {
            severity,
            table: self.table.schema.name.into(),
            row: self.label(),
            column,
            value: shown(&values.join("|")),
            code: fault.code,
            reason: fault.reason,
        };
        self.table.found.push(Found { place, fault });
    }

    /// How the report names the row: by its number, or by its key where the source has no numbers.
    fn label(&self) -> String {
        if self.table.raw.has_row_numbers() {
            return (self.row + 1).to_string();
        }
        let columns = self.table.columns_of(self.table.schema.key).unwrap_or_default();
        let parts: Vec<&str> = columns.iter().map(|c| self.table.text(self.row, *c)).collect();
        shown(&parts.join("|"))
    }
}
