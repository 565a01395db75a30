//! Paths of this repository that documents name in backticks.

use std::collections::BTreeSet;

use powerfill_tests::repository::{files, text};

use crate::{assert_none, documents, fits, prose};

/// The patterns without braces that a pattern with braces stands for: `{a,b}.rs` is two.
fn expanded(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else { return vec![pattern.to_owned()] };
    let Some((choices, after)) = rest.split_once('}') else { return vec![pattern.to_owned()] };
    let one = |choice| expanded(&format!("{before}{choice}{after}"));
    choices.split(',').flat_map(one).collect()
}

/// The paths in backticks of a line that are of this repository: those below a folder of the top,
/// and every Rust and SQL file, which must stand there with its whole path.
fn named_paths(line: &str, top: &BTreeSet<String>) -> Vec<String> {
    let spans = line.split('`').skip(1).step_by(2);
    let paths = spans.filter(|span| {
        let below_top = span.split_once('/').is_some_and(|(first, _)| top.contains(first));
        let is_path = !span.contains([' ', '<', '…', ':', '(']);
        is_path && (below_top || span.ends_with(".rs") || span.ends_with(".sql"))
    });
    paths.map(|path| path.trim_end_matches('/').to_owned()).collect()
}

#[test]
fn every_path_that_a_document_names_exists() {
    let files = files();
    let folder = |file: &String| file.split_once('/').map(|(first, _)| first.to_owned());
    let top: BTreeSet<String> = files.iter().filter_map(folder).collect();
    let mut missing = Vec::new();
    for (file, document) in documents() {
        for line in prose(&file, &document) {
            for pattern in named_paths(&line.text, &top).iter().flat_map(|path| expanded(path)) {
                if !files.iter().any(|file| fits(&pattern, file)) {
                    missing.push(format!("{}: {pattern}", line.place));
                }
            }
        }
    }
    assert_none("no such file or folder; paths begin at the top", &missing);
}

#[test]
fn every_crate_has_a_row_in_the_architecture() {
    let architecture = text("docs/ARCHITECTURE.md");
    let manifest: toml::Table = text("Cargo.toml").parse().expect("a manifest");
    let members = manifest["workspace"]["members"].as_array().expect("a list of folders");
    let members = members.iter().filter_map(toml::Value::as_str).map(str::to_owned);
    let has_row = |folder: &String| architecture.contains(&format!("\n| `{folder}` |"));
    let missing: Vec<String> = members.filter(|folder| !has_row(folder)).collect();
    assert_none("no row in docs/ARCHITECTURE.md", &missing);
}
