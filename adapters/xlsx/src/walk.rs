//! Going through the cells of a sheet, in the order of its rows, within bounds.

use std::collections::HashSet;

use powerfill_snapshot::address;

use crate::cells::{LONGEST_TEXT, Value};
use crate::naming::MOST_ROWS;
use crate::package::Workbook;

/// The most columns, those of CSV.
pub(crate) const MOST_COLUMNS: usize = 4096;
/// The most cells of a table, empty ones included.
pub(crate) const MOST_CELLS: usize = 1 << 27;
/// The most text of a sheet, in bytes.
const MOST_TEXT: usize = 1 << 30;
/// The most cells that lie under merged ones.
const MOST_MERGED: usize = 1 << 20;
/// The columns of a sheet that Excel has.
const SHEET_COLUMNS: u32 = 16_384;

/// Where a cell is, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) row: u32,
    pub(crate) column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&address(self.column, self.row))
    }
}

/// Hands over the cells that are not blank; where one cannot be read, says why, with its place.
pub(crate) fn walk<E: From<String>>(
    book: &mut Workbook,
    sheet: &str,
    mut each: impl FnMut(Place, Value<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let is_1904 = book.xlsx.has_1904_epoch();
    let mut cells = book.xlsx.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
    let mut last: Option<Place> = None;
    let mut text_size = 0;
    loop {
        let cell = match cells.next_cell_with_formula_metadata() {
            Ok(Some(cell)) => cell,
            Ok(None) => return Ok(()),
            Err(error) => return Err(behind(sheet, last, &error.to_string()).into()),
        };
        let place = Place { row: cell.pos.0, column: cell.pos.1 };
        if place.row >= MOST_ROWS || place.column >= SHEET_COLUMNS {
            let reason = "a cell beyond the last row or column of a sheet";
            return Err(behind(sheet, last, reason).into());
        }
        if last.is_some_and(|last| last >= place) {
            let reason = "the cells are out of order or there twice";
            return Err(format!("{sheet}!{place}: {reason}").into());
        }
        last = Some(place);
        let value = Value::of(cell.value, cell.formula.is_some(), is_1904);
        if let Value::Text(text) = &value {
            text_size += text.len();
            if text.len() > LONGEST_TEXT && text.chars().count() > LONGEST_TEXT {
                let reason = format!("a text of more than {LONGEST_TEXT} characters");
                return Err(format!("{sheet}!{place}: {reason}").into());
            }
            if text_size > MOST_TEXT {
                return Err(format!("{sheet}!{place}: more than {MOST_TEXT} bytes of text").into());
            }
        }
        if value != Value::Blank {
            each(place, value)?;
        }
    }
}

fn behind(sheet: &str, last: Option<Place>, reason: &str) -> String {
    match last {
        Some(last) => format!("behind {sheet}!{last}: {reason}"),
        None => format!("at the first cell of {sheet}: {reason}"),
    }
}

/// The places below the header that are merged into another cell and so hold nothing of their own.
pub(crate) fn merged(book: &mut Workbook, sheet: &str) -> Result<HashSet<Place>, String> {
    let mut merged = HashSet::new();
    if !book.has_merged {
        return Ok(merged);
    }
    for region in book.xlsx.merge_cells_by_sheet_name(sheet).map_err(|error| error.to_string())? {
        let size = |from: u32, to: u32| (to.saturating_sub(from) as usize).saturating_add(1);
        let cells =
            size(region.start.0, region.end.0).saturating_mul(size(region.start.1, region.end.1));
        if merged.len().saturating_add(cells) > MOST_MERGED {
            let (start, end) = (region.start, region.end);
            let region = format!("{}:{}", address(start.1, start.0), address(end.1, end.0));
            return Err(format!("{sheet}!{region} and others are merged cells; unmerge them"));
        }
        for row in region.start.0.max(1)..=region.end.0 {
            for column in region.start.1..=region.end.1 {
                merged.insert(Place { row, column });
            }
        }
        merged.remove(&Place { row: region.start.0, column: region.start.1 });
    }
    Ok(merged)
}
