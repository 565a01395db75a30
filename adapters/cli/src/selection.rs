//! Chosen rows and columns of an output table: `--columns`, `--where`, `--sort`, and `--top`.

use std::cmp::Ordering;

use powerfill_events::values::{Name, fold};
use powerfill_snapshot::near::suggestion;
use powerfill_snapshot::rules::{Predicate, Truth};
use powerfill_snapshot::tables::{Attribute, ColumnType, LoanColumn};
use powerfill_tables::csv;
use powerfill_tables::sorting::compare_folded;
use powerfill_tables::table::{Cell, CellType, Column, RowBatch, TableRef, TableSpec};
use rust_decimal::Decimal;

use crate::args::SelectionArgs;
use crate::error::{CliError, CliResult};

/// Rows of an output table, with the columns that are printed.
pub(crate) struct SelectedRows<'a> {
    pub(crate) columns: Vec<&'static Column>,
    pub(crate) rows: Vec<Vec<&'a Cell>>,
}

impl<'a> SelectedRows<'a> {
    /// All rows and columns.
    pub(crate) fn all(rows: &'a RowBatch) -> Self {
        let columns = rows.table.columns.iter().collect();
        Self { columns, rows: rows.rows().map(|row| row.iter().collect()).collect() }
    }
}

/// What is chosen of a table.
#[derive(Debug)]
pub(crate) struct Selection {
    table: TableRef,
    columns: Vec<usize>,
    condition: Option<Predicate>,
    /// Columns, and whether the largest comes first.
    order: Vec<(usize, bool)>,
    top: usize,
}

impl Selection {
    /// What the arguments choose.
    pub(crate) fn of(args: &SelectionArgs, table: TableRef) -> CliResult<Self> {
        let all = || (0..table.columns.len()).collect();
        let named: Vec<usize> = args
            .columns
            .iter()
            .map(|name| position(table, name, "--columns"))
            .collect::<Result<_, _>>()?;
        let order = args.sort.iter().map(|name| {
            let (column, descends) = match name.strip_prefix('-') {
                Some(column) => (column, true),
                None => (name.as_str(), false),
            };
            Ok((position(table, column, "--sort")?, descends))
        });
        let condition = args.condition.as_deref().map(|condition| {
            Predicate::compile(condition, &rule_columns(table)).map_err(|fault| {
                CliError::environment(format!(
                    "--where {condition:?}: {fault}{}",
                    columns_of(table)
                ))
            })
        });
        Ok(Self {
            table,
            columns: if named.is_empty() { all() } else { named },
            condition: condition.transpose()?,
            order: order.collect::<CliResult<_>>()?,
            top: args.top.unwrap_or(usize::MAX),
        })
    }

    /// The chosen rows and columns.
    pub(crate) fn apply<'a>(&self, rows: &'a RowBatch) -> SelectedRows<'a> {
        let mut chosen: Vec<&[Cell]> = rows.rows().filter(|row| self.holds_for(row)).collect();
        chosen.sort_by(|one, other| self.compare(one, other));
        chosen.truncate(self.top);
        let columns = self.columns.iter().map(|at| &self.table.columns[*at]).collect();
        let cells = |row: &'a [Cell]| self.columns.iter().map(|at| &row[*at]).collect();
        SelectedRows { columns, rows: chosen.into_iter().map(cells).collect() }
    }

    fn holds_for(&self, row: &[Cell]) -> bool {
        self.condition.as_ref().is_none_or(|condition| {
            let attributes: Vec<Option<Attribute>> = row.iter().map(attribute).collect();
            condition.evaluate(&attributes) == Truth::True
        })
    }

    fn compare(&self, one: &[Cell], other: &[Cell]) -> Ordering {
        let orders = self.order.iter().map(|(column, descends)| {
            let order = compare_folded(&one[*column], &other[*column]);
            if *descends { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

fn position(table: &TableSpec, name: &str, flag: &str) -> CliResult<usize> {
    let is_named = |column: &Column| fold(column.name) == fold(name.trim());
    table.columns.iter().position(is_named).ok_or_else(|| {
        let near = suggestion(name, table.columns.iter().map(|column| column.name));
        let known = columns_of(table);
        CliError::environment(format!("{flag}: there is no column {name}{near}{known}"))
    })
}

fn columns_of(table: &TableSpec) -> String {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    format!("; {} has {}", table.name, names.join(", "))
}

/// The columns as a rule sees them.
fn rule_columns(table: &TableSpec) -> Vec<LoanColumn> {
    let column = |column: &Column| LoanColumn {
        column_name: Name::new(column.name),
        column_type: match column.cell_type {
            CellType::Int | CellType::Decimal(_) => ColumnType::Number,
            CellType::Day => ColumnType::Date,
            CellType::Text | CellType::Timestamp | CellType::Json => ColumnType::Text,
        },
    };
    table.columns.iter().map(column).collect()
}

/// A cell as a rule sees it.
fn attribute(cell: &Cell) -> Option<Attribute> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Int(number) => Attribute::Number(Decimal::from(*number)),
        Cell::Fixed(units, scale) => {
            Attribute::Number(Decimal::new(*units, u32::from(*scale)).normalize())
        }
        Cell::Decimal(number) => Attribute::Number(number.normalize()),
        Cell::Day(day) => Attribute::Date(*day),
        Cell::Text(_) | Cell::Name(_) | Cell::Timestamp(_) => {
            let mut text = Vec::new();
            csv::write_text(cell, &mut text);
            Attribute::Text(Name::new(&String::from_utf8_lossy(&text)))
        }
    })
}
