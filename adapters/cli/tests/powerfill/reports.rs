//! Reports of faults as people read them: grouped, the cause first, with what to write; templates
//! and schemas that they are written by.

use std::fs;

use crate::sandbox::{Sandbox, case, source};
use crate::table::Table;

/// A sandbox with the folder `book`, a snapshot of one row per table.
fn sandbox_with_book() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run_ok("template --out book --examples");
    sandbox
}

const HEADER: &str = "loan_id,curr_status,loan_amount,note_rate,close_date,fico,ltv";

#[test]
fn thousands_of_equal_faults_are_a_page_and_all_of_them_in_csv() {
    let sandbox = sandbox_with_book();
    let row = |at: usize| format!("{at:010},Closed,\"$300,000.00\",6.500%,1/15/2026,760,80\n");
    let rows: String = (0..3_000).map(row).collect();
    sandbox.write("book/loan.csv", format!("{HEADER}\n{rows}"));
    let text = sandbox.run_line("check dir:book");
    text.fails_with(1, &[]);
    for part in [
        "error: loan, loan_amount: a plain decimal number is expected (not_a_number), 3,000 times",
        "  rows 1 \"$300,000.00\", 2 \"$300,000.00\"",
        "  write 300000.00, without a currency sign and commas",
        "  write 6.500, without %",
        "  write 2026-01-15",
        "--all prints every fault",
        "9000 errors, ",
    ] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    assert!(text.out.lines().count() < 25, "{}", text.out);
    let all = sandbox.run_line("check dir:book --all");
    assert!(all.out.lines().count() > 9_000);
    let csv = sandbox.run_line("check dir:book --format csv").table();
    assert!(csv.rows.len() >= 9_000, "{}", csv.rows.len());
    for command in ["run", "preflight"] {
        let refused = sandbox.run_line(&format!("{command} dir:book"));
        refused.fails_with(1, &["dir:book is refused; 9000 errors", "3,000 times", "write 2026-"]);
        assert!(refused.err.lines().count() < 25, "{}", refused.err);
        let all = sandbox.run_line(&format!("{command} dir:book --all"));
        assert!(all.err.lines().count() > 9_000);
    }
}

