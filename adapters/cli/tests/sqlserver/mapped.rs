//! A view of a database, read by a mapping, is the book of the same rows in a file (specification
//! 4.1).

use std::fs;

use crate::Test;
use crate::book_tables::BOOK_TABLES;
use crate::sandbox::Sandbox;
use crate::server::Schema;

pub(crate) const TESTS: &[Test] = tests!(mapped: a_view_with_own_names_has_the_digest_of_its_file);

/// Loan number, milestone, amount, rate, funding, and state.
const LOANS: [[&str; 6]; 3] = [
    ["0001000101", "Closed", "300000.00", "6.500", "2026-01-05", "CA"],
    ["0001000102", "Closed", "1250000.00", "6.625", "2026-01-06", ""],
    ["0001000104", "Locked", "200000.00", "6.750", "", "TX"],
];

const MAPPING: &str = r#"
[tables.loan]
name = "pipeline"
[tables.loan.rename]
"Loan #" = "loan_id"
Milestone = "curr_status"
"Loan Amt" = "loan_amount"
Rate = "note_rate"
Funded = "close_date"
St = "state"
"#;

fn a_view_with_own_names_has_the_digest_of_its_file() {
    let (schema, sandbox) = (Schema::new(), Sandbox::new());
    let (tape, view) = (schema.table("tape"), schema.table("pipeline"));
    schema.sql(&format!(
        "CREATE TABLE {tape} (a NVARCHAR(20), b NVARCHAR(20), c DECIMAL(15, 2), d DECIMAL(9, 3), \
         e DATE, f NCHAR(2))"
    ));
    let text = |cell: &str| if cell.is_empty() { "NULL".to_owned() } else { format!("N'{cell}'") };
    for loan in LOANS.iter().chain([&["9", "Withdrawn", "", "", "", ""]]) {
        let cells: Vec<String> = loan.iter().map(|cell| text(cell)).collect();
        schema.sql(&format!("INSERT INTO {tape} VALUES ({})", cells.join(", ")));
    }
    schema.sql(&format!(
        "CREATE VIEW {view} AS SELECT a AS [Loan #], b AS [Milestone], c AS [Loan Amt], \
         d AS [Rate], e AS [Funded], f AS [St] FROM {tape} WHERE b <> N'Withdrawn'"
    ));
    let mut csv = "Loan #,Milestone,Loan Amt,Rate,Funded,St\n".to_owned();
    LOANS.iter().for_each(|loan| csv += &format!("{}\n", loan.join(",")));
    fs::create_dir(sandbox.path("tapes")).expect("a folder");
    sandbox.write("tapes/pipeline.csv", csv);
    sandbox.write("book.toml", format!("{MAPPING}{BOOK_TABLES}"));
    let digest = |source: &str| {
        let checked = sandbox.run(["check", source, "--mapping", "book.toml"]).success();
        checked.out.lines().find(|line| line.starts_with("input digest ")).map(str::to_owned)
    };
    let of_file = digest("dir:tapes");
    assert!(of_file.is_some());
    assert_eq!(digest(&schema.url()), of_file);
    sandbox.run(["check", &schema.url(), "--write-mapping", "draft.toml"]).success();
    let draft = sandbox.read("draft.toml");
    assert!(draft.contains("\"Loan #\" = \"loan_id\""), "{draft}");
}
