//! Snapshots before a run: generated folders, databases, preprocessing.

use std::path::Path;

use rusqlite::Connection;

use crate::sandbox::{Sandbox, case, source};
use crate::table::Table;

/// Copies the files of a folder to a new folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_generated_book_has_no_faults_and_follows_from_its_seed() {
    let sandbox = Sandbox::new();
    for (folder, seed) in [("one", "3"), ("same", "3"), ("other", "4")] {
        let sizes = "--loans 300 --trades 100 --pools 90 --instruments 30 --constraints 40";
        sandbox.run_ok(&format!("generate {sizes} --seed {seed} --out {folder}"));
        assert!(sandbox.run_ok(&format!("check dir:{folder}")).contains("0 errors"));
    }
    let loans = |folder: &str| std::fs::read(sandbox.path(folder).join("loan.csv")).unwrap();
    assert!(loans("one") == loans("same") && loans("one") != loans("other"));
    assert_eq!(Table::parse(&loans("one")).rows.len(), 300);
    sandbox.run_line("generate --loans 10 --out one").fails_with(2, &["one"]);
}

/// The same snapshot has the same digest and the same events.
#[test]
fn a_database_gives_the_same_run_as_the_folder() {
    let sandbox = Sandbox::new();
    let folder = case("41").join("snapshot");
    let database = Connection::open(sandbox.path("book.db")).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let table = Table::read(&file);
        if table.columns.is_empty() {
            continue;
        }
        let columns = table.columns.iter().map(|name| format!("\"{name}\" TEXT"));
        let columns = columns.collect::<Vec<_>>().join(", ");
        database.execute_batch(&format!("CREATE TABLE \"{name}\" ({columns})")).unwrap();
        let marks = vec!["nullif(?, '')"; table.columns.len()].join(", ");
        let mut insert =
            database.prepare(&format!("INSERT INTO \"{name}\" VALUES ({marks})")).unwrap();
        for row in &table.rows {
            insert.execute(rusqlite::params_from_iter(row)).unwrap();
        }
    }
    drop(database);
    let events_of = |source: &str, store: &str| {
        sandbox.run(["run", source, "--store", store]).success();
        let line = format!("events latest --format csv --store {store}");
        let events = sandbox.run_line(&line).success().table();
        let varying = ["recorded_at", "global_position"];
        let mut events = events.without(&varying);
        // Where the input was read is another place.
        let mut requested: serde_json::Value = serde_json::from_str(&events.rows[0][2]).unwrap();
        requested["origin"]["provenance"] = serde_json::Value::Null;
        events.rows[0][2] = requested.to_string();
        events
    };
    let from_folder = events_of(&source(&case("41")), "sqlite:folder.db");
    let from_database = events_of("sqlite:book.db", "sqlite:database.db");
    assert!(from_folder.rows[0][2].contains("snapshot_digest"));
    assert_eq!(from_folder, from_database);
}

fn preprocessed(sandbox: &Sandbox, table: &str) -> Vec<String> {
    let table = Table::read(&sandbox.path("proposed").join(format!("{table}.csv")));
    table.rows.iter().map(|row| row.join(",")).collect()
}

/// Worked out by hand from 2.2 for the pools of the case: PC1 and PC4 are closed and not in the
/// guide; PC2 (with `n`) and PC3 are in it; PC5 is designated to T1, which settles in 28 days.
#[test]
fn preprocessing_proposes_the_closed_pools_that_are_not_in_the_guide() {
    let sandbox = Sandbox::new();
    let source = source(&case("31"));
    sandbox.run(["preprocess", &source, "--out", "proposed"]).success();
    assert_eq!(
        preprocessed(&sandbox, "pfill_lockdown_guide"),
        ["PC1,FN 6.0,T1,Y", "pc2,,,N", "PC3,,,Y", "PC4,FN 6.0,,Y"]
    );
    // 1 % of 900,000 on both sides.
    let band = "Y,,900000.00,9000.00,891000.00,909000.00,28";
    assert_eq!(
        preprocessed(&sandbox, "pfill_trade_params"),
        [
            format!("T1,FNMA,FN 6.0,forward,2026-02-12,{band}"),
            format!("T2,FNMA,FN 6.5,forward,2026-02-12,{band}"),
        ]
    );
}

/// The 48-hour rule: from as_of to as_of + lockdown_days, which is 2.
#[test]
fn preprocessing_proposes_pools_of_trades_that_settle_within_two_days() {
    let sandbox = Sandbox::new();
    let source = source(&case("31"));
    let proposed = |as_of: &str| {
        sandbox.run(["preprocess", &source, "--as-of", as_of, "--out", "proposed"]).success();
        preprocessed(&sandbox, "pfill_lockdown_guide")
    };
    for (as_of, is_near) in
        [("2026-02-09", false), ("2026-02-10", true), ("2026-02-12", true), ("2026-02-13", false)]
    {
        let found = proposed(as_of).contains(&"PC5,FN 6.0,T1,Y".to_owned());
        assert_eq!(found, is_near, "{as_of}");
    }
}

/// hi = 0.1 of the open 1,000,000; the node of an instrument without a trade has no capacity.
#[test]
fn preprocessing_shows_the_capacity_of_each_constraint_and_trade() {
    let sandbox = Sandbox::new();
    sandbox.run(["preprocess", &source(&case("12")), "--out", "proposed"]).success();
    let mut capacities = preprocessed(&sandbox, "pfill_epci_params");
    capacities.sort();
    assert_eq!(
        capacities,
        ["FNMA,CASH,,B1,,", "FNMA,FN 6.0,,T1,,", "FNMA,FN 6.0,NY,T1,,100000.00"]
    );
}
