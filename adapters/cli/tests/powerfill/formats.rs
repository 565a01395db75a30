//! What is printed is what `--format` claims; and what the story of a loan or a trade says.

use std::process::Stdio;

use serde_json::Value;

use crate::desk::{Answer, Desk, case, options, source};
use crate::table::Table;

/// A desk with a run of a case.
fn desk_with(number: &str) -> Desk {
    let desk = Desk::new();
    let case = case(number);
    desk.powerfill(["run", &source(&case), "--options", &options(&case)]).well();
    desk
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {}", answer.out))
}

#[test]
fn every_command_prints_what_its_format_says() {
    let desk = desk_with("41");
    let source = source(&case("41"));
    let lines = [
        format!("check {source}"),
        format!("preflight {source}"),
        format!("run {source}"),
        "runs".to_owned(),
        "show latest".to_owned(),
        "tables latest".to_owned(),
        "tables latest pfill_trade_recap".to_owned(),
        "tables latest pfill_run_history".to_owned(),
        "verify".to_owned(),
    ];
    for line in lines {
        let answer = desk.type_in(&format!("{line} --format json"));
        assert!(json(&answer).is_object() || json(&answer).is_array(), "{line}");
        let table = desk.type_in(&format!("{line} --format csv")).table();
        assert!(table.columns.len() >= 2, "{line}: {table:?}");
        assert!(
            table.columns.iter().all(|name| name.chars().all(|c| c == '_' || c.is_lowercase()))
        );
        let text = desk.type_in(&line).well().out;
        assert!(!text.is_empty() && serde_json::from_str::<Value>(&text).is_err(), "{line}");
    }
}

#[test]
fn the_formats_of_a_table_have_the_same_cells() {
    let desk = desk_with("41");
    let csv = desk.type_in("tables latest pfill_powerfill_guide --format csv").table();
    let rows = json(&desk.type_in("tables latest pfill_powerfill_guide --format json"));
    let rows = rows.as_array().unwrap();
    assert!(rows.len() > 50 && rows.len() == csv.rows.len());
    assert_eq!(csv.columns[0], "run_id");
    for (row, cells) in rows.iter().zip(&csv.rows) {
        for (column, cell) in csv.columns.iter().zip(cells).skip(1) {
            let text = match &row[column] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                other => panic!("{column}: {other}"),
            };
            assert_eq!(&text, cell, "{column}");
        }
    }
}

#[test]
fn events_come_by_type_from_a_version_and_as_cloud_events() {
    let desk = desk_with("12");
    let all = desk.type_in("events latest --format csv").well().table();
    let versions = all.column("stream_version");
    assert!((1..).zip(&versions).all(|(version, found)| found.parse() == Ok(version)));
    let kicked = desk.type_in("events latest --type LoanKickedOut --format csv").table();
    assert_eq!(kicked.rows.len(), 7);
    assert!(kicked.column("event_type").iter().all(|name| *name == "LoanKickedOut"));
    for payload in kicked.column("payload") {
        assert!(serde_json::from_str::<Value>(payload).unwrap()["loan_id"].is_string());
    }
    let two = "events latest --type LoanKickedOut --type RunCompleted --format csv";
    assert_eq!(desk.type_in(two).table().rows.len(), 8);
    let tail = desk.type_in("events latest --from 5 --format csv").table();
    assert_eq!(tail.rows, all.rows[4..]);
    assert!(desk.ask("events latest --from 100000").is_empty());

    let clouds = desk.ask("events latest --cloudevents");
    let clouds: Vec<Value> =
        clouds.lines().map(|line| serde_json::from_str(line).expect("JSON a line")).collect();
    assert_eq!(clouds.len(), all.rows.len());
    for ((cloud, event_type), version) in clouds.iter().zip(all.column("event_type")).zip(versions)
    {
        assert_eq!(cloud["specversion"], "1.0");
        let of_schema = &cloud["schemaversion"];
        assert_eq!(cloud["type"], format!("powerfill.run.{event_type}.v{of_schema}"));
        assert_eq!(cloud["streamversion"], version);
        assert!(cloud["data"].is_object());
    }
}

/// It ends with the run, also where the run was over before, or nothing of it is asked for.
#[test]
fn following_a_run_that_is_over_ends() {
    let desk = desk_with("12");
    let all = desk.ask("events latest");
    assert_eq!(desk.ask("events latest --follow"), all);
    assert!(desk.ask("events latest --follow --from 100000").is_empty());
}

/// Whoever follows sees every event once, wherever the run was when they began.
#[test]
fn following_a_run_shows_every_event_once() {
    let desk = Desk::new();
    desk.ask("generate --loans 1500 --trades 200 --out book");
    let run = desk.command(["run", "dir:book"]).stdout(Stdio::null()).spawn();
    let mut run = run.unwrap();
    let followed = loop {
        // Until the run is asked for there is nothing to follow.
        let answer = desk.type_in("events latest --follow --format csv");
        match answer.status {
            Some(0) => break answer,
            _ => assert!(run.try_wait().unwrap().is_none_or(|ended| ended.success())),
        }
    };
    assert!(run.wait().unwrap().success());
    assert_eq!(followed.out, desk.ask("events latest --format csv"));
}

