//! Reads the source of a URL: files on a thread that may block, databases on their connections.

use std::path::Path;

use powerfill_snapshot::{
    FaultCode, IgnoredPart, RawSnapshot, SourceFault, TableLimit, TableTooLarge,
};

use crate::error::{CliError, CliResult};
use crate::mapped;
use crate::output::print_note;
use crate::urls::SourceUrl;

impl SourceUrl {
    /// Reads the tables, without validation.
    pub(crate) async fn read(&self) -> CliResult<RawSnapshot> {
        self.read_limited(TableLimit::default()).await
    }

    /// As [`SourceUrl::read`]. A larger table is a fault, and is read no further: a compressed
    /// file, or a view, can have any size.
    async fn read_limited(&self, limit: TableLimit) -> CliResult<RawSnapshot> {
        match self {
            Self::Folder(path) => {
                read_file(path, move |path| powerfill_csv::read_folder_limited(path, limit)).await
            }
            Self::Sqlite(path) => {
                read_file(path, move |path| powerfill_sqlite::source::read_limited(path, limit))
                    .await
            }
            Self::Workbook(path) => {
                read_file(path, move |path| powerfill_xlsx::read_limited(path, limit)).await
            }
            Self::Mismo(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_messages(&path, limit)).await;
                read.map_err(CliError::environment)?
            }
            Self::Postgres(url) => powerfill_postgres::source::read_limited(url, limit)
                .await
                .map_err(CliError::environment),
            Self::SqlServer(url) => powerfill_sqlserver::source::read_limited(url, limit)
                .await
                .map_err(CliError::environment),
        }
    }

    /// As [`SourceUrl::read`], or by a mapping, with tables of at most this size; prints ignored
    /// tables, notes, and warnings on standard error.
    pub(crate) async fn read_with_notes(
        &self,
        mapping: Option<&Path>,
        limit: TableLimit,
    ) -> CliResult<RawSnapshot> {
        let raw = match mapping {
            Some(mapping) => mapped::read(self, mapping, limit).await?,
            None => self.read_limited(limit).await?,
        };
        for note in raw.mapping.iter().flat_map(|mapping| &mapping.notes) {
            print_note(format_args!("note: {note}\n"));
        }
        for name in &raw.ignored {
            let mismo = match (self, name) {
                (Self::Folder(folder), IgnoredPart::File(file))
                    if powerfill_mismo::is_message(Path::new(file)) =>
                {
                    format!(
                        "; if it is a message of MISMO, the source is mismo:{}",
                        folder.display()
                    )
                }
                _ => String::new(),
            };
            print_note(format_args!(
                "note: {name} is not a table of a snapshot and is ignored{mismo}\n"
            ));
        }
        for warning in &raw.warnings {
            print_note(format_args!("warning: {warning}\n"));
        }
        Ok(raw)
    }
}

/// Reads MISMO messages as `loan`, and the other tables of their folder.
fn read_messages(path: &Path, limit: TableLimit) -> CliResult<RawSnapshot> {
    let mut raw = match path.is_dir() {
        true => powerfill_csv::read_folder_limited(path, limit).map_err(CliError::environment)?,
        false => RawSnapshot::default(),
    };
    let is_message = |part: &IgnoredPart| matches!(part, IgnoredPart::File(name) if powerfill_mismo::is_message(Path::new(name)));
    raw.ignored.retain(|part| !is_message(part));
    let loans = match powerfill_mismo::read(path, limit).map_err(CliError::environment) {
        Ok(loans) => loans.table,
        Err(error) => {
            let Some(TableTooLarge { table, source }) = mapped::table_too_large(&error) else {
                return Err(error);
            };
            let (table, reason) = (table.clone(), source.to_string());
            raw.faults.push(SourceFault { table, code: FaultCode::Unreadable, reason });
            return Ok(raw);
        }
    };
    if raw.tables.iter().any(|table| table.name().eq_ignore_ascii_case(loans.name())) {
        return Err(CliError::environment(format!(
            "{} has loans twice: in messages and in loan.csv; move one of them away",
            path.display()
        )));
    }
    raw.tables.push(loans);
    Ok(raw)
}

/// Reads files on a thread that may block.
async fn read_file<E: std::error::Error + Send + Sync + 'static>(
    path: &Path,
    read: impl FnOnce(&Path) -> Result<RawSnapshot, E> + Send + 'static,
) -> CliResult<RawSnapshot> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read(&path)).await;
    read.map_err(CliError::environment)?.map_err(CliError::environment)
}
