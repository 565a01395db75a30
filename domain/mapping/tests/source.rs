//! What a mapping makes of the files of another system.

use powerfill_events::input::RawTable;
use powerfill_mapping::{BindError, ForeignTable, MappedSource, Mapping, TargetSchema, map_source};
use powerfill_snapshot::IgnoredPart;

/// A file: its name, and its lines with the header, cells between bars.
fn file(name: &str, text: &str) -> ForeignTable {
    let mut lines = (0..).zip(text.lines());
    let cells = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
    let (_, header) = lines.next().expect("a header");
    let stem = name.split('.').next().unwrap_or(name);
    let mut table = RawTable::of_file(stem, cells(header), name);
    for (line, text) in lines {
        table.begin_row(line);
        for cell in cells(text) {
            table.push_cell(&cell).unwrap();
        }
        table.end_row().unwrap();
    }
    ForeignTable {
        file: name.to_owned(),
        is_sheet: false,
        digest: String::new(),
        notes: Vec::new(),
        header_lines: Vec::new(),
        table,
    }
}

fn try_mapped(mapping: &str, files: &[ForeignTable]) -> Result<MappedSource, BindError> {
    let mapping = Mapping::parse(TargetSchema::of_inputs(), "m.toml", mapping)?;
    map_source(&mapping, files, &[])
}

fn mapped(mapping: &str, files: &[ForeignTable]) -> MappedSource {
    try_mapped(mapping, files).unwrap()
}

/// The header and the rows of a table; a cell that cannot be read is `!` and its reason.
fn rows(source: &MappedSource, table: &str) -> Vec<String> {
    let table = source.snapshot.tables.iter().find(|t| t.name() == table).expect("a table");
    let cell = |row, column| match table.unfit(row, column) {
        Some(reason) => format!("!{}", reason.split([';', ',']).next().unwrap_or_default()),
        None => table.cell(row, column).to_owned(),
    };
    let row = |row| {
        let cells: Vec<String> = (0..table.columns().len()).map(|at| cell(row, at)).collect();
        cells.join("|")
    };
    std::iter::once(table.columns().join("|")).chain((0..table.rows()).map(row)).collect()
}

#[test]
fn columns_are_renamed_combined_split_and_given_values() {
    let tape = file(
        "tape.csv",
        "Seller|No|Status|Amt|Where|Type\nA|7|FND|300|TX / Austin|\nB||LKD|0.5|CA|x\n",
    );
    let mapping = r#"
        [lookups.status]
        FND = "Closed"
        LKD = "Locked"
        [tables.loan]
        name = "tape"
        rename = { Status = "curr_status" }
        values.curr_status = "status"
        [tables.loan.columns]
        loan_id = { from = ["Seller", "No"], join = "-" }
        loan_amount = { from = "Amt", times = "1000" }
        state = { from = "Where", split = "/", part = 1 }
        property_type = { from = "Type", default = "SF" }
        occupancy = { constant = "Primary" }
        pool_name = { from = "No", pad = 3 }
        city = { from = "Where", split = "/", part = -1, type = "text" }
        term = { from = "Amt", type = "number" }
    "#;
    let source = mapped(mapping, &[tape]);
    assert_eq!(
        rows(&source, "loan"),
        [
            "loan_id|curr_status|loan_amount|pool_name|state|property_type|occupancy|city|term",
            "A-7|Closed|300000|007|TX|SF|Primary|Austin|300",
            "B|Locked|500||CA|x|Primary|CA|0.5",
        ]
    );
    assert_eq!(rows(&source, "loan_columns"), ["column_name|type", "term|number"]);
}

#[test]
fn several_files_are_one_table_and_one_file_is_several() {
    let files = [
        file("jan-1.csv", "Id|Inst|Price\nL1|FN30|101-16\nL2|FN30|101\n"),
        file("jan-2.csv", "Id|Inst|Price\nL3|GN30|99-08+\nTotal||\n"),
        file("other.csv", "x\n1\n"),
    ];
    let mapping = r#"
        [tables.loan]
        files = ["jan-*"]
        leave_out = "Id LIKE 'Total%'"
        rename = { Id = "loan_id", Inst = "pool_name" }
        [tables.pscat_pools]
        files = ["jan-1.csv", "jan-2"]
        keep = "Inst IS NOT NULL"
        distinct = true
        rename = { Inst = "pool_name" }
        columns.investor_instrument_name = { from = "Inst" }
        columns.status = { constant = "open" }
        [tables.pscat_trades]
        name = "jan-1"
        columns.trade_id = { from = "{file}" }
        columns.trade_price = { from = "Price", prices = "32nds" }
    "#;
    let source = mapped(mapping, &files);
    assert_eq!(rows(&source, "loan"), ["loan_id|pool_name", "L1|FN30", "L2|FN30", "L3|GN30"]);
    let pools = rows(&source, "pscat_pools");
    assert_eq!(pools[1..], ["FN30|FN30|open", "GN30|GN30|open"]);
    let trades = rows(&source, "pscat_trades");
    assert_eq!(trades[1..], ["jan-1.csv|101.5", "jan-1.csv|101"]);
    assert_eq!(source.snapshot.ignored, [IgnoredPart::Relation("other.csv".into())]);
    let left_out = "jan-2.csv: 1 rows left out of loan by the conditions of the mapping";
    assert!(source.notes.iter().any(|note| note == left_out), "{:?}", source.notes);
    let loan = source.snapshot.tables.iter().find(|table| table.name() == "loan").unwrap();
    assert_eq!(loan.place(Some(2), &[0]).as_deref(), Some("jan-2.csv:2"));
}

