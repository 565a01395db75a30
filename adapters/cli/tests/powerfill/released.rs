//! Stores of released versions stay readable: today's program verifies, replays, rebuilds,
//! explains, and compares the stores in `tests/released`, and gives the answers of the program that
//! made them.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use powerfill_tests::postgres::{TestDatabase, connect};
use serde_json::Value;

use crate::sandbox::Sandbox;

/// The folders of the released versions.
pub(crate) fn versions() -> Vec<PathBuf> {
    let released = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/released");
    let entries = fs::read_dir(released).expect("the evidence exists");
    let folders = entries.map(|entry| entry.expect("the folder can be listed").path());
    let mut versions: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    versions.sort();
    versions
}

/// The content of a compressed file.
pub(crate) fn unpacked(file: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(file).expect("the evidence exists");
    GzDecoder::new(file).read_to_end(&mut bytes).expect("the file is whole");
    bytes
}

/// Runs a command on a released store. Exit status 1 means that the answer is no, which the JSON
/// contains too.
fn answer(sandbox: &Sandbox, line: &str) -> Value {
    let answer = sandbox.run_line(&format!("{line} --format json"));
    assert!(matches!(answer.status, Some(0 | 1)), "{line}: {}{}", answer.out, answer.err);
    answer.json()
}

/// Fails if today's answer contradicts the recorded one. Fields may be added; the program's version
/// may differ.
#[track_caller]
fn assert_contains(recorded: &Value, today: &Value, path: &str) {
    match (recorded, today) {
        (Value::Object(recorded), Value::Object(today)) => {
            for (name, value) in recorded {
                // The version of the program that replays is today's.
                if name == "replayed_by" || name == "replayed_spec" {
                    continue;
                }
                let value_today = today.get(name).unwrap_or_else(|| panic!("{path} lacks {name}"));
                assert_contains(value, value_today, &format!("{path}.{name}"));
            }
        }
        (Value::Array(recorded), Value::Array(today)) => {
            assert_eq!(recorded.len(), today.len(), "{path}");
            for (at, (value, value_today)) in recorded.iter().zip(today).enumerate() {
                assert_contains(value, value_today, &format!("{path}[{at}]"));
            }
        }
        _ => assert_eq!(recorded, today, "{path}"),
    }
}

/// Compares the answers of today's program about a store with those of the program that made it. A
/// rebuild adds the tables of later versions, so that `verify` counts more rows.
fn assert_readable(version: &Path, sandbox: &Sandbox, is_rebuilt: bool) {
    let recorded = |name: &str| -> Value {
        let file = version.join("answers").join(format!("{name}.json"));
        let text = fs::read(&file).unwrap_or_else(|_| panic!("{}", file.display()));
        let mut answer: Value = serde_json::from_slice(&text).expect("an answer is JSON");
        if name.ends_with(".verify") {
            // 0.1.0 did not count the snapshot of a run.
            answer.as_object_mut().expect("an object").remove("snapshots");
        }
        if let Some(answer) =
            answer.as_object_mut().filter(|_| is_rebuilt && name.ends_with("verify"))
        {
            answer.remove("rows");
        }
        answer
    };
    let runs = recorded("runs");
    let mut runs: Vec<&str> =
        runs.as_array().unwrap().iter().map(|run| run["run_id"].as_str().unwrap()).collect();
    runs.reverse();
    let seal = version.join("seal.json");
    sandbox.run(["seal", "check", &seal.display().to_string()]).success();
    assert_contains(&recorded("verify"), &answer(sandbox, "verify"), "verify");
    assert_contains(&recorded("runs"), &answer(sandbox, "runs"), "runs");
    assert_contains(&recorded("config"), &answer(sandbox, "config list"), "config");
    assert_contains(&recorded("history"), &answer(sandbox, "config history"), "history");
    let line = format!("diff {} --against {} --candidates", runs[2], runs[3]);
    let mut differences = recorded("diff");
    for table in differences["tables"].as_array_mut().expect("tables") {
        // Later programs judge a turn as a number.
        table.as_object_mut().expect("a table").remove("decision");
    }
    assert_contains(&differences, &answer(sandbox, &line), "diff");
    for (number, run) in runs.iter().enumerate() {
        for command in ["show", "replay", "verify"] {
            let name = format!("{}.{command}", number + 1);
            assert_contains(&recorded(&name), &answer(sandbox, &format!("{command} {run}")), &name);
        }
    }
    let entries = fs::read_dir(version.join("answers")).expect("the answers are there");
    let mut explained = 0;
    for entry in entries {
        let file = entry.expect("the folder can be listed").file_name();
        let name = file.to_string_lossy().trim_end_matches(".json").to_owned();
        let [number, what @ ("loan" | "trade"), id] = name.splitn(3, '.').collect::<Vec<_>>()[..]
        else {
            continue;
        };
        let run = runs[number.parse::<usize>().unwrap() - 1];
        let today = answer(sandbox, &format!("explain {run} --{what} {id}"));
        assert_contains(&recorded(&name), &today, &name);
        explained += 1;
    }
    assert!(explained > 0, "no explanation was recorded");
    for run in &runs[..4] {
        sandbox.run(["rebuild", run]).success();
        let verified = answer(sandbox, &format!("verify {run}"));
        assert_eq!(verified["found"], Value::Null, "{run} after rebuild");
    }
}

/// Moves the events into blocks, and completes the list of runs. A second call finds nothing to do.
fn assert_migrates(sandbox: &Sandbox) {
    let position = answer(sandbox, "verify")["events"].as_u64().unwrap();
    let migrated = sandbox.run_ok("migrate");
    let (moved, rest) = migrated.split_once('\n').expect("three lines");
    let (listed, schema) = rest.split_once('\n').expect("three lines");
    assert!(listed.starts_with("the list of runs has the value of "), "{listed}");
    assert_eq!(moved.replace(',', ""), format!("events 1 to {position} are now stored in blocks"));
    assert_eq!(sandbox.run_ok("migrate"), schema);
}

#[test]
fn every_released_version_has_its_evidence() {
    let changelog = include_str!("../../../../docs/CHANGELOG.md");
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## ["));
    let mut released: Vec<&str> =
        headings.filter_map(|heading| Some(heading.split_once("] - ")?.0)).collect();
    released.sort_unstable();
    let names: Vec<String> = versions()
        .iter()
        .map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, released, "tests/released/make.sh makes the evidence of a version");
}

#[test]
fn stores_of_released_versions_stay_readable_in_sqlite() {
    for version in versions() {
        let sandbox = Sandbox::new();
        sandbox.write("powerfill.db", unpacked(&version.join("store.db.gz")));
        assert_readable(&version, &sandbox, false);
        let file_size = || fs::metadata(sandbox.path("powerfill.db")).unwrap().len();
        let before = file_size();
        assert_migrates(&sandbox);
        assert!(file_size() < before / 2, "{before} bytes, then {}", file_size());
        assert_readable(&version, &sandbox, true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_of_released_versions_stay_readable_in_postgresql() {
    for version in versions() {
        let database = TestDatabase::new();
        let url = database.url().await;
        let sql = String::from_utf8(unpacked(&version.join("postgres.sql.gz"))).unwrap();
        connect(&url).await.batch_execute(&sql).await.expect("the dump loads");
        let sandbox = Sandbox::with_store(url);
        let read = move || {
            assert_readable(&version, &sandbox, false);
            assert_migrates(&sandbox);
            assert_readable(&version, &sandbox, true);
        };
        tokio::task::spawn_blocking(read).await.unwrap();
    }
}
