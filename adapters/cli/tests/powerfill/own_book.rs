//! Books in the files of other systems, read by a mapping (specification 4.1).

use std::fs;
use std::path::Path;

use powerfill_tests::postgres::{TestDatabase, connect};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::book_tables::BOOK_TABLES;
use crate::sandbox::{Sandbox, block_on};

const HEADER: [&str; 8] =
    ["Loan #", "Milestone", "Loan Amt", "Rate", "Funded", "Lock Exp", "Occ", "St"];

/// The rows of the tape, as texts of our own formats.
const LOANS: [[&str; 8]; 4] = [
    ["0001000101", "Closed", "300000.00", "6.5", "2026-01-05", "", "Primary", "CA"],
    ["0001000102", "Closed", "1250000.00", "6.625", "2026-01-06", "", "Primary", "TX"],
    ["0001000103", "Closed", "450000.00", "6.375", "2026-01-07", "", "Investor", "NY"],
    ["0001000104", "Locked", "200000.00", "6.75", "", "2026-02-05", "Primary", "Müller"],
];

/// What every mapping of this book has beside [`BOOK_TABLES`]: the columns of the tape.
const COLUMNS: &str = r#"
[tables.loan.rename]
"Loan #" = "loan_id"
Milestone = "curr_status"
"Loan Amt" = "loan_amount"
Rate = "note_rate"
Funded = "close_date"
"Lock Exp" = "lock_expiration_date"
Occ = "occupancy"
St = "state"
"#;

/// Writes the tape with these forms of a number, and of a date in the order of its parts.
fn tape(
    delimiter: &str,
    number: impl Fn(&str) -> String,
    date: impl Fn(&str, &str, &str) -> String,
) -> String {
    let date = |text: &str| match text.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] => date(year, month, day),
        _ => "N/A".to_owned(),
    };
    let row = |row: &[&str; 8]| {
        let [id, status, amount, rate, funded, lock, occ, state] = *row;
        let (amount, rate) = (number(amount), number(rate));
        [id.into(), status.into(), amount, rate, date(funded), date(lock), occ.into(), state.into()]
            .join(delimiter)
    };
    let lines = std::iter::once(HEADER.join(delimiter)).chain(LOANS.iter().map(row));
    lines.map(|line| line + "\r\n").collect()
}

fn book(sandbox: &Sandbox, name: &str, head: &str) {
    sandbox.write(name, format!("{head}\n{COLUMNS}{BOOK_TABLES}"));
}

/// The digest of the snapshot that a run of a source captures.
fn digest(sandbox: &Sandbox, source: &str, mapping: &str, store: &str) -> String {
    let run = ["run", source, "--mapping", mapping, "--store", store, "--format", "json"];
    let run = sandbox.run(run).success();
    run.json()["input_digest"].as_str().expect("a digest").to_owned()
}

/// The desk's workbook: dates and numbers as cells, per cents and dollars by their formats, a title
/// above the header, and a total below.
fn workbook(file: &Path) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Pipeline 1-15-26").unwrap();
    sheet.write_string(0, 0, "Pipeline").unwrap();
    for (column, name) in (0..).zip(HEADER) {
        sheet.write_string(2, column, name).unwrap();
    }
    let dollars = Format::new().set_num_format("$#,##0.00");
    let date = Format::new().set_num_format("m/d/yyyy");
    let percent = Format::new().set_num_format("0.000%");
    for (row, loan) in (3..).zip(LOANS) {
        let [id, status, amount, rate, funded, lock, occ, state] = loan;
        // An id that lost its zeros.
        sheet.write_number(row, 0, id.parse::<u32>().unwrap()).unwrap();
        sheet.write_string(row, 1, status).unwrap();
        sheet.write_number_with_format(row, 2, amount.parse::<f64>().unwrap(), &dollars).unwrap();
        // 6.5 % is stored as 0.065.
        let stored = format!("0.0{}", rate.replace('.', "")).parse::<f64>().unwrap();
        sheet.write_number_with_format(row, 3, stored, &percent).unwrap();
        for (column, day) in [(4, funded), (5, lock)].into_iter().filter(|(_, d)| !d.is_empty()) {
            let day = ExcelDateTime::parse_from_str(day).unwrap();
            sheet.write_datetime_with_format(row, column, &day, &date).unwrap();
        }
        sheet.write_string(row, 6, occ).unwrap().write_string(row, 7, state).unwrap();
    }
    sheet.write_string(7, 0, "Total").unwrap().write_number(7, 2, 2_200_000).unwrap();
    book.save(file).unwrap();
}

