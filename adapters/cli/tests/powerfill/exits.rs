//! Exit statuses and error messages: status 1 if the answer is no, 2 for usage and environment.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::sandbox::{Sandbox, case, options, source};

fn sandbox_with_run() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run(["run", &source(&case("03"))]).success();
    sandbox
}

/// A database browser with an unsaved change holds the write lock. It is released when the command
/// has said so.
#[test]
fn a_command_that_waits_says_for_whom_and_how_long() {
    let sandbox = sandbox_with_run();
    let browser = rusqlite::Connection::open(sandbox.path("powerfill.db")).unwrap();
    browser.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut run = sandbox.command(["run", &source(&case("03"))]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert_eq!(line, "waiting: another process is writing to powerfill.db (up to 5 min)");
    browser.execute_batch("ROLLBACK").unwrap();
    assert!(run.wait().unwrap().success());
    assert_eq!(lines.count(), 0, "one line is enough");
}

#[test]
fn unknown_arguments_are_usage_errors() {
    let sandbox = Sandbox::new();
    sandbox.run_line("").fails_with(2, &["Usage"]);
    sandbox.run_line("guess").fails_with(2, &["guess"]);
    sandbox.run_line("run dir:book --colour red").fails_with(2, &["--colour"]);
    sandbox.run_line("run ftp:book").fails_with(2, &["dir:FOLDER", "sqlite:FILE"]);
    sandbox.run_line("runs --store mysql:books").fails_with(2, &["--store", "sqlite:FILE"]);
    sandbox.run_line("runs --format yaml").fails_with(2, &["yaml", "json"]);
    sandbox.run_line("explain latest").fails_with(2, &["--loan", "--trade"]);
    sandbox.run_line("explain latest --loan A --trade B --what-if").fails_with(2, &["--trade"]);
    sandbox.run_line("explain latest --trade B --what-if").fails_with(2, &["--trade", "--what-if"]);
    sandbox.run_line("generate --loans many --out book").fails_with(2, &["many"]);
}

#[test]
fn all_rejected_options_are_named() {
    let sandbox = Sandbox::new();
    let source = source(&case("03"));
    let args = ["run", &source, "--scope", "all", "--max-eligible-days", "-1", "--as-of=soon"];
    sandbox.run(args).fails_with(2, &[]);
    let args = ["run", &source, "--scope", "all", "--max-eligible-days=-1", "--as-of=soon"];
    sandbox.run(args).fails_with(1, &["scope", "max_eligible_days", "as_of", "3 errors"]);
    assert!(!sandbox.path("powerfill.db").exists(), "a refused run creates no store");
}

#[test]
fn a_missing_source_is_named() {
    let sandbox = Sandbox::new();
    for command in ["check", "preflight", "run"] {
        sandbox.run_line(&format!("{command} dir:nowhere")).fails_with(2, &["nowhere"]);
        sandbox.run_line(&format!("{command} sqlite:nowhere.db")).fails_with(2, &["nowhere.db"]);
    }
    let (missing, source) = ("--options=nowhere.json", source(&case("03")));
    sandbox.run(["run", &source, missing]).fails_with(2, &["nowhere.json"]);
    assert!(!sandbox.path("nowhere.db").exists(), "reading creates no file");
}

#[test]
fn a_faulty_snapshot_is_refused_with_all_its_faults() {
    let sandbox = Sandbox::new();
    let faulty = source(&case("43"));
    for command in ["run", "preflight"] {
        sandbox.run([command, &faulty]).fails_with(1, &["is refused", "errors"]);
    }
    sandbox.run(["check", &faulty]).answers(1, &[" errors, "]);
    let warned = sandbox.run(["check", &source(&case("38"))]).success();
    assert!(warned.out.contains("0 errors"), "{}", warned.out);
}

#[test]
fn a_run_that_fails_at_preflight_has_status_1_and_its_records() {
    let sandbox = Sandbox::new();
    let case = case("39");
    let (source, options) = (source(&case), options(&case));
    let answer = sandbox.run(["run", &source, "--options", &options, "--out", "out"]);
    assert_eq!(answer.status, Some(1));
    assert!(answer.out.contains("Failed at preflight"), "{}", answer.out);
    let mut files: Vec<String> = std::fs::read_dir(sandbox.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let records = ["outcome", "pfill_powerfill_log", "pfill_preflight_findings"];
    let records = records.map(|name| format!("{name}.csv")).to_vec();
    assert_eq!(files, [records, vec!["pfill_run_history.csv".to_owned()]].concat());
}

#[test]
fn a_missing_item_of_the_store_is_named() {
    let sandbox = Sandbox::new();
    for line in ["runs", "show", "tables latest", "events latest", "verify", "rebuild"] {
        sandbox.run_line(line).fails_with(2, &["there is no store powerfill.db", "--store"]);
    }
    sandbox.run_ok("migrate");
    sandbox.run_line("show").fails_with(2, &["no run yet"]);
    let sandbox = sandbox_with_run();
    for line in ["show ffff", "tables ffff", "events ffff", "explain ffff --loan A"] {
        sandbox.run_line(line).fails_with(2, &["no run ffff", "powerfill runs"]);
    }
    sandbox
        .run_line("tables latest pfill_guess")
        .fails_with(2, &["pfill_guess", "pfill_pool_guide"]);
    sandbox.run_line("events latest --type Guess").fails_with(2, &["Guess", "LoanAllocated"]);
    sandbox.run_line("explain latest --loan A --format csv").fails_with(2, &["text or json"]);
    let unknown = sandbox.run_line("explain latest --loan X9");
    assert_eq!(unknown.out, "The snapshot of this run has no loan X9.\n");
    unknown.fails_with(1, &[]);
    sandbox.run_line("explain latest --loan L1 --what-if").fails_with(2, &["L1", "not kicked out"]);
}

#[test]
fn an_ambiguous_run_id_is_refused() {
    let sandbox = sandbox_with_run();
    sandbox.run(["run", &source(&case("03"))]).success();
    sandbox.run_line("show 0").fails_with(2, &["more than one run begins with 0"]);
    let runs = sandbox.run_line("runs --format csv").success().table();
    let id = runs.column("run_id")[1];
    assert!(sandbox.run_ok(&format!("show {}", id.to_uppercase())).contains(id));
}

#[test]
fn a_run_is_recorded_even_if_its_tables_cannot_be_written() {
    let sandbox = Sandbox::new();
    let source = source(&case("03"));
    sandbox.write("out", "a file");
    sandbox.run(["run", &source, "--out", "out"]).fails_with(2, &["cannot write to out"]);
    // A folder with the name of a table's file.
    std::fs::create_dir_all(sandbox.path("other/pfill_powerfill_guide.csv/inside")).unwrap();
    let answer = sandbox.run(["run", &source, "--out", "other"]);
    answer.fails_with(2, &["the run is recorded, but --out failed"]);
    let files = std::fs::read_dir(sandbox.path("other")).unwrap();
    let mut names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.all(|name| !name.starts_with(".partial")));
    assert!(sandbox.run_ok("show").contains("Complete"));
}

#[test]
fn a_damaged_store_has_status_1_and_the_damage_is_named() {
    let sandbox = sandbox_with_run();
    sandbox.run_ok("verify");
    let conn = rusqlite::Connection::open(sandbox.path("powerfill.db")).unwrap();
    conn.execute_batch("UPDATE pfill_powerfill_guide SET loan_id = 'another'").unwrap();
    drop(conn);
    sandbox.run_line("verify").answers(1, &["DAMAGED: pfill_powerfill_guide, row 1: loan_id is"]);
    sandbox.run_ok("rebuild");
    sandbox.run_ok("verify");
    sandbox.write("other.db", "not a database, in spite of its name");
    sandbox.run_line("runs --store sqlite:other.db").fails_with(2, &["not a database"]);
}
