//! What released versions wrote stays readable: today's program verifies, replays, rebuilds,
//! explains, and compares the stores in `tests/released`, and says of them what the program that
//! made them said.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use powerfill_tests::postgres::{TestDatabase, connect};
use serde_json::Value;

use crate::desk::Desk;

/// The folders of the released versions.
fn versions() -> Vec<PathBuf> {
    let released = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/released");
    let entries = fs::read_dir(released).expect("the evidence is part of the project");
    let folders = entries.map(|entry| entry.expect("the folder can be listed").path());
    let mut versions: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    versions.sort();
    versions
}

fn unpacked(file: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(file).expect("the evidence is part of the project");
    GzDecoder::new(file).read_to_end(&mut bytes).expect("the file is whole");
    bytes
}

/// Runs a command on a released store. Its exit status is 1 where its answer is "no", which JSON
/// says too.
fn answer(desk: &Desk, line: &str) -> Value {
    let answer = desk.type_in(&format!("{line} --format json"));
    assert!(matches!(answer.status, Some(0 | 1)), "{line}: {}{}", answer.out, answer.err);
    serde_json::from_str(&answer.out).unwrap_or_else(|_| panic!("{line}: {}", answer.out))
}

/// Fails where today's answer contradicts the recorded one. Fields may be added; the program's
/// version may differ.
#[track_caller]
fn assert_says(recorded: &Value, today: &Value, place: &str) {
    match (recorded, today) {
        (Value::Object(recorded), Value::Object(today)) => {
            for (name, value) in recorded {
                // The version of the program that replays or explains is today's.
                if name == "replayed_by" || name == "replayed_spec" {
                    continue;
                }
                let said = today.get(name).unwrap_or_else(|| panic!("{place} lacks {name}"));
                assert_says(value, said, &format!("{place}.{name}"));
            }
        }
        (Value::Array(recorded), Value::Array(today)) => {
            assert_eq!(recorded.len(), today.len(), "{place}");
            for (at, (value, said)) in recorded.iter().zip(today).enumerate() {
                assert_says(value, said, &format!("{place}[{at}]"));
            }
        }
        _ => assert_eq!(recorded, today, "{place}"),
    }
}

/// Holds everything that today's program says of a store against the answers of the program that
/// made it.
fn assert_readable(version: &Path, desk: &Desk) {
    let recorded = |name: &str| -> Value {
        let file = version.join("answers").join(format!("{name}.json"));
        serde_json::from_slice(&fs::read(&file).unwrap_or_else(|_| panic!("{}", file.display())))
            .expect("an answer is JSON")
    };
    let runs = recorded("runs");
    let mut runs: Vec<&str> =
        runs.as_array().unwrap().iter().map(|run| run["run_id"].as_str().unwrap()).collect();
    runs.reverse();
    let seal = version.join("seal.json");
    desk.powerfill(["seal", "check", &seal.display().to_string()]).well();
    assert_says(&recorded("verify"), &answer(desk, "verify"), "verify");
    assert_says(&recorded("runs"), &answer(desk, "runs"), "runs");
    assert_says(&recorded("config"), &answer(desk, "config list"), "config");
    assert_says(&recorded("history"), &answer(desk, "config history"), "history");
    let diff = answer(desk, &format!("diff {} --against {}", runs[2], runs[3]));
    assert_says(&recorded("diff"), &diff, "diff");
    for (number, run) in runs.iter().enumerate() {
        for command in ["show", "replay", "verify"] {
            let name = format!("{}.{command}", number + 1);
            assert_says(&recorded(&name), &answer(desk, &format!("{command} {run}")), &name);
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
        let today = answer(desk, &format!("explain {run} --{what} {id}"));
        assert_says(&recorded(&name), &today, &name);
        explained += 1;
    }
    assert!(explained > 0, "no explanation was recorded");
    for run in &runs[..4] {
        desk.powerfill(["rebuild", run]).well();
        let verified = answer(desk, &format!("verify {run}"));
        assert_eq!(verified["found"], Value::Null, "{run} after rebuild");
    }
}

#[test]
fn every_released_version_left_its_evidence() {
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
        let desk = Desk::new();
        fs::write(desk.path("powerfill.db"), unpacked(&version.join("store.db.gz"))).unwrap();
        assert_readable(&version, &desk);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_of_released_versions_stay_readable_in_postgresql() {
    for version in versions() {
        let database = TestDatabase::new();
        let url = database.url().await;
        let sql = String::from_utf8(unpacked(&version.join("postgres.sql.gz"))).unwrap();
        connect(&url).await.batch_execute(&sql).await.expect("the dump loads");
        let desk = Desk::with_store(url);
        tokio::task::spawn_blocking(move || assert_readable(&version, &desk)).await.unwrap();
    }
}