#[test]
fn a_loan_is_explained_wherever_it_went() {
    let desk = desk_with("12");
    let story = |loan: &str| desk.ask(&format!("explain latest --loan {loan}"));
    let placed = story("FILL");
    assert!(placed.starts_with("Loan FILL goes to trade T1, settling 2026-02-12"), "{placed}");
    assert!(placed.contains("Joining pool NEW-T1"), "{placed}");
    let barred = story("K7");
    assert!(barred.starts_with("Loan K7 is kicked out, LimitReached"), "{barred}");
    assert!(barred.contains("FNMA FN 6.0 \"NY\", 0.00 of 100,000.00 used"), "{barred}");
    assert!(barred.contains("  FNMA CASH: rule cash asks for tag = 'cash' (tag T)"), "{barred}");
    assert!(
        barred.ends_with("What would have given it a place? Ask with --what-if.\n"),
        "{barred}"
    );
    let trade = desk.ask("explain latest --trade T1");
    for words in ["600,000.00 from 1 loan", "1. FILL", "K6", "K7", "kicked out"] {
        assert!(trade.contains(words), "{words}: {trade}");
    }
    let as_json = |args: &str| json(&desk.type_in(&format!("explain latest {args} --format json")));
    let told = as_json("--loan K7");
    assert_eq!(told["loan_id"], "K7");
    assert_eq!(told["candidates"][0]["verdict"]["is"], "limit_barred");
    assert_eq!(told["standing"]["participation"]["takes_part"], "eligible");
    assert!(told["what_if"].is_null());
    let asked = as_json("--loan K7 --what-if");
    let limit = &asked["what_if"]["kinds"][1];
    assert_eq!((&limit["kind"], &limit["answer"]), (&"limit_raised".into(), &"places".into()));
    assert_eq!(limit["change"]["hi_limit"], "0.100001");
    assert_eq!(limit["place"]["trade_id"], "T1");
    assert_eq!(as_json("--trade T1")["trade_id"], "T1");
    let pinned = desk_with("31").ask("explain latest --loan A");
    assert!(pinned.starts_with("Loan A stays in pool PC1: the pool is locked."), "{pinned}");
}

#[test]
fn nothing_is_coloured_and_nothing_moves_where_output_is_piped() {
    let desk = Desk::new();
    let source = source(&case("41"));
    for line in [format!("run {source} --out out"), "show".to_owned(), "runs".to_owned()] {
        let answer = desk.type_in(&line).well();
        assert!(!answer.out.contains('\u{1b}') && !answer.err.contains('\u{1b}'), "{line}");
    }
    let refused = desk.type_in("show nothing");
    assert!(!refused.err.contains('\u{1b}'));
    let plain = desk.command(["--help"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!plain.stdout.contains(&0x1b));
}

/// As `powerfill show | true` does: nobody reads, and that is no failure.
#[test]
fn a_reader_that_went_away_is_no_failure() {
    let desk = desk_with("41");
    let source = source(&case("03"));
    for line in [
        "show",
        "tables latest pfill_powerfill_guide",
        "tables latest --format xlsx",
        "explain latest --trade T001",
        "verify",
        "rebuild",
        "migrate",
        "completions bash",
        "generate --loans 10 --trades 10 --out book",
        &format!("preprocess {source} --out proposed"),
    ] {
        let mut command = desk.command(line.split(' '));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let answer = Answer::from(child.wait_with_output().unwrap());
        assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn hostile_names_come_through_as_they_are() {
    let desk = Desk::new();
    let hostile =
        ["a\"b,c", "<script>alert(1)</script>", "../../etc/passwd", "two\nlines", "'; --"];
    crate::snapshots::copy(&case("03").join("snapshot"), &desk.path("book"));
    let mut loans = Table::read(&desk.path("book/loan.csv"));
    let id = loans.place("loan_id");
    let model = loans.rows[0].clone();
    for name in hostile {
        let mut row = model.clone();
        row[id] = name.to_owned();
        loans.rows.push(row);
    }
    let mut file = csv::Writer::from_path(desk.path("book/loan.csv")).unwrap();
    file.write_record(&loans.columns).unwrap();
    loans.rows.iter().for_each(|row| file.write_record(row).unwrap());
    file.flush().unwrap();
    desk.ask("run dir:book --out out");
    let placed = Table::read(&desk.path("out/pfill_powerfill_guide.csv"));
    let kicked = Table::read(&desk.path("out/pfill_kickout_guide_01.csv"));
    let named = [placed.column("loan_id"), kicked.column("loan_id")].concat();
    for name in hostile {
        assert!(named.contains(&name), "{name:?} is lost");
        let story = desk.powerfill(["explain", "latest", "--loan", name]).well().out;
        assert!(story.contains(name), "{story}");
    }
    let printed = desk.type_in("tables latest pfill_powerfill_guide --format csv").table();
    assert_eq!(printed, placed);
    desk.ask("verify");
}
