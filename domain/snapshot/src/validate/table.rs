//! The check of one table by its schema: header, cells, keys, references.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::columns::{self, is_further, kind_of};
use super::row::RowCheck;
use super::{Context, Found, Keys, across};
use crate::cell::{CellFault, Kind, Value};
use crate::raw::RawTable;
use crate::records::{Cells, Record};
use crate::report::{Fault, FaultCode, Severity, shown};
use crate::schema::{Presence, Reference, Rows, TABLES, Table};
use crate::tables::{ColumnType, LoanColumn};
use powerfill_events::values::{Name, fold};

/// Rows that one task judges: enough to pay for it, few enough for every core to have some.
const ROWS_OF_A_TASK: usize = 1 << 12;

/// Judges a table. Gives the rows without an error, in the source's order, and the keys of all
/// rows.
pub(super) fn check<T: Record>(
    position: usize,
    raw: &RawTable,
    context: &Context,
    found: &mut Vec<Found>,
) -> (Vec<T>, Keys) {
    let table = TableCheck::new(position, raw, context, found);
    table.count_rows(found);
    let key = table.columns_of(table.schema.key).filter(|columns| {
        !columns.is_empty() && columns.iter().all(|c| table.layout[*c].source.is_some())
    });
    let tasks: Vec<usize> = (0..raw.rows()).step_by(ROWS_OF_A_TASK).collect();
    let judged: Vec<Judged<T>> = tasks
        .into_par_iter()
        .map(|start| table.judge(start..raw.rows().min(start + ROWS_OF_A_TASK), key.as_deref()))
        .collect();
    let mut rows = Vec::with_capacity(judged.iter().map(|judged| judged.rows.len()).sum());
    let mut keys = HashSet::with_capacity_and_hasher(raw.rows(), Default::default());
    let mut ragged_keys = Vec::new();
    for mut task in judged {
        rows.append(&mut task.rows);
        found.append(&mut task.found);
        ragged_keys.append(&mut task.ragged_keys);
        for (row, name) in task.keys {
            if !keys.insert(name) {
                let fault = CellFault::new(FaultCode::DuplicateKey, "another row has this key");
                let columns = key.as_deref().unwrap_or_default();
                found.push(table.found(Severity::Error, row, columns, fault));
            }
        }
    }
    // What a ragged row names is likely there: a reference to it is no fault of its own.
    keys.extend(ragged_keys);
    (rows, key.map(|_| keys))
}

/// What the check of some rows gives.
struct Judged<T> {
    rows: Vec<T>,
    keys: Vec<(usize, Name)>,
    ragged_keys: Vec<Name>,
    found: Vec<Found>,
}

/// A column as this table has it.
pub(super) struct Laid {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Kind,
    pub(super) presence: Presence,
    /// Its position in the source; `None` where it is absent.
    pub(super) source: Option<usize>,
    /// Whether its texts are likely to repeat, and are shared.
    pub(super) shares: bool,
}

/// A reference by the positions of its columns, and the keys that it can name.
pub(super) struct Resolved<'a> {
    pub(super) reference: &'static Reference,
    pub(super) columns: Vec<usize>,
    pub(super) keys: &'a HashSet<Name, RandomState>,
}

/// What the check of a table goes by.
pub(super) struct TableCheck<'a> {
    pub(super) schema: &'static Table,
    pub(super) position: usize,
    pub(super) raw: &'a RawTable,
    pub(super) context: &'a Context,
    pub(super) layout: Vec<Laid>,
    pub(super) has_nul: bool,
}

impl<'a> TableCheck<'a> {
    fn new(
        position: usize,
        raw: &'a RawTable,
        context: &'a Context,
        found: &mut Vec<Found>,
    ) -> Self {
        let (schema, has_nul) = (&TABLES[position], raw.has_nul());
        let mut table = Self { schema, position, raw, context, layout: Vec::new(), has_nul };
        table.lay_out(found);
        table
    }

    /// Judges some rows.
    fn judge<T: Record>(&self, range: Range<usize>, key: Option<&[usize]>) -> Judged<T> {
        let references = self.resolve_references();
        let rules = across::of(self.schema.name);
        let mut judged = Judged {
            rows: Vec::with_capacity(range.len()),
            keys: Vec::with_capacity(if key.is_some() { range.len() } else { 0 }),
            ragged_keys: Vec::new(),
            found: Vec::new(),
        };
        let mut check = RowCheck::new(self);
        for row in range {
            check.begin(row);
            if check.is_ragged() {
                judged.ragged_keys.extend(check.key_of_ragged());
                continue;
            }
            check.read_cells();
            rules(&mut check);
            check.check_references(&references);
            if let Some(name) = key.and_then(|columns| check.key(columns)) {
                judged.keys.push((row, name));
            }
            if !check.has_errors {
                judged.rows.push(T::read(&mut Cells::new(&mut check.values)));
            }
        }
        judged.found = check.found;
        judged
    }