#[test]
fn what_cannot_be_read_is_a_fault_and_nothing_is_guessed() {
    let tape = file(
        "loan.csv",
        "loan_id|note_rate|close_date|curr_status|servicer\nL1|6,5|1/5/26|FNDD|NULL\n",
    );
    let strict = "[tables.loan.values.curr_status]\nFND = \"Closed\"\n";
    assert_eq!(
        rows(&mapped(strict, std::slice::from_ref(&tape)), "loan")[1],
        "L1|!no entry in the table of values of the mapping|\
         !decimal mark or thousands separator? write decimal = \"point\" (1|\
         !a date YYYY-MM-DD is expected"
    );
    // A table that the mapping does not name keeps its columns, and has the formats of all.
    let formats =
        "[formats]\nnull = [\"NULL\"]\ndecimal = \"comma\"\ndates = \"mdy\"\nfirst_year = 1970\n";
    assert_eq!(
        rows(&mapped(formats, &[tape]), "loan"),
        ["loan_id|curr_status|note_rate|close_date|servicer", "L1|FNDD|6.5|2026-01-05|"]
    );
}

#[test]
fn names_that_are_not_there_are_refused_with_the_nearest() {
    let files = || [file("tape.csv", "Loan No|Rate|Rate\nL1|6|7\n")];
    for (mapping, words) in [
        ("[tables.loans]", "line 1: no input table loans; did you mean loan or loan_price"),
        ("[tables.loan]\nname = \"tap\"", "line 2: no file or sheet tap; did you mean tape?"),
        (
            "[tables.loan]\nname = \"tape\"\nrename = { \"Loan Nr\" = \"loan_id\" }",
            "line 3: tape.csv has no column Loan Nr; did you mean Loan No?",
        ),
        (
            "[tables.loan]\nname = \"tape\"\nrename = { Rate = \"note_rate\" }",
            "line 3: tape.csv has 2 columns Rate; name its columns in the mapping",
        ),
        (
            "[tables.loan]\nname = \"tape\"\ncolumns.note_rte = { from = \"Rate\" }",
            "did you mean note_rate?; to add a column that rules can use, say its type",
        ),
        ("[tables.loan]\nfrom = \"tape\"", "unknown field `from`"),
        ("[tables.loan]\nleave_ot = \"x\"", "did you mean `leave_out`?"),
        ("[tables.pscat_trades]", "line 1: nothing has the rows of pscat_trades"),
        ("[[tables.snapshot.rows]]\nas_of = 1.5", "write the value of as_of in quotes"),
        ("[tables.loan]\nvalues.state = \"states\"", "no table [lookups.states]"),
        ("[tables.loan]\nkey = [\"loan_id\"]", "key is for comparisons"),
        ("[tables.loan]\nname = \"tape\"\nkeep = \"fico > \"", "line 3: the condition, character"),
        (
            "[files.\"tpae\"]\nheader = 2\n[tables.loan]\nname = \"tape\"",
            "line 1: no table is read from a file or sheet tpae; did you mean tape?",
        ),
        ("[files.\"tape\"]\nheader = false", "a file without a header needs columns"),
        (
            "[files.\"tape\"]\nheader = 0\ncolumns = [\"a\"]\n[formats]\ndecimal = \"dot\"",
            "unknown variant",
        ),
    ] {
        let fault = try_mapped(mapping, &files()).unwrap_err().to_string();
        assert!(fault.starts_with("m.toml, line ") && fault.contains(words), "{mapping}\n{fault}");
    }
    let twins = [file("loan.csv", "loan_id\nL1\n"), file("Loan.txt", "loan_id\nL1\n")];
    let fault = try_mapped("", &twins).unwrap_err().to_string();
    assert!(fault.contains("both are loan; say which in the mapping"), "{fault}");
}
