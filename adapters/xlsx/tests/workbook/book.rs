//! Workbooks for the tests, written from raw tables or assembled from parts.

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

/// The types of the cells that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellTypes {
    /// Texts only, as an export writes them.
    Texts,
    /// Numbers, dates, and booleans for texts that look like them, as a person types them.
    Natural,
}

/// Writes one sheet per table. With [`CellTypes::Texts`], every second name is in upper case.
pub(crate) fn write(raw: &RawSnapshot, types: CellTypes) -> NamedTempFile {
    let mut book = Workbook::new();
    let created = ExcelDateTime::from_ymd(2026, 1, 15).unwrap();
    book.set_properties(&DocProperties::new().set_creation_datetime(&created));
    for (at, table) in raw.tables.iter().enumerate() {
        let name = match (types, at % 2) {
            (CellTypes::Texts, 1) => table.name().to_uppercase(),
            _ => table.name().to_owned(),
        };
        let sheet = book.add_worksheet().set_name(name).unwrap();
        fill(sheet, table, types);
    }
    saved(&mut book)
}

pub(crate) fn saved(book: &mut Workbook) -> NamedTempFile {
    let file = NamedTempFile::with_suffix(".xlsx").unwrap();
    book.save(file.path()).unwrap();
    file
}

fn fill(sheet: &mut Worksheet, table: &RawTable, types: CellTypes) {
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
            let is_natural = types == CellTypes::Natural;
            let date = is_natural.then(|| as_date(text)).flatten();
            let number = is_natural.then(|| as_number(text)).flatten();
            let format = Format::new().set_num_format("d mmm yyyy");
            match (date, number, text) {
                (Some(date), ..) => {
                    sheet.write_datetime_with_format(to_row, to_column, &date, &format)
                }
                (_, Some(number), _) => sheet.write_number(to_row, to_column, number),
                (.., "Y" | "N") if is_natural => {
                    sheet.write_boolean(to_row, to_column, text == "Y")
                }
                _ => sheet.write_string(to_row, to_column, text),
            }
            .unwrap();
        }
    }
}

/// The number that a workbook displays as exactly this text.
fn as_number(text: &str) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && digits <= 15 && number.to_string() == text).then_some(number)
}

fn as_date(text: &str) -> Option<ExcelDateTime> {
    let mut parts = text.split('-').map(str::parse::<u16>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let last_days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let exists = text.len() == 10
        && (1900..=9999).contains(&year)
        && day >= 1
        && last_days.get(usize::from(month).checked_sub(1)?).is_some_and(|last| day <= *last);
    exists.then(|| ExcelDateTime::from_ymd(year, month as u8, day as u8).unwrap())
}

/// The package with its parts edited.
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
