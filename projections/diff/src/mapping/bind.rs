//! Reads an export with its mapping: assigns files to tables and columns to columns, and reads the
//! cells.

use std::collections::BTreeMap;

use powerfill_events::input::RawTable;
use powerfill_events::values::fold;
use powerfill_tables::table::TableSpec;
use powerfill_tables::tables::ALL;

use super::{Mapping, MappingError, TableMapping, default_table, normalize};
use crate::column_set::set_of;
use crate::grid::{Grid, GridColumn, PackedCell};
use crate::interner::Interner;
use crate::side::{ExportFile, ExportHead, Side, SideHead, SideTable, UnreadableCells};

/// A table of an export with its file, from an adapter that reads files.
#[derive(Debug)]
pub struct ExportSheet {
    /// The file, or the workbook.
    pub file: String,
    /// BLAKE3 of the file, hexadecimal.
    pub digest: String,
    /// The table. Its name is that of the file without ending, or that of the sheet.
    pub table: RawTable,
}

/// Why an export cannot be compared with a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The mapping does not fit the export.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// Two files for one table, or two columns for one column.
    #[error("{0}")]
    Ambiguous(String),
}

/// Makes a side from the files of an export. It frees the rows as it reads them.
///
/// # Errors
/// [`BindError`].
pub fn export_side(
    place: &str,
    files: Vec<ExportSheet>,
    mapping: &Mapping,
    names: &mut Interner,
) -> Result<Side, BindError> {
    let mut head = ExportHead { place: place.to_owned(), files: Vec::new() };
    let mut tables = [const { None }; ALL.len()];
    let assigned = assign_tables(mapping, &files)?;
    for (file, at) in files.into_iter().zip(assigned) {
        let name = match file.table.name() {
            sheet if file.file.starts_with(sheet) => file.file.clone(),
            sheet => format!("{} {sheet}", file.file),
        };
        let table = at.map(|at| ALL[at].name);
        head.files.push(ExportFile { name: name.clone(), table, digest: file.digest });
        if let Some(at) = at {
            tables[at] = Some(side_table(at, &name, &file.table, mapping, names)?);
        }
    }
    Ok(Side { head: SideHead::Export(head), tables })
}

/// The position of the table of each file; `None` if the file is left out.
fn assign_tables(
    mapping: &Mapping,
    files: &[ExportSheet],
) -> Result<Vec<Option<usize>>, BindError> {
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for (at, table) in mapping.tables.iter().enumerate() {
        let Some(name) = table.as_ref().and_then(|table| table.name.as_ref()) else { continue };
        let wanted = fold(&name.value);
        if !files.iter().any(|file| fold(file.table.name()) == wanted) {
            let there: Vec<&str> = files.iter().map(|file| file.table.name()).collect();
            let what = format!("no file or sheet {}; there are {}", name.value, there.join(", "));
            return Err(mapping.fault(&name.span, what).into());
        }
        if named.insert(wanted, at).is_some() {
            let what = format!("{} is named for two tables", name.value);
            return Err(mapping.fault(&name.span, what).into());
        }
    }
    let mut taken: BTreeMap<usize, &str> = BTreeMap::new();
    let mut assigned = Vec::new();
    for file in files {
        let by_name = named.get(&fold(file.table.name())).copied();
        let has_other = |at: &usize| mapping.table(*at).is_some_and(|table| table.name.is_some());
        let by_default = || default_table(file.table.name()).filter(|at| !has_other(at));
        let at = by_name.or_else(by_default).filter(|at| mapping.compares(*at));
        if let Some(at) = at
            && let Some(other) = taken.insert(at, file.table.name())
        {
            let (table, this) = (ALL[at].name, file.table.name());
            return Err(BindError::Ambiguous(format!(
                "{other} and {this} both are {table}; say which in the mapping: [tables.{table}] name = \"…\""
            )));
        }
        assigned.push(at);
    }
    Ok(assigned)
}

fn side_table(
    at: usize,
    file: &str,
    raw: &RawTable,
    mapping: &Mapping,
    names: &mut Interner,
) -> Result<SideTable, BindError> {
    let spec = ALL[at];
    let none = TableMapping::default();
    let table_mapping = mapping.table(at).unwrap_or(&none);
    let assigned = assign_columns(spec, file, raw, table_mapping, mapping)?;
    let formats = mapping.formats(at);
    let columns = spec.columns.iter();
    let columns: Vec<GridColumn> = columns.map(|column| GridColumn::new(column, names)).collect();
    let mut grid = Grid::new(columns.clone());
    let mut unreadable: BTreeMap<usize, UnreadableCells> = BTreeMap::new();
    let mut row = vec![PackedCell::NULL; columns.len()];
    for at_row in 0..raw.rows() {
        for (column, source) in assigned.sources.iter().enumerate() {
            let Some(source) = source else { continue };
            let mut text = raw.cell(at_row, *source);
            if let Some(values) = table_mapping.values.get(&column)
                && let Some(ours) = values.get(&fold(text))
            {
                text = ours;
            }
            let name = spec.columns[column].name;
            row[column] = formats.cell(text, columns[column], names);
            if row[column].is_unreadable() && formats.number(text, false).is_none() {
                let first = || UnreadableCells {
                    column: name,
                    cells: 0,
                    row: u32::try_from(at_row + 1).unwrap_or(u32::MAX),
                    text: text.to_owned(),
                };
                unreadable.entry(column).or_insert_with(first).cells += 1;
            }
        }
        grid.push(&row);
    }
    let present = (0..columns.len()).filter(|at| assigned.sources[*at].is_some());
    let (columns, unreadable) = (set_of(present), unreadable.into_values().collect());
    Ok(SideTable { grid, columns, unknown_columns: assigned.unknown_columns, unreadable })
}

/// The columns of an export, assigned to those of a table.
struct AssignedColumns {
    /// By position in the table: the position in the export.
    sources: Vec<Option<usize>>,
    unknown_columns: Vec<String>,
}

fn assign_columns(
    spec: &TableSpec,
    file: &str,
    raw: &RawTable,
    table_mapping: &TableMapping,
    mapping: &Mapping,
) -> Result<AssignedColumns, BindError> {
    let header = raw.columns();
    let mut sources = vec![None; spec.columns.len()];
    let mut renamed = vec![None; header.len()];
    for (theirs, column) in &table_mapping.rename {
        let wanted = fold(theirs.value.trim());
        let mut found = (0..header.len()).filter(|at| fold(header[*at].trim()) == wanted);
        let Some(at) = found.next() else {
            let (name, there) = (&theirs.value, header.join(", "));
            let what = format!("{file} has no column {name}; it has {there}");
            return Err(mapping.fault(&theirs.span, what).into());
        };
        renamed[at] = Some(*column);
    }
    let mut unknown_columns = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let by_default = || {
            let wanted = normalize(name);
            let is = |known: &&str| fold(known) == wanted;
            let column = spec.columns.iter().map(|column| column.name).find(is);
            // A renamed column takes precedence over a column that has the name already.
            let column = column.and_then(|name| spec.position(name));
            column.filter(|column| !renamed.contains(&Some(*column)))
        };
        match renamed[at].or_else(by_default) {
            None if normalize(name) == "RUN_ID" => {}
            None => unknown_columns.push(name.clone()),
            Some(column) if sources[column].is_none() => sources[column] = Some(at),
            Some(column) => {
                let column = spec.columns[column].name;
                return Err(BindError::Ambiguous(format!(
                    "{file}: two columns are {column}; the second is column {} ({name})",
                    at + 1
                )));
            }
        }
    }
    Ok(AssignedColumns { sources, unknown_columns })
}
