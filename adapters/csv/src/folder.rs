//! The tables of a snapshot in a folder.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use powerfill_snapshot::{
    FaultCode, IgnoredPart, RawSnapshot, RawTable, SourceFault, TableLimit, table_named,
    table_names,
};

use crate::error::{CsvError, CsvFileError};
use crate::file::FileEntry;
use crate::parser::read_limited;

/// Reads the tables of a folder: `<table>.csv` or `<table>.csv.gz`, in any case. Other files are
/// listed as ignored. Both forms of one table are a fault, because either could be the right one.
///
/// # Errors
/// The folder cannot be read. A file that cannot be read is a fault of its table.
pub fn read_folder(path: &Path) -> Result<RawSnapshot, CsvFileError> {
    read_folder_limited(path, TableLimit::default())
}

/// As [`read_folder`], with tables of at most this size. A larger one is a fault, and is read no
/// further.
///
/// # Errors
/// As [`read_folder`].
pub fn read_folder_limited(path: &Path, limit: TableLimit) -> Result<RawSnapshot, CsvFileError> {
    let mut snapshot = RawSnapshot::default();
    let mut files: Vec<TableFile> = Vec::new();
    for entry in FileEntry::list(path).map_err(CsvFileError::at(path))? {
        match TableFile::new(entry) {
            Ok(file) => files.push(file),
            Err(name) => snapshot.ignored.push(IgnoredPart::File(name)),
        }
    }
    for table in table_names() {
        let twins: Vec<&str> =
            files.iter().filter(|f| f.table == table).map(|f| &*f.entry.name).collect();
        if twins.len() > 1 {
            let reason = format!("{} are there; one of them is expected", twins.join(" and "));
            let fault = SourceFault { table: table.into(), code: FaultCode::Unreadable, reason };
            snapshot.faults.push(fault);
            files.retain(|file| file.table != table);
        }
    }
    for (file, read) in read_all(files, limit) {
        match read {
            Ok(table) => snapshot.tables.push(table),
            Err(error) => snapshot.faults.push(error.fault(file.table)),
        }
    }
    Ok(snapshot)
}

struct TableFile {
    table: &'static str,
    entry: FileEntry,
    size: u64,
}

impl TableFile {
    /// Returns the name of a file that has no table.
    fn new(entry: FileEntry) -> Result<Self, String> {
        let stem = entry.stem_and_extension().filter(|(_, extension)| extension == "csv");
        let Some(table) = stem.and_then(|(stem, _)| table_named(stem)) else {
            return Err(entry.name);
        };
        let size = entry.path.metadata().map_or(0, |metadata| metadata.len());
        Ok(Self { table, entry, size })
    }

    fn read(&self, limit: TableLimit) -> Result<RawTable, CsvError> {
        read_limited(self.table, self.entry.open()?, limit)
    }
}

/// Reads the files on all cores, the largest first. The order of the results does not depend on the
/// threads.
fn read_all(
    mut files: Vec<TableFile>,
    limit: TableLimit,
) -> Vec<(TableFile, Result<RawTable, CsvError>)> {
    files.sort_by(|a, b| b.size.cmp(&a.size).then(a.table.cmp(b.table)));
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<RawTable, CsvError>>>> =
        files.iter().map(|_| Mutex::new(None)).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(files.len()) {
            scope.spawn(|| {
                while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed))
                    && at < files.len()
                {
                    let read = files[at].read(limit);
                    *results[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
                }
            });
        }
    });
    let results =
        results.into_iter().map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner));
    files.into_iter().zip(results).filter_map(|(file, read)| Some((file, read?))).collect()
}
