//! The columns of a table as its source has them, and the faults that name them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;
use powerfill_events::input::{
    Bounds, InputCell, InputReference, InputRow, InputTable, InputType, Measure, Presence, RowCount,
};
use powerfill_events::values::{Name, fold};

use super::context::{Context, PlacedFault};
use super::loan_columns::{input_type, is_additional};
use crate::cell::{CellFault, read_default};
use crate::near::suggestion;
use crate::raw::RawTable;
use crate::report::{Fault, FaultCode, Severity, shortened};
use crate::tables::{ColumnType, Loan, LoanColumn, TABLES, table_position};

/// A column, and where the source has it.
pub(super) struct SourceColumn {
    pub(super) name: Cow<'static, str>,
    pub(super) input_type: InputType,
    pub(super) bounds: Bounds,
    /// The value of an empty cell; `None` where a cell must not be empty.
    pub(super) empty: Option<InputCell>,
    /// Whether a source must have the column.
    pub(super) is_required: bool,
    /// Its position in the source; `None` where it is absent.
    pub(super) source: Option<usize>,
    /// Whether its texts are likely to repeat, and are shared.
    pub(super) shares_texts: bool,
    /// Whether its texts name rows: of this table, or of another one.
    pub(super) is_name: bool,
    /// Whether it is not listed in 1.2.
    pub(super) is_additional: bool,
    pub(super) measure: Measure,
    pub(super) plausible: Option<(i64, i64)>,
}

impl SourceColumn {
    /// Whether it has a fixed number of decimals.
    pub(super) fn is_decimal(&self) -> bool {
        matches!(self.input_type, InputType::Decimal { .. })
    }

    /// Whether its values are compared with what is plausible.
    pub(super) fn is_watched(&self) -> bool {
        self.plausible.is_some()
            || matches!(self.input_type, InputType::Day)
            || self.measure == Measure::Dollars
    }
}

/// A reference by the positions of its columns, and the keys that it can name.
pub(super) struct ResolvedReference<'a> {
    pub(super) reference: &'static InputReference,
    pub(super) columns: Vec<usize>,
    pub(super) keys: &'a HashSet<Name, RandomState>,
}

/// A table, its source, and how the columns of both correspond.
pub(super) struct TableLayout<'a> {
    pub(super) schema: &'static InputTable,
    /// In [`TABLES`].
    pub(super) position: usize,
    pub(super) raw: &'a RawTable,
    pub(super) context: &'a Context,
    pub(super) columns: Vec<SourceColumn>,
    /// Whether any cell of the source has a NUL character.
    pub(super) has_nul: bool,
    /// Whether no cell has a character that is not printable ASCII.
    pub(super) is_plain: bool,
}

impl<'a> TableLayout<'a> {
    /// Matches the header with the listed columns; in `loan`, additional ones follow by name.
    /// `None` if the first row is no header of the table: every other fault would follow from that.
    pub(super) fn new(
        position: usize,
        raw: &'a RawTable,
        context: &'a Context,
        faults: &mut Vec<PlacedFault>,
    ) -> Option<Self> {
        let (schema, has_nul, is_plain) = (TABLES[position], raw.has_nul(), raw.is_plain());
        let columns = Vec::new();
        let mut layout = Self { schema, position, raw, context, columns, has_nul, is_plain };
        if let Some(fault) = layout.missing_header() {
            faults.push(fault);
            return None;
        }
        let sources = layout.sources(faults);
        layout.add_listed_columns(&sources, faults);
        if layout.is_loan() {
            layout.add_additional_columns(&sources);
            layout.check_near_names(&sources, faults);
        }
        layout.check_row_count(faults);
        layout.check_hidden(faults);
        Some(layout)
    }

    pub(super) fn is_loan(&self) -> bool {
        self.schema.name == Loan::TABLE.name
    }

