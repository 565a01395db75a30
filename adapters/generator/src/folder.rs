//! A folder of CSV files that is written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use powerfill_snapshot::input_table;

use crate::error::GenerateError;

/// A written table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenTable {
    /// The name; the file is `<table>.csv`.
    pub table: &'static str,
    /// The number of rows, without the header.
    pub rows: u64,
    /// The size of the file.
    pub bytes: u64,
}

/// A folder under a temporary name beside its target. It is removed if it is dropped before
/// [`finish`](Self::finish).
pub(crate) struct Folder {
    target: PathBuf,
    partial: PathBuf,
    finished: bool,
    tables: Vec<WrittenTable>,
}

impl Folder {
    /// Refuses a target that is not empty, and creates the temporary folder.
    pub(crate) fn begin(target: &Path) -> Result<Self, GenerateError> {
        let not_a_folder = |reason| GenerateError::NotAFolder { path: target.to_owned(), reason };
        let name = target.file_name().ok_or_else(|| not_a_folder("it has no name of its own"))?;
        match fs::read_dir(target) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(GenerateError::NotEmpty { path: target.to_owned() });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(not_a_folder("it is a file"));
            }
            Err(source) => {
                return Err(GenerateError::Io { action: "read", path: target.to_owned(), source });
            }
        }
        // The process id separates two runs. The same name within a process is the same target.
        let mut partial_name = std::ffi::OsString::from(".");
        partial_name.push(name);
        partial_name.push(format!(".partial-{}", std::process::id()));
        let partial = target.with_file_name(partial_name);
        let made = partial.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::create_dir(&partial)).map_err(|source| GenerateError::Io {
            action: "make the folder",
            path: partial.clone(),
            source,
        })?;
        Ok(Self { target: target.to_owned(), partial, finished: false, tables: Vec::new() })
    }

    /// Begins a table with the header of its declaration.
    pub(crate) fn table(&self, table: &'static str) -> Result<Table, GenerateError> {
        self.table_with(table, &[])
    }

    /// Begins a table with the header of its declaration and additional columns.
    pub(crate) fn table_with(
        &self,
        table: &'static str,
        additional: &[&'static str],
    ) -> Result<Table, GenerateError> {
        let path = self.partial.join(format!("{table}.csv"));
        let file = fs::File::create(&path).map_err(|source| GenerateError::Io {
            action: "create",
            path,
            source,
        })?;
        let counted = CountingWriter { file, bytes: 0 };
        let writer = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(counted);
        let declared = input_table(table).expect("the generator writes tables of 1.2");
        let mut table = Table { table, rows: 0, writer };
        table.line(&[&declared.column_names(), additional].concat())?;
        Ok(table)
    }

    /// Ends a table.
    pub(crate) fn close(&mut self, table: Table) -> Result<(), GenerateError> {
        let written = table.finish()?;
        self.tables.push(written);
        Ok(())
    }

    /// Renames the folder to its target.
    pub(crate) fn finish(mut self) -> Result<Vec<WrittenTable>, GenerateError> {
        // Not every system renames onto an empty folder. If this fails, the renaming reports why.
        let _ = fs::remove_dir(&self.target);
        fs::rename(&self.partial, &self.target).map_err(|source| GenerateError::Io {
            action: "rename the finished folder to",
            path: self.target.clone(),
            source,
        })?;
        self.finished = true;
        self.tables.sort_by_key(|written| written.table);
        Ok(std::mem::take(&mut self.tables))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.finished {
            // A failure cannot be reported here; the error that caused the drop is reported.
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

/// A table that is being written, row by row.
pub(crate) struct Table {
    table: &'static str,
    rows: u64,
    writer: csv::Writer<CountingWriter>,
}

impl Table {
    pub(crate) fn row<T: AsRef<[u8]>>(&mut self, cells: &[T]) -> Result<(), GenerateError> {
        self.line(cells)?;
        self.rows += 1;
        Ok(())
    }

    fn line<T: AsRef<[u8]>>(&mut self, cells: &[T]) -> Result<(), GenerateError> {
        let table = self.table;
        self.writer.write_record(cells).map_err(|source| GenerateError::Table { table, source })
    }

    fn finish(self) -> Result<WrittenTable, GenerateError> {
        let Self { table, rows, mut writer } = self;
        let failed = |source: io::Error| GenerateError::Table { table, source: source.into() };
        writer.flush().map_err(failed)?;
        Ok(WrittenTable { table, rows, bytes: writer.get_ref().bytes })
    }
}

/// Counts the bytes that are written.
struct CountingWriter {
    file: fs::File,
    bytes: u64,
}

impl Write for CountingWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::Folder;

    #[test]
    fn an_unfinished_folder_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let entries = || std::fs::read_dir(place.path()).unwrap().count();
        let folder = Folder::begin(&place.path().join("book")).unwrap();
        let mut table = folder.table("loan").unwrap();
        table.row(&["L1"; 17]).unwrap();
        assert_eq!(entries(), 1);
        drop(table);
        drop(folder);
        assert_eq!(entries(), 0);
    }
}
