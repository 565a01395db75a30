//! Other files, damaged workbooks, and malicious workbooks: each gives an error with advice,
//! without a panic, and within bounded memory.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use powerfill_xlsx::{read, read_texts};
use proptest::prelude::*;
use rust_xlsxwriter::Workbook;

use crate::book::{CellTypes, cases, edited, packed, saved, write};

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".xlsx").unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// The error of both readers, which must be the same.
fn error_of(path: &Path) -> String {
    let error = read(path).unwrap_err().to_string();
    assert_eq!(read_texts(path).unwrap_err().to_string(), error);
    error
}

fn small_workbook() -> tempfile::NamedTempFile {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("loan_columns").unwrap();
    sheet.write_string(0, 0, "column_name").unwrap().write_string(0, 1, "type").unwrap();
    sheet.write_string(1, 0, "servicer").unwrap().write_number(1, 1, 7.0).unwrap();
    saved(&mut book)
}

#[test]
fn errors_name_the_format_of_other_files() {
    let compound = |directory: &str| {
        let mut bytes = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
        bytes.resize(3 << 20, 0);
        bytes.extend(directory.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    };
    let part = |name: &str| vec![(name.to_owned(), b"<a/>".to_vec())];
    for (bytes, expected) in [
        (Vec::new(), "the file is empty"),
        (b"loan_id,note_rate\nA,6\n".to_vec(), "it is not an .xlsx file; open it in Excel"),
        (compound("EncryptedPackage"), "it is encrypted with a password; remove the password"),
        (compound("Workbook"), "it has the old format .xls; open it in Excel and save it again"),
        (b"PK\x03\x04 and nothing else".to_vec(), "the file is damaged"),
        (packed(&part("mimetype")), "it is a zip file, but not an .xlsx file"),
        (packed(&part("xl/workbook.bin")), "it is a binary workbook (.xlsb)"),
        (packed(&part("[Content_Types].xml")), "save it again as an Excel workbook (.xlsx)"),
    ] {
        let error = error_of(file(&bytes).path());
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(error.contains(".xlsx cannot be read: "), "{error}");
    }
    assert!(error_of(Path::new("no such.xlsx")).contains("no such.xlsx cannot be read: "));
    assert!(read(&std::env::temp_dir()).is_err());
}

/// The small workbook with the XML of its sheet edited.
fn with_sheet(edit: impl Fn(String) -> String) -> tempfile::NamedTempFile {
    edited(small_workbook().path(), |name, text| match name {
        "xl/worksheets/sheet1.xml" => edit(text),
        _ => text,
    })
}

#[test]
fn an_invalid_sheet_is_a_fault_of_its_table() {
    for (from, to, expected) in [
        ("r=\"B2\"", "r=\"A1\"", "loan_columns!A1: the cells are out of order or repeated"),
        ("r=\"B2\"", "r=\"B1048577\"", "after loan_columns!A2: a cell beyond the last row"),
        ("r=\"B2\"", "r=\"XFE2\"", "a cell beyond the last row or column"),
        ("r=\"B2\"", "r=\"!\"", "after loan_columns!A2: "),
        ("</sheetData>", "", "after loan_columns!B2: "),
        ("r=\"B2\"><v>7</v>", "r=\"B2\" t=\"e\"><v>#SPILL!</v>", "after loan_columns!A2: "),
        ("r=\"B2\"><v>7</v>", "r=\"B2\" t=\"s\"><v>99</v>", "after loan_columns!A2: "),
    ] {
        let changed = with_sheet(|text| {
            assert!(text.contains(from), "{from}: {text}");
            text.replace(from, to)
        });
        let raw = read(changed.path()).unwrap();
        assert!(raw.tables.is_empty());
        assert_eq!(raw.faults[0].code.as_str(), "unreadable");
        assert!(raw.faults[0].reason.contains(expected), "{expected}: {}", raw.faults[0].reason);
        assert!(read_texts(changed.path()).unwrap_err().to_string().contains("sheet loan_columns"));
    }
    // Content that the reader would skip silently.
    for (from, to) in [("<v>7</v>", "<v><![CDATA[7]]></v>"), ("<v>7</v>", "<v><!-- -->7</v>")] {
        let changed = with_sheet(|text| text.replace(from, to));
        assert!(error_of(changed.path()).contains("has comments or CDATA among its cells"));
    }
    let too_long = with_sheet(|text| {
        let text_of = |letters: &str| format!("r=\"B2\" t=\"str\"><v>{letters}</v>");
        text.replace("r=\"B2\"><v>7</v>", &text_of(&"é".repeat(32_768)))
    });
    let raw = read(too_long.path()).unwrap();
    assert!(raw.faults[0].reason.contains("loan_columns!B2: a text of more than 32767"));
}

#[test]
fn invalid_numbers_are_faults() {
    for number in ["NaN", "inf", "-infinity"] {
        let changed = with_sheet(|text| text.replace("<v>7</v>", &format!("<v>{number}</v>")));
        let raw = read(changed.path()).unwrap();
        let report = powerfill_snapshot::validate(raw).unwrap_err();
        let fault = report.faults.iter().find(|fault| fault.table == "loan_columns").unwrap();
        assert_eq!(fault.row, "loan_columns!B2", "{number}");
    }
}

/// A part that unpacks to a thousand times its size, with a true and with a false size in its
/// header.
#[test]
fn a_zip_bomb_is_rejected_without_keeping_its_content() {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    let mut hash = flate2::Crc::new();
    let size: u32 = 300 << 20;
    for _ in 0..300 {
        deflated.write_all(&zeros).unwrap();
        hash.update(&zeros);
    }
    let deflated = deflated.finish().unwrap();
    let as_folder = "as a folder of CSV files";
    for (declared, words) in [
        (size, ["xl/sharedstrings.xml unpacks to more than 268435456 bytes", as_folder]),
        (1_000, ["the file is damaged", "larger than its declared uncompressed size"]),
    ] {
        let bytes = with_part("xl/sharedStrings.xml", &deflated, hash.sum(), declared);
        assert!(bytes.len() < 1 << 20);
        let error = error_of(file(&bytes).path());
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

/// A package with the required part of a workbook and one more part.
fn with_part(name: &str, deflated: &[u8], crc: u32, size: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    let parts: [(&str, &[u8], u16, u32, u32); 2] =
        [("[Content_Types].xml", b"", 0, 0, 0), (name, deflated, 8, crc, size)];
    for (name, packed, method, crc, size) in parts {
        let offset = bytes.len() as u32;
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        for number in [crc, packed.len() as u32, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0");
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

#[test]
fn parts_with_false_declarations_are_rejected() {
    let shared = |text: &str| {
        let small = small_workbook();
        edited(small.path(), |name, part| match name {
            "xl/sharedStrings.xml" => text.to_owned(),
            _ => part,
        })
    };
    let too_many = shared(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><sst uniqueCount = '999999999999'></sst>",
    );
    assert!(error_of(too_many.path()).contains("declares more texts than it contains"));
    let other = shared("<?xml version=\"1.0\" encoding=\"ISO-2022-JP\"?><sst></sst>");
    assert!(error_of(other.path()).contains("is not UTF-8"));
    let many = with_sheet(|text| {
        let merged = "<mergeCells count=\"1\"><mergeCell ref=\"A2:XFD1048576\"/></mergeCells>";
        text.replace("</sheetData>", &format!("</sheetData>{merged}"))
    });
    let raw = read(many.path()).unwrap();
    let reason = &raw.faults[0].reason;
    assert!(reason.contains("loan_columns!A2:XFD1048576 and others are merged cells"), "{reason}");
}

/// Empty rows between distant cells are not stored.
#[test]
fn distant_cells_need_little_memory() {
    let far = with_sheet(|text| {
        text.replace("r=\"B2\"", "r=\"B1048576\"")
            .replace("<row r=\"2\"", "<row r=\"1048576\"")
            .replace("r=\"A2\"", "r=\"A1048576\"")
    });
    let raw = read(far.path()).unwrap();
    assert_eq!(raw.tables[0].rows(), 1);
    assert_eq!(read_texts(far.path()).unwrap()[0].rows.len(), 1);
}

#[test]
fn a_workbook_truncated_anywhere_is_rejected() {
    let whole = std::fs::read(small_workbook().path()).unwrap();
    for length in (4..whole.len()).step_by(7) {
        let error = error_of(file(&whole[..length]).path());
        assert!(error.contains("cannot be read"), "{length}: {error}");
    }
}

fn case_workbook() -> Vec<u8> {
    let case = cases().into_iter().find(|case| case.ends_with("34-text-collation")).unwrap();
    let raw = powerfill_csv::read_folder(&case.join("snapshot")).unwrap();
    std::fs::read(write(&raw, CellTypes::Natural).path()).unwrap()
}

/// Both readers return; success and error are both correct.
fn read_without_panic(path: &Path) {
    if let Ok(raw) = read(path) {
        let _ = powerfill_snapshot::validate(raw);
    }
    let _ = read_texts(path);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_bytes_are_rejected(
        bytes in prop::collection::vec(any::<u8>(), 0..4096),
        zip in any::<bool>(),
    ) {
        let bytes = if zip { [&b"PK\x03\x04"[..], &bytes].concat() } else { bytes };
        let file = file(&bytes);
        prop_assert!(read(file.path()).is_err() && read_texts(file.path()).is_err());
    }

    #[test]
    fn a_workbook_with_changed_bytes_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = case_workbook();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_without_panic(file(&bytes).path());
    }

    /// Changes the XML; the checksums of the package stay valid.
    #[test]
    fn a_workbook_with_changed_xml_never_panics(
        part in prop::sample::select(vec![
            "xl/workbook.xml",
            "xl/styles.xml",
            "xl/sharedStrings.xml",
            "xl/worksheets/sheet1.xml",
            "xl/_rels/workbook.xml.rels",
        ]),
        at in any::<prop::sample::Index>(),
        cut in 0_usize..24,
        put in prop::sample::select(vec![
            "", "9", "99999999999", "\"", "<", ">", "</c>", "<c>", "<v>", "A0", "&#x0;", "t=\"s\"",
            "s=\"7\"", "é",
        ]),
    ) {
        let whole = file(&case_workbook());
        let changed = edited(whole.path(), |name, text| {
            if name != part {
                return text;
            }
            let from = text.floor_char_boundary(at.index(text.len()));
            let to = text.floor_char_boundary((from + cut).min(text.len()));
            format!("{}{put}{}", &text[..from], &text[to..])
        });
        read_without_panic(changed.path());
    }
}
