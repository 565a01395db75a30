//! The formats of printed output, and the words of `explain`.

use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::{CommandOutput, Sandbox, case, source};
use crate::table::Table;

#[test]
fn every_command_prints_its_format() {
    let sandbox = Sandbox::with_case("41", &[]);
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
        let answer = sandbox.run_line(&format!("{line} --format json"));
        assert!(answer.json().is_object() || answer.json().is_array(), "{line}");
        let table = sandbox.run_line(&format!("{line} --format csv")).table();
        assert!(table.columns.len() >= 2, "{line}: {table:?}");
        assert!(
            table.columns.iter().all(|name| name.chars().all(|c| c == '_' || c.is_lowercase()))
        );
        let text = sandbox.run_line(&line).success().out;
        assert!(!text.is_empty() && serde_json::from_str::<Value>(&text).is_err(), "{line}");
    }
}

#[test]
fn the_formats_of_a_table_have_the_same_cells() {
    let sandbox = Sandbox::with_case("41", &[]);
    let csv = sandbox.run_line("tables latest pfill_powerfill_guide --format csv").table();
    let rows = sandbox.run_line("tables latest pfill_powerfill_guide --format json").json();
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
fn events_are_printed_by_type_from_a_version_and_as_cloud_events() {
    let sandbox = Sandbox::with_case("12", &[]);
    let all = sandbox.run_line("events latest --format csv").success().table();
    let versions = all.column("stream_version");
    assert!((1..).zip(&versions).all(|(version, found)| found.parse() == Ok(version)));
    let kicked = sandbox.run_line("events latest --type LoanKickedOut --format csv").table();
    assert_eq!(kicked.rows.len(), 7);
    assert!(kicked.column("event_type").iter().all(|name| *name == "LoanKickedOut"));
    for payload in kicked.column("payload") {
        assert!(serde_json::from_str::<Value>(payload).unwrap()["loan_id"].is_string());
    }
    let two = "events latest --type LoanKickedOut --type RunCompleted --format csv";
    assert_eq!(sandbox.run_line(two).table().rows.len(), 8);
    let tail = sandbox.run_line("events latest --from 5 --format csv").table();
    assert_eq!(tail.rows, all.rows[4..]);
    assert!(sandbox.run_ok("events latest --from 100000").is_empty());

    let clouds = sandbox.run_ok("events latest --cloudevents");
    let clouds: Vec<Value> = clouds
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object per line"))
        .collect();
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

/// Also if the range has no event.
#[test]
fn following_an_ended_run_ends() {
    let sandbox = Sandbox::with_case("12", &[]);
    let all = sandbox.run_ok("events latest");
    assert_eq!(sandbox.run_ok("events latest --follow"), all);
    assert!(sandbox.run_ok("events latest --follow --from 100000").is_empty());
}

#[test]
fn following_an_active_run_prints_every_event_once() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 1500 --trades 200 --out book");
    let run = sandbox.command(["run", "dir:book"]).stdout(Stdio::null()).spawn();
    let mut run = run.unwrap();
    let followed = loop {
        // There is nothing to follow before the run is requested.
        let answer = sandbox.run_line("events latest --follow --format csv");
        match answer.status {
            Some(0) => break answer,
            _ => assert!(run.try_wait().unwrap().is_none_or(|ended| ended.success())),
        }
    };
    assert!(run.wait().unwrap().success());
    assert_eq!(followed.out, sandbox.run_ok("events latest --format csv"));
}

#[test]
fn loans_with_every_outcome_are_explained() {
    let sandbox = Sandbox::with_case("12", &[]);
    let explain = |loan: &str| sandbox.run_ok(&format!("explain latest --loan {loan}"));
    let placed = explain("FILL");
    assert!(placed.starts_with("Loan FILL goes to trade T1, settling 2026-02-12"), "{placed}");
    assert!(placed.contains("Joining pool NEW-T1"), "{placed}");
    let barred = explain("K7");
    assert!(barred.starts_with("Loan K7 is kicked out, LimitReached"), "{barred}");
    assert!(barred.contains("FNMA FN 6.0 \"NY\" bars it, 0.00 of 100,000.00 used"), "{barred}");
    assert!(barred.contains("  FNMA CASH: rule cash asks for tag = 'cash' (tag T)"), "{barred}");
    assert!(barred.contains("What would have given it a place? Ask with --what-if.\n"), "{barred}");
    let trade = sandbox.run_ok("explain latest --trade T1 --all");
    for words in ["600,000.00 from 1 loan", "1. FILL", "K6", "K7", "kicked out"] {
        assert!(trade.contains(words), "{words}: {trade}");
    }
    let as_json =
        |args: &str| sandbox.run_line(&format!("explain latest {args} --format json")).json();
    let account = as_json("--loan K7");
    assert_eq!(account["loan_id"], "K7");
    assert_eq!(account["candidates"][0]["verdict"]["is"], "limit_barred");
    assert_eq!(account["standing"]["participation"]["takes_part"], "eligible");
    assert!(account["what_if"].is_null());
    let with_what_if = as_json("--loan K7 --what-if");
    let limit = &with_what_if["what_if"]["kinds"][1];
    assert_eq!((&limit["kind"], &limit["answer"]), (&"limit_raised".into(), &"places".into()));
    assert_eq!(limit["change"]["hi_limit"], "0.100001");
    assert_eq!(limit["place"]["trade_id"], "T1");
    assert_eq!(as_json("--trade T1")["trade_id"], "T1");
    let pinned = Sandbox::with_case("31", &[]).run_ok("explain latest --loan A");
    assert!(pinned.starts_with("Loan A stays in pool PC1: the pool is locked."), "{pinned}");
}

#[test]
fn piped_output_has_no_colors_and_no_progress_bar() {
    let sandbox = Sandbox::new();
    let source = source(&case("41"));
    for line in [format!("run {source} --out out"), "show".to_owned(), "runs".to_owned()] {
        let answer = sandbox.run_line(&line).success();
        assert!(!answer.out.contains('\u{1b}') && !answer.err.contains('\u{1b}'), "{line}");
    }
    let refused = sandbox.run_line("show nothing");
    assert!(!refused.err.contains('\u{1b}'));
    let plain = sandbox.command(["--help"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!plain.stdout.contains(&0x1b));
}

/// As in `powerfill show | true`.
#[test]
fn a_closed_pipe_is_no_error() {
    let sandbox = Sandbox::with_case("41", &[]);
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
        let mut command = sandbox.command(line.split(' '));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let answer = CommandOutput::from(child.wait_with_output().unwrap());
        assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn hostile_names_are_kept_unchanged() {
    let sandbox = Sandbox::new();
    let hostile =
        ["a\"b,c", "<script>alert(1)</script>", "../../etc/passwd", "two\nlines", "'; --"];
    crate::snapshots::copy(&case("03").join("snapshot"), &sandbox.path("book"));
    let mut loans = Table::read(&sandbox.path("book/loan.csv"));
    let id = loans.index("loan_id");
    let model = loans.rows[0].clone();
    for name in hostile {
        let mut row = model.clone();
        row[id] = name.to_owned();
        loans.rows.push(row);
    }
    loans.write(&sandbox.path("book/loan.csv"));
    sandbox.run_ok("run dir:book --out out");
    let placed = Table::read(&sandbox.path("out/pfill_powerfill_guide.csv"));
    let kicked = Table::read(&sandbox.path("out/pfill_kickout_guide_01.csv"));
    let named = [placed.column("loan_id"), kicked.column("loan_id")].concat();
    for name in hostile {
        assert!(named.contains(&name), "{name:?} is missing");
        let story = sandbox.run(["explain", "latest", "--loan", name]).success().out;
        assert!(story.contains(name), "{story}");
    }
    let printed = sandbox.run_line("tables latest pfill_powerfill_guide --format csv").table();
    assert_eq!(printed, placed);
    sandbox.run_ok("verify");
}

/// A book with a loan whose id a spreadsheet would run as a formula.
#[test]
fn csv_for_people_has_no_formulas_and_all_else_is_exact() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 60 --trades 20 --pools 10 --out book");
    for entry in std::fs::read_dir(sandbox.path("book")).expect("the book").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("a table");
        std::fs::write(entry.path(), text.replace("L00000001", "=1+1")).expect("a table");
    }
    sandbox.run_ok("run dir:book --out out");
    let mut tables = 0;
    for entry in std::fs::read_dir(sandbox.path("out")).expect("the outputs").flatten() {
        let text = std::fs::read_to_string(entry.path()).expect("a table");
        assert!(!text.contains(",=1+1"), "{}", entry.path().display());
        let name = entry.file_name().into_string().expect("a name");
        let Some(table) = name.strip_suffix(".csv").filter(|_| text.contains(",'=1+1")) else {
            continue;
        };
        tables += 1;
        if !["pfill_loan2trade_candy_level_01", "pfill_syn_powerfill_guide_all_rank"]
            .contains(&table)
        {
            sandbox.prints(&format!("tables latest {table} --format csv"), &[",'=1+1"]);
            sandbox.prints(&format!("tables latest {table} --format json"), &["\"=1+1\""]);
        }
    }
    assert!(tables > 0);
    // What PowerFill reads again is exact.
    sandbox.run_ok("snapshot export latest --out again");
    let again = sandbox.read("again/loan.csv");
    assert!(again.contains("=1+1,") && !again.contains("'=1+1"), "{again}");
}
