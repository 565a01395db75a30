//! Visits the cells of a sheet, row by row, within limits.

use std::collections::{HashMap, HashSet};

use calamine::DataRef;
use powerfill_events::input::address;

use crate::cells::{CellValue, MAX_TEXT_LENGTH};
use crate::display::NumberDisplay;
use crate::naming::MAX_ROWS;
use crate::package::Workbook;

/// The largest number of columns, as for CSV.
pub(crate) const MAX_COLUMNS: usize = 4096;
/// The largest number of cells of a table, empty ones included.
pub(crate) const MAX_CELLS: usize = 1 << 27;
/// The largest size of all texts of a sheet, in bytes.
const MAX_TEXT_SIZE: usize = 1 << 30;
/// The largest number of cells in merged regions.
const MAX_MERGED: usize = 1 << 20;
/// The number of columns of an Excel sheet.
const SHEET_COLUMNS: u32 = 16_384;

/// The row and the column of a cell, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CellAddress {
    pub(crate) row: u32,
    pub(crate) column: u32,
}

impl std::fmt::Display for CellAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&address(self.column, self.row))
    }
}

/// Passes every cell that is not blank to `visit`.
///
/// # Errors
/// The first error of `visit`, or why a cell cannot be read, with its address.
pub(crate) fn visit_cells<E: From<String>>(
    book: &mut Workbook,
    sheet: &str,
    mut visit: impl FnMut(CellAddress, CellValue<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let is_1904 = book.xlsx.has_1904_epoch();
    let displays = cell_displays(book, sheet)?;
    let mut cells = book.xlsx.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
    let mut last: Option<CellAddress> = None;
    let mut text_size = 0;
    loop {
        let cell = match cells.next_cell_with_formula_metadata() {
            Ok(Some(cell)) => cell,
            Ok(None) => return Ok(()),
            Err(error) => return Err(after_cell(sheet, last, &error.to_string()).into()),
        };
        let address = CellAddress { row: cell.pos.0, column: cell.pos.1 };
        if address.row >= MAX_ROWS || address.column >= SHEET_COLUMNS {
            let reason = "a cell beyond the last row or column of a sheet";
            return Err(after_cell(sheet, last, reason).into());
        }
        if last.is_some_and(|last| last >= address) {
            let reason = "the cells are out of order or repeated";
            return Err(format!("{sheet}!{address}: {reason}").into());
        }
        last = Some(address);
        let is_number = matches!(cell.value, DataRef::Float(_) | DataRef::Int(_));
        let mut value = CellValue::new(cell.value, cell.formula.is_some(), is_1904);
        if is_number && let Some(display) = displays.get(&address) {
            value = value.displayed(*display);
        }
        if let CellValue::Text(text) = &value {
            text_size += text.len();
            if text.len() > MAX_TEXT_LENGTH && text.chars().count() > MAX_TEXT_LENGTH {
                let reason = format!("a text of more than {MAX_TEXT_LENGTH} characters");
                return Err(format!("{sheet}!{address}: {reason}").into());
            }
            if text_size > MAX_TEXT_SIZE {
                return Err(
                    format!("{sheet}!{address}: more than {MAX_TEXT_SIZE} bytes of text").into()
                );
            }
        }
        if value != CellValue::Blank {
            visit(address, value)?;
        }
    }
}

/// The cells whose number format displays another number. Only a workbook with such a format is
/// read a second time.
fn cell_displays(
    book: &mut Workbook,
    sheet: &str,
) -> Result<HashMap<CellAddress, NumberDisplay>, String> {
    let mut found = HashMap::new();
    let mut cells = book.xlsx.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
    let of_style = |style: &calamine::Style| {
        NumberDisplay::of_format(&style.number_format.as_ref()?.format_code)
    };
    let displays: Vec<Option<NumberDisplay>> = cells.styles().iter().map(of_style).collect();
    if displays.iter().all(Option::is_none) {
        return Ok(found);
    }
    // The pass over the values reports what cannot be read.
    while let Ok(Some((row, column, style))) = cells.next_style_id() {
        if let Some(Some(display)) = displays.get(style) {
            found.insert(CellAddress { row, column }, *display);
        }
    }
    Ok(found)
}

fn after_cell(sheet: &str, last: Option<CellAddress>, reason: &str) -> String {
    match last {
        Some(last) => format!("after {sheet}!{last}: {reason}"),
        None => format!("at the first cell of {sheet}: {reason}"),
    }
}

/// The cells below the header that another cell of their merged region covers: they have no value
/// of their own.
pub(crate) fn covered_cells(
    book: &mut Workbook,
    sheet: &str,
) -> Result<HashSet<CellAddress>, String> {
    let mut covered = HashSet::new();
    if !book.has_merged {
        return Ok(covered);
    }
    for region in book.xlsx.merge_cells_by_sheet_name(sheet).map_err(|error| error.to_string())? {
        let size = |from: u32, to: u32| (to.saturating_sub(from) as usize).saturating_add(1);
        let cells =
            size(region.start.0, region.end.0).saturating_mul(size(region.start.1, region.end.1));
        if covered.len().saturating_add(cells) > MAX_MERGED {
            let (start, end) = (region.start, region.end);
            let region = format!("{}:{}", address(start.1, start.0), address(end.1, end.0));
            return Err(format!("{sheet}!{region} and others are merged cells; unmerge them"));
        }
        for row in region.start.0.max(1)..=region.end.0 {
            for column in region.start.1..=region.end.1 {
                covered.insert(CellAddress { row, column });
            }
        }
        covered.remove(&CellAddress { row: region.start.0, column: region.start.1 });
    }
    Ok(covered)
}
