//! Reads a source by a mapping: the files of another system become the input tables.

use std::error::Error;
use std::iter::successors;
use std::path::Path;
use std::sync::Arc;

use powerfill_events::run::event::{MappedFile, SourceMapping};
use powerfill_mapping::{Mapping, TargetSchema, draft_source, map_source};
use powerfill_snapshot::{Fault, FaultReport, IgnoredPart, RawSnapshot, TableLimit, TableTooLarge};

use crate::error::CliError;
use crate::foreign::{ForeignTables, is_text_file};
use crate::output::print_text;
use crate::urls::SourceUrl;

/// Reads the input tables by a mapping file, which the result records. A table that is larger than
/// the limit is an error.
pub(crate) async fn read(
    source: &SourceUrl,
    file: &Path,
    limit: TableLimit,
) -> Result<RawSnapshot, CliError> {
    let unreadable = |error| CliError::context(format!("cannot read {}", file.display()), error);
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let name = file.display().to_string();
    let mapping = Mapping::parse(TargetSchema::of_inputs(), &name, &text);
    let mapping = Arc::new(mapping.map_err(CliError::environment)?.within(limit));
    let foreign = read_foreign(source, &mapping, WantedTables::Mapped).await;
    let ForeignTables { tables, ignored, names } =
        foreign.map_err(|error| refuse_too_large(source, error))?;
    let mapped = tokio::task::spawn_blocking(move || map_source(&mapping, &tables, &names)).await;
    let mapped = mapped.map_err(CliError::environment)?.map_err(CliError::environment);
    let mapped = mapped.map_err(|error| refuse_too_large(source, error))?;
    let files = mapped.files.into_iter();
    let mut snapshot = mapped.snapshot;
    snapshot.ignored.extend(ignored.into_iter().map(IgnoredPart::Relation));
    snapshot.mapping = Some(SourceMapping {
        file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        digest: blake3::hash(text.as_bytes()).to_hex().to_string(),
        text,
        files: files.map(|(name, digest)| MappedFile { name, digest }).collect(),
        notes: mapped.notes,
    });
    Ok(snapshot)
}

/// A table that is too large is a fault of the source, as it is without a mapping.
fn refuse_too_large(source: &SourceUrl, error: CliError) -> CliError {
    match table_too_large(&error) {
        None => error,
        Some(TableTooLarge { table, source: limit }) => {
            let fault = Fault::unreadable(table.clone(), limit.to_string());
            let report = FaultReport { faults: vec![fault] };
            CliError::Faults { what: format!("{source} is refused"), report, all: false }
        }
    }
}

/// The table that was too large to be read.
pub(crate) fn table_too_large(error: &CliError) -> Option<&TableTooLarge> {
    let CliError::Environment(cause) = error else { return None };
    let cause: &(dyn Error + 'static) = &**cause;
    successors(Some(cause), |cause| (*cause).source()).find_map(|cause| cause.downcast_ref())
}

/// Writes a draft of a mapping for a source.
pub(crate) async fn write_draft(source: &SourceUrl, file: &Path) -> Result<(), CliError> {
    if file.exists() {
        let message = format!("{} exists already; name another file", file.display());
        return Err(CliError::environment(message));
    }
    let mapping = Arc::new(Mapping::for_draft());
    let foreign = read_foreign(source, &mapping, WantedTables::AllData).await?;
    if foreign.tables.is_empty() {
        let has_messages = |name: &String| powerfill_mismo::is_message(Path::new(name));
        let mismo = match (source, foreign.ignored.iter().any(has_messages)) {
            (SourceUrl::Folder(folder), true) => {
                format!("; the source of MISMO messages is mismo:{}", folder.display())
            }
            _ => String::new(),
        };
        let message =
            format!("{source} has no file, sheet, or table to draft a mapping for{mismo}");
        return Err(CliError::environment(message));
    }
    let text = draft_source(&source.to_string(), &foreign.tables);
    let unwritable = |error| CliError::context(format!("cannot write {}", file.display()), error);
    std::fs::write(file, text).map_err(unwritable)?;
    let shown = file.display();
    print_text(format!(
        "{shown} is written; review it, then: powerfill check {source} --mapping {shown}\n"
    ))
}

/// Which tables of a source are read.
#[derive(Debug, Clone, Copy)]
enum WantedTables {
    /// Those that the mapping names, and those with the name of an input table.
    Mapped,
    /// Text files, sheets, and tables of a database.
    AllData,
}

impl WantedTables {
    fn accept(self, mapping: &Mapping, file: &str, is_sheet: bool, name: &str) -> bool {
        match self {
            Self::Mapped => {
                let has_data = is_sheet || is_text_file(file);
                mapping.is_named(file, is_sheet, name) || (has_data && mapping.is_default(name))
            }
            Self::AllData => is_sheet || is_text_file(file),
        }
    }
}

/// Reads the wanted tables of a source.
async fn read_foreign(
    source: &SourceUrl,
    mapping: &Arc<Mapping>,
    wanted: WantedTables,
) -> Result<ForeignTables, CliError> {
    let url = source.to_string();
    let is_wanted = |name: &str| wanted.accept(mapping, &url, true, name);
    let (tables, ignored) = match source {
        SourceUrl::Folder(_)
        | SourceUrl::Workbook(_)
        | SourceUrl::Sqlite(_)
        | SourceUrl::Mismo(_) => {
            let (source, mapping) = (source.clone(), Arc::clone(mapping));
            let read = move || read_files(&source, &mapping, wanted);
            return tokio::task::spawn_blocking(read).await.map_err(CliError::environment)?;
        }
        SourceUrl::Postgres(database) => {
            let read =
                powerfill_postgres::source::read_wanted(database, mapping.limit(), is_wanted).await;
            read.map_err(CliError::environment)?
        }
        SourceUrl::SqlServer(database) => {
            let read =
                powerfill_sqlserver::export::read(database, mapping.limit(), is_wanted).await;
            (read.map_err(CliError::environment)?, Vec::new())
        }
    };
    Ok(ForeignTables::of_database(&url, tables, ignored))
}

/// Reads the wanted tables of files; blocks.
fn read_files(
    source: &SourceUrl,
    mapping: &Mapping,
    wanted: WantedTables,
) -> Result<ForeignTables, CliError> {
    let is_wanted =
        |file: &str, is_sheet: bool, name: &str| wanted.accept(mapping, file, is_sheet, name);
    match source {
        SourceUrl::Folder(folder) => ForeignTables::of_folder(folder, mapping, &is_wanted),
        SourceUrl::Workbook(file) => ForeignTables::of_workbook(file, mapping, &is_wanted),
        SourceUrl::Mismo(path) => ForeignTables::of_messages(path, mapping, &is_wanted),
        SourceUrl::Sqlite(file) => {
            let url = source.to_string();
            let is_wanted = |name: &str| is_wanted(&url, true, name);
            let read = powerfill_sqlite::source::read_wanted(file, mapping.limit(), is_wanted);
            let (tables, ignored) = read.map_err(CliError::environment)?;
            Ok(ForeignTables::of_database(&url, tables, ignored))
        }
        SourceUrl::Postgres(_) | SourceUrl::SqlServer(_) => Ok(ForeignTables::default()),
    }
}
