//! The conformance cases: engine, model and checker agree.

use std::path::{Path, PathBuf};

use powerfill_csv::read_folder;
use powerfill_domain::checks::verify;
use powerfill_domain::engine::decide_all;
use powerfill_domain::snapshot::{RunOptions, Snapshot, validate};
use powerfill_model::run;

use crate::compare::differences;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

/// Snapshot and options in a folder, unless they are refused.
pub(crate) fn book(case: &Path) -> Option<(Snapshot, RunOptions)> {
    let validated = validate(read_folder(&case.join("snapshot")).unwrap()).ok()?;
    let options = std::fs::read_to_string(case.join("options.json")).unwrap();
    Some((validated.snapshot, RunOptions::from_json(&options).ok()?))
}

/// A conformance case that runs, by the number that it begins with.
pub(crate) fn case(number: &str) -> (Snapshot, RunOptions) {
    let named = |entry: &std::fs::DirEntry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with(number))
    };
    let folder = std::fs::read_dir(cases()).unwrap().map(Result::unwrap).find(named);
    book(&folder.expect("a case of this number").path()).expect("a case that runs")
}

fn judge(folder: &Path) -> Option<Vec<String>> {
    let (snapshot, options) = book(folder)?;
    let model = run(&snapshot, &options);
    let events = decide_all(&snapshot, &options);
    let mut found = differences(&events, &model);
    if model.completes {
        found.extend(verify(&snapshot, &options, &[events]).err().map(|fault| fault.to_string()));
    }
    Some(found)
}

#[test]
fn engine_model_and_checker_agree() {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let (mut judged, mut failed) = (0, vec![]);
    for folder in folders.iter().filter(|path| path.join("snapshot").is_dir()) {
        let Some(found) = judge(folder) else { continue };
        judged += 1;
        if !found.is_empty() {
            failed.push(format!("{}\n{}", folder.display(), found.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(judged >= 42, "{judged} cases judged");
}

/// A whole tenant's book, as the generator makes it: some seconds in release, a minute otherwise.
#[test]
#[ignore = "takes a minute"]
fn a_tenants_book() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = powerfill_generator::Scale::Demo.sizes();
    powerfill_generator::generate(&sizes, 7, &folder.path().join("snapshot")).unwrap();
    let options = r#"{"price_mode": "pc", "switch_threshold": "0.125", "bx_price_floor": "99"}"#;
    std::fs::write(folder.path().join("options.json"), options).unwrap();
    let found = judge(folder.path()).expect("a book that runs");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A book outside the project, with the time that the engine and the checker take:
/// `POWERFILL_CASE=<folder> cargo test -p powerfill-model --release --test engine elsewhere -- --ignored --nocapture`.
#[test]
#[ignore = "needs a folder in POWERFILL_CASE"]
fn a_case_elsewhere() {
    let folder = PathBuf::from(std::env::var_os("POWERFILL_CASE").expect("POWERFILL_CASE"));
    let (snapshot, options) = book(&folder).expect("a case that runs");
    let mut events = vec![];
    for _ in 0..5 {
        let begin = std::time::Instant::now();
        events = vec![decide_all(&snapshot, &options)];
        let decided = begin.elapsed();
        let verified = verify(&snapshot, &options, &events).unwrap();
        let took = begin.elapsed() - decided;
        println!("{} events decided in {decided:?}, verified in {took:?}", events[0].len());
        assert_eq!(verified.checks.len(), 7);
    }
    if std::env::var_os("POWERFILL_SKIP_MODEL").is_none() {
        let found = differences(&events[0], &run(&snapshot, &options));
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}