#[test]
fn the_same_book_has_the_same_digest_in_every_form() {
    let sandbox = Sandbox::new();
    let us = tape(",", |n| format!("\"${n}\""), |y, m, d| format!("{m}/{d}/{y}"));
    let us = us.replace("$1250000", "$1,250,000").replace("\"$6.5\"", "6.500%");
    sandbox.write("us/tape.csv", &us);
    let formats = "[formats]\ndates = \"mdy\"\ndecimal = \"point\"\nnull = [\"N/A\"]\n";
    book(&sandbox, "us.toml", &format!("{formats}[tables.loan]\nname = \"tape\""));
    let expected = digest(&sandbox, "dir:us", "us.toml", "sqlite:us.db");

    let comma = tape(";", |n| n.replace('.', ","), |y, m, d| format!("{d}.{m}.{}", &y[2..]));
    let comma = comma.replace("1250000,00", "1.250.000,00");
    let windows: Vec<u8> =
        comma.chars().map(|c| if c == 'ü' { 0xfc } else { u8::try_from(c).unwrap() }).collect();
    sandbox.write("comma/Kredite.txt", windows);
    let formats = "[formats]\ndates = \"dmy\"\nfirst_year = 1970\ndecimal = \"comma\"\n\
                   null = [\"N/A\"]\n";
    book(&sandbox, "comma.toml", &format!("{formats}[tables.loan]\nname = \"Kredite.txt\""));

    let tabs = tape("\t", |n| format!("{n}\u{a0}"), |y, m, d| format!("{y}{m}{d}"));
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(tabs.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    sandbox.write("utf16/part-1.tsv", utf16);
    book(&sandbox, "utf16.toml", "[formats]\nnull = [\"n/a\"]\n[tables.loan]\nname = \"part-*\"");

    workbook(&sandbox.path("desk.xlsx"));
    let desk = "[files.\"Pipeline *\"]\nheader = 3\ntotals = [\"Total\"]\n[tables.loan]\n\
                name = \"Pipeline *\"\n[tables.loan.columns]\nloan_id = { pad = 10 }";
    book(&sandbox, "desk.toml", desk);

    let database = rusqlite::Connection::open(sandbox.path("desk.db")).unwrap();
    database
        .execute_batch(
            "CREATE TABLE tape (a, b, c, d, e, f, g, h); CREATE VIEW pipeline AS \
             SELECT a \"Loan #\", b Milestone, c \"Loan Amt\", d Rate, e Funded, f \"Lock Exp\", \
             g Occ, h St FROM tape WHERE b <> 'Withdrawn'",
        )
        .unwrap();
    for loan in LOANS.iter().chain([&["9", "Withdrawn", "", "", "", "", "", ""]]) {
        let insert = "INSERT INTO tape VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        database.execute(insert, rusqlite::params_from_iter(loan)).unwrap();
    }
    drop(database);
    let (server, postgres) = postgres_view();
    book(&sandbox, "sql.toml", "[tables.loan]\nname = \"pipeline\"");

    for (source, mapping) in [
        ("dir:comma", "comma.toml"),
        ("dir:utf16", "utf16.toml"),
        ("xlsx:desk.xlsx", "desk.toml"),
        ("sqlite:desk.db", "sql.toml"),
        (&postgres, "sql.toml"),
    ] {
        let store = format!("sqlite:{mapping}.db");
        assert_eq!(digest(&sandbox, source, mapping, &store), expected, "{source}");
    }
    drop(server);
}

/// The tape as a view in PostgreSQL, with the types that a warehouse has, and the URL of it.
fn postgres_view() -> (TestDatabase, String) {
    let database = TestDatabase::new();
    let text = |cell: &str| if cell.is_empty() { "NULL".to_owned() } else { format!("'{cell}'") };
    let rows = LOANS.iter().chain([&["9", "Withdrawn", "", "", "", "", "", ""]]).map(|loan| {
        format!("({})", loan.iter().map(|cell| text(cell)).collect::<Vec<_>>().join(", "))
    });
    let sql = format!(
        "CREATE TABLE tape (a text, b text, c numeric, d numeric, e date, f date, g text, h text);
         INSERT INTO tape VALUES {};
         CREATE VIEW pipeline AS SELECT a \"Loan #\", b \"Milestone\", c \"Loan Amt\", d \"Rate\",
             e \"Funded\", f \"Lock Exp\", g \"Occ\", h \"St\" FROM tape WHERE b <> 'Withdrawn'",
        rows.collect::<Vec<_>>().join(", ")
    );
    let url = block_on(async {
        let url = database.url().await;
        connect(&url).await.batch_execute(&sql).await.unwrap();
        url
    });
    (database, url)
}

#[test]
fn a_run_records_the_mapping_and_show_prints_it() {
    let sandbox = Sandbox::new();
    sandbox.write("tapes/tape.csv", tape(",", str::to_owned, |y, m, d| format!("{y}-{m}-{d}")));
    book(&sandbox, "book.toml", "[formats]\nnull = [\"N/A\"]\n[tables.loan]\nname = \"tape\"");
    sandbox.write(
        "powerfill.toml",
        "[tenants.ACME]\nstore = \"sqlite:acme.db\"\nsource = \"dir:tapes\"\nmapping = \"book.toml\"\n",
    );
    let run = sandbox.run_line("run --tenant ACME").success();
    assert!(run.err.contains("note: tape.csv is loan: 4 rows"), "{}", run.err);
    sandbox.prints("show latest --tenant ACME", &["Input by book.toml ("]);
    let json = sandbox.run_line("show latest --tenant ACME --format json").success().json();
    let (mapping, text) = (&json["mapping"], sandbox.read("book.toml"));
    assert_eq!(mapping["text"], text.as_str());
    assert_eq!(mapping["files"][0]["name"], "tape.csv");
    assert_eq!(mapping["digest"].as_str().map(str::len), Some(64));
    // Another source has no mapping unless one is named.
    let unmapped = sandbox.run_line("check dir:tapes --tenant ACME");
    assert!(
        unmapped.status == Some(1) && unmapped.out.contains("missing_table"),
        "{}",
        unmapped.out
    );
    for line in ["check", "preflight", "preprocess --out proposed", "config import --dry-run"] {
        sandbox.run_line(&format!("{line} --tenant ACME")).success();
    }
    sandbox.run_line("replay latest --tenant ACME").success();
}

#[test]
fn what_a_mapping_cannot_read_is_a_fault_with_its_place_and_remedy() {
    let sandbox = Sandbox::new();
    let mut text = tape(",", str::to_owned, |y, m, d| format!("{m}/{d}/{y}"));
    text = text.replace("300000.00", "\"300,000.00\"");
    sandbox.write("tapes/tape.csv", text);
    book(&sandbox, "book.toml", "[formats]\nnull = [\"N/A\"]\n[tables.loan]\nname = \"tape\"");
    sandbox
        .run_line("check dir:tapes --mapping book.toml --format csv")
        .answers(1, &["tape.csv:2", "300,000.00", "decimal = ", "tape.csv:5", "dates = "]);
    for (head, words) in [
        ("[tables.loan]\nname = \"tapes\"", "line 2: no file or sheet tapes; did you mean tape?"),
        ("[tabels.loan]", "did you mean `tables`?"),
        ("[tables.loan]\nname = \"tape\"\nskip = true", "line 3: skip is for comparisons"),
        ("[lookups.x]\nA = \"B\"\n[tables.loan]\nname = \"tape\"", "no column uses [lookups.x]"),
        ("[tables.loan]\nname = \"tape\"\nkeep = \"Milestoen = 'x'\"", "did you mean Milestone?"),
    ] {
        book(&sandbox, "wrong.toml", head);
        sandbox
            .run_line("check dir:tapes --mapping wrong.toml")
            .fails_with(2, &["wrong.toml, line", words]);
    }
}

#[test]
fn a_draft_finds_what_names_and_values_say() {
    let sandbox = Sandbox::new();
    let us = tape(";", |n| format!("${n}"), |y, m, d| format!("{m}/{d}/{y}"));
    let us = us.replace("$1250000.00", "$1,250,000.00").replace("Funded", "Closing Date");
    sandbox.write("tapes/Pipeline.csv", us);
    sandbox.run_ok("check dir:tapes --write-mapping draft.toml");
    let draft = sandbox.read("draft.toml");
    for line in [
        "dates = \"mdy\"",
        "decimal = \"point\"",
        "null = [\"N/A\"]",
        "name = \"Pipeline\"",
        "\"Loan #\" = \"loan_id\"",
        "\"Rate\" = \"note_rate\"",
        "\"Closing Date\" = \"close_date\"",
        "# [[tables.snapshot.rows]]",
    ] {
        assert!(draft.contains(line), "{line} is not in\n{draft}");
    }
    // The draft is a mapping: with the missing tables, it reads the tape.
    sandbox.write("book.toml", draft + BOOK_TABLES);
    sandbox.run_line("check dir:tapes --mapping book.toml").success();
    let again = sandbox.run_line("check dir:tapes --write-mapping draft.toml");
    again.fails_with(2, &["exists already"]);
}

/// A header below titles, over units, or of two rows, and none: the draft says it, and reads the
/// file so.
#[test]
fn a_draft_says_where_the_header_is() {
    let rows = "0001000107;Closed;300000.00;6.5\n0001000108;Closed;250000.00;6.625\n";
    for (name, head, lines) in [
        ("titles", "ACME Mortgage\nAs of;1/15/2026\n\nLoan #;Status;UPB;Rate\n", "header = 4"),
        (
            "units",
            "ACME Mortgage\nLoan #;Status;UPB;Rate\n;;(USD);%\n",
            "header = 2  # the rows above are titles\nfirst_row = 4",
        ),
        ("groups", "Loan;;Terms;\nLoan #;Status;UPB;Rate\n", "header = 2"),
        ("joined", "Loan;;UPB;Note\nNumber;Status;;Rate\n", "header = [1, 2]"),
        ("none", "", "header = false"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("tapes/loan.csv", format!("{head}{rows}"));
        sandbox.run_ok("check dir:tapes --write-mapping draft.toml");
        let draft = sandbox.read("draft.toml");
        assert!(draft.contains("\n[files.\"loan.csv\"]\n"), "{name}: {draft}");
        assert!(draft.contains(lines), "{name}: {lines} is not in\n{draft}");
        assert!(draft.contains("= \"loan_id\""), "{name}: {draft}");
        assert!(draft.contains("= \"loan_amount\""), "{name}: {draft}");
        assert_eq!(draft.contains("\"column 2\",  # \"Closed\""), name == "none", "{draft}");
        let book = draft + BOOK_TABLES;
        // What no name and no value says, a person does.
        let book = match name {
            "none" => book.replace("# columns.curr_status =", "columns.curr_status =").replace(
                "columns.curr_status = { constant = \"…\" }",
                "columns.curr_status.from = \"column 2\"",
            ),
            _ => book,
        };
        sandbox.write("book.toml", book);
        let check = sandbox.run_line("check dir:tapes --mapping book.toml");
        assert_eq!(check.status, Some(0), "{name}: {}{}", check.out, check.err);
    }
}

/// The mappings of `docs/mappings`, each with made-up rows.
#[test]
fn the_mappings_of_public_formats_read_their_files() {
    let freddie = "760|202601|N|205602|16740|000|1|P|75|38|300000|75|6.5|R|N|FRM|NC|SF|28200|\
                   F26Q10000001|P|360|2|Lender|Servicer||||||N|7\n\
                   9999|202601|9|205602||999|99|9|999|999|250000|999|6.625|9|N|FRM|TX|99|75000|\
                   F26Q10000002|N|360|1|Lender|Servicer||||||N|7\n";
    let fannie = |loan: &str, period: &str| {
        let mut fields = vec![""; 110];
        let known = [
            (2, loan),
            (3, period),
            (4, "R"),
            (8, "6.500"),
            (9, "6.500"),
            (10, "300000.00"),
            (12, "299000.50"),
            (13, "360"),
            (14, "012026"),
            (20, "75"),
            (23, "38"),
            (24, "760"),
            (27, "P"),
            (28, "SF"),
            (29, "1"),
            (30, "P"),
            (31, "NC"),
            (37, "N"),
        ];
        for (at, text) in known {
            fields[at - 1] = text;
        }
        fields.join("|") + "\n"
    };
    let performance = fannie("000128090409", "012026")
        + &fannie("000128090410", "012026")
        + &fannie("000128090409", "122025");
    for (mapping, file, text) in [
        ("freddie-mac-origination", "origination.txt", freddie.to_owned()),
        ("fannie-mae-performance", "performance.csv", performance),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(format!("tapes/{file}"), text);
        let shipped = format!("{}/../../docs/mappings/{mapping}.toml", env!("CARGO_MANIFEST_DIR"));
        let shipped = fs::read_to_string(shipped).expect("a mapping");
        sandbox.write("book.toml", format!("{shipped}\n{BOOK_TABLES}"));
        let run = sandbox.run_line("run dir:tapes --mapping book.toml --format json").success();
        assert_eq!(run.json()["participation"]["Eligible"], 2, "{mapping}: {}", run.out);
    }
}

#[test]
fn messages_of_mismo_are_loans_by_themselves_or_by_the_shipped_mapping() {
    let sandbox = Sandbox::new();
    let root = format!("{}/../..", env!("CARGO_MANIFEST_DIR"));
    let message = fs::read_to_string(format!("{root}/adapters/mismo/tests/files/uldd.xml"));
    sandbox.write("tapes/loans.xml", message.expect("a message"));
    let shipped = fs::read_to_string(format!("{root}/docs/mappings/mismo.toml"));
    sandbox.write("book.toml", format!("{}\n{BOOK_TABLES}", shipped.expect("a mapping")));
    let hint = "the source is mismo:tapes";
    let plain = sandbox.run_line("check dir:tapes");
    plain.fails_with(1, &["loans.xml is not a table of a snapshot and is ignored", hint]);
    let draft = sandbox.run_line("check dir:tapes --write-mapping draft.toml");
    draft.fails_with(2, &["no file, sheet, or table", "mismo:tapes"]);
    let workbook = sandbox.run_line("check xlsx:tapes/loans.xml");
    workbook.fails_with(2, &["it is XML or HTML and no workbook", "mismo:FILE"]);
    sandbox.run_line("check mismo:tapes --mapping book.toml").success();
    let run = |source: &str| {
        let line = format!("run {source} --mapping book.toml --format json");
        sandbox.run_line(&line).success().json()
    };
    let (folder, file) = (run("mismo:tapes"), run("mismo:tapes/loans.xml"));
    assert_eq!(folder["participation"]["Eligible"], 2, "{folder}");
    assert_eq!(folder["input_digest"], file["input_digest"]);
    sandbox.run_line("check mismo:tapes").answers(1, &["curr_status"]);
    sandbox.write("tapes/loan.csv", "loan_id\n");
    sandbox.run_line("check mismo:tapes").fails_with(2, &["has loans twice"]);
}
