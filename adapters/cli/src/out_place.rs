//! What `--out` may name: a folder for tables, a file for a workbook, and never the input itself;
//! and files that are replaced as a whole.

use std::fs;
use std::path::Path;

use crate::error::{CliError, CliResult};
use crate::urls::SourceUrl;

/// Endings of names that people give to files, and not to folders.
const FILE_ENDINGS: [&str; 8] = ["csv", "db", "json", "ods", "pfe", "txt", "xls", "zip"];

/// Whether the name is that of a workbook: `--format xlsx` need not say it again.
pub(crate) fn is_workbook(out: &Path) -> bool {
    ending(out).is_some_and(|ending| ending == "xlsx")
}

fn ending(out: &Path) -> Option<String> {
    out.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase)
}

/// Refuses a folder with the name of a file.
pub(crate) fn ensure_folder(out: &Path) -> CliResult<()> {
    let is_file = ending(out).is_some_and(|e| e == "xlsx" || FILE_ENDINGS.contains(&e.as_str()));
    if !is_file || out.is_dir() {
        return Ok(());
    }
    let named = out.display();
    let folder = out.with_extension("");
    Err(CliError::environment(format!(
        "--out {named}: this is the name of a file, and the tables are files in a folder; name a \
         folder, such as {}",
        folder.display()
    )))
}

/// Refuses a place that would put outputs into the input, or over it.
pub(crate) fn ensure_apart(out: &Path, source: &SourceUrl) -> CliResult<()> {
    let (Some(place), Ok(out_place)) = (source.local_path(), out.canonicalize()) else {
        return Ok(());
    };
    if place.canonicalize().is_ok_and(|place| place == out_place) {
        return Err(CliError::environment(format!(
            "--out {} is the input itself ({source}); name another place, so that the input stays \
             as it is",
            out.display()
        )));
    }
    Ok(())
}

/// Writes a temporary file and renames it, so that a full disk does not damage a former file.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> CliResult<()> {
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, file));
    written.map_err(|error| {
        // A temporary file that remains is harmless.
        let _ = fs::remove_file(&partial);
        CliError::context(format!("cannot write {}", file.display()), error)
    })
}
