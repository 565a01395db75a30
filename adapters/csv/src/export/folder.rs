//! The files of an export in a folder.

use std::path::{Path, PathBuf};

use powerfill_snapshot::RawTable;

use super::text::read_text;
use crate::error::CsvFileError;
use crate::file::FileEntry;

/// The content of a folder.
#[derive(Debug, Default)]
pub struct Export {
    /// The tables, by file name.
    pub tables: Vec<ExportTable>,
    /// The paths of workbooks, by file name. This crate cannot read them.
    pub workbooks: Vec<PathBuf>,
    /// The names of other files.
    pub ignored: Vec<String>,
}

/// A table and its file.
#[derive(Debug)]
pub struct ExportTable {
    /// The name of the file.
    pub file: String,
    /// BLAKE3 of the file's bytes, hexadecimal.
    pub digest: String,
    /// The rows. The table has the file's name without extensions.
    pub table: RawTable,
}

/// The BLAKE3 of a file's bytes, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Reads every `.csv`, `.txt`, and `.tsv` file of a folder, plain or compressed with gzip, in any
/// case. Subfolders, and files whose names begin with a dot, are ignored.
///
/// # Errors
/// The folder or one of the files cannot be read. An export is compared whole or not at all.
pub fn read_folder(path: &Path) -> Result<Export, CsvFileError> {
    let mut export = Export::default();
    for entry in FileEntry::list(path).map_err(CsvFileError::at(path))? {
        if !entry.path.is_file() || entry.name.starts_with('.') {
            continue;
        }
        let extension = entry.stem_and_extension().map(|(_, extension)| extension);
        match extension.as_deref() {
            Some("csv" | "txt" | "tsv") => export.tables.push(read_file(entry)?),
            // A spreadsheet program leaves a file of this name beside an open workbook.
            Some("xlsx" | "xlsm") if !entry.name.starts_with("~$") => {
                export.workbooks.push(entry.path);
            }
            _ => export.ignored.push(entry.name),
        }
    }
    Ok(export)
}

fn read_file(entry: FileEntry) -> Result<ExportTable, CsvFileError> {
    let bytes = std::fs::read(&entry.path).map_err(CsvFileError::at(&entry.path))?;
    let digest = digest(&bytes);
    let text = entry.decompress(bytes).map_err(CsvFileError::at(&entry.path))?;
    let stem = entry.stem_and_extension().map_or("", |(stem, _)| stem);
    let table = read_text(stem, &text).map_err(CsvFileError::at(&entry.path))?;
    Ok(ExportTable { file: entry.name, digest, table })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn a_folder_gives_its_tables_and_workbooks_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("dbo.B.CSV"), "x;y\n1;2\n").unwrap();
        fs::write(at("a.txt"), "x\n1\n").unwrap();
        fs::write(at("notes.pdf"), "%PDF").unwrap();
        fs::write(at("book.xlsx"), "PK").unwrap();
        fs::write(at("~$book.xlsx"), "").unwrap();
        fs::write(at(".partial.csv"), "").unwrap();
        fs::create_dir(at("c.csv")).unwrap();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"x,y\n3,4\n").unwrap();
        fs::write(at("d.csv.gz"), gz.finish().unwrap()).unwrap();
        let export = read_folder(folder.path()).unwrap();
        let names: Vec<_> =
            export.tables.iter().map(|t| (t.file.as_str(), t.table.name())).collect();
        assert_eq!(names, [("a.txt", "a"), ("d.csv.gz", "d"), ("dbo.B.CSV", "dbo.B")]);
        assert_eq!(export.tables[1].table.cell(0, 1), "4");
        assert_eq!(export.tables[0].digest, digest(b"x\n1\n"));
        assert_eq!(export.workbooks, [at("book.xlsx")]);
        assert_eq!(export.ignored, ["notes.pdf", "~$book.xlsx"]);
        fs::write(at("e.csv"), "").unwrap();
        let fault = read_folder(folder.path()).unwrap_err().to_string();
        let reason = "e.csv cannot be read: the file is empty: a header is expected";
        assert!(fault.ends_with(reason), "{fault}");
    }
}
