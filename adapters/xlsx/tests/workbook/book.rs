//! Workbooks for the tests, made from raw tables, and made by hand.

use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use powerfill_snapshot::{RawSnapshot, RawTable};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The conformance cases, by name.
pub(crate) fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let cases = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = cases.filter(|case| case.join("snapshot").is_dir()).collect();
    cases.sort();
    cases
}

/// What the cells of a table become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    /// All texts, as an export writes them.
    No,
    /// Numbers, dates and TRUE or FALSE where that says the same, as a person types them.
    Yes,
}

/// Writes the tables, a sheet each; names in upper case among them where nothing is typed.
pub(crate) fn write(raw: &RawSnapshot, typed: Typed) -> NamedTempFile {
    let mut book = Workbook::new();
    let created = ExcelDateTime::from_ymd(2026, 1, 15).unwrap();
    book.set_properties(&DocProperties::new().set_creation_datetime(&created));
    for (at, table) in raw.tables.iter().enumerate() {
        let name = match (typed, at % 2) {
            (Typed::No, 1) => table.name().to_uppercase(),
            _ => table.name().to_owned(),
        };
        let sheet = book.add_worksheet().set_name(name).unwrap();
        fill(sheet, table, typed);
    }
    saved(&mut book)
}

pub(crate) fn saved(book: &mut Workbook) -> NamedTempFile {
    let file = NamedTempFile::with_suffix(".xlsx").unwrap();
    book.save(file.path()).unwrap();
    file
}

fn fill(sheet: &mut Worksheet, table: &RawTable, typed: Typed) {
    for (column, name) in table.columns().iter().enumerate() {
        sheet.write_string(0, column as u16, name).unwrap();
    }
    for row in 0..table.rows() {
        for column in 0..table.columns().len() {
            let (to_row, to_column) = (row as u32 + 1, column as u16);
            let text = table.cell(row, column);
            if text.is_empty() {
                continue;
            }
            let date = (typed == Typed::Yes).then(|| as_date(text)).flatten();
            let number = (typed == Typed::Yes).then(|| as_number(text)).flatten();
            let shown = Format::new().set_num_format("d mmm yyyy");
            match (date, number, text) {
                (Some(date), ..) => {
                    sheet.write_datetime_with_format(to_row, to_column, &date, &shown)
                }
                (_, Some(number), _) => sheet.write_number(to_row, to_column, number),
                (.., "Y" | "N") if typed == Typed::Yes => {
                    sheet.write_boolean(to_row, to_column, text == "Y")
                }
                _ => sheet.write_string(to_row, to_column, text),
            }
            .unwrap();
        }
    }
}

/// The number that a workbook shows as this very text.
fn as_number(text: &str) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && digits <= 15 && number.to_string() == text).then_some(number)
}

fn as_date(text: &str) -> Option<ExcelDateTime> {
    let mut parts = text.split('-').map(str::parse::<u16>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let of_month = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let exists = text.len() == 10
        && (1900..=9999).contains(&year)
        && day >= 1
        && of_month.get(usize::from(month).checked_sub(1)?).is_some_and(|last| day <= *last);
    exists.then(|| ExcelDateTime::from_ymd(year, month as u8, day as u8).unwrap())
}

/// The same package with some parts in another form.
pub(crate) fn edited(file: &Path, edit: impl Fn(&str, String) -> String) -> NamedTempFile {
    let mut package = ZipArchive::new(std::fs::File::open(file).unwrap()).unwrap();
    let names: Vec<String> = package.file_names().map(|name| name.unwrap().into_owned()).collect();
    let parts: Vec<(String, Vec<u8>)> = names
        .into_iter()
        .enumerate()
        .map(|(at, name)| {
            let mut text = String::new();
            package.by_index(at).unwrap().read_to_string(&mut text).unwrap();
            let text = edit(&name, text);
            (name, text.into_bytes())
        })
        .collect();
    let edited = NamedTempFile::with_suffix(".xlsx").unwrap();
    std::fs::write(edited.path(), packed(&parts)).unwrap();
    edited
}

/// A package of these parts.
pub(crate) fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut package = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        package.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        package.write_all(bytes).unwrap();
    }
    package.finish().unwrap().into_inner()
}
