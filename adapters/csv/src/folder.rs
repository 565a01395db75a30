//! The files of a folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use powerfill_snapshot::{FaultCode, RawSnapshot, RawTable, SourceFault, table_named, table_names};

use crate::parser::{Unreadable, read_table};

/// The folder itself cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the folder {path} cannot be read: {source}")]
pub struct FolderFault {
    path: PathBuf,
    source: std::io::Error,
}

/// Reads the tables of a folder: `<table>.csv` or `<table>.csv.gz`, in any case. Other files are
/// left alone and listed as ignored; both forms of one table are a fault, for either could be the
/// right one.
///
/// # Errors
/// Only where the folder itself cannot be read; a file that cannot be is a fault of its table.
pub fn read_folder(path: &Path) -> Result<RawSnapshot, FolderFault> {
    let fault = |source| FolderFault { path: path.to_owned(), source };
    let mut snapshot = RawSnapshot::default();
    let mut files: Vec<TableFile> = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        match TableFile::at(&path) {
            Some(file) => files.push(file),
            None => snapshot.ignored.push(file_name(&path)),
        }
    }
    snapshot.ignored.sort();
    for table in table_names() {
        let mut twins: Vec<String> =
            files.iter().filter(|f| f.table == table).map(|f| file_name(&f.path)).collect();
        if twins.len() > 1 {
            twins.sort();
            let reason = format!("{} are there; one of them is expected", twins.join(" and "));
            let table = table.to_owned();
            snapshot.faults.push(SourceFault { table, code: FaultCode::Unreadable, reason });
            files.retain(|file| file.table != snapshot.faults[snapshot.faults.len() - 1].table);
        }
    }
    for (file, read) in read_all(files) {
        match read {
            Ok(table) => snapshot.tables.push(table),
            Err(unreadable) => snapshot.faults.push(unreadable.of_table(file.table)),
        }
    }
    Ok(snapshot)
}

struct TableFile {
    table: &'static str,
    path: PathBuf,
    compressed: bool,
    size: u64,
}

impl TableFile {
    fn at(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let strip = |suffix: &str| {
            let at = name.len().checked_sub(suffix.len())?;
            let (stem, end) = (name.get(..at)?, name.get(at..)?);
            end.eq_ignore_ascii_case(suffix).then_some(stem)
        };
        let (stem, compressed) = match strip(".csv") {
            Some(stem) => (stem, false),
            None => (strip(".csv.gz")?, true),
        };
        let size = path.metadata().map_or(0, |metadata| metadata.len());
        Some(Self { table: table_named(stem)?, path: path.to_owned(), compressed, size })
    }

    fn read(&self) -> Result<RawTable, Unreadable> {
        let file = File::open(&self.path)?;
        if self.compressed {
            read_table(self.table, MultiGzDecoder::new(std::io::BufReader::new(file)))
        } else {
            read_table(self.table, file)
        }
    }
}

/// Reads the files on all cores, the largest first. The order of the outcome does not depend on the
/// threads.
fn read_all(mut files: Vec<TableFile>) -> Vec<(TableFile, Result<RawTable, Unreadable>)> {
    files.sort_by(|a, b| b.size.cmp(&a.size).then(a.table.cmp(b.table)));
    let next = AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Result<RawTable, Unreadable>>>> =
        files.iter().map(|_| Mutex::new(None)).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(files.len()) {
            scope.spawn(|| {
                while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed))
                    && at < files.len()
                {
                    let read = files[at].read();
                    *outcomes[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
                }
            });
        }
    });
    let outcomes =
        outcomes.into_iter().map(|o| o.into_inner().unwrap_or_else(PoisonError::into_inner));
    files.into_iter().zip(outcomes).filter_map(|(file, read)| Some((file, read?))).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
