//! Generated files, which must be up to date.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
fn top() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A path inside the repository.
pub(crate) fn path(inside: &str) -> PathBuf {
    top().join(inside)
}

/// The names of the files in a folder, sorted.
pub(crate) fn names_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(path(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
    let mut names: Vec<String> = entries.map(|entry| name(entry).unwrap()).collect();
    names.sort();
    names
}

/// The text of a file.
#[track_caller]
pub(crate) fn read(inside: &str) -> String {
    fs::read_to_string(path(inside)).unwrap_or_else(|e| panic!("{inside}: {e}"))
}

/// Fails if the file has another text. With `UPDATE` set, writes it instead.
#[track_caller]
pub(crate) fn assert_is(inside: &str, text: &str) {
    let found = fs::read_to_string(path(inside)).unwrap_or_default();
    if found == text {
        return;
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path(inside).parent().unwrap()).unwrap();
        fs::write(path(inside), text).unwrap();
        return;
    }
    let differs = found.lines().zip(text.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| found.lines().count().min(text.lines().count()));
    panic!(
        "{inside} is stale at line {}:\n  there:     {:?}\n  generated: {:?}\n\
         UPDATE=1 cargo test -p powerfill-tests --test contracts",
        line + 1,
        found.lines().nth(line),
        text.lines().nth(line),
    );
}
