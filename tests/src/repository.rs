//! The files of this repository, for the tests that read them.

use std::fs;
use std::path::Path;
use std::process::Command;

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The files of the repository, new ones included; files that git ignores are left out.
///
/// # Panics
/// Where git cannot list them.
pub fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .expect("git lists the files of the repository");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let names = names.split_terminator('\0').filter(|name| Path::new(TOP).join(name).is_file());
    names.map(str::to_owned).collect()
}

/// The text of a file of the repository; bytes that are not UTF-8 are replaced.
///
/// # Panics
/// Where the file cannot be read.
pub fn text(file: &str) -> String {
    let bytes = fs::read(Path::new(TOP).join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The Rust sources of the repository, each with its text.
pub fn sources() -> impl Iterator<Item = (String, String)> {
    let sources = files().into_iter().filter(|file| file.ends_with(".rs"));
    sources.map(|file| (file.clone(), text(&file)))
}
