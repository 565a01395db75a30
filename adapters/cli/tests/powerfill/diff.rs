//! `diff` of a run with itself, another run, its own tables, an export like those of the Desktop
//! App, and the expected tables of the conformance cases.

use std::fs;

use serde_json::{Value, json};

use crate::desktop_app;
use crate::sandbox::{Sandbox, case, cases, options, source};
use crate::table::Table;

/// A sandbox with a run of a case, and its tables in `tables`.
fn sandbox_with_run(number: &str) -> Sandbox {
    Sandbox::with_case(number, &["--out", "tables"])
}

/// A sandbox with a run and its export.
fn sandbox_with_export() -> Sandbox {
    let sandbox = sandbox_with_run("41");
    desktop_app::write(&sandbox.path("tables"), &sandbox.path("export"));
    sandbox.write("mapping.toml", desktop_app::MAPPING);
    sandbox
}

const AGAINST_EXPORT: &str = "diff latest --against dir:export --mapping mapping.toml";

fn table<'v>(document: &'v Value, name: &str) -> &'v Value {
    let tables = document["tables"].as_array().unwrap().iter();
    tables.into_iter().find(|table| table["table"] == name).unwrap()
}

/// Edits a CSV file.
fn edit(sandbox: &Sandbox, file: &str, edits: impl Fn(&mut Table)) {
    let path = sandbox.path(file);
    let mut table = Table::read(&path);
    edits(&mut table);
    table.write(&path);
}

#[test]
fn a_run_is_the_same_as_itself_and_its_own_tables() {
    let sandbox = sandbox_with_run("41");
    sandbox.run_ok("tables latest --all --format xlsx --out book.xlsx");
    let runs = ["latest --candidates", "run:latest --candidates"];
    for against in runs.into_iter().chain(["dir:tables", "xlsx:book.xlsx"]) {
        let answer =
            sandbox.run_line(&format!("diff latest --against {against} --format json")).success();
        let document = answer.json();
        assert_eq!(document["answer"], "same", "{against}");
        assert_eq!(document["tables"].as_array().unwrap().len(), 12, "{against}");
        assert_eq!(document["differences"], 0);
        let candidates = table(&document, "pfill_loan2trade_candy_level_01");
        assert_eq!(candidates["counts"]["same"], 733, "{against}");
    }
}

/// An independent implementation made the expected tables.
#[test]
fn the_runs_of_all_cases_are_the_same_as_their_expected_tables() {
    let mut compared = 0;
    for case in cases() {
        let outcome = case.join("expected/outcome.csv");
        let complete = outcome.exists() && Table::read(&outcome).column("status") == ["Complete"];
        if complete {
            let sandbox = Sandbox::new();
            sandbox.run(["run", &source(&case), "--options", &options(&case)]).success();
            let against = format!("dir:{}", case.join("expected").display());
            let answer = sandbox.run(["diff", "latest", "--against", &against]).success();
            assert!(answer.out.contains(" 0 unclassified"), "{}: {}", case.display(), answer.out);
            compared += 1;
        }
    }
    assert!(compared >= 35, "{compared} cases");
}

#[test]
fn an_export_with_other_names_and_formats_is_the_same_under_its_mapping() {
    let sandbox = sandbox_with_export();
    let answer = sandbox.run_line(&format!("{AGAINST_EXPORT} --format json")).success();
    let document = answer.json();
    let guide = table(&document, "pfill_powerfill_guide");
    assert_eq!(guide["counts"]["same"], 165);
    assert_eq!(guide["compared"].as_array().unwrap().len(), 7);
    assert_eq!(table(&document, "pfill_kickout_guide_01")["counts"]["same"], 141);
    assert_eq!(table(&document, "pfill_kickout_guide_01")["only_there"][0], "Comment");
    assert_eq!(table(&document, "pfill_trade_recap")["counts"]["same"], 11);
    assert_eq!(document["left_out"].as_array().unwrap().len(), 9);
    // Without the mapping, the guide is not recognized, and the report says so.
    sandbox.run_line("diff latest --against dir:export").answers(
        1,
        &[
            "pfill_powerfill_guide: the other side does not have it",
            "DBO.PowerFill Guide.TXT: no table that is compared",
        ],
    );
}

