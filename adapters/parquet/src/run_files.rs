//! The files of one run, one per table.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use powerfill_events::run::RunId;
use powerfill_events::values::{Day, TenantId};
use powerfill_tables::table::{RowBatch, TableRef, TableSpec};

use crate::error::ExportError;
use crate::table_file::TableFile;

/// What cannot be in the name of a folder, on any system, or has a meaning in one.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'*')
    .add(b'.')
    .add(b'/')
    .add(b':')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'|');

/// Where the files of a run belong.
#[derive(Debug, Clone)]
pub struct Partition {
    /// The tenant.
    pub tenant: TenantId,
    /// The date of the request, in UTC.
    pub run_date: Day,
    /// The run.
    pub run: RunId,
}

impl Partition {
    /// The file of a table in a folder.
    pub fn file(&self, folder: &Path, table: &TableSpec) -> PathBuf {
        let tenant = utf8_percent_encode(self.tenant.as_str(), ESCAPED);
        folder
            .join(table.name)
            .join(format!("tenant={tenant}"))
            .join(format!("run_date={}", self.run_date))
            .join(format!("{}.parquet", self.run))
    }
}

/// The files of a run while they are written. They are in a temporary folder until
/// [`RunFiles::save`] moves them, so no reader sees an incomplete file.
pub struct RunFiles {
    folder: PathBuf,
    partition: Partition,
    partial: PathBuf,
    files: HashMap<&'static str, OpenFile>,
}

struct OpenFile {
    table: TableRef,
    path: PathBuf,
    file: TableFile<BufWriter<File>>,
}

impl RunFiles {
    /// Begins a file for each table.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn create(
        folder: &Path,
        partition: Partition,
        tables: &[TableRef],
    ) -> Result<Self, ExportError> {
        let partial = folder.join(format!(".partial-{}", partition.run));
        fs::create_dir_all(&partial).map_err(ExportError::at(&partial))?;
        let mut run = Self { folder: folder.to_owned(), partition, partial, files: HashMap::new() };
        for table in tables {
            let path = run.partial.join(format!("{}.parquet", table.name));
            let out = File::create(&path).map_err(ExportError::at(&path))?;
            let file = TableFile::new(BufWriter::new(out), table, run.partition.run)
                .map_err(ExportError::in_file(&path))?;
            run.files.insert(table.name, OpenFile { table, path, file });
        }
        Ok(run)
    }

    /// Adds rows; ignores rows of tables that have no file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, rows: RowBatch) -> Result<(), ExportError> {
        match self.files.get_mut(rows.table.name) {
            Some(open) => open.file.add(rows).map_err(ExportError::in_file(&open.path)),
            None => Ok(()),
        }
    }

    /// Completes the files and moves them to their places, where they replace former ones. Returns
    /// their bytes.
    ///
    /// # Errors
    /// If a file cannot be written or moved. Files that were moved before stay, each complete.
    pub fn save(mut self) -> Result<u64, ExportError> {
        let mut bytes = 0;
        let mut finished = Vec::new();
        for (_, open) in self.files.drain() {
            let out = open.file.finish().map_err(ExportError::in_file(&open.path))?;
            let file = out.into_inner().map_err(|error| error.into_error());
            let file = file.map_err(ExportError::at(&open.path))?;
            file.sync_all().map_err(ExportError::at(&open.path))?;
            bytes += file.metadata().map_err(ExportError::at(&open.path))?.len();
            finished.push((open.table, open.path));
        }
        for (table, path) in finished {
            let place = self.partition.file(&self.folder, table);
            let parent = place.parent().unwrap_or(&self.folder);
            fs::create_dir_all(parent).map_err(ExportError::at(parent))?;
            fs::rename(&path, &place).map_err(ExportError::at(&place))?;
        }
        Ok(bytes)
    }
}

impl Drop for RunFiles {
    fn drop(&mut self) {
        // The next export of the run replaces a temporary folder that remains.
        let _ = fs::remove_dir_all(&self.partial);
    }
}
