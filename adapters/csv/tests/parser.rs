//! The strict parser: which input it accepts and refuses, and in how much memory.

use std::io::Read;

use powerfill_csv::{CsvError, read_folder, read_table};
use powerfill_snapshot::{FaultCode, IgnoredPart, RawTable};
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<RawTable, CsvError> {
    read_table("t", bytes)
}

fn cells(table: &RawTable) -> Vec<Vec<String>> {
    let width = table.columns().len();
    let row = |row| (0..width).map(|column| table.cell(row, column).to_owned()).collect();
    (0..table.rows()).map(row).collect()
}

#[test]
fn quotes_line_ends_blank_lines_and_the_byte_order_mark_are_read() {
    let expected = vec![vec!["1", "x, \"y\"\r\nz"], vec!["2", ""]];
    for (mark, end, last) in
        [("", "\n", ""), ("\u{feff}", "\r\n", "\r\n"), ("", "\r", "\r"), ("", "\r\n\r\n", "\n\n")]
    {
        let text = format!("{mark}a,\"b \"{end}1,\"x, \"\"y\"\"\r\nz\"{end}\"2\",{last}");
        let table = read(text.as_bytes()).unwrap();
        assert_eq!(table.columns(), ["a", "b"], "{text:?}");
        assert_eq!(cells(&table), expected, "{text:?}");
    }
    assert_eq!(cells(&read(b"a\n\"\"\n\n\"\"").unwrap()), [[""], [""]]);
}

#[test]
fn unreadable_input_is_refused_with_its_position() {
    let fault = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert_eq!(fault(b""), "the file is empty: a header is expected");
    assert_eq!(fault("\u{feff}\r\n".as_bytes()), "the file is empty: a header is expected");
    assert_eq!(
        fault(b"a,b\n1,2\n3,M\xfcller"),
        "row 2, field 2: not UTF-8; as Windows-1252 it reads \"Müller\": save the file as CSV UTF-8 \
         if that is right"
    );
    let utf16 = "it is UTF-16 (byte order mark FF FE); save it as CSV UTF-8";
    assert_eq!(fault(b"\xff\xfea\0,\0b\0"), utf16);
    assert!(fault(b"a,b\n1,x\"y").starts_with("row 1, field 2: a quote within a field"));
    assert!(fault(b"a,b\n1,\"x\"y").starts_with("row 1, field 2: a quote within a field"));
    assert!(fault(b"a,b\n1,\"x\n2,y\n").starts_with("row 1, field 2: the field begins with"));
    let columns = vec!["c"; 5000].join(",");
    assert_eq!(fault(columns.as_bytes()), "the header has more than 4096 columns");
}

#[test]
fn a_field_of_a_gigabyte_is_refused_after_its_first_megabyte() {
    for start in ["a,b\n1,", "a,b\n1,\"", "a,b\n1,\"\"\""] {
        let input = start.as_bytes().chain(std::io::repeat(b'x').take(1 << 30));
        let fault = read_table("t", input).unwrap_err().to_string();
        assert!(fault.starts_with("row 1, field 2: a field of more than 1048576"), "{fault}");
    }
    let row = std::io::repeat(b',').take(1 << 24);
    let table = read_table("t", b"a,b\n".chain(row)).unwrap();
    assert_eq!(table.rows(), 1);
}

#[test]
fn a_folder_has_plain_and_compressed_tables_and_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let compressed = |text: &str| {
        let mut bytes = Vec::new();
        let level = flate2::Compression::fast();
        flate2::read::GzEncoder::new(text.as_bytes(), level).read_to_end(&mut bytes).unwrap();
        bytes
    };
    std::fs::write(path("Loan.CSV.gz"), compressed("loan_id\nA\n")).unwrap();
    std::fs::write(path("loan_price.csv.gz"), "no gzip").unwrap();
    std::fs::write(path("snapshot.csv"), "tenant_id\nW\n").unwrap();
    std::fs::write(path("snapshot.csv.gz"), compressed("tenant_id\nW\n")).unwrap();
    std::fs::write(path("rmusr_payups.csv"), "").unwrap();
    std::fs::write(path("notes.csv"), "x").unwrap();
    std::fs::create_dir(path("pscat_pools.csv")).unwrap();
    let raw = read_folder(folder.path()).unwrap();
    assert_eq!(raw.ignored, [IgnoredPart::File("notes.csv".into())]);
    assert_eq!(raw.tables.iter().map(RawTable::name).collect::<Vec<_>>(), ["loan"]);
    let mut faults: Vec<_> = raw.faults.iter().map(|f| (f.table.as_str(), f.code)).collect();
    faults.sort();
    let expected = [
        ("loan_price", FaultCode::Unreadable),
        ("pscat_pools", FaultCode::Unreadable),
        ("rmusr_payups", FaultCode::MissingHeader),
        ("snapshot", FaultCode::Unreadable),
    ];
    assert_eq!(faults, expected);
    assert!(read_folder(&path("no such folder")).is_err());
}

/// Returns one byte per call, so that every state meets the end of a chunk.
struct SingleByteReader<'a>(&'a [u8]);

impl Read for SingleByteReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(&mut out[..1])
    }
}

proptest! {
    #[test]
    fn the_output_of_the_csv_crate_is_read(
        rows in prop::collection::vec(prop::collection::vec("[a,\"\r\n é]{0,6}", 3), 1..20),
        crlf in any::<bool>(),
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let table = read(&text).unwrap();
        let trimmed = |row: &Vec<String>| -> Vec<String> {
            row.iter().map(|cell| cell.trim_end_matches(' ').to_owned()).collect()
        };
        prop_assert_eq!(table.columns(), trimmed(&rows[0]));
        prop_assert_eq!(cells(&table), rows[1..].iter().map(trimmed).collect::<Vec<_>>());
        prop_assert_eq!(cells(&read_table("t", SingleByteReader(&text)).unwrap()), cells(&table));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        _ = read(&bytes);
    }

    #[test]
    fn any_text_of_quotes_is_read_without_a_panic(text in "[a,\"\r\n]{0,60}") {
        _ = read(text.as_bytes());
    }
}