#[test]
fn the_cause_is_said_in_place_of_its_consequences() {
    let utf16: Vec<u8> = format!("{HEADER}\n1,Closed,1.00,6.5,,,\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let marked = [&[0xff, 0xfe][..], &utf16].concat();
    let sandbox = sandbox_with_book();
    for (text, expected) in [
        (
            utf16.as_slice(),
            "UTF-16 (little-endian, without a byte order mark); save it as CSV UTF-8",
        ),
        (marked.as_slice(), "UTF-16 (byte order mark FF FE); save it as CSV UTF-8"),
        (b"loan_id|curr_status\n1|Closed\n", "looks separated by |, a comma is expected"),
        (b"loan_id;curr_status\n1;Closed\n", "looks separated by ;, a comma is expected"),
        (b"1,Closed,1.00,6.5\n2,Closed,1.00,6.5\n", "the first row has no column of loan"),
    ] {
        sandbox.write("book/loan.csv", text);
        let checked = sandbox.run_line("check dir:book");
        checked.fails_with(1, &[]);
        assert!(checked.out.contains(expected), "{expected}: {}", checked.out);
        assert!(checked.out.ends_with("1 errors, 0 warnings\n"), "{}", checked.out);
    }
    sandbox.write("book/loan.csv", "loan_id,status,loan_amount,note_rate\n1,Closed,$1,6.5\n");
    let checked = sandbox.run_line("check dir:book");
    for part in ["rename the header \"status\"", "loan: 1 fault in its rows, which may come from"] {
        assert!(checked.out.contains(part), "{part}: {}", checked.out);
    }
    fs::rename(sandbox.path("book/loan.csv"), sandbox.path("book/loan.txt")).unwrap();
    let checked = sandbox.run_line("check dir:book");
    let expected = "this table must be there; loan.txt is there: save it as loan.csv";
    assert!(checked.out.contains(expected), "{}", checked.out);
}

#[test]
fn warnings_are_printed_by_check_preflight_and_run() {
    let sandbox = sandbox_with_book();
    sandbox.write(
        "book/loan.csv",
        format!("{HEADER},Pool Name\nL1,Closed,300000.00,0.065,2026-01-05,760,80,P1\n"),
    );
    sandbox.write("book/loan_price.csv", "loan_id,trade_id,price\n");
    let parts = [
        "looks like pool_name, which is absent",
        "note_rate is in percent; write 6.5 for 6.5 %",
        "2 warnings",
    ];
    let checked = sandbox.run_ok("check dir:book");
    let preflight = sandbox.run_ok("preflight dir:book");
    let run = sandbox.run_line("run dir:book");
    for part in parts {
        assert!(checked.contains(part), "{part}: {checked}");
        assert!(run.err.contains(part), "{part}: {}", run.err);
        assert!(preflight.contains(part) || part == "2 warnings", "{part}: {preflight}");
    }
}

#[test]
fn changes_of_the_configuration_report_names_and_patterns() {
    let sandbox = sandbox_with_book();
    sandbox.run_ok("config import dir:book");
    let rule = "config add rule rule_name=West";
    let pattern = sandbox.run(rule.split(' ').chain(["rule_syntax=state LIKE '[A-C]%'"]));
    assert!(pattern.success().err.contains("[A-C] is literal here"));
    let misnamed = sandbox.run(["config", "add", "rule", "rule_name=B", "rule_sintax=ltv > 80"]);
    misnamed.fails_with(1, &["not a column of this table; did you mean rule_syntax?"]);
    sandbox.write("book/pfill_constraints.csv", "investor_id;constraint_priority\nFNMA;1\n");
    sandbox.run_line("config import dir:book").fails_with(1, &["looks separated by ;"]);
}

#[test]
fn nearest_names_are_suggested() {
    let sandbox = sandbox_with_book();
    sandbox.run_line("schema pscat_trade").fails_with(2, &["did you mean pscat_trades?"]);
    sandbox.write("options.json", r#"{"max_eligible_day": 3}"#);
    sandbox
        .run_line("run dir:book --options options.json")
        .fails_with(1, &["not an option; did you mean max_eligible_days?"]);
}

/// Filled in with the rows of a conformance case, a template is that book.
#[test]
fn a_template_that_is_filled_in_passes_check_and_runs() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("template --out book");
    sandbox.run_line("template --out book").fails_with(2, &["has files"]);
    sandbox.run_line("check dir:book").fails_with(1, &[]);
    for entry in fs::read_dir(case("41").join("snapshot")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let given = Table::read(&path);
        let file = sandbox.path("book").join(&name);
        let mut template = Table::read(&file);
        let further = given.columns.iter().filter(|name| !template.columns.contains(name));
        let further: Vec<String> = further.cloned().collect();
        assert!(further.is_empty() || name == "loan.csv", "{name}: {further:?}");
        template.columns.extend(further);
        for row in given.pick(&template.columns.iter().map(String::as_str).collect::<Vec<_>>()) {
            template.rows.push(row.into_iter().map(str::to_owned).collect());
        }
        template.write(&file);
    }
    assert!(sandbox.run_ok("check dir:book").contains("0 errors, "));
    let of = |source: &str| {
        let run = sandbox.run(["run", source, "--format", "json"]).success().json();
        run["output_digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(of("dir:book"), of(&source(&case("41"))));
}

#[test]
fn a_workbook_of_examples_passes_check_and_is_not_overwritten() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("template --out book.xlsx --examples");
    assert!(sandbox.run_ok("check xlsx:book.xlsx").ends_with("0 errors, 0 warnings\n"));
    sandbox.run_ok("run xlsx:book.xlsx");
    sandbox.run_line("template --out book.xlsx").fails_with(2, &["book.xlsx exists"]);
    let schema = sandbox.run_line("schema loan").success().json();
    assert_eq!(schema["items"]["properties"]["ltv"]["x-unit"], "percent: 6.5 for 6.5 %");
    let all = sandbox.run_line("schema").success().json();
    assert_eq!(all["properties"].as_object().unwrap().len(), 17);
}