    /// The position of each column of the source by its folded name.
    fn sources(&self, faults: &mut Vec<PlacedFault>) -> HashMap<String, usize> {
        let mut sources: HashMap<String, usize> = HashMap::new();
        for (at, spelled) in self.raw.columns().iter().enumerate() {
            let listed = self.schema.position(spelled);
            let folded = fold(spelled);
            if let Some(first) = sources.get(&folded) {
                let name = match listed {
                    Some(column) => self.schema.columns[column].name.into(),
                    None => self.raw.columns()[*first].clone().into(),
                };
                let reason = "the column is there twice; delete or rename one of them";
                let code = FaultCode::DuplicateColumn;
                faults.push(self.header_fault(name, Some(at), code, reason));
                continue;
            }
            if listed.is_none() && !(self.is_loan() && is_additional(spelled)) {
                let near = || suggestion(spelled, self.schema.column_names());
                let reason = match spelled.is_empty() {
                    true => "a column without a name".to_owned(),
                    false => format!("not a column of this table{}", near()),
                };
                let name = spelled.clone().into();
                faults.push(self.header_fault(name, Some(at), FaultCode::UnknownColumn, reason));
            }
            sources.insert(folded, at);
        }
        sources
    }

    fn add_listed_columns(
        &mut self,
        sources: &HashMap<String, usize>,
        faults: &mut Vec<PlacedFault>,
    ) {
        for column in self.schema.columns {
            let source = sources.get(&fold(column.name)).copied();
            let (is_required, empty) = match column.presence {
                Presence::Required => (true, None),
                Presence::Nullable => (false, Some(InputCell::Null)),
                Presence::Default(text) => (false, Some(read_default(column, &text()))),
                Presence::EmptyText => (true, Some(InputCell::Text(Name::new("")))),
            };
            if source.is_none() && is_required {
                let (code, reason) = (FaultCode::MissingColumn, self.missing_column(column.name));
                faults.push(self.header_fault(column.name.into(), None, code, reason));
            }
            self.columns.push(SourceColumn {
                name: column.name.into(),
                input_type: column.input_type,
                bounds: column.bounds,
                empty,
                is_required,
                source,
                shares_texts: self.schema.key != [column.name],
                is_name: self.schema.names_rows(column.name),
                is_additional: false,
                measure: column.measure,
                plausible: column.plausible,
            });
        }
    }

    fn add_additional_columns(&mut self, sources: &HashMap<String, usize>) {
        for column in &self.context.loan_columns[self.schema.columns.len()..] {
            let folded = column.column_name.folded();
            let declared = self.context.declared_types.type_of(folded);
            self.columns.push(SourceColumn {
                name: column.column_name.as_str().to_owned().into(),
                input_type: input_type(declared.unwrap_or(ColumnType::Text)),
                bounds: Bounds::Any,
                empty: Some(InputCell::Null),
                is_required: false,
                source: sources.get(folded).copied(),
                shares_texts: true,
                is_name: false,
                is_additional: true,
                measure: Measure::Plain,
                plausible: None,
            });
        }
    }

    fn check_row_count(&self, faults: &mut Vec<PlacedFault>) {
        let rows = self.raw.rows();
        let reason = match self.schema.rows {
            RowCount::ExactlyOne if rows != 1 => "exactly one row is expected",
            RowCount::AtMostOne if rows > 1 => "at most one row is expected",
            _ => return,
        };
        let mut many = self.header_fault("".into(), None, FaultCode::RowCount, reason);
        many.fault.value = rows.to_string();
        faults.push(many);
    }

    /// A fault of the header, or of one of its fields.
    pub(super) fn header_fault(
        &self,
        column: Cow<'static, str>,
        field: Option<usize>,
        code: FaultCode,
        reason: impl Into<Cow<'static, str>>,
    ) -> PlacedFault {
        let value = field.map_or("", |at| &self.raw.columns()[at]);
        let row = field.and_then(|at| self.raw.place(None, &[at]));
        let order = self.schema.columns.iter().position(|c| c.name == column);
        let fault = Fault {
            severity: Severity::Error,
            table: self.schema.name.into(),
            row: row.unwrap_or_default(),
            column,
            value: shortened(value),
            code,
            reason: reason.into(),
        };
        PlacedFault { position: (self.position, 0, order.unwrap_or(usize::MAX)), fault }
    }

