//! Every conformance case with the binary, as in `tests/conformance/run_cases.py`: the expected
//! tables of a case decide which commands run.

use std::path::Path;

use crate::compare;
use crate::sandbox::{CommandOutput, Sandbox, check_cases, options, source};
use crate::table::Table;

struct Case<'a> {
    folder: &'a Path,
    sandbox: Sandbox,
    problems: Vec<String>,
}

#[test]
fn every_case_has_its_expected_results() {
    let failed = check_cases(check_case);
    assert!(failed.is_empty(), "{} cases failed\n{}", failed.len(), failed.join("\n\n"));
}

/// The problems of a case; `None` if it passes.
fn check_case(folder: &Path) -> Option<String> {
    let mut case = Case { folder, sandbox: Sandbox::new(), problems: Vec::new() };
    let faults = case.expected("faults");
    let of_options = |row: &Vec<String>, faults: &Table| row[faults.index("table")] == "options";
    let part = |options: bool| {
        let mut part = faults.clone()?;
        let all = part.clone();
        part.rows.retain(|row| of_options(row, &all) == options);
        (!part.rows.is_empty()).then_some(part)
    };
    let (of_options, of_snapshot) = (part(true), part(false));
    if let Some(faults) = of_snapshot {
        case.check(&faults);
    }
    match (of_options, case.expected("outcome")) {
        (Some(faults), _) => case.refuses_options(&faults),
        (None, Some(outcome)) if outcome.column("status") == ["Complete"] => case.completes(),
        (None, Some(_)) => case.fails_at_preflight(),
        (None, None) => {}
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let problems = case.problems;
    (!problems.is_empty()).then(|| format!("{name}\n  {}", problems.join("\n  ")))
}

impl Case<'_> {
    fn expected(&self, table: &str) -> Option<Table> {
        let file = self.folder.join("expected").join(format!("{table}.csv"));
        file.exists().then(|| Table::read(&file))
    }

    fn expect_status(&mut self, command: &str, output: &CommandOutput, is_expected: bool) {
        if !is_expected {
            let status = output.status;
            self.problems.push(format!("{command}: exit status {status:?}\n{}", output.err));
        }
    }

    fn run(&self) -> CommandOutput {
        let (source, options) = (source(self.folder), options(self.folder));
        let store = "sqlite:case.db";
        self.sandbox.run(["run", &source, "--options", &options, "--store", store, "--out", "out"])
    }

    /// The report of `check`, with exit status 1 for errors and 0 for warnings.
    fn check(&mut self, faults: &Table) {
        let answer = self.sandbox.run(["check", &source(self.folder), "--format", "csv"]);
        let wanted = i32::from(faults.column("severity").contains(&"error"));
        self.expect_status("check", &answer, answer.status == Some(wanted));
        let actual = answer.table();
        for column in compare::FAULT_COLUMNS {
            if !actual.columns.iter().any(|name| name == column) {
                self.problems.push(format!("check: column missing: {column}"));
            }
        }
        self.problems.extend(compare::report("faults", compare::faults(faults, &actual)));
    }

    fn refuses_options(&mut self, faults: &Table) {
        let answer = self.run();
        self.expect_status("run", &answer, answer.status == Some(1));
        for option in faults.column("column") {
            if !answer.err.contains(option) {
                self.problems.push(format!("run: option {option} is not named"));
            }
        }
    }

    fn completes(&mut self) {
        let answer = self.run();
        self.expect_status("run", &answer, answer.status == Some(0));
        let differences =
            compare::folders(&self.folder.join("expected"), &self.sandbox.path("out"));
        self.problems.extend(differences);
    }

    /// The run and `preflight` have the expected findings.
    fn fails_at_preflight(&mut self) {
        let answer = self.run();
        self.expect_status("run", &answer, answer.status == Some(1));
        let differences =
            compare::folders(&self.folder.join("expected"), &self.sandbox.path("out"));
        self.problems.extend(differences);
        let (source, options) = (source(self.folder), options(self.folder));
        let answer =
            self.sandbox.run(["preflight", &source, "--options", &options, "--format", "csv"]);
        self.expect_status("preflight", &answer, answer.status == Some(1));
        let name = "pfill_preflight_findings";
        let expected = self.expected(name).expect("a refused run has findings");
        let found = compare::tables(name, &expected, &answer.table());
        self.problems.extend(compare::report("preflight", found));
    }
}
