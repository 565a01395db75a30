//! `diff`: a run against itself, another run, its own tables, an export in Desktop App dress, and
//! the expected tables of the conformance cases.

use std::fs;

use serde_json::Value;

use crate::desk::{Answer, Desk, case, cases, options, source};
use crate::desktop_app;
use crate::table::Table;

/// A desk with a run of a case, and its tables in `tables`.
fn desk_with(number: &str) -> Desk {
    let desk = Desk::new();
    let case = case(number);
    desk.powerfill(["run", &source(&case), "--options", &options(&case), "--out", "tables"]).well();
    desk
}

/// A desk with a run and its export.
fn desk_with_export() -> Desk {
    let desk = desk_with("41");
    desktop_app::write(&desk.path("tables"), &desk.path("export"));
    fs::write(desk.path("mapping.toml"), desktop_app::MAPPING).unwrap();
    desk
}

const AGAINST_EXPORT: &str = "diff latest --against dir:export --mapping mapping.toml";

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {}", answer.out))
}

fn table<'v>(document: &'v Value, name: &str) -> &'v Value {
    let tables = document["tables"].as_array().unwrap().iter();
    tables.into_iter().find(|table| table["table"] == name).unwrap()
}

/// Edits the cells of a CSV file: of the rows where `when` holds.
fn edit(desk: &Desk, file: &str, edits: impl Fn(&mut Table)) {
    let path = desk.path(file);
    let mut table = Table::read(&path);
    edits(&mut table);
    let mut writer = csv::Writer::from_path(path).unwrap();
    writer.write_record(&table.columns).unwrap();
    table.rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.flush().unwrap();
}

#[test]
fn a_run_is_the_same_as_itself_and_its_own_tables_in_any_file() {
    let desk = desk_with("41");
    desk.ask("tables latest --format xlsx --out book.xlsx");
    for against in ["latest", "run:latest", "dir:tables", "xlsx:book.xlsx"] {
        let answer = desk.type_in(&format!("diff latest --against {against} --format json")).well();
        let document = json(&answer);
        assert_eq!(document["answer"], "same", "{against}");
        assert_eq!(document["tables"].as_array().unwrap().len(), 12, "{against}");
        assert_eq!(document["differences"], 0);
        let candidates = table(&document, "pfill_loan2trade_candy_level_01");
        assert_eq!(candidates["counts"]["same"], 733, "{against}");
    }
}

/// The expected tables come from an implementation of their own.
#[test]
fn the_expected_tables_of_every_complete_case_are_ours() {
    let mut compared = 0;
    for case in cases() {
        let outcome = case.join("expected/outcome.csv");
        let complete = outcome.exists() && Table::read(&outcome).column("status") == ["Complete"];
        if complete {
            let desk = Desk::new();
            desk.powerfill(["run", &source(&case), "--options", &options(&case)]).well();
            let against = format!("dir:{}", case.join("expected").display());
            let answer = desk.powerfill(["diff", "latest", "--against", &against]).well();
            assert!(answer.out.contains(" 0 unclassified"), "{}: {}", case.display(), answer.out);
            compared += 1;
        }
    }
    assert!(compared >= 35, "{compared} cases");
}

#[test]
fn an_export_in_other_dress_is_the_same_under_its_mapping() {
    let desk = desk_with_export();
    let answer = desk.type_in(&format!("{AGAINST_EXPORT} --format json")).well();
    let document = json(&answer);
    let guide = table(&document, "pfill_powerfill_guide");
    assert_eq!(guide["counts"]["same"], 165);
    assert_eq!(guide["compared"].as_array().unwrap().len(), 7);
    assert_eq!(table(&document, "pfill_kickout_guide_01")["counts"]["same"], 141);
    assert_eq!(table(&document, "pfill_kickout_guide_01")["only_there"][0], "Comment");
    assert_eq!(table(&document, "pfill_trade_recap")["counts"]["same"], 11);
    assert_eq!(document["left_out"].as_array().unwrap().len(), 9);
    // Without the mapping the guide is not recognised, and that is said.
    let bare = desk.type_in("diff latest --against dir:export");
    assert_eq!(bare.status, Some(1), "{}", bare.err);
    for words in [
        "pfill_powerfill_guide: the other side does not have it",
        "DBO.PowerFill Guide.TXT: no table that is compared",
    ] {
        assert!(bare.out.contains(words), "{words} is not in\n{}", bare.out);
    }
}

