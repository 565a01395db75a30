//! The files of a folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use powerfill_snapshot::RawTable;

use crate::export::text::{Unreadable, read_text};

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Export {
    /// The tables, by file name.
    pub tables: Vec<ExportTable>,
    /// Workbooks, by file name, for whoever can read them.
    pub workbooks: Vec<PathBuf>,
    /// Other files, by name.
    pub ignored: Vec<String>,
}

/// A table and its file.
#[derive(Debug)]
pub struct ExportTable {
    /// The file's name.
    pub file: String,
    /// BLAKE3 of its bytes, hexadecimal.
    pub digest: String,
    /// Its rows, under the file's name without ending.
    pub table: RawTable,
}

/// A folder or a file of it that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportFault {
    /// The machine says no.
    #[error("{path} cannot be read: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no table.
    #[error("{path} is no table: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Unreadable,
    },
}

/// The BLAKE3 of a file's bytes, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Reads every `.csv`, `.txt`, `.tsv` file of a folder, plain or gzipped, whatever the case of its
/// name. Folders within and files whose names begin with a point are left alone.
///
/// # Errors
/// [`ExportFault`]: an export of which a file cannot be read is not compared at all.
pub fn read_folder(path: &Path) -> Result<Export, ExportFault> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        move |source| ExportFault::Io { path, source }
    };
    let entries = fs::read_dir(path).map_err(fault(path))?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(fault(path))?;
    files.sort();
    let mut export = Export::default();
    for path in files.into_iter().filter(|path| path.is_file()) {
        let file = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let folded = file.to_ascii_lowercase();
        let (plain, compressed) = match folded.strip_suffix(".gz") {
            Some(plain) => (plain, true),
            None => (folded.as_str(), false),
        };
        let ending = plain.rsplit_once('.').map(|(_, ending)| ending.to_owned());
        match ending.as_deref() {
            _ if file.starts_with('.') => {}
            Some("csv" | "txt" | "tsv") => {
                let bytes = read(&path, compressed).map_err(fault(&path))?;
                let stem = &file[..plain.rfind('.').unwrap_or(plain.len())];
                let table = read_text(stem, &bytes.text)
                    .map_err(|source| ExportFault::Unreadable { path, source })?;
                export.tables.push(ExportTable { file, digest: bytes.digest, table });
            }
            // A file that a spreadsheet has open leaves one of this name.
            Some("xlsx" | "xlsm") if !file.starts_with("~$") => export.workbooks.push(path),
            _ => export.ignored.push(file),
        }
    }
    Ok(export)
}

struct Bytes {
    text: Vec<u8>,
    digest: String,
}

fn read(path: &Path, compressed: bool) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    let digest = digest(&bytes);
    if !compressed {
        return Ok(Bytes { text: bytes, digest });
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text)?;
    Ok(Bytes { text, digest })
}

#[cfg(test)]
mod tests {
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
        assert!(fault.ends_with("e.csv is no table: it has no header"), "{fault}");
    }
}