    pub(super) fn row_fault(
        &self,
        severity: Severity,
        row: usize,
        columns: &[usize],
        fault: CellFault,
    ) -> PlacedFault {
        let column = match columns {
            [] => "".into(),
            [column] => self.columns[*column].name.clone(),
            several => {
                let names: Vec<&str> = several.iter().map(|c| &*self.columns[*c].name).collect();
                names.join("+").into()
            }
        };
        let values: Vec<&str> = columns.iter().map(|c| self.text(row, *c)).collect();
        let position = (self.position, row + 1, columns.first().map_or(0, |column| column + 1));
        let fault = Fault {
            severity,
            table: self.schema.name.into(),
            row: self.row_label(row, columns),
            column,
            value: shortened(&values.join("|")),
            code: fault.code,
            reason: fault.reason,
        };
        PlacedFault { position, fault }
    }

    /// How the report names a row: by its number, or by its key where the source has no numbers, or
    /// by the cells of the columns in question where it is a sheet.
    fn row_label(&self, row: usize, columns: &[usize]) -> String {
        let fields: Vec<usize> = columns.iter().filter_map(|c| self.columns[*c].source).collect();
        if let Some(place) = self.raw.place(Some(row), &fields) {
            return place;
        }
        let columns = self.positions(self.schema.key).unwrap_or_default();
        let parts: Vec<&str> = columns.iter().map(|c| self.text(row, *c)).collect();
        shortened(&parts.join("|"))
    }

    /// The positions of listed columns.
    pub(super) fn positions(&self, names: &[&str]) -> Option<Vec<usize>> {
        names.iter().map(|name| self.columns.iter().position(|c| c.name == *name)).collect()
    }

    /// The positions of the key; `None` where the table has none, or the source lacks a column of
    /// it.
    pub(super) fn key(&self) -> Option<Vec<usize>> {
        self.positions(self.schema.key).filter(|columns| {
            !columns.is_empty() && columns.iter().all(|c| self.columns[*c].source.is_some())
        })
    }

    /// The references that can be decided: those to tables whose keys are known.
    pub(super) fn resolve_references(&self) -> Vec<ResolvedReference<'a>> {
        let context = self.context;
        let resolve = |reference: &'static InputReference| {
            let keys = context.keys[table_position(reference.table)?].as_ref()?;
            let columns = self.positions(reference.columns)?;
            Some(ResolvedReference { reference, columns, keys })
        };
        self.schema.references.iter().filter_map(resolve).collect()
    }

    /// The text of a cell; empty where the source lacks the column.
    pub(super) fn text(&self, row: usize, column: usize) -> &'a str {
        self.columns[column].source.map_or("", |source| self.raw.cell(row, source))
    }

    /// Whether a column must name a row of another table.
    pub(super) fn must_refer(&self, column: &str) -> bool {
        let mut references = self.schema.references.iter();
        references.any(|one| one.unknown == Severity::Error && one.columns.contains(&column))
    }

    /// The columns as they would be if those whose type `loan_columns` leaves open had this type;
    /// `None` where there is no such column.
    pub(super) fn columns_with_guess(&self, guess: ColumnType) -> Option<Vec<LoanColumn>> {
        let mut guessed = self.context.loan_columns.clone();
        let mut any = false;
        for column in &mut guessed[Loan::TABLE.columns.len()..] {
            if self.context.declared_types.type_of(column.column_name.folded()).is_none() {
                column.column_type = guess;
                any = true;
            }
        }
        any.then_some(guessed)
    }
}