#[test]
fn each_edit_of_an_export_has_its_verdict_and_its_story() {
    let desk = desk_with("41");
    let guide = Table::read(&desk.path("tables/pfill_powerfill_guide.csv"));
    let place = |column: &str| guide.place(column);
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
    edit(&desk, "tables/pfill_powerfill_guide.csv", |table| {
        table.rows.retain(|row| row[place("loan_id")] != gone);
        for row in &mut table.rows {
            if row[place("loan_id")] == moved {
                row[place("trade_id")].clone_from(&other_trade);
            }
            if row[place("loan_id")] == priced {
                row[place("price")] = "1.00000000".to_owned();
            }
        }
        let mut stranger = table.rows[0].clone();
        stranger[place("loan_id")] = "STRANGER".to_owned();
        table.rows.push(stranger);
    });
    let answer = desk.type_in("diff latest --against dir:tables --format json");
    assert_eq!(answer.status, Some(1), "{}", answer.err);
    let document = json(&answer);
    let differences = table(&document, "pfill_powerfill_guide")["differences"].as_array().unwrap();
    let verdict = |loan: &str| {
        let found = differences.iter().find(|d| d["key"][0] == loan).unwrap();
        found["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(&moved), "other_decision");
    assert_eq!(verdict(&priced), "other_numbers");
    assert_eq!(verdict(&gone), "only_here");
    assert_eq!(verdict("STRANGER"), "only_there");
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
    assert_eq!(path("STRANGER")["here"]["place"], "absent");
    assert!(path("STRANGER")["because"].as_str().unwrap().starts_with("takes no part"));

    // The other formats have the same.
    let lines = desk.type_in("diff latest --against dir:tables --format csv").table();
    assert_eq!(lines.columns[0], "table");
    let rows = lines.column("key");
    assert!([&moved, &priced, &gone].iter().all(|loan| rows.contains(&loan.as_str())));
    let text = desk.type_in("diff latest --against dir:tables").out;
    for word in ["Other decision, 1 of 1", "Only here, 1 of 1", &gone, "4 unclassified"] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
fn two_runs_say_what_they_were_given_and_where_paths_part() {
    let desk = Desk::new();
    let case = case("41");
    let snapshot = desk.path("snapshot");
    fs::create_dir(&snapshot).unwrap();
    for file in fs::read_dir(case.join("snapshot")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), snapshot.join(file.file_name())).unwrap();
    }
    desk.ask("run dir:snapshot");
    edit(&desk, "snapshot/pscat_trades.csv", |table| {
        let price = table.place("trade_price");
        table
            .rows
            .iter_mut()
            .filter(|row| !row[price].is_empty())
            .take(3)
            .for_each(|row| row[price] = "90".to_owned());
    });
    edit(&desk, "snapshot/loan.csv", |table| {
        table.rows.remove(0);
    });
    desk.ask("run dir:snapshot --switch-threshold 0.5");
    let answer = desk.type_in("diff latest --against latest~1 --format json");
    assert_eq!(answer.status, Some(1), "{}", answer.err);
    let document = json(&answer);
    let why = &document["why"];
    assert_eq!(why["same_snapshot"], false);
    assert_eq!(why["options"][0]["option"], "switch_threshold");
    assert_eq!(why["options"][0]["here"], "0.50000000");
    let inputs = why["snapshot"].as_array().unwrap();
    let input = |name: &str| inputs.iter().find(|input| input["table"] == name).unwrap();
    assert_eq!(inputs.len(), 2);
    assert_eq!((&input("loan")["only_there"], &input("loan")["changed"]), (&1.into(), &0.into()));
    let trades = input("pscat_trades");
    assert_eq!((&trades["changed"], &trades["columns"]["trade_price"]), (&3.into(), &3.into()));
    assert_eq!(trades["rows"][0]["fields"][0][1], "90.00000000");
    let loans = document["loans"].as_array().unwrap();
    assert!(loans.len() > 5);
    let parted = loans.iter().filter(|path| path["parted"].is_object());
    assert!(parted.clone().any(|path| path["parted"]["pass"].is_string()));
    assert!(parted.clone().all(|path| !path["parted"]["what"].as_str().unwrap().is_empty()));

    // The other way round is the mirror.
    let back = json(&desk.type_in("diff latest~1 --against latest --format json"));
    for (there, back) in
        document["tables"].as_array().unwrap().iter().zip(back["tables"].as_array().unwrap())
    {
        let (a, b) = (&there["counts"], &back["counts"]);
        for (name, mirror) in [
            ("same", "same"),
            ("other_numbers", "other_numbers"),
            ("other_decision", "other_decision"),
            ("only_here", "only_there"),
            ("only_there", "only_here"),
        ] {
            assert_eq!(a[name], b[mirror], "{} {name}", there["table"]);
        }
    }
    for (there, back) in loans.iter().zip(back["loans"].as_array().unwrap()) {
        assert_eq!((&there["loan_id"], &there["here"]), (&back["loan_id"], &back["there"]));
        assert_eq!(there["parted"]["pass"], back["parted"]["pass"], "{there} {back}");
        assert_eq!(there["parted"]["turn"], back["parted"]["turn"], "{there} {back}");
    }
}

#[test]
fn classifications_are_applied_and_grow() {
    let desk = desk_with("41");
    edit(&desk, "tables/pfill_trade_recap.csv", |table| {
        let place = table.place("wavg_price");
        table.rows.iter_mut().for_each(|row| row[place] = "1".to_owned());
    });
    let line = "diff latest --against dir:tables --classifications classes.toml";
    desk.type_in(line).refuses(2, &["cannot read classes.toml"]);
    let first = desk.type_in(&format!("{line} --classify-new"));
    assert_eq!(first.status, Some(1), "{}", first.err);
    let file = desk.path("classes.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("columns = [\"wavg_price\"]"), "{text}");
    let waiting = desk.type_in(&format!("{line} --classify-new"));
    assert_eq!((waiting.status, fs::read_to_string(&file).unwrap()), (Some(1), text.clone()));
    assert!(waiting.out.contains("with an entry to be filled in"), "{}", waiting.out);
    let filled = text.replace("class = \"\"", "class = \"acceptable_variation\"")
        + "\n[[difference]]\nclass = \"bug\"\nnote = \"long gone\"\ntable = \"*\"\nverdict = \"only_here\"\n";
    fs::write(&file, filled).unwrap();
    let passed = desk.type_in(line).well().out;
    assert!(passed.contains("0 unclassified, 11 acceptable_variation"), "{passed}");
    assert!(passed.contains("matches nothing any more: long gone"), "{passed}");
    fs::write(&file, "[[difference]]\nclass = \"typo\"\ntable = \"*\"\n").unwrap();
    desk.type_in(line).refuses(2, &["classes.toml, line 2", "no class typo"]);
}

#[test]
fn a_mapping_is_drafted_and_leads_the_export_back() {
    let desk = desk_with_export();
    let line = "diff latest --against dir:export --write-mapping drafted.toml";
    assert!(desk.ask(line).contains("check it before use"));
    let text = fs::read_to_string(desk.path("drafted.toml")).unwrap();
    for rename in
        ["\"Loan Number\" = \"loan_id\"", "\"Action\" = \"pool_action\"", "\"Why\" = \"reason\""]
    {
        assert!(text.contains(rename), "{rename} is not in\n{text}");
    }
    desk.type_in(line).refuses(2, &["drafted.toml exists already"]);
    let document = json(
        &desk.type_in("diff latest --against dir:export --mapping drafted.toml --format json"),
    );
    // All but what only a person knows: that n/a is NULL, and what may be off by rounding.
    let counts = &table(&document, "pfill_powerfill_guide")["counts"];
    assert_eq!(counts["same"], 165, "{text}");
    assert_eq!(table(&document, "pfill_kickout_guide_01")["counts"]["other_decision"], 0);
}

#[test]
fn the_page_is_written_and_holds_the_sides() {
    let desk = desk_with_export();
    desk.ask(&format!("{AGAINST_EXPORT} --html page.html"));
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    for word in [
        "<!DOCTYPE html>",
        "Content-Security-Policy",
        "dir:export",
        "Nothing is unclassified",
        "DBO.PowerFill Guide.TXT",
    ] {
        assert!(page.contains(word), "{word}");
    }
    let again = desk.ask(&format!("{AGAINST_EXPORT} --html again.html"));
    assert!(!again.is_empty());
    assert_eq!(page, fs::read_to_string(desk.path("again.html")).unwrap());
}

#[test]
fn what_cannot_be_compared_is_an_error_that_says_what_to_do() {
    let desk = desk_with_export();
    fs::create_dir(desk.path("empty")).unwrap();
    for (line, words) in [
        ("diff latest --against dir:empty", &["Incomparable", "no table in common"][..]),
        ("diff latest --against dir:nowhere", &["nowhere cannot be read"]),
        ("diff latest --against xlsx:nowhere.xlsx", &["nowhere.xlsx cannot be read"]),
        ("diff latest --against latest~7", &["no run latest~7: the store has 1"]),
        (
            "diff latest --against ftp:x",
            &["compare with run:RUN, dir:FOLDER, xlsx:FILE, or mssql://"],
        ),
        (
            "diff latest --against latest --mapping mapping.toml",
            &["mapping.toml, line", "two runs have the same names"],
        ),
        ("diff latest --against latest --write-mapping m.toml", &["two runs need no mapping"]),
        ("diff latest --against dir:export --mapping nothing.toml", &["cannot read nothing.toml"]),
        ("diff latest --against dir:export --classify-new", &["--classifications"]),
    ] {
        desk.type_in(line).refuses(2, words);
    }
    let refused = case("39");
    let run = desk.powerfill(["run", &source(&refused), "--options", &options(&refused)]);
    assert_eq!(run.status, Some(1));
    desk.type_in("diff latest --against dir:tables")
        .refuses(2, &["is Failed: only a Complete run"]);
    let document = json(&desk.type_in("diff latest --against dir:tables --format json"));
    assert_eq!(document["answer"], "incomparable");
    assert_eq!(document["incomparable"][0]["reason"], "not_complete");
}
