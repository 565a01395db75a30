//! Reads an export with its mapping.

use std::collections::BTreeMap;

use powerfill_mapping::formats::CellFormats;
use powerfill_mapping::names::normalize;
use powerfill_mapping::{BindError, ForeignTable, MappedCell, MappedRows, ValueKind};
use powerfill_tables::tables::ALL;

use super::ComparisonMapping;
use crate::column_set::set_of;
use crate::grid::{Grid, GridColumn, PackedCell};
use crate::interner::Interner;
use crate::side::{ExportFile, ExportHead, Side, SideHead, SideTable, UnreadableCells};

/// Makes a side from the files of an export.
///
/// # Errors
/// [`BindError`].
pub fn export_side(
    place: &str,
    files: &[ForeignTable],
    mapping: &ComparisonMapping,
    names: &mut Interner,
) -> Result<Side, BindError> {
    let mut head = ExportHead { place: place.to_owned(), files: Vec::new() };
    let mut tables = [const { None }; ALL.len()];
    let assigned = mapping.mapping().assign_tables(files, &[])?;
    let table_of = |file: usize| {
        let of_file = |at: &usize| assigned[*at].contains(&file) && mapping.compares(*at);
        (0..ALL.len()).find(of_file).map(|at| ALL[at].name)
    };
    for (at, file) in files.iter().enumerate() {
        let (name, digest) = (file.title(), file.digest.clone());
        head.files.push(ExportFile { name, table: table_of(at), digest });
    }
    for (at, of_table) in assigned.iter().enumerate().filter(|(at, _)| mapping.compares(*at)) {
        let foreign: Vec<&ForeignTable> = of_table.iter().map(|file| &files[*file]).collect();
        if !foreign.is_empty() {
            tables[at] = Some(side_table(at, &foreign, mapping, names)?);
        }
    }
    Ok(Side { head: SideHead::Export(head), tables })
}

/// Packs a value of the mapping. A text that does not have the type of its column stays a text, and
/// differs.
pub(super) fn pack(cell: MappedCell<'_>, column: GridColumn, names: &mut Interner) -> PackedCell {
    match cell {
        MappedCell::Null => PackedCell::NULL,
        MappedCell::Text(text) => PackedCell::text(&text, column, names),
        MappedCell::Number(number) => PackedCell::number(number, column, names),
        MappedCell::Day(day) => PackedCell::day(day),
        MappedCell::Unreadable(text, _) => PackedCell::unreadable(&text, column, names),
    }
}

fn side_table(
    at: usize,
    foreign: &[&ForeignTable],
    mapping: &ComparisonMapping,
    names: &mut Interner,
) -> Result<SideTable, BindError> {
    let spec = ALL[at];
    let columns = spec.columns.iter();
    let columns: Vec<GridColumn> = columns.map(|column| GridColumn::new(column, names)).collect();
    let mut grid = Grid::new(columns.clone());
    let mut unreadable: BTreeMap<usize, UnreadableCells> = BTreeMap::new();
    let (mut present, mut unknown_columns) = (0, Vec::new());
    for file in foreign {
        let bound = mapping.mapping().bind_columns(at, file)?;
        let header = file.table.columns();
        let unknown = bound.unused.iter().map(|at| &header[*at]);
        unknown_columns.extend(unknown.filter(|name| normalize(name) != "RUN_ID").cloned());
        present |= set_of((0..columns.len()).filter(|column| bound.has(*column)));
        let rows = MappedRows::new(mapping.mapping(), at, file, &bound)?;
        for row in (0..rows.len()).filter(|row| rows.takes(*row)) {
            let mut cells = Vec::with_capacity(columns.len());
            for (column, form) in columns.iter().enumerate() {
                let cell = rows.cell(row, column);
                if let MappedCell::Unreadable(text, _) = &cell
                    && !is_number(text)
                {
                    let first = || UnreadableCells {
                        column: spec.columns[column].name,
                        cells: 0,
                        row: u32::try_from(row + 1).unwrap_or(u32::MAX),
                        text: text.clone().into_owned(),
                    };
                    unreadable.entry(column).or_insert_with(first).cells += 1;
                }
                cells.push(pack(cell, *form, names));
            }
            grid.push(&cells);
        }
    }
    let unreadable = unreadable.into_values().collect();
    Ok(SideTable { grid, columns: present, unknown_columns, unreadable })
}

/// Whether a text is a number beyond what a column can hold, which differs and is not unreadable.
fn is_number(text: &str) -> bool {
    let formats = CellFormats::of_use(powerfill_mapping::MappingUse::Comparison);
    formats.number(text, ValueKind::Number).is_ok()
}
