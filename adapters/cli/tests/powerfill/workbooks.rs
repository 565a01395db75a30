//! Workbooks as a source and as output: the same cells as in CSV, and errors.

use std::collections::BTreeMap;
use std::path::Path;

use powerfill_tables::table::CellType;
use powerfill_tables::tables::ALL;
use powerfill_xlsx::{MOVES_SHEET, RUN_SHEET, SUMMARY_SHEET, TextSheet, naming, read_texts};
use rust_xlsxwriter::Workbook;

use crate::sandbox::{Sandbox, case, check_cases, options, source};
use crate::table::Table;

/// Writes the CSV files of a folder as a workbook: numbers as numbers, if a workbook shows them
/// like the file.
fn workbook(folder: &Path, to: &Path) {
    let mut book = Workbook::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let table = Table::read(&file);
        let sheet = book.add_worksheet();
        sheet.set_name(file.file_stem().unwrap().to_str().unwrap()).unwrap();
        for (row, cells) in std::iter::once(&table.columns).chain(&table.rows).enumerate() {
            let filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty());
            for (column, cell) in filled {
                let (row, column) = (row as u32, column as u16);
                match cell.parse::<f64>() {
                    Ok(number) if number.to_string() == *cell && cell.len() < 15 => {
                        sheet.write_number(row, column, number).unwrap();
                    }
                    _ => {
                        sheet.write_string(row, column, cell).unwrap();
                    }
                }
            }
        }
    }
    book.save(to).unwrap();
}

/// The differences between the CSV files of a run and its workbook; numbers have the decimals of
/// their column.
fn differences(out: &Path, book: &Path) -> Vec<String> {
    let sheets = read_texts(book).unwrap();
    let names: Vec<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    let mut found = Vec::new();
    let mut expected = [SUMMARY_SHEET, MOVES_SHEET, RUN_SHEET].map(str::to_owned).to_vec();
    for table in ALL {
        let file = out.join(format!("{}.csv", table.name));
        if !file.exists() {
            continue;
        }
        let name = naming::sheet_name(table.name, 1);
        expected.push(name.clone());
        let Some(sheet) = sheets.iter().find(|sheet| sheet.name == name) else { continue };
        let read = Table {
            columns: sheet.header.iter().map(|name| column_of(name)).collect(),
            rows: with_all_decimals(sheet, table.columns.iter().map(|column| column.cell_type)),
        };
        if read != Table::read(&file) {
            found.push(format!("{name}\n{read:?}\n{:?}", Table::read(&file)));
        }
    }
    if names != expected {
        found.push(format!("{names:?} for {expected:?}"));
    }
    found
}

/// The column of a name for people.
fn column_of(name: &str) -> String {
    name.to_lowercase().replace(' ', "_")
}

fn with_all_decimals(sheet: &TextSheet, types: impl Iterator<Item = CellType>) -> Vec<Vec<String>> {
    let types: Vec<CellType> = std::iter::once(CellType::Text).chain(types).collect();
    let cell = |(cell, cell_type): (&String, &CellType)| match cell_type {
        CellType::Decimal(scale) if !cell.is_empty() => {
            let (whole, decimals) = cell.split_once('.').unwrap_or((cell, ""));
            format!("{whole}.{decimals:0<0$}", usize::from(*scale))
        }
        _ => cell.clone(),
    };
    sheet.rows.iter().map(|row| row.iter().zip(&types).map(cell).collect()).collect()
}

#[test]
fn the_workbook_of_every_case_has_the_cells_of_its_csv() {
    let found = check_cases(|case| -> Option<Vec<String>> {
        let sandbox = Sandbox::new();
        let options = options(case);
        let answer = sandbox.run(["run", &source(case), "--options", &options, "--out", "out"]);
        if !sandbox.path("out").exists() {
            return None;
        }
        // A run that fails at preflight has a workbook too, with the same tables as CSV.
        let again = [
            "run",
            &source(case),
            "--options",
            &options,
            "--format",
            "xlsx",
            "--out",
            "run.xlsx",
            "--store",
            "sqlite:2.db",
        ];
        let again = sandbox.run(again);
        let mut found = Vec::new();
        if again.status != answer.status {
            found.push(format!("{:?} for {:?}: {}", again.status, answer.status, again.err));
        }
        let made =
            ["tables", "latest", "--all", "--format", "xlsx", "--out", "new folder/tables.xlsx"];
        sandbox.run(made).success();
        if answer.status == Some(0) {
            found
                .extend(differences(&sandbox.path("out"), &sandbox.path("new folder/tables.xlsx")));
        }
        let sheets = read_texts(&sandbox.path("run.xlsx")).unwrap();
        let files = std::fs::read_dir(sandbox.path("out")).unwrap().count();
        if sheets.len() != files {
            found
                .push(format!("{} sheets for {files} files, the outcome among them", sheets.len()));
        }
        Some(found.into_iter().map(|what| format!("{}: {what}", case.display())).collect())
    });
    assert!(found.len() >= 40, "{} cases", found.len());
    assert!(found.concat().is_empty(), "{}", found.concat().join("\n\n"));
}

