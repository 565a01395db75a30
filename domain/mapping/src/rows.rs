//! The values of a table of ours from a foreign table, row by row.

use powerfill_events::values::Name;
use powerfill_snapshot::rules::{Predicate, Truth};
use powerfill_snapshot::tables::{Attribute, ColumnType, LoanColumn};

use crate::bind::{BindError, BoundColumns, ForeignTable};
use crate::cells::{CellRule, MappedCell};
use crate::formats::{CellFormats, trim};
use crate::mapping::{Located, Mapping};
use crate::names::hint;
use crate::schema::{MappingUse, ValueKind};

/// The rows of a foreign table as rows of a table of ours.
#[derive(Debug)]
pub struct MappedRows<'a> {
    foreign: &'a ForeignTable,
    columns: &'a BoundColumns,
    rules: Vec<CellRule<'a>>,
    more_rules: Vec<CellRule<'a>>,
    keep: Option<Predicate>,
    leave_out: Option<Predicate>,
    /// The foreign columns that conditions can name.
    foreign_columns: Vec<usize>,
}

impl<'a> MappedRows<'a> {
    /// Prepares the rows for a table of ours, by its position in the schema.
    ///
    /// # Errors
    /// A condition of the mapping that is not of the rule syntax, or names an unknown column.
    pub fn new(
        mapping: &'a Mapping,
        at: usize,
        foreign: &'a ForeignTable,
        columns: &'a BoundColumns,
    ) -> Result<Self, BindError> {
        let spec = &mapping.schema.tables[at];
        let table = mapping.table(at);
        let formats: &CellFormats = mapping.formats(at);
        let keeps_unknown_values = mapping.schema.mapping_use == MappingUse::Comparison;
        let rule = |kind, column| CellRule { kind, column, formats, keeps_unknown_values };
        let rules = spec.columns.iter().enumerate();
        let rules = rules.map(|(position, column)| {
            rule(column.kind, table.and_then(|table| table.columns.get(&position)))
        });
        let more = table.into_iter().flat_map(|table| &table.more_columns);
        let more_rules = more.map(|(_, column)| rule(declared_kind(column.declared), Some(column)));
        let mut rows = Self {
            foreign,
            columns,
            rules: rules.collect(),
            more_rules: more_rules.collect(),
            keep: None,
            leave_out: None,
            foreign_columns: Vec::new(),
        };
        let conditions = table.map(|table| (&table.keep, &table.leave_out));
        if let Some((keep, leave_out)) = conditions
            && (keep.is_some() || leave_out.is_some())
        {
            let known = rows.condition_columns(mapping, at);
            let compile = |condition: &Option<Located<String>>| {
                let compiled = condition.as_ref().map(|c| compile(mapping, c, &known));
                compiled.transpose()
            };
            rows.keep = compile(keep)?;
            rows.leave_out = compile(leave_out)?;
        }
        Ok(rows)
    }

    /// The columns that conditions can name: ours, then those of the foreign table, as texts.
    fn condition_columns(&mut self, mapping: &Mapping, at: usize) -> Vec<LoanColumn> {
        let column = |name: &str, kind: ValueKind| LoanColumn {
            column_name: Name::new(name),
            column_type: kind.column_type(),
        };
        let spec = &mapping.schema.tables[at];
        let mut known: Vec<LoanColumn> =
            spec.columns.iter().map(|own| column(own.name, own.kind)).collect();
        let more = mapping.table(at).into_iter().flat_map(|table| &table.more_columns);
        for ((name, _), rule) in more.zip(&self.more_rules) {
            known.push(column(&name.value, rule.kind));
        }
        for (position, name) in self.foreign.table.columns().iter().enumerate() {
            let foreign = column(name, ValueKind::Text);
            if !name.is_empty() && known.iter().all(|k| k.column_name != foreign.column_name) {
                known.push(foreign);
                self.foreign_columns.push(position);
            }
        }
        known
    }

    /// The number of rows of the foreign table.
    pub fn len(&self) -> usize {
        self.foreign.table.rows()
    }

    /// Whether the foreign table has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a column of ours in a row.
    pub fn cell(&self, row: usize, column: usize) -> MappedCell<'a> {
        self.rules[column].cell(&self.columns.sources[column], self.foreign, row)
    }

    /// The value of a column that our table does not list.
    pub(crate) fn more_cell(&self, row: usize, at: usize) -> MappedCell<'a> {
        self.more_rules[at].cell(&self.columns.more[at], self.foreign, row)
    }

    /// Whether the conditions of the mapping take a row.
    pub fn takes(&self, row: usize) -> bool {
        if self.keep.is_none() && self.leave_out.is_none() {
            return true;
        }
        let own = (0..self.rules.len()).map(|column| self.cell(row, column).attribute());
        let more = (0..self.more_rules.len()).map(|at| self.more_cell(row, at).attribute());
        let foreign = self.foreign_columns.iter().map(|at| {
            let text = trim(self.foreign.table.cell(row, *at));
            (!text.is_empty()).then(|| Attribute::Text(Name::new(text)))
        });
        let attributes: Vec<Option<Attribute>> = own.chain(more).chain(foreign).collect();
        let is = |condition: &Predicate| condition.evaluate(&attributes) == Truth::True;
        self.keep.as_ref().is_none_or(is) && !self.leave_out.as_ref().is_some_and(is)
    }
}

fn declared_kind(declared: Option<ColumnType>) -> ValueKind {
    match declared {
        Some(ColumnType::Number) => ValueKind::Number,
        Some(ColumnType::Date) => ValueKind::Day,
        Some(ColumnType::Text) | None => ValueKind::Text,
    }
}

fn compile(
    mapping: &Mapping,
    condition: &Located<String>,
    known: &[LoanColumn],
) -> Result<Predicate, BindError> {
    Predicate::compile(&condition.value, known).map_err(|fault| {
        let unknown = fault.message.strip_prefix("unknown column ");
        let names = known.iter().map(|column| column.column_name.as_str());
        let hint = unknown.map_or_else(String::new, |wrong| hint(wrong, names));
        let what = format!("the condition, {fault}{hint}");
        mapping.fault(&condition.span, what).into()
    })
}
