//! The certificate of a run: recorded by default, listed, shown, explained, and reported
//! (specification 10.5).

use powerfill_xlsx::{SUMMARY_SHEET, read_texts};
use serde_json::Value;

use crate::sandbox::{CommandOutput, Sandbox, case, source};

const WITHIN: &str = "Within 43.1 bp ($346,454) of the best possible";

fn certified() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run(["run", &source(&case("41")), "--certificate"]).success();
    sandbox
}

#[test]
fn a_run_has_a_certificate_unless_something_says_otherwise() {
    let sandbox = Sandbox::new();
    let source = source(&case("41"));
    let run = |flags: &[&str]| {
        let mut command = sandbox.command([&["run", &source], flags].concat());
        command.env_remove("POWERFILL_NO_CERTIFICATE");
        CommandOutput::from(command.output().unwrap()).success().out
    };
    assert!(run(&[]).contains(WITHIN));
    assert!(!run(&["--no-certificate"]).contains(WITHIN));
    sandbox.write("powerfill.toml", "certificate = false");
    assert!(!run(&[]).contains(WITHIN));
    assert!(run(&["--certificate"]).contains(WITHIN));
    assert_eq!(sandbox.runs().column("gap_bp"), ["43.1", "", "", "43.1"]);
    sandbox.write("powerfill.toml", "certificate = \"no\"");
    sandbox.run_line("runs").fails_with(2, &["certificate: must be true or false"]);
}

#[test]
fn a_certificate_is_shown_wherever_the_run_is() {
    let sandbox = certified();
    let shown = sandbox.run_ok("show latest");
    assert!(shown.contains(WITHIN), "{shown}");
    assert!(shown.contains("What one more $100,000 is worth, highest first\n     $9,803  of room"));
    let shown: Value = serde_json::from_str(&sandbox.run_ok("show latest --format json")).unwrap();
    assert_eq!(shown["certificate"]["gap_bp"], "43.1");
    let first = &shown["certificate"]["prices"][0];
    assert_eq!(first["subject"]["trade_id"], "T006");
    let runs: Value = serde_json::from_str(&sandbox.run_ok("runs --format json")).unwrap();
    assert_eq!(runs[0]["certificate"]["gap_bp"], "43.1");
    let overview: Value = serde_json::from_str(&sandbox.run_ok("report latest --json")).unwrap();
    assert_eq!(overview["certificate"]["gap"], shown["certificate"]["gap"]);
    assert_eq!(overview["certificate"]["prices"][0]["hundred_thousand_amount"], "9803.36");
    sandbox.run_ok("report latest --audit --out audit.html");
    let page = sandbox.read("audit.html");
    assert!(page.contains("within 43.1 bp ($346,454) of 80,305,477.47 dollars"), "{page}");
}

#[test]
fn the_summary_of_a_workbook_has_the_certificate() {
    let sandbox = Sandbox::new();
    sandbox.run(["run", &source(&case("41")), "--certificate", "--out", "run.xlsx"]).success();
    sandbox.run_ok("tables latest --format xlsx --out tables.xlsx");
    let line = |file: &str| {
        let sheets = read_texts(&sandbox.path(file)).unwrap();
        let summary = sheets.iter().find(|sheet| sheet.name == SUMMARY_SHEET).unwrap();
        let row = summary.rows.iter().find(|row| row[0].contains("best possible")).unwrap();
        row.join("|")
    };
    let expected = "Within 43.1 bp of the best possible||346454.46|says challenge-";
    assert!(line("run.xlsx").starts_with(expected), "{}", line("run.xlsx"));
    assert_eq!(line("run.xlsx"), line("tables.xlsx"));
}

#[test]
fn a_trade_is_explained_with_what_more_room_is_worth() {
    let sandbox = certified();
    sandbox.prints("explain latest --trade T006", &["One more $100,000 of room is worth $9,803."]);
    let json = sandbox.run_ok("explain latest --trade T006 --format json");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json["shadow_prices"]["challenge"].as_str().unwrap().ends_with("-1"));
    sandbox.run(["run", &source(&case("41"))]).success();
    let explained = sandbox.run_ok("explain latest --trade T006");
    assert!(!explained.contains("$100,000"), "{explained}");
}

#[test]
fn a_worker_records_certificates_too() {
    let sandbox = Sandbox::new();
    sandbox.run(["run", &source(&case("41")), "--no-wait"]).success();
    sandbox.run_ok("work --once --certificate");
    assert_eq!(sandbox.runs().column("gap_bp"), ["43.1"]);
}

#[test]
fn the_list_of_runs_gets_a_certificate_back() {
    let sandbox = certified();
    sandbox.run_ok("rebuild latest");
    assert_eq!(sandbox.runs().column("gap_bp"), ["43.1"]);
    sandbox.run_ok("verify");
    // A challenge with other weights is no certificate.
    sandbox.run_ok("challenge latest --steps 0 --placement 0");
    assert_eq!(sandbox.runs().column("gap_bp"), ["43.1"]);
    sandbox.run_ok("verify");
}

#[test]
fn a_document_has_run_and_certificate() {
    let sandbox = Sandbox::new();
    let run_case = |number| {
        let source = source(&case(number));
        sandbox.run(["run", &source, "--certificate", "--format", "json"]).json()
    };
    let run = run_case("41");
    assert_eq!(
        (&run["status"], &run["certificate"]["gap_bp"]),
        (&"Complete".into(), &"43.1".into())
    );
    let failed = run_case("39");
    assert_eq!((&failed["status"], &failed["certificate"]), (&"Failed".into(), &Value::Null));
}
