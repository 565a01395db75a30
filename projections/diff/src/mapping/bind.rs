//! An export under its mapping: which file holds which table, which column is which, and the cells
//! read.

use std::collections::BTreeMap;

use powerfill_events::input::RawTable;
use powerfill_events::values::fold;
use powerfill_tables::table::TableSpec;
use powerfill_tables::tables::ALL;

use super::{Mapping, MappingError, TableMapping, plain, table_of};
use crate::grid::{Grid, GridColumn, PackedCell};
use crate::names::Interner;
use crate::side::{ExportFile, ExportHead, Side, SideHead, SideTable, UnreadableCells};

/// A table of an export and the file that it comes from: what a reader of files hands over.
#[derive(Debug)]
pub struct ExportSheet {
    /// The file, or the workbook.
    pub file: String,
    /// BLAKE3 of the file, hexadecimal.
    pub digest: String,
    /// Its table; the name is that of the file without ending, or of the sheet.
    pub table: RawTable,
}

/// Why an export cannot be set against a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The mapping does not fit it.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// Two files for one table, or two columns for one.
    #[error("{0}")]
    Twice(String),
}

/// Makes a side from the files of an export. The rows are freed as they are read.
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
    let of = assigned(mapping, &files)?;
    for (file, at) in files.into_iter().zip(of) {
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

/// The table of each file.
fn assigned(mapping: &Mapping, files: &[ExportSheet]) -> Result<Vec<Option<usize>>, BindError> {
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
    let mut of = Vec::new();
    for file in files {
        let by_name = named.get(&fold(file.table.name())).copied();
        let has_other = |at: &usize| mapping.table(*at).is_some_and(|table| table.name.is_some());
        let by_default = || table_of(file.table.name()).filter(|at| !has_other(at));
        let at = by_name.or_else(by_default).filter(|at| mapping.takes_part(*at));
        if let Some(at) = at
            && let Some(other) = taken.insert(at, file.table.name())
        {
            let (table, this) = (ALL[at].name, file.table.name());
            return Err(BindError::Twice(format!(
                "{other} and {this} both are {table}; say which in the mapping: [tables.{table}] name = \"…\""
            )));
        }
        of.push(at);
    }
    Ok(of)
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
    let of_table = mapping.table(at).unwrap_or(&none);
    let sources = columns(spec, file, raw, of_table, mapping)?;
    let formats = mapping.formats(at);
    let columns = spec.columns.iter();
    let holds: Vec<GridColumn> = columns.map(|column| GridColumn::of(column, names)).collect();
    let mut grid = Grid::new(holds.clone());
    let mut unread: BTreeMap<usize, UnreadableCells> = BTreeMap::new();
    let mut row = vec![PackedCell::NULL; holds.len()];
    for at_row in 0..raw.rows() {
        for (column, source) in sources.ours.iter().enumerate() {
            let Some(source) = source else { continue };
            let mut text = raw.cell(at_row, *source);
            if let Some(values) = of_table.values.get(&column)
                && let Some(ours) = values.get(&fold(text))
            {
                text = ours;
            }
            let name = spec.columns[column].name;
            row[column] = formats.slot(text, holds[column], names);
            if row[column].is_unread() && formats.number(text, false).is_none() {
                let first = || UnreadableCells {
                    column: name,
                    cells: 0,
                    row: u32::try_from(at_row + 1).unwrap_or(u32::MAX),
                    text: text.to_owned(),
                };
                unread.entry(column).or_insert_with(first).cells += 1;
            }
        }
        grid.push(&row);
    }
    let bits = sources.ours.iter().enumerate();
    let columns = bits.filter(|(_, source)| source.is_some()).fold(0, |set, (at, _)| set | 1 << at);
    let unread = unread.into_values().collect();
    Ok(SideTable { grid, columns, strangers: sources.strangers, unread })
}

/// Which of their columns is ours.
struct Columns {
    /// By position of ours.
    ours: Vec<Option<usize>>,
    strangers: Vec<String>,
}

fn columns(
    spec: &TableSpec,
    file: &str,
    raw: &RawTable,
    of_table: &TableMapping,
    mapping: &Mapping,
) -> Result<Columns, BindError> {
    let header = raw.columns();
    let mut ours = vec![None; spec.columns.len()];
    let mut renamed = vec![None; header.len()];
    for (theirs, column) in &of_table.rename {
        let wanted = fold(theirs.value.trim());
        let mut found = (0..header.len()).filter(|at| fold(header[*at].trim()) == wanted);
        let Some(at) = found.next() else {
            let (name, there) = (&theirs.value, header.join(", "));
            let what = format!("{file} has no column {name}; it has {there}");
            return Err(mapping.fault(&theirs.span, what).into());
        };
        renamed[at] = Some(*column);
    }
    let mut strangers = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let by_default = || {
            let wanted = plain(name);
            let is = |known: &&str| fold(known) == wanted;
            let column = spec.columns.iter().map(|column| column.name).find(is);
            // A column that is renamed onto takes the place of one that has the name already.
            let column = column.and_then(|name| spec.position(name));
            column.filter(|column| !renamed.contains(&Some(*column)))
        };
        match renamed[at].or_else(by_default) {
            None if plain(name) == "RUN_ID" => {}
            None => strangers.push(name.clone()),
            Some(column) if ours[column].is_none() => ours[column] = Some(at),
            Some(column) => {
                let column = spec.columns[column].name;
                return Err(BindError::Twice(format!(
                    "{file}: two columns are {column}; the second is column {} ({name})",
                    at + 1
                )));
            }
        }
    }
    Ok(Columns { ours, strangers })
}
