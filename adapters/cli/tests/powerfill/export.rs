//! `export`: which files a run has, and what a second export does.

use std::path::{Path, PathBuf};

use crate::sandbox::{Sandbox, case, source};

/// The Parquet files in a folder and its folders, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// The name of the table's folder.
fn table_of(file: &Path) -> &str {
    file.ancestors()
        .nth(3)
        .and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .expect("a name")
}

#[test]
fn a_run_has_a_file_per_table_and_a_second_export_writes_only_what_is_missing() {
    let sandbox = Sandbox::with_case("01", &[]);
    sandbox.prints("export --events --out lake", &[": 1 runs written to lake, "]);
    let lake = sandbox.path("lake");
    let written = files(&lake);
    assert_eq!(written.len(), 16, "fifteen tables and the events: {written:?}");
    let contents: Vec<Vec<u8>> = written.iter().map(|file| std::fs::read(file).unwrap()).collect();

    let second = sandbox.run_ok("export --all --events --out lake");
    assert!(second.ends_with(": 0 runs written to lake, 0 bytes; 1 were there\n"), "{second}");
    std::fs::remove_file(&written[3]).unwrap();
    sandbox.run_ok("export --all --events --out lake");
    sandbox.run_ok("export --all --events --out lake --overwrite");
    assert_eq!(files(&lake), written);
    for (file, content) in written.iter().zip(contents) {
        assert!(std::fs::read(file).unwrap() == content, "{} differs", file.display());
    }
}

#[test]
fn a_failed_run_has_only_the_tables_of_any_run() {
    let sandbox = Sandbox::new();
    let case = case("01");
    let refused = ["run", &source(&case), "--max-trade-settle-days", "0"];
    sandbox.run(refused).answers(1, &[]);
    sandbox.run_ok("export --out lake");
    let written = files(&sandbox.path("lake"));
    let tables: Vec<&str> = written.iter().map(|file| table_of(file)).collect();
    assert_eq!(
        tables,
        ["pfill_powerfill_log", "pfill_preflight_findings", "pfill_run_history"],
        "{written:?}"
    );
}

#[test]
fn what_cannot_be_exported_is_named() {
    let sandbox = Sandbox::with_case("01", &[]);
    let line = |line: &str| sandbox.run_line(line);
    line("export --out lake --table pfill_guide")
        .fails_with(2, &["pfill_guide", "pfill_trade_recap"]);
    line("export 0000 --out lake").fails_with(2, &["no run 0000"]);
    sandbox.write("file", "");
    line("export --out file").fails_with(2, &["file", "cannot be written"]);
    assert_eq!(std::fs::read(sandbox.path("file")).unwrap(), b"");
}

#[test]
fn the_place_is_a_folder_and_never_an_object_store() {
    let sandbox = Sandbox::with_case("01", &[]);
    let words = ["export writes to folders", "aws s3 sync lake s3://bucket/lake", "rclone"];
    sandbox.run_line("export --out s3://bucket/lake").fails_with(2, &words);
    assert!(!sandbox.path("s3:").exists());
    sandbox.run_ok("export --out file:lake");
    let absolute = format!("export --out file://{}", sandbox.path("absolute").display());
    sandbox.run_ok(&absolute);
    assert_eq!(files(&sandbox.path("lake")).len(), files(&sandbox.path("absolute")).len());
}