#[test]
fn each_edit_of_an_export_has_its_verdict_and_explanation() {
    let sandbox = sandbox_with_run("41");
    let guide = Table::read(&sandbox.path("tables/pfill_powerfill_guide.csv"));
    let place = |column: &str| guide.index(column);
    let placed: Vec<&Vec<String>> =
        guide.rows.iter().filter(|row| row[place("pass")] == "best_fit").collect();
    let loan = |at: usize| placed[at][place("loan_id")].clone();
    let (moved, priced, gone) = (loan(0), loan(1), loan(2));
    let other_trade = guide
        .rows
        .iter()
        .map(|row| row[place("trade_id")].clone())
        .find(|trade| !trade.is_empty() && *trade != placed[0][place("trade_id")])
        .unwrap();
    edit(&sandbox, "tables/pfill_powerfill_guide.csv", |table| {
        table.rows.retain(|row| row[place("loan_id")] != gone);
        for row in &mut table.rows {
            if row[place("loan_id")] == moved {
                row[place("trade_id")].clone_from(&other_trade);
            }
            if row[place("loan_id")] == priced {
                row[place("price")] = "1.00000000".to_owned();
            }
        }
        let mut unknown = table.rows[0].clone();
        unknown[place("loan_id")] = "UNKNOWN".to_owned();
        table.rows.push(unknown);
    });
    let answer = sandbox.run_line("diff latest --against dir:tables --format json").answers(1, &[]);
    let document = answer.json();
    let differences = table(&document, "pfill_powerfill_guide")["differences"].as_array().unwrap();
    let verdict = |loan: &str| {
        let found = differences.iter().find(|d| d["key"][0] == loan).unwrap();
        found["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(&moved), "other_decision");
    assert_eq!(verdict(&priced), "other_numbers");
    assert_eq!(verdict(&gone), "only_here");
    assert_eq!(verdict("UNKNOWN"), "only_there");
    assert_eq!(differences.len(), 4);
    assert_eq!(document["loans_parted"], 3);
    let loans = document["loans"].as_array().unwrap();
    let path = |loan: &str| loans.iter().find(|path| path["loan_id"] == loan).unwrap();
    let of_moved = path(&moved);
    assert_eq!(of_moved["there"]["trade_id"], other_trade.as_str());
    let because = of_moved["because"].as_str().unwrap();
    assert!(
        because.starts_with(&format!("goes to trade {}", placed[0][place("trade_id")])),
        "{because}"
    );
    assert!(because.contains(&other_trade), "{because}");
    assert!(of_moved["parted"]["what"].is_string());
    assert_eq!(path(&gone)["parted"]["pass"], "best_fit");
    assert_eq!(path("UNKNOWN")["here"]["place"], "absent");
    assert!(path("UNKNOWN")["because"].as_str().unwrap().starts_with("takes no part"));
    assert_other_formats(&sandbox, [&moved, &priced, &gone]);
}

/// Expects that CSV and text have the differences of these loans, the last of which is only here.
fn assert_other_formats(sandbox: &Sandbox, loans: [&str; 3]) {
    let lines = sandbox.run_line("diff latest --against dir:tables --format csv").table();
    assert_eq!(lines.columns[0], "table");
    let rows = lines.column("key");
    assert!(loans.iter().all(|loan| rows.contains(loan)));
    let text = sandbox.run_line("diff latest --against dir:tables").out;
    for word in ["Other decision, 1 of 1", "Only here, 1 of 1", loans[2], "4 unclassified"] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
fn a_diff_of_two_runs_names_their_inputs_and_first_differences() {
    let sandbox = Sandbox::new();
    crate::snapshots::copy(&case("41").join("snapshot"), &sandbox.path("snapshot"));
    sandbox.run_ok("run dir:snapshot");
    edit(&sandbox, "snapshot/pscat_trades.csv", |table| {
        let price = table.index("trade_price");
        table
            .rows
            .iter_mut()
            .filter(|row| !row[price].is_empty())
            .take(3)
            .for_each(|row| row[price] = "90".to_owned());
    });
    edit(&sandbox, "snapshot/loan.csv", |table| {
        table.rows.remove(0);
    });
    sandbox.run_ok("run dir:snapshot --switch-threshold 0.5");
    let answer = sandbox.run_line("diff latest --against latest~1 --format json").answers(1, &[]);
    let document = answer.json();
    let why = &document["why"];
    assert_eq!(why["same_snapshot"], false);
    assert_eq!(why["options"][0]["option"], "switch_threshold");
    assert_eq!(why["options"][0]["there"], "0.50000000");
    assert_eq!(document["labels"], json!(["old", "new"]));
    let inputs = why["snapshot"].as_array().unwrap();
    let input = |name: &str| inputs.iter().find(|input| input["table"] == name).unwrap();
    assert_eq!(inputs.len(), 2);
    assert_eq!((&input("loan")["only_here"], &input("loan")["changed"]), (&1.into(), &0.into()));
    let trades = input("pscat_trades");
    assert_eq!((&trades["changed"], &trades["columns"]["trade_price"]), (&3.into(), &3.into()));
    assert_eq!(trades["rows"][0]["fields"][0][2], "90.00000000");
    let loans = document["loans"].as_array().unwrap();
    assert!(loans.len() > 5);
    let parted = loans.iter().filter(|path| path["parted"].is_object());
    assert!(parted.clone().any(|path| path["parted"]["pass"].is_string()));
    assert!(parted.clone().all(|path| !path["parted"]["what"].as_str().unwrap().is_empty()));

    // Whichever is named first, the earlier run is here, and the later one there.
    let back = sandbox.run_line("diff latest~1 --against latest --format json").json();
    assert_eq!(back, document);

    let has = |document: &Value, name: &str| {
        document["tables"].as_array().unwrap().iter().any(|table| table["table"] == name)
    };
    let candidates = "pfill_loan2trade_candy_level_01";
    assert!(!has(&document, candidates));
    let all = sandbox.run_line("diff latest --against latest~1 --candidates --format json").json();
    assert!(has(&all, candidates));
}

#[test]
fn a_renumbered_turn_is_no_decision() {
    let sandbox = sandbox_with_run("41");
    crate::snapshots::copy(&case("41").join("snapshot"), &sandbox.path("snapshot"));
    sandbox.run_ok("run dir:snapshot");
    // A first turn without a candidate: every later turn has another number.
    edit(&sandbox, "snapshot/pfill_constraints.csv", |table| {
        let priority = table.index("constraint_priority");
        let mut first = table.rows[0].clone();
        for (at, column) in table.columns.iter().enumerate() {
            first[at] = match column.as_str() {
                "constraint_priority" => "0".to_owned(),
                "investor_instrument_name" | "constraint_name" => "nothing".to_owned(),
                "investor_id" => first[at].clone(),
                _ => String::new(),
            };
        }
        for row in &mut table.rows {
            row[priority] = (row[priority].parse::<u32>().unwrap() + 1).to_string();
        }
        table.rows.push(first);
    });
    sandbox.run_ok("run dir:snapshot");
    let answer = sandbox.run_line("diff latest --against latest~1 --candidates --format json");
    let document = answer.json();
    assert_eq!(document["loans_parted"], 0);
    let candidates = table(&document, "pfill_loan2trade_candy_level_01");
    assert_eq!(candidates["counts"]["other_decision"], 0, "{}", candidates["counts"]);
    assert!(candidates["counts"]["other_numbers"].as_u64().unwrap() > 100);
}

#[test]
fn a_run_of_another_store_is_compared() {
    let sandbox = Sandbox::new();
    let snapshot = case("41").join("snapshot");
    let source = format!("dir:{}", snapshot.display());
    sandbox.run(["run", &source]).success();
    let other = ["run", &source, "--store", "sqlite:other.db", "--switch-threshold", "2"];
    sandbox.run(other).success();
    let line = "diff latest --against latest --against-store sqlite:other.db";
    let answer = sandbox.run_line(line).answers(1, &[]);
    let lines = ["old: run ", "new: run ", "switch_threshold", "loans have another place"];
    for words in lines {
        assert!(answer.out.contains(words), "{words}: {}", answer.out);
    }
    sandbox.run_line(&format!("{line} --html page.html"));
    let page = sandbox.read("page.html");
    assert!(page.contains("Loans with another place") && page.contains("only new"));
    let same = sandbox.run_line("diff latest --against latest --against-store sqlite:powerfill.db");
    same.success();
    let export = "diff latest --against dir:. --against-store sqlite:other.db";
    sandbox.run_line(export).fails_with(2, &["--against-store", "--against RUN"]);
    let elsewhere = ["generate", "--loans", "20", "--trades", "4", "--pools", "2", "--out", "book"];
    sandbox.run(elsewhere).success();
    sandbox.run(["run", "dir:book", "--store", "sqlite:generated.db"]);
    let tenant = "diff latest --against latest --against-store sqlite:generated.db";
    sandbox.run_line(tenant).fails_with(2, &["generated.db", "tenant"]);
}

#[test]
fn classifications_are_applied_and_appended() {
    let sandbox = sandbox_with_run("41");
    edit(&sandbox, "tables/pfill_trade_recap.csv", |table| {
        let place = table.index("wavg_price");
        table.rows.iter_mut().for_each(|row| row[place] = "1".to_owned());
    });
    let line = "diff latest --against dir:tables --classifications classes.toml";
    sandbox.run_line(line).fails_with(2, &["cannot read classes.toml"]);
    sandbox.run_line(&format!("{line} --classify-new")).answers(1, &[]);
    let file = sandbox.path("classes.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("columns = [\"wavg_price\"]"), "{text}");
    let waiting = sandbox.run_line(&format!("{line} --classify-new"));
    assert_eq!((waiting.status, fs::read_to_string(&file).unwrap()), (Some(1), text.clone()));
    assert!(waiting.out.contains("with an entry to be filled in"), "{}", waiting.out);
    let filled = text.replace("class = \"\"", "class = \"acceptable_variation\"")
        + "\n[[difference]]\nclass = \"bug\"\nnote = \"long gone\"\ntable = \"*\"\nverdict = \"only_here\"\n";
    fs::write(&file, filled).unwrap();
    let passed = sandbox.run_line(line).success().out;
    assert!(passed.contains("0 unclassified, 11 acceptable_variation"), "{passed}");
    assert!(passed.contains("matches nothing any more: long gone"), "{passed}");
    fs::write(&file, "[[difference]]\nclass = \"typo\"\ntable = \"*\"\n").unwrap();
    sandbox.run_line(line).fails_with(2, &["classes.toml, line 2", "no class typo"]);
}

#[test]
fn a_drafted_mapping_maps_the_export() {
    let sandbox = sandbox_with_export();
    let line = "diff latest --against dir:export --write-mapping drafted.toml";
    assert!(sandbox.run_ok(line).contains("check it before use"));
    let text = sandbox.read("drafted.toml");
    for rename in
        ["\"Loan Number\" = \"loan_id\"", "\"Action\" = \"pool_action\"", "\"Why\" = \"reason\""]
    {
        assert!(text.contains(rename), "{rename} is not in\n{text}");
    }
    sandbox.run_line(line).fails_with(2, &["drafted.toml exists already"]);
    let document = sandbox
        .run_line("diff latest --against dir:export --mapping drafted.toml --format json")
        .json();
    // A draft cannot know that n/a means NULL, and which values are rounded.
    let counts = &table(&document, "pfill_powerfill_guide")["counts"];
    assert_eq!(counts["same"], 165, "{text}");
    assert_eq!(table(&document, "pfill_kickout_guide_01")["counts"]["other_decision"], 0);
}

#[test]
fn the_page_names_both_sides_and_is_reproducible() {
    let sandbox = sandbox_with_export();
    sandbox.run_ok(&format!("{AGAINST_EXPORT} --html page.html"));
    let page = sandbox.read("page.html");
    for word in [
        "<!DOCTYPE html>",
        "Content-Security-Policy",
        "dir:export",
        "Nothing is unclassified",
        "DBO.PowerFill Guide.TXT",
    ] {
        assert!(page.contains(word), "{word}");
    }
    let again = sandbox.run_ok(&format!("{AGAINST_EXPORT} --html again.html"));
    assert!(!again.is_empty());
    assert_eq!(page, sandbox.read("again.html"));
}

#[test]
fn incomparable_sides_are_errors_with_advice() {
    let sandbox = sandbox_with_export();
    fs::create_dir(sandbox.path("empty")).unwrap();
    for (line, words) in [
        ("diff latest --against dir:empty", &["Incomparable", "no table in common"][..]),
        ("diff latest --against dir:nowhere", &["nowhere cannot be read"]),
        ("diff latest --against xlsx:nowhere.xlsx", &["nowhere.xlsx cannot be read"]),
        ("diff latest --against latest~7", &["no run latest~7: the store has 1"]),
        (
            "diff latest --against ftp:x",
            &["compare with run:RUN, evidence:FILE, dir:FOLDER, xlsx:FILE, or mssql://"],
        ),
        (
            "diff latest --against latest --mapping mapping.toml",
            &["mapping.toml, line", "two runs have the same names"],
        ),
        ("diff latest --against latest --write-mapping m.toml", &["two runs need no mapping"]),
        ("diff latest --against dir:export --mapping nothing.toml", &["cannot read nothing.toml"]),
        ("diff latest --against dir:export --classify-new", &["--classifications"]),
    ] {
        sandbox.run_line(line).fails_with(2, words);
    }
    assert_eq!(sandbox.run_case("39", &[]).status, Some(1));
    sandbox
        .run_line("diff latest --against dir:tables")
        .fails_with(2, &["is Failed: only a Complete run"]);
    let document = sandbox.run_line("diff latest --against dir:tables --format json").json();
    assert_eq!(document["answer"], "incomparable");
    assert_eq!(document["incomparable"][0]["reason"], "not_complete");
}