    /// Matches the header with the listed columns; in `loan`, further ones follow by name.
    fn lay_out(&mut self, found: &mut Vec<Found>) {
        let mut sources: HashMap<String, usize> = HashMap::new();
        let is_loan = self.schema.name == "loan";
        for (at, spelled) in self.raw.columns().iter().enumerate() {
            let folded = fold(spelled);
            let listed = self.schema.columns.iter().find(|c| fold(c.name) == folded);
            if let Some(first) = sources.get(&folded) {
                let name =
                    listed.map_or_else(|| self.raw.columns()[*first].clone(), |c| c.name.into());
                let reason = "the column is there twice";
                found.push(self.header_fault(
                    name.into(),
                    Some(at),
                    FaultCode::DuplicateColumn,
                    reason,
                ));
                continue;
            }
            if listed.is_none() && !(is_loan && is_further(spelled)) {
                let reason = if spelled.is_empty() {
                    "a column without a name"
                } else {
                    "not a column of this table"
                };
                let name = spelled.clone().into();
                found.push(self.header_fault(name, Some(at), FaultCode::UnknownColumn, reason));
            }
            sources.insert(folded, at);
        }
        for column in self.schema.columns {
            let source = sources.get(&fold(column.name)).copied();
            let needed = matches!(column.presence, Presence::Required | Presence::EmptyText);
            if source.is_none() && needed {
                let reason = "this column must be there";
                found.push(self.header_fault(
                    column.name.into(),
                    None,
                    FaultCode::MissingColumn,
                    reason,
                ));
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

    /// A fault of the header, or of one of its fields.
    fn header_fault(
        &self,
        column: Cow<'static, str>,
        field: Option<usize>,
        code: FaultCode,
        reason: &'static str,
    ) -> Found {
        let value = field.map_or("", |at| &self.raw.columns()[at]);
        let place = field.and_then(|at| self.raw.place(None, &[at]));
        let order = self.schema.columns.iter().position(|c| c.name == column);
        let fault = Fault {
            severity: Severity::Error,
            table: self.schema.name.into(),
            row: place.unwrap_or_default(),
            column,
            value: shown(value),
            code,
            reason: reason.into(),
        };
        Found { place: (self.position, 0, order.unwrap_or(usize::MAX)), fault }
    }

    fn count_rows(&self, found: &mut Vec<Found>) {
        let rows = self.raw.rows();
        let reason = match self.schema.rows {
            Rows::ExactlyOne if rows != 1 => "exactly one row is expected",
            Rows::AtMostOne if rows > 1 => "at most one row is expected",
            _ => return,
        };
        let mut many = self.header_fault("".into(), None, FaultCode::RowCount, reason);
        many.fault.value = rows.to_string();
        found.push(many);
    }

    pub(super) fn columns_of(&self, names: &[&str]) -> Option<Vec<usize>> {
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

    pub(super) fn text(&self, row: usize, column: usize) -> &'a str {
        self.layout[column].source.map_or("", |source| self.raw.cell(row, source))
    }

    /// A fault of a row.
    pub(super) fn found(
        &self,
        severity: Severity,
        row: usize,
        columns: &[usize],
        fault: CellFault,
    ) -> Found {
        let column = match columns {
            [] => "".into(),
            [column] => self.layout[*column].name.clone(),
            several => {
                let names: Vec<&str> = several.iter().map(|c| &*self.layout[*c].name).collect();
                names.join("+").into()
            }
        };
        let values: Vec<&str> = columns.iter().map(|c| self.text(row, *c)).collect();
        let place = (self.position, row + 1, columns.first().map_or(0, |column| column + 1));
        let fault = Fault {
            severity,
            table: self.schema.name.into(),
            row: self.label(row, columns),
            column,
            value: shown(&values.join("|")),
            code: fault.code,
            reason: fault.reason,
        };
        Found { place, fault }
    }

    /// How the report names a row: by its number, or by its key where the source has no numbers, or by the cells of
    /// the columns in question where it is a sheet.
    fn label(&self, row: usize, columns: &[usize]) -> String {
        let fields: Vec<usize> = columns.iter().filter_map(|c| self.layout[*c].source).collect();
        if let Some(place) = self.raw.place(Some(row), &fields) {
            return place;
        }
        let columns = self.columns_of(self.schema.key).unwrap_or_default();
        let parts: Vec<&str> = columns.iter().map(|c| self.text(row, *c)).collect();
        shown(&parts.join("|"))
    }

    /// Compiles a rule. A fault that may come from a fault in the columns of `loan` is not reported
    /// besides that one.
    pub(super) fn read_rule(&self, row: usize, text: &str) -> Result<Value, CellFault> {
        let columns = &self.context.loan_columns;
        let fault = match Kind::Rule.read(text, columns) {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        if fault.code == FaultCode::RuleColumn && self.context.without_book {
            return Ok(Value::RuleText(text.into()));
        }
        if fault.code == FaultCode::RuleColumn && !self.context.loan_columns_known {
            return Ok(Value::Faulty);
        }
        if fault.code == FaultCode::RuleType && !self.context.without_book {
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