#[test]
fn the_workbook_of_a_generated_book_has_the_cells_of_its_csv() {
    let sandbox = Sandbox::new();
    sandbox.run_ok(
        "generate --loans 400 --trades 150 --pools 90 --instruments 30 --constraints 40 --out book",
    );
    sandbox.run_ok("run dir:book --out out");
    sandbox.run_ok("tables latest --all --format xlsx --out run.xlsx");
    assert_eq!(differences(&sandbox.path("out"), &sandbox.path("run.xlsx")), Vec::<String>::new());
    let first = std::fs::read(sandbox.path("run.xlsx")).unwrap();
    sandbox.run_ok("tables latest --all --format xlsx --out run.xlsx");
    assert!(std::fs::read(sandbox.path("run.xlsx")).unwrap() == first);
    let piped = sandbox.command("tables latest --all --format xlsx".split(' ')).output().unwrap();
    assert!(piped.status.success() && piped.stdout == first);

    sandbox.run_ok("tables latest --format xlsx --out people.xlsx");
    let sheets = read_texts(&sandbox.path("people.xlsx")).unwrap();
    let large: Vec<_> = ALL
        .iter()
        .filter(|t| t.built_from.is_some())
        .map(|t| naming::sheet_name(t.name, 1))
        .collect();
    assert!(large.len() == 2 && sheets.iter().all(|sheet| !large.contains(&sheet.name)));
    let overview = sandbox.run_line("report latest --json").success().json();
    let moves = sheets.iter().find(|sheet| sheet.name == MOVES_SHEET).unwrap();
    let total = moves.rows.last().unwrap();
    let actions = overview["moves"]["actions"].as_array().unwrap().iter();
    let moved = actions.filter(|action| action["pool_action"] != "Remaining");
    let moved: u64 = moved.map(|action| action["loans"].as_u64().unwrap()).sum();
    assert_eq!((&*total[0], &*total[5]), ("Together", &*moved.to_string()));
    let summary = sheets.iter().find(|sheet| sheet.name == SUMMARY_SHEET).unwrap();
    let value = summary.rows.iter().filter(|row| row[0] == "Value of the run");
    let value: Vec<&str> = value.map(|row| row[2].as_str()).collect();
    let expected = overview["value"]["all"]["value_amount"].as_str().unwrap();
    assert_eq!(value, [expected.trim_end_matches('0').trim_end_matches('.')]);

    let one = "tables latest pfill_trade_recap --format xlsx --out recap.xlsx";
    sandbox.run_ok(one);
    let sheets = read_texts(&sandbox.path("recap.xlsx")).unwrap();
    let names: Vec<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    assert_eq!(names, [RUN_SHEET, "pfill_trade_recap"]);
    assert_eq!(sheets[1].header[..3], ["Run ID", "Trade ID", "Open amount"]);
    let fields: BTreeMap<&str, &str> =
        sheets[0].rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    let recorded = sandbox.run_line("tables latest pfill_run_history --format csv").table();
    for field in ["run_id", "status", "input_digest", "output_digest", "requested_at"] {
        assert_eq!(vec![fields[field]], recorded.column(field), "{field}");
    }
    assert_eq!(fields["options scope"], "closed_and_locked");
    assert_eq!(fields["counts pfill_trade_recap"], sheets[1].rows.len().to_string());
}

