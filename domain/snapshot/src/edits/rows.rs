//! The tables of a snapshot as texts while edits change them, row by row.

use powerfill_events::input::{InputTable, InputType};
use powerfill_events::values::{Day, fold};

use super::apply::fault;
use crate::near::suggestion;
use crate::raw::{RawTable, TooLarge};
use crate::report::{FaultCode, FaultReport};
use crate::whole_number;

/// The most rows in which the nearest name is searched.
const SEARCHED_ROWS: usize = 20_000;

/// The tables, in the order of 1.2.
pub(super) struct EditedTables {
    pub(super) tables: Vec<RawTable>,
}

/// What an edit does with a row: new cells by their positions.
type NewCells = Vec<(usize, String)>;

impl EditedTables {
    fn at(&self, schema: &InputTable) -> usize {
        let at = self.tables.iter().position(|table| table.name() == schema.name);
        at.expect("the canonical form has every table")
    }

    pub(super) fn table(&self, schema: &InputTable) -> &RawTable {
        &self.tables[self.at(schema)]
    }

    /// The position of a column; the names of additional columns of `loan` are folded.
    pub(super) fn column(&self, schema: &InputTable, name: &str) -> Option<usize> {
        let folded = fold(name);
        self.table(schema).columns().iter().position(|column| fold(column) == folded)
    }

    /// The rows whose key begins with these parts.
    pub(super) fn find(&self, schema: &InputTable, key: &[String]) -> Vec<usize> {
        let (table, parts) = (self.table(schema), self.key_parts(schema, key));
        let is_found = |row: &usize| {
            parts.iter().all(|(column, text)| fold(table.cell(*row, *column)) == *text)
        };
        (0..table.rows()).filter(is_found).collect()
    }

    /// The rows whose key begins with these parts; a fault if there is none.
    pub(super) fn find_some(
        &self,
        schema: &InputTable,
        key: &[String],
    ) -> Result<Vec<usize>, FaultReport> {
        let rows = self.find(schema, key);
        if !rows.is_empty() {
            return Ok(rows);
        }
        let (table, parts) = (self.table(schema), self.key_parts(schema, key));
        let shown = |row: usize| {
            let parts = parts.iter().map(|(column, _)| table.cell(row, *column));
            parts.collect::<Vec<_>>().join("|").trim_end_matches('|').to_owned()
        };
        let asked = key.join("|").trim_end_matches('|').to_owned();
        let names: Vec<String> = match table.rows() <= SEARCHED_ROWS {
            true => (0..table.rows()).map(shown).collect(),
            false => Vec::new(),
        };
        let near = suggestion(&asked, names.iter().map(String::as_str));
        let columns = schema.key[..key.len().min(schema.key.len())].join("+");
        let reason = format!("no such row in {}{near}", schema.name);
        Err(fault(schema.name, "", &columns, &asked, FaultCode::UnknownReference, reason))
    }

    /// The positions of key columns, with the folded texts that a row must have there.
    fn key_parts(&self, schema: &InputTable, key: &[String]) -> Vec<(usize, String)> {
        let canonical = |name: &str, text: &str| match schema.position(name) {
            Some(at) => match schema.columns[at].input_type {
                InputType::Whole => whole_number(text).map(|number| number.to_string()),
                InputType::Day => text.parse::<Day>().ok().map(|day| day.to_string()),
                _ => None,
            },
            None => None,
        };
        let columns = schema.key.iter().zip(key);
        columns
            .filter_map(|(name, text)| {
                let text = canonical(name, text).unwrap_or_else(|| text.clone());
                Some((self.column(schema, name)?, fold(&text)))
            })
            .collect()
    }

    /// Writes a table again: `change` gives the new cells of a row, or `None` to drop it; then come
    /// the added rows. Reports name the rows by their keys from then on.
    pub(super) fn rewrite(
        &mut self,
        schema: &InputTable,
        change: impl Fn(&RawTable, usize) -> Option<NewCells>,
        added: &[Vec<String>],
    ) -> Result<(), FaultReport> {
        let at = self.at(schema);
        let rewritten = rewritten(&self.tables[at], change, added);
        self.tables[at] = rewritten.map_err(|error| {
            fault(schema.name, "", "", "", FaultCode::Unreadable, error.to_string())
        })?;
        Ok(())
    }

    /// Sets a cell of some rows.
    pub(super) fn set(
        &mut self,
        schema: &InputTable,
        rows: &[usize],
        column: usize,
        text: impl Fn(&str) -> String,
    ) -> Result<(), FaultReport> {
        let change = |table: &RawTable, row: usize| {
            let is_set = rows.binary_search(&row).is_ok();
            Some(is_set.then(|| (column, text(table.cell(row, column)))).into_iter().collect())
        };
        self.rewrite(schema, change, &[])
    }

    pub(super) fn drop_rows(
        &mut self,
        schema: &InputTable,
        rows: &[usize],
    ) -> Result<(), FaultReport> {
        let change = |_: &RawTable, row: usize| rows.binary_search(&row).is_err().then(Vec::new);
        self.rewrite(schema, change, &[])
    }

    /// Adds a row with these cells; the others are empty.
    pub(super) fn add(
        &mut self,
        schema: &InputTable,
        cells: &[(&str, &str)],
    ) -> Result<(), FaultReport> {
        let mut row = vec![String::new(); self.table(schema).columns().len()];
        for (name, text) in cells {
            if let Some(column) = self.column(schema, name) {
                row[column] = (*text).to_owned();
            }
        }
        self.rewrite(schema, |_, _| Some(Vec::new()), &[row])
    }
}

fn rewritten(
    table: &RawTable,
    change: impl Fn(&RawTable, usize) -> Option<NewCells>,
    added: &[Vec<String>],
) -> Result<RawTable, TooLarge> {
    let mut to = RawTable::new(table.name(), table.columns().to_vec(), false);
    for row in 0..table.rows() {
        let Some(cells) = change(table, row) else { continue };
        to.push_row((0..table.columns().len()).map(|column| {
            let new = cells.iter().find(|(at, _)| *at == column);
            new.map_or_else(|| table.cell(row, column), |(_, text)| text)
        }))?;
    }
    for row in added {
        to.push_row(row)?;
    }
    Ok(to)
}
