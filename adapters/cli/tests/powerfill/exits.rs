//! Exit statuses and what an error says: 1 the answer is no, 2 usage or environment.

use crate::desk::{Desk, case, options, source};

fn with_a_run() -> Desk {
    let desk = Desk::new();
    desk.powerfill(["run", &source(&case("03"))]).well();
    desk
}

#[test]
fn what_cannot_be_understood_is_a_usage_error() {
    let desk = Desk::new();
    desk.type_in("").refuses(2, &["Usage"]);
    desk.type_in("guess").refuses(2, &["guess"]);
    desk.type_in("run dir:book --colour red").refuses(2, &["--colour"]);
    desk.type_in("run ftp:book").refuses(2, &["dir:FOLDER", "sqlite:FILE"]);
    desk.type_in("runs --store mysql:books").refuses(2, &["--store", "sqlite:FILE"]);
    desk.type_in("runs --format yaml").refuses(2, &["yaml", "json"]);
    desk.type_in("explain latest").refuses(2, &["--loan", "--trade"]);
    desk.type_in("explain latest --loan A --trade B").refuses(2, &["--trade"]);
    desk.type_in("explain latest --trade B --what-if").refuses(2, &["--trade", "--what-if"]);
    desk.type_in("generate --loans many --out book").refuses(2, &["many"]);
}

#[test]
fn refused_options_are_all_named_and_the_answer_is_no() {
    let desk = Desk::new();
    let source = source(&case("03"));
    let args = ["run", &source, "--scope", "all", "--max-eligible-days", "-1", "--as-of=soon"];
    desk.powerfill(args).refuses(2, &[]);
    let args = ["run", &source, "--scope", "all", "--max-eligible-days=-1", "--as-of=soon"];
    desk.powerfill(args).refuses(1, &["scope", "max_eligible_days", "as_of", "3 errors"]);
    assert!(!desk.path("powerfill.db").exists(), "nothing is made for a run that is refused");
}

#[test]
fn a_missing_source_says_where_it_was_looked_for() {
    let desk = Desk::new();
    for command in ["check", "preflight", "run"] {
        desk.type_in(&format!("{command} dir:nowhere")).refuses(2, &["nowhere"]);
        desk.type_in(&format!("{command} sqlite:nowhere.db")).refuses(2, &["nowhere.db"]);
    }
    let (missing, source) = ("--options=nowhere.json", source(&case("03")));
    desk.powerfill(["run", &source, missing]).refuses(2, &["nowhere.json"]);
    assert!(!desk.path("nowhere.db").exists(), "reading makes no file");
}

#[test]
fn a_faulty_snapshot_is_refused_with_every_fault() {
    let desk = Desk::new();
    let faulty = source(&case("43"));
    for command in ["run", "preflight"] {
        desk.powerfill([command, &faulty]).refuses(1, &["is refused", "errors"]);
    }
    let checked = desk.powerfill(["check", &faulty]);
    assert_eq!(checked.status, Some(1));
    assert!(checked.out.contains(" errors, "), "{}", checked.out);
    let warned = desk.powerfill(["check", &source(&case("38"))]).well();
    assert!(warned.out.contains("0 errors"), "{}", warned.out);
}

#[test]
fn a_run_that_preflight_refuses_is_no_and_its_folder_says_so() {
    let desk = Desk::new();
    let case = case("39");
    let (source, options) = (source(&case), options(&case));
    let answer = desk.powerfill(["run", &source, "--options", &options, "--out", "out"]);
    assert_eq!(answer.status, Some(1));
    assert!(answer.out.contains("Failed at preflight"), "{}", answer.out);
    let mut left: Vec<String> = std::fs::read_dir(desk.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let records = ["outcome", "pfill_powerfill_log", "pfill_preflight_findings"];
    let records = records.map(|name| format!("{name}.csv")).to_vec();
    assert_eq!(left, [records, vec!["pfill_run_history.csv".to_owned()]].concat());
}

#[test]
fn what_is_not_in_the_store_is_named_with_what_is() {
    let desk = Desk::new();
    for line in ["runs", "show", "tables latest", "events latest", "verify", "rebuild"] {
        desk.type_in(line).refuses(2, &["there is no store powerfill.db", "--store"]);
    }
    desk.ask("migrate");
    desk.type_in("show").refuses(2, &["no run yet"]);
    let desk = with_a_run();
    for line in ["show ffff", "tables ffff", "events ffff", "explain ffff --loan A"] {
        desk.type_in(line).refuses(2, &["no run ffff", "powerfill runs"]);
    }
    desk.type_in("tables latest pfill_guess").refuses(2, &["pfill_guess", "pfill_pool_guide"]);
    desk.type_in("events latest --type Guess").refuses(2, &["Guess", "LoanAllocated"]);
    desk.type_in("explain latest --loan A --format csv").refuses(2, &["text or json"]);
    let unknown = desk.type_in("explain latest --loan nobody");
    assert_eq!(unknown.out, "The snapshot of this run has no loan nobody.\n");
    unknown.refuses(1, &[]);
    desk.type_in("explain latest --loan L1 --what-if").refuses(2, &["L1", "not kicked out"]);
}

#[test]
fn an_ambiguous_beginning_of_a_run_id_is_not_guessed() {
    let desk = with_a_run();
    desk.powerfill(["run", &source(&case("03"))]).well();
    desk.type_in("show 0").refuses(2, &["more than one run begins with 0"]);
    let runs = desk.type_in("runs --format csv").well().table();
    let id = runs.column("run_id")[1];
    assert!(desk.ask(&format!("show {}", id.to_uppercase())).contains(id));
}

#[test]
fn a_folder_that_cannot_be_written_costs_the_files_and_not_the_run() {
    let desk = Desk::new();
    let source = source(&case("03"));
    std::fs::write(desk.path("out"), "a file").unwrap();
    desk.powerfill(["run", &source, "--out", "out"]).refuses(2, &["cannot write to out"]);
    // A folder where a table should go.
    std::fs::create_dir_all(desk.path("other/pfill_powerfill_guide.csv/inside")).unwrap();
    let answer = desk.powerfill(["run", &source, "--out", "other"]);
    answer.refuses(2, &["the run is recorded, but --out failed"]);
    let left = std::fs::read_dir(desk.path("other")).unwrap();
    let mut left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.all(|name| !name.starts_with(".partial")));
    assert!(desk.ask("show").contains("Complete"));
}

#[test]
fn a_damaged_store_is_no_and_the_place_is_named() {
    let desk = with_a_run();
    desk.ask("verify");
    let conn = rusqlite::Connection::open(desk.path("powerfill.db")).unwrap();
    conn.execute_batch("UPDATE pfill_powerfill_guide SET loan_id = 'another'").unwrap();
    drop(conn);
    let answer = desk.type_in("verify");
    assert_eq!(answer.status, Some(1), "{answer:?}");
    assert!(answer.out.contains("DAMAGED: pfill_powerfill_guide, row 1: loan_id is"), "{answer:?}");
    desk.ask("rebuild");
    desk.ask("verify");
    std::fs::write(desk.path("other.db"), "not a database, though it has a name like one").unwrap();
    desk.type_in("runs --store sqlite:other.db").refuses(2, &["not a database"]);
}
