//! The text files of a folder.

use std::path::{Path, PathBuf};

use powerfill_mapping::{ForeignTable, Mapping};

use super::text::read_text;
use crate::error::CsvFileError;
use crate::file::FileEntry;

/// The content of a folder.
#[derive(Debug, Default)]
pub struct TolerantFolder {
    /// The tables of text files, by file name.
    pub tables: Vec<ForeignTable>,
    /// The paths of workbooks, by file name. This crate cannot read them.
    pub workbooks: Vec<PathBuf>,
    /// The names of other files.
    pub ignored: Vec<String>,
}

/// Reads the text files of a folder, plain or compressed with gzip, as the mapping says: those that
/// `is_wanted` accepts by file name and by name without ending. Subfolders, and files whose names
/// begin with a dot, are ignored.
///
/// # Errors
/// The folder or one of the files cannot be read. A wanted file is read whole or not at all.
pub fn read_folder(
    path: &Path,
    mapping: &Mapping,
    is_wanted: impl Fn(&str, &str) -> bool,
) -> Result<TolerantFolder, CsvFileError> {
    let mut folder = TolerantFolder::default();
    for entry in FileEntry::list(path).map_err(CsvFileError::at(path))? {
        if !entry.path.is_file() || entry.name.starts_with('.') {
            continue;
        }
        let (stem, extension) = entry.stem_and_extension().unwrap_or((&entry.name, String::new()));
        match extension.as_str() {
            // A spreadsheet program leaves a file of this name beside an open workbook.
            "xlsx" | "xlsm" if !entry.name.starts_with("~$") => folder.workbooks.push(entry.path),
            _ if is_wanted(&entry.name, stem) => {
                folder.tables.push(read_file(&entry, stem, mapping)?);
            }
            _ => folder.ignored.push(entry.name),
        }
    }
    Ok(folder)
}

fn read_file(
    entry: &FileEntry,
    stem: &str,
    mapping: &Mapping,
) -> Result<ForeignTable, CsvFileError> {
    // The file is read at once.
    let size = entry.path.metadata().map_err(CsvFileError::at(&entry.path))?.len();
    mapping.limit().admit_text(size).map_err(CsvFileError::at(&entry.path))?;
    let bytes = std::fs::read(&entry.path).map_err(CsvFileError::at(&entry.path))?;
    let digest = blake3::hash(&bytes).to_hex().to_string();
    let text = entry.decompress(bytes).map_err(CsvFileError::at(&entry.path))?;
    let form = mapping.form(&[stem, &entry.name]);
    let read = read_text(stem, &entry.name, &text, form).map_err(CsvFileError::at(&entry.path))?;
    Ok(ForeignTable { digest, ..read })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use powerfill_mapping::TargetSchema;

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
        let mapping = Mapping::none(TargetSchema::of_inputs());
        let is_text = |name: &str, _: &str| !name.contains("pdf") && !name.contains("xlsx");
        let read = read_folder(folder.path(), &mapping, is_text).unwrap();
        let names: Vec<_> = read.tables.iter().map(|t| (t.file.as_str(), t.table.name())).collect();
        assert_eq!(names, [("a.txt", "a"), ("d.csv.gz", "d"), ("dbo.B.CSV", "dbo.B")]);
        assert_eq!(read.tables[1].table.cell(0, 1), "4");
        assert_eq!(read.tables[0].digest, blake3::hash(b"x\n1\n").to_hex().to_string());
        assert_eq!(read.workbooks, [at("book.xlsx")]);
        assert_eq!(read.ignored, ["notes.pdf", "~$book.xlsx"]);
        fs::write(at("e.csv"), "").unwrap();
        let fault = read_folder(folder.path(), &mapping, is_text).unwrap_err().to_string();
        assert!(fault.contains("e.csv cannot be read: a header is expected"), "{fault}");
    }
}
