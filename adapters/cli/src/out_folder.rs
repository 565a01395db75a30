//! `--out`: a run's tables as CSV files. They are written to a temporary folder and moved when the
//! run has ended, so the folder never has the tables of an incomplete run.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use powerfill_events::run::RunId;
use powerfill_tables::csv;
use powerfill_tables::summary::RunSummary;
use powerfill_tables::table::{RowBatch, TableSpec};
use powerfill_tables::tables;

/// A folder for the tables of one run.
pub(crate) struct OutFolder {
    run: RunId,
    folder: PathBuf,
    /// The temporary folder.
    partial: PathBuf,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    open: HashMap<&'static str, BufWriter<File>>,
    text: Vec<u8>,
    /// The first error. The run continues without the folder.
    error: Option<io::Error>,
}

impl OutFolder {
    pub(crate) fn new(run: RunId, folder: &Path) -> io::Result<Self> {
        let partial = folder.join(format!(".partial-{run}"));
        fs::create_dir_all(&partial)?;
        Ok(Self { run, folder: folder.to_owned(), partial, files: Mutex::default() })
    }

    /// Writes rows to the temporary folder.
    pub(crate) fn write(&self, batches: &[RowBatch]) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        for batch in batches {
            if files.error.is_none()
                && let Err(error) = files.write(self, batch)
            {
                files.error = Some(error);
            }
        }
    }

    /// Replaces the files of a former run, and writes `outcome.csv`. A run that is not Complete has
    /// only findings, log, and history.
    ///
    /// # Errors
    /// If a file cannot be written; files that were replaced before stay, and the temporary folder
    /// is removed.
    pub(crate) fn finish(self, summary: &RunSummary) -> io::Result<()> {
        let partial = self.partial.clone();
        self.replace_files(summary).inspect_err(|_| discard(&partial))
    }

    fn replace_files(self, summary: &RunSummary) -> io::Result<()> {
        let mut files = self.files.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = files.error {
            return Err(error);
        }
        for file in files.open.values_mut() {
            file.flush()?;
        }
        for table in tables::ALL {
            let name = file_name(table);
            let (partial, file) = (self.partial.join(&name), self.folder.join(&name));
            let keep = is_kept(table, summary);
            if keep && !files.open.contains_key(table.name) {
                fs::write(&partial, header(table))?;
            }
            if keep {
                fs::rename(&partial, &file)?;
            } else if file.exists() {
                fs::remove_file(&file)?;
            }
        }
        fs::write(self.folder.join("outcome.csv"), outcome(summary)?)?;
        fs::remove_dir_all(&self.partial)
    }

    /// Leaves the folder unchanged.
    pub(crate) fn discard(self) {
        discard(&self.partial);
    }
}

fn discard(partial: &Path) {
    // A temporary folder that remains is harmless.
    let _ = fs::remove_dir_all(partial);
}

/// Tables that a run has even if it is not Complete.
const TABLES_OF_ANY_RUN: [&str; 3] =
    ["pfill_preflight_findings", "pfill_powerfill_log", "pfill_run_history"];

/// Whether a table of the run is written.
pub(crate) fn is_kept(table: &TableSpec, summary: &RunSummary) -> bool {
    has_table(table, summary.failure.is_none() && summary.cancellation.is_none())
}

/// Whether a run that is over has the table.
pub(crate) fn has_table(table: &TableSpec, is_complete: bool) -> bool {
    is_complete || TABLES_OF_ANY_RUN.contains(&table.name)
}

impl Files {
    fn write(&mut self, out: &OutFolder, batch: &RowBatch) -> io::Result<()> {
        let name = batch.table.name;
        if !self.open.contains_key(name) {
            let mut file = BufWriter::new(File::create(out.partial.join(file_name(batch.table)))?);
            file.write_all(&header(batch.table))?;
            self.open.insert(name, file);
        }
        self.text.clear();
        csv::write_file_rows(out.run, batch, &mut self.text);
        match self.open.get_mut(name) {
            Some(file) => file.write_all(&self.text),
            None => Ok(()),
        }
    }
}

fn file_name(table: &TableSpec) -> String {
    format!("{}.csv", table.name)
}

fn header(table: &TableSpec) -> Vec<u8> {
    let mut text = Vec::new();
    csv::write_file_header(table, &mut text);
    text
}

fn outcome(summary: &RunSummary) -> io::Result<Vec<u8>> {
    let mut out = ::csv::WriterBuilder::new().from_writer(Vec::new());
    let (step, message) = match (&summary.failure, &summary.cancellation) {
        (Some(failed), _) => (failed.step.as_str(), failed.message.clone()),
        (None, Some(cancelled)) => {
            let by = format!("cancelled by {}", cancelled.cancelled_by);
            (cancelled.step.as_str(), by)
        }
        (None, None) => ("", String::new()),
    };
    out.write_record(["status", "failure_step", "failure_message"])?;
    out.write_record([summary.status.name(), step, &message])?;
    out.into_inner().map_err(|error| io::Error::other(error.to_string()))
}
