//! Where a snapshot is read, for the record of the run: the kind of the source, its place without
//! secrets, and its files.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use powerfill_events::run::event::{SourceFile, SourceProvenance};
use powerfill_events::values::Timestamp;

use crate::urls::SourceUrl;
use crate::words::seconds;

/// The source as it is now. What cannot be looked at is left out: reading it reports why.
pub(crate) fn of_source(source: &SourceUrl) -> SourceProvenance {
    let kind = match source {
        SourceUrl::Folder(_) => "dir",
        SourceUrl::Sqlite(_) => "sqlite",
        SourceUrl::Workbook(_) => "xlsx",
        SourceUrl::Mismo(_) => "mismo",
        SourceUrl::Postgres(_) => "postgres",
        SourceUrl::SqlServer(_) => "mssql",
    };
    let path = source.local_path();
    // A relative path says nothing to a reader of another day.
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let place =
        path.map_or_else(|| source.to_string(), |path| absolute(path).display().to_string());
    SourceProvenance {
        kind: kind.to_owned(),
        place,
        files: path.map(files_of).unwrap_or_default(),
        configuration_version: None,
        tables: Vec::new(),
    }
}

/// The file, or the visible files of the folder, by name.
fn files_of(path: &Path) -> Vec<SourceFile> {
    if !path.is_dir() {
        return file_of(path).into_iter().collect();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut files: Vec<SourceFile> = entries.filter_map(|entry| file_of(&entry.path())).collect();
    files.retain(|file| !file.name.starts_with('.'));
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files
}

fn file_of(path: &Path) -> Option<SourceFile> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let micros = modified.and_then(|since_1970| i64::try_from(since_1970.as_micros()).ok());
    Some(SourceFile {
        name: path.file_name()?.to_string_lossy().into_owned(),
        bytes: metadata.len(),
        modified_at: micros.map(Timestamp::from_micros),
    })
}

/// The provenance as lines of text.
pub(crate) fn text(provenance: &SourceProvenance) -> String {
    let SourceProvenance { kind, place, files, configuration_version, tables } = provenance;
    let from = match place.contains("://") {
        true => place.clone(),
        false => format!("{kind}:{place}"),
    };
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    let mut text = format!("Input from {from}: {} rows", crate::summary::count(rows));
    if let Some(newest) = files.iter().filter_map(|file| file.modified_at).max() {
        let count = files.len();
        let noun = if count == 1 { "file" } else { "files" };
        text += &format!(", {count} {noun}, last changed {}", seconds(newest));
    }
    if let Some(version) = configuration_version {
        text += &format!(", configuration version {version}");
    }
    text
}