#[test]
fn a_workbook_gives_the_same_run_as_the_folder() {
    let sandbox = Sandbox::new();
    let folder = case("41").join("snapshot");
    workbook(&folder, &sandbox.path("book.xlsx"));
    assert!(sandbox.run_ok("check xlsx:book.xlsx").ends_with("0 errors, 7 warnings\n"));
    assert_eq!(
        sandbox.run_ok("preflight xlsx:book.xlsx --format csv"),
        sandbox.run_ok(&format!("preflight dir:{} --format csv", folder.display()))
    );
    let events_of = |source: &str, store: &str| {
        sandbox.run(["run", source, "--store", store]).success();
        let line = format!("events latest --cloudevents --store {store}");
        let events = sandbox.run_ok(&line);
        let events: Vec<serde_json::Value> = events
            .lines()
            .map(|line| {
                let event: serde_json::Value = serde_json::from_str(line).unwrap();
                let name = event["type"].as_str().unwrap().to_owned();
                let mut data = event["data"].clone();
                // Where the input was read is another place.
                if let Some(origin) = data.get_mut("origin") {
                    origin["provenance"] = serde_json::Value::Null;
                }
                serde_json::json!([name, data])
            })
            .collect();
        events
    };
    let (from_book, from_folder) = (
        events_of("xlsx:book.xlsx", "sqlite:1.db"),
        events_of(&format!("dir:{}", folder.display()), "sqlite:2.db"),
    );
    assert!(from_book.len() > 1000, "{}", from_book.len());
    for (one, other) in from_book.iter().zip(&from_folder) {
        assert_eq!(one, other);
    }
    assert_eq!(from_book.len(), from_folder.len());
}

#[test]
fn faults_name_the_address_of_their_cell_in_every_format() {
    let sandbox = Sandbox::new();
    crate::snapshots::copy(&case("03").join("snapshot"), &sandbox.path("book"));
    let file = sandbox.path("book/loan.csv");
    let mut loans = Table::read(&file);
    let rate = loans.index("note_rate");
    loans.rows[1][rate] = "6.0000001".to_owned();
    loans.write(&file);
    workbook(&sandbox.path("book"), &sandbox.path("book.xlsx"));
    let place = format!("loan!{}3", char::from(b'A' + rate as u8));

    let text = sandbox.run_line("check xlsx:book.xlsx");
    assert!(text.status == Some(1) && text.out.contains(&place), "{}", text.out);
    let table = sandbox.run_line("check xlsx:book.xlsx --format csv").table();
    assert_eq!(
        table.pick(&["table", "row", "column", "value", "code"]),
        [["loan", &place, "note_rate", "6.0000001", "too_many_decimals"]]
    );
    let report: serde_json::Value =
        serde_json::from_str(&sandbox.run_line("check xlsx:book.xlsx --format json").out).unwrap();
    assert_eq!(report[0]["row"], place);
    let run = sandbox.run_line("run xlsx:book.xlsx");
    run.fails_with(
        1,
        &[
            "xlsx:book.xlsx is refused; 1 errors",
            &format!("error: {place}, note_rate \"6.0000001\""),
        ],
    );
    sandbox.run_line("run xlsx:none.xlsx").fails_with(2, &["none.xlsx cannot be read"]);
    sandbox.write("text.xlsx", "loan_id\nA\n");
    sandbox
        .run_line("check xlsx:text.xlsx")
        .fails_with(2, &["text.xlsx", "it is not an .xlsx file", "open it in Excel"]);
}

#[test]
fn commands_without_tables_refuse_to_write_a_workbook() {
    let sandbox = Sandbox::new();
    let source = source(&case("03"));
    sandbox
        .run_line(&format!("run {source} --format xlsx"))
        .fails_with(2, &["--format xlsx needs", "--out FILE"]);
    std::fs::create_dir(sandbox.path("folder")).unwrap();
    let refused = sandbox.run_line(&format!("run {source} --format xlsx --out folder"));
    refused.fails_with(2, &["folder is a folder; name a file", "run.xlsx"]);
    assert!(!sandbox.run_line("show").err.contains("Complete"), "nothing was run");
    sandbox.run_ok(&format!("run {source} --format xlsx --out new/run.xlsx"));
    let lines = [
        "runs",
        "show",
        "verify",
        "explain latest --loan A",
        "rebuild",
        &format!("check {source}"),
        &format!("preflight {source}"),
        "events latest",
    ];
    for line in lines {
        sandbox.run_line(&format!("{line} --format xlsx")).fails_with(2, &["'xlsx'", "--format"]);
    }
    let refused = sandbox.run_line("tables latest --out tables.csv --format csv");
    refused.fails_with(2, &["--out is for workbooks (FILE.xlsx)"]);
    sandbox
        .run_line("tables latest nothing --format xlsx --out x.xlsx")
        .fails_with(2, &["no output table nothing"]);
    sandbox
        .run_line("tables latest --format xlsx --out folder")
        .fails_with(2, &["folder is a folder"]);
    assert!(!sandbox.path("x.xlsx").exists());
    // A file where a folder must be.
    sandbox.write("file", "");
    let refused = sandbox.run_line(&format!("run {source} --format xlsx --out file/run.xlsx"));
    refused.fails_with(2, &["file/run.xlsx"]);
}
