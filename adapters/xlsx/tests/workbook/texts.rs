//! Reading any workbook as texts.

use powerfill_mapping::{Mapping, TargetSchema};
use powerfill_xlsx::{TextSheet, read_foreign, read_texts};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, XlsxError};

fn read(
    fill: impl FnOnce(&mut Workbook) -> Result<(), XlsxError>,
) -> Result<Vec<TextSheet>, String> {
    let file = tempfile::NamedTempFile::with_suffix(".xlsx").unwrap();
    let mut book = Workbook::new();
    fill(&mut book).unwrap();
    book.save(file.path()).unwrap();
    read_texts(file.path()).map_err(|error| error.to_string())
}

#[test]
fn cells_become_the_texts_of_csv() {
    let sheets = read(|book| {
        let sheet = book.add_worksheet().set_name("Guide")?;
        // The header is the first row that is not blank.
        for (column, name) in ["id", "", "amount", "on", "yes", ""].iter().enumerate() {
            if !name.is_empty() {
                sheet.write_string(1, column as u16, *name)?;
            }
        }
        let date = Format::new().set_num_format("dd.mm.yyyy");
        sheet.write_string(2, 0, "00042")?.write_number(2, 2, 0.1)?;
        sheet.write_datetime_with_format(2, 3, &ExcelDateTime::from_ymd(2026, 1, 15)?, &date)?;
        sheet.write_boolean(2, 4, true)?;
        sheet.write_number(5, 0, 42.0)?.write_number(5, 2, 1e-7)?;
        sheet.write_string(5, 3, "  2026-01-16  ")?.write_boolean(5, 4, false)?;
        sheet.write_number(6, 2, 0.1 + 0.2)?;
        sheet.write_formula(6, 4, Formula::new("=1+1").set_result("2"))?;
        sheet.write_formula(7, 4, Formula::new("=1/0").set_result("#DIV/0!"))?;
        sheet.write_blank(9, 9, &date)?;
        book.add_worksheet().set_name("Empty")?.set_hidden(true);
        Ok(())
    });
    let expected: [[&str; 4]; 4] = [
        ["00042", "0.1", "2026-01-15", "Y"],
        ["42", "0.0000001", "  2026-01-16", "N"],
        ["", "0.30000000000000004", "", "2"],
        ["", "", "", "#DIV/0!"],
    ];
    let guide = TextSheet {
        name: "Guide".to_owned(),
        header: ["id", "amount", "on", "yes"].map(str::to_owned).to_vec(),
        rows: expected.map(|row| row.map(str::to_owned).to_vec()).to_vec(),
    };
    let empty = TextSheet { name: "Empty".to_owned(), ..TextSheet::default() };
    assert_eq!(sheets.unwrap(), [guide, empty]);
}

#[test]
fn values_without_a_header_keep_their_column() {
    let sheets = read(|book| {
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "id")?.write_string(0, 2, "note")?;
        sheet.write_string(1, 0, "A")?.write_string(1, 1, "stray")?;
        Ok(())
    });
    let sheet = &sheets.unwrap()[0];
    assert_eq!(sheet.header, ["id", "", "note"]);
    assert_eq!(sheet.rows, [["A", "stray", ""]]);
}

#[test]
fn what_a_sheet_hides_is_read_and_said() {
    let file = tempfile::NamedTempFile::with_suffix(".xlsx").unwrap();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Tape").unwrap();
    for (row, cells) in ["id|ltv|state", "A|80|CA", "B|95|NY"].iter().enumerate() {
        for (column, cell) in cells.split('|').enumerate() {
            sheet.write_string(row as u32, column as u16, cell).unwrap();
        }
    }
    sheet.set_row_hidden(2).unwrap().set_column_hidden(1).unwrap();
    book.save(file.path()).unwrap();
    let mapping = Mapping::none(TargetSchema::of_inputs());
    let (tables, _) = read_foreign(file.path(), &mapping, |_| true).unwrap();
    assert_eq!(tables[0].table.rows(), 2);
    assert_eq!(
        tables[0].notes,
        ["hidden or filtered rows that were read: 1", "hidden columns that were read: ltv"]
    );
}
