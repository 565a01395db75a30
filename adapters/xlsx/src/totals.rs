//! The totals under the tables of a workbook, where each row is a loan or a trade of its own.

use powerfill_tables::table::{Cell, TableSpec};
use rust_decimal::Decimal;
use rust_xlsxwriter::{Worksheet, XlsxError};

use crate::column_formats::ColumnFormats;
use crate::run_workbook::TOO_MANY_DIGITS;

/// The columns that can be added up. In other tables a loan has several rows, or groups overlap.
const TOTALS: [(&str, &[&str]); 4] = [
    ("pfill_trade_base", &["open_amount", "held_amount"]),
    ("pfill_powerfill_guide", &["loan_amount"]),
    ("pfill_kickout_guide_01", &["loan_amount"]),
    ("pfill_trade_recap", &["open_amount", "filled_amount", "shortfall_amount"]),
];

const LABEL: &str = "Total of rows: ";

/// Whether a row that begins with this text has totals, and is no row of the table.
pub(crate) fn is_total_label(text: &str) -> bool {
    let rows = text.strip_prefix(LABEL).unwrap_or_default();
    !rows.is_empty() && rows.bytes().all(|byte| byte.is_ascii_digit())
}

/// The sums of a table.
pub(crate) struct Totals {
    /// The columns of the table that are added up, with their sums in cents.
    sums: Vec<(usize, i128)>,
    rows: u64,
}

impl Totals {
    pub(crate) fn of(table: &TableSpec) -> Self {
        let columns = TOTALS.iter().find(|(name, _)| *name == table.name);
        let columns = columns.map_or(&[][..], |(_, columns)| *columns);
        let at = |name: &&str| table.columns.iter().position(|column| column.name == *name);
        Self { sums: columns.iter().filter_map(at).map(|at| (at, 0)).collect(), rows: 0 }
    }

    pub(crate) fn add(&mut self, row: &[Cell]) {
        self.rows += 1;
        for (at, sum) in &mut self.sums {
            if let Some(Cell::Fixed(cents, 2)) = row.get(*at) {
                *sum += i128::from(*cents);
            }
        }
    }

    /// Writes the totals into a row of a sheet, whose first column has the run.
    pub(crate) fn write(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        formats: &ColumnFormats,
        widths: &mut [usize],
    ) -> Result<(), XlsxError> {
        if self.sums.is_empty() || self.rows == 0 {
            return Ok(());
        }
        let label = format!("{LABEL}{}", self.rows);
        sheet.write_string_with_format(row, 0, label, &formats.header)?;
        for (at, cents) in &self.sums {
            let text = Decimal::from_i128_with_scale(*cents, 2).to_string();
            let column = *at as u16 + 1;
            widths[at + 1] = widths[at + 1].max(text.len());
            match text.parse::<f64>() {
                Ok(number) if cents.unsigned_abs() < u128::from(TOO_MANY_DIGITS) => {
                    sheet.write_number_with_format(row, column, number, &formats.total)?
                }
                _ => sheet.write_string_with_format(row, column, text, &formats.total)?,
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use powerfill_events::values::Money;
    use powerfill_tables::table::RowBatch;
    use powerfill_tables::tables::kickout::TABLE;

    use super::*;
    use crate::RunWorkbook;
    use crate::texts::read_sheets;

    #[test]
    fn totals_are_below_the_rows_and_are_read_as_no_row() {
        let amount = TABLE.columns.iter().position(|column| column.name == "loan_amount");
        let run = "00000000-0000-7000-8000-000000000001".parse().expect("an id");
        let mut book = RunWorkbook::new(run, None, &[&TABLE]).expect("a workbook");
        for cents in [30_000_000, 12_345_678] {
            let mut batch = RowBatch::new(&TABLE);
            let cell = |at| match Some(at) == amount {
                true => Money::from_units(cents).into(),
                false => Cell::Null,
            };
            batch.cells.extend((0..TABLE.columns.len()).map(cell));
            book.add(&batch).expect("rows");
        }
        let bytes = book.into_bytes(|_| true).expect("bytes");
        let mut package = zip::ZipArchive::new(Cursor::new(&bytes)).expect("a package");
        let mut sheet = String::new();
        let part = package.by_name("xl/worksheets/sheet2.xml");
        part.expect("a sheet").read_to_string(&mut sheet).expect("text");
        let last = sheet.rsplit("<row ").next().unwrap_or_default();
        assert!(last.starts_with("r=\"4\"") && last.contains("<v>423456.78</v>"), "{last}");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("run.xlsx");
        std::fs::write(&file, bytes).expect("a file");
        let read = read_sheets(&file, 1_000).expect("sheets");
        assert_eq!(read[1].rows.len(), 2);
        assert!(is_total_label("Total of rows: 2") && !is_total_label("Total of rows: "));
    }
}
