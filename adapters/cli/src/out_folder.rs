//! `--out`: a run's tables as CSV files. They are written aside while the run goes on and put in
//! place when it is over, so that the folder never shows half a run.

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

/// A folder that takes the tables of one run.
pub(crate) struct OutFolder {
    run: RunId,
    folder: PathBuf,
    aside: PathBuf,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    open: HashMap<&'static str, BufWriter<File>>,
    text: Vec<u8>,
    /// The first thing that could not be written; the run goes on without the folder.
    failure: Option<io::Error>,
}

impl OutFolder {
    pub(crate) fn new(run: RunId, folder: &Path) -> io::Result<Self> {
        let aside = folder.join(format!(".partial-{run}"));
        fs::create_dir_all(&aside)?;
        Ok(Self { run, folder: folder.to_owned(), aside, files: Mutex::default() })
    }

    /// Takes the next rows.
    pub(crate) fn take(&self, batches: &[RowBatch]) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        for batch in batches {
            if files.failure.is_none()
                && let Err(error) = files.write(self, batch)
            {
                files.failure = Some(error);
            }
        }
    }

    /// Puts the files in place, with `outcome.csv`, instead of those of a former run. Of a run that
    /// is not Complete only what it has is written: findings, log, history.
    ///
    /// # Errors
    /// Where a file could not be written; what was put in place by then stays, and nothing is left
    /// aside.
    pub(crate) fn finish(self, summary: &RunSummary) -> io::Result<()> {
        let aside = self.aside.clone();
        self.put_in_place(summary).inspect_err(|_| discard(&aside))
    }

    fn put_in_place(self, summary: &RunSummary) -> io::Result<()> {
        let mut files = self.files.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = files.failure {
            return Err(error);
        }
        for file in files.open.values_mut() {
            file.flush()?;
        }
        for table in tables::ALL {
            let (aside, place) =
                (self.aside.join(file_name(table)), self.folder.join(file_name(table)));
            let keep = is_kept(table, summary);
            if keep && !files.open.contains_key(table.name) {
                fs::write(&aside, header(table))?;
            }
            if keep {
                fs::rename(&aside, &place)?;
            } else if place.exists() {
                fs::remove_file(&place)?;
            }
        }
        fs::write(self.folder.join("outcome.csv"), outcome(summary)?)?;
        fs::remove_dir_all(&self.aside)
    }

    /// Leaves the folder as it was.
    pub(crate) fn discard(self) {
        discard(&self.aside);
    }
}

fn discard(aside: &Path) {
    // Nothing depends on what is left in a folder of this name.
    let _ = fs::remove_dir_all(aside);
}

/// Tables that say something of a run that is not Complete.
const RECORDS_OF_ANY_RUN: [&str; 3] =
    ["pfill_preflight_findings", "pfill_powerfill_log", "pfill_run_history"];

/// Whether a table of the run is written: of a run that is not Complete only what says so.
pub(crate) fn is_kept(table: &TableSpec, summary: &RunSummary) -> bool {
    let complete = summary.failure.is_none() && summary.cancellation.is_none();
    complete || RECORDS_OF_ANY_RUN.contains(&table.name)
}

impl Files {
    fn write(&mut self, out: &OutFolder, batch: &RowBatch) -> io::Result<()> {
        let name = batch.table.name;
        if !self.open.contains_key(name) {
            let mut file = BufWriter::new(File::create(out.aside.join(file_name(batch.table)))?);
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
