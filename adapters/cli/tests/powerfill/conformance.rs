//! Every conformance case through the binary, as `tests/conformance/run_cases.py` does it: what to
//! run follows from what the case expects.

use std::path::Path;

use crate::compare;
use crate::desk::{Answer, Desk, cases, options, source};
use crate::table::Table;

/// Fewer cases than there are would prove less than it seems.
const CASES: usize = 48;

struct Case<'a> {
    folder: &'a Path,
    desk: Desk,
    problems: Vec<String>,
}

#[test]
fn every_case_comes_out_as_expected() {
    let cases = cases();
    assert!(cases.len() >= CASES, "{} cases", cases.len());
    let part = cases.len().div_ceil(4);
    let failed: Vec<String> = std::thread::scope(|scope| {
        let judging: Vec<_> = cases
            .chunks(part)
            .map(|part| scope.spawn(move || part.iter().filter_map(|case| judge(case)).collect()))
            .collect();
        let judged: Vec<Vec<String>> =
            judging.into_iter().map(|part| part.join().expect("a case is judged")).collect();
        judged.concat()
    });
    assert!(failed.is_empty(), "{} cases failed\n{}", failed.len(), failed.join("\n\n"));
}

/// The problems with a case; none where it passes.
fn judge(folder: &Path) -> Option<String> {
    let mut case = Case { folder, desk: Desk::new(), problems: Vec::new() };
    let faults = case.expected("faults");
    let of_options = |row: &Vec<String>, faults: &Table| row[faults.place("table")] == "options";
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
        (None, Some(_)) => case.is_refused_at_preflight(),
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

    fn expect_status(&mut self, what: &str, answer: &Answer, as_wanted: bool) {
        if !as_wanted {
            let status = answer.status;
            self.problems.push(format!("{what}: exit status {status:?}\n{}", answer.err));
        }
    }

    fn run(&self) -> Answer {
        let (source, options) = (source(self.folder), options(self.folder));
        let store = "sqlite:case.db";
        self.desk.powerfill([
            "run",
            &source,
            "--options",
            &options,
            "--store",
            store,
            "--out",
            "out",
        ])
    }

    /// The report of `check`: 1 where there is an error, 0 where there are warnings only.
    fn check(&mut self, faults: &Table) {
        let answer = self.desk.powerfill(["check", &source(self.folder), "--format", "csv"]);
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
        let differences = compare::folders(&self.folder.join("expected"), &self.desk.path("out"));
        self.problems.extend(differences);
    }

    /// The findings of the run and those of `preflight` are the expected ones.
    fn is_refused_at_preflight(&mut self) {
        let answer = self.run();
        self.expect_status("run", &answer, answer.status == Some(1));
        let differences = compare::folders(&self.folder.join("expected"), &self.desk.path("out"));
        self.problems.extend(differences);
        let (source, options) = (source(self.folder), options(self.folder));
        let answer =
            self.desk.powerfill(["preflight", &source, "--options", &options, "--format", "csv"]);
        self.expect_status("preflight", &answer, answer.status == Some(1));
        let name = "pfill_preflight_findings";
        let expected = self.expected(name).expect("a refused run has findings");
        let found = compare::tables(name, &expected, &answer.table());
        self.problems.extend(compare::report("preflight", found));
    }
}
