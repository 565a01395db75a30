//! Reads the tables of another system for a mapping: text files, workbooks, or a database.

use std::path::Path;

use powerfill_mapping::{ForeignTable, Mapping};
use powerfill_snapshot::RawTable;

use crate::error::CliError;

/// Tables that were read, and the names of files and sheets that were not wanted.
#[derive(Debug, Default)]
pub(crate) struct ForeignTables {
    pub(crate) tables: Vec<ForeignTable>,
    pub(crate) ignored: Vec<String>,
    /// The bare names of the ignored ones, as a mapping would write them.
    pub(crate) names: Vec<String>,
}

/// Which tables are read: by file, whether the file has several tables, and name.
pub(crate) type IsWanted<'a> = &'a dyn Fn(&str, bool, &str) -> bool;

impl ForeignTables {
    /// Reads the text files and workbooks of a folder.
    pub(crate) fn of_folder(
        folder: &Path,
        mapping: &Mapping,
        is_wanted: IsWanted<'_>,
    ) -> Result<Self, CliError> {
        let is_wanted_file = |file: &str, stem: &str| is_wanted(file, false, stem);
        let read = powerfill_csv::tolerant::read_folder(folder, mapping, is_wanted_file);
        let read = read.map_err(|error| match error.too_large() {
            Some(file) => CliError::environment(file),
            None => CliError::environment(error),
        })?;
        let stem = |file: &String| match file.rsplit_once('.') {
            Some((stem, _)) => stem.to_owned(),
            None => file.clone(),
        };
        let names = read.ignored.iter().map(stem).collect();
        let mut all = Self { tables: read.tables, ignored: read.ignored, names };
        for file in &read.workbooks {
            let book = Self::of_workbook(file, mapping, is_wanted)?;
            all.tables.extend(book.tables);
            all.ignored.extend(book.ignored);
            all.names.extend(book.names);
        }
        Ok(all)
    }

    /// Reads the sheets of a workbook.
    pub(crate) fn of_workbook(
        file: &Path,
        mapping: &Mapping,
        is_wanted: IsWanted<'_>,
    ) -> Result<Self, CliError> {
        let text = |part: Option<&std::ffi::OsStr>| {
            part.map_or_else(String::new, |part| part.to_string_lossy().into_owned())
        };
        let (name, stem) = (text(file.file_name()), text(file.file_stem()));
        let is_wanted_sheet = |sheet: &str| {
            is_wanted(&name, true, sheet)
                || (DEFAULT_NAMES.contains(&sheet) && is_wanted(&name, true, &stem))
        };
        let read = powerfill_xlsx::read_foreign(file, mapping, is_wanted_sheet);
        let (mut tables, sheets) = read.map_err(CliError::environment)?;
        // A workbook with one table often has the table's name, and a sheet with a default name.
        if let [only] = &mut tables[..]
            && sheets.is_empty()
            && DEFAULT_NAMES.contains(&only.table.name())
            && !mapping.has_name(&[only.table.name()])
        {
            only.table.rename(&stem);
        }
        let ignored = sheets.iter().map(|sheet| format!("the sheet {sheet} of {name}")).collect();
        Ok(Self { tables, ignored, names: sheets })
    }

    /// Reads the loans of MISMO messages, and the other files if they are in a folder.
    pub(crate) fn of_messages(
        path: &Path,
        mapping: &Mapping,
        is_wanted: IsWanted<'_>,
    ) -> Result<Self, CliError> {
        let is_message = |file: &str| powerfill_mismo::is_message(Path::new(file));
        let is_other = |file: &str, is_sheet: bool, name: &str| {
            !is_message(file) && is_wanted(file, is_sheet, name)
        };
        let mut all = match path.is_dir() {
            true => Self::of_folder(path, mapping, &is_other)?,
            false => Self::default(),
        };
        all.ignored.retain(|file| !is_message(file));
        all.tables
            .push(powerfill_mismo::read(path, mapping.limit()).map_err(CliError::environment)?);
        Ok(all)
    }

    /// Takes tables of a database.
    pub(crate) fn of_database(url: &str, tables: Vec<RawTable>, ignored: Vec<String>) -> Self {
        let tables = tables.into_iter().map(|table| ForeignTable {
            file: url.to_owned(),
            is_sheet: true,
            digest: rows_digest(&table),
            notes: Vec::new(),
            header_lines: Vec::new(),
            table,
        });
        Self { tables: tables.collect(), names: ignored.clone(), ignored }
    }
}

/// Whether a file has the ending of a text file, plain or compressed with gzip.
pub(crate) fn is_text_file(file: &str) -> bool {
    let name = file.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".csv", ".txt", ".tsv", ".psv", ".rpt", ".dat"].iter().any(|ending| name.ends_with(ending))
}

/// Names of sheets that spreadsheet programs choose.
const DEFAULT_NAMES: [&str; 3] = ["Sheet1", "Sheet 1", "Tabelle1"];

/// The digest of the sorted rows, because the rows of a database have no order.
fn rows_digest(table: &RawTable) -> String {
    let columns = 0..table.columns().len();
    let row = |at| columns.clone().map(|column| table.cell(at, column)).collect::<Vec<_>>();
    let mut rows: Vec<Vec<&str>> = (0..table.rows()).map(row).collect();
    rows.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for cell in table.columns().iter().map(String::as_str).chain(rows.into_iter().flatten()) {
        hasher.update(&(cell.len() as u64).to_le_bytes());
        hasher.update(cell.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
