//! An empty snapshot as a folder of CSV files, made from the declarations of the tables.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use powerfill_snapshot::TABLES;
use powerfill_snapshot::schema::columns_page;

/// The page beside the tables that says what their columns are.
pub const COLUMNS_PAGE: &str = "COLUMNS.md";

/// A folder of tables that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder has files, which tables must not be mixed with.
    #[error("{} has files; name a new or an empty folder", .0.display())]
    NotEmpty(PathBuf),
    /// The folder or a file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Io {
        /// The folder or the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl FolderError {
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// Writes a file with a header per table, and a page of the columns. With `examples`, each file has
/// a row.
///
/// # Errors
/// The folder exists and is not empty, or a file cannot be written.
pub fn write_template(folder: &Path, examples: bool) -> Result<(), FolderError> {
    create_empty(folder)?;
    for table in TABLES {
        let path = folder.join(format!("{}.csv", table.name));
        let write = || -> io::Result<()> {
            let mut file = csv::Writer::from_path(&path)?;
            file.write_record(table.column_names())?;
            if examples {
                file.write_record(table.columns.iter().map(|column| column.sample()))?;
            }
            file.flush()
        };
        write().map_err(FolderError::at(&path))?;
    }
    let page = folder.join(COLUMNS_PAGE);
    fs::write(&page, columns_page()).map_err(FolderError::at(&page))
}

/// Creates a folder, unless it exists.
///
/// # Errors
/// The folder is not empty, or cannot be created or read.
pub(crate) fn create_empty(folder: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(folder).map_err(FolderError::at(folder))?;
    if fs::read_dir(folder).map_err(FolderError::at(folder))?.next().is_some() {
        return Err(FolderError::NotEmpty(folder.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use powerfill_snapshot::validate;

    use super::*;
    use crate::read_folder;

    #[test]
    fn the_examples_are_a_snapshot_without_faults() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, filled) = (folder.path().join("empty"), folder.path().join("filled"));
        write_template(&filled, true).unwrap();
        let validated = validate(read_folder(&filled).unwrap()).unwrap();
        assert!(validated.warnings.is_empty(), "{}", validated.warnings);
        write_template(&empty, false).unwrap();
        let raw = read_folder(&empty).unwrap();
        assert_eq!(raw.tables.len(), TABLES.len());
        assert!(raw.tables.iter().all(|table| table.rows() == 0));
        let error = write_template(&empty, false).unwrap_err().to_string();
        assert!(error.contains("has files"), "{error}");
    }
}
