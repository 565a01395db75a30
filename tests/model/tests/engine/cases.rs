//! The conformance cases: engine and model agree, and the checks pass.

use std::path::{Path, PathBuf};

use powerfill_checks::verify;
use powerfill_csv::read_folder;
use powerfill_engine::decide_all;
use powerfill_model::run;
use powerfill_snapshot::{RunOptions, Snapshot, validate};

use crate::compare::differences;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

/// Snapshot and options of a folder; `None` where validation refuses them.
pub(crate) fn book(case: &Path) -> Option<(Snapshot, RunOptions)> {
    let validated = validate(read_folder(&case.join("snapshot")).unwrap()).ok()?;
    let options = std::fs::read_to_string(case.join("options.json")).unwrap();
    Some((validated.snapshot, powerfill_snapshot::options_from_json(&options).ok()?))
}

/// The conformance case whose name begins with this number.
pub(crate) fn case(number: &str) -> (Snapshot, RunOptions) {
    let named = |entry: &std::fs::DirEntry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with(number))
    };
    let folder = std::fs::read_dir(cases()).unwrap().map(Result::unwrap).find(named);
    book(&folder.expect("a case has this number").path()).expect("the case is valid")
}

/// Every conformance case that validation accepts, with its name.
pub(crate) fn all() -> Vec<(String, Snapshot, RunOptions)> {
    let folders = std::fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.filter(|at| at.join("snapshot").is_dir()).collect();
    folders.sort();
    let named = |folder: PathBuf| {
        let (snapshot, options) = book(&folder)?;
        Some((folder.display().to_string(), snapshot, options))
    };
    folders.into_iter().filter_map(named).collect()
}

fn judge(snapshot: &Snapshot, options: &RunOptions) -> Vec<String> {
    let model = run(snapshot, options);
    let events = decide_all(snapshot, options);
    let mut found = differences(&events, &model);
    if model.completes {
        found.extend(verify(snapshot, options, &[events]).err().map(|fault| fault.to_string()));
    }
    found
}

#[test]
fn engine_model_and_checker_agree() {
    let (mut judged, mut failed) = (0, vec![]);
    for (name, snapshot, options) in all() {
        let found = judge(&snapshot, &options);
        judged += 1;
        if !found.is_empty() {
            failed.push(format!("{name}\n{}", found.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(judged >= 42, "{judged} cases judged");
}
