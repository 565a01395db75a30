//! One file of delimited text.

use csv::{ReaderBuilder, StringRecord};
use powerfill_snapshot::RawTable;

use super::encoding::decode;
use crate::error::CsvError;

/// The delimiters that are recognized.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The number of records that are read to find the delimiter.
const SAMPLED_RECORDS: usize = 20;

/// Reads a table from the bytes of a file, in any encoding and with any usual delimiter. Short rows
/// are filled up. Blank lines, the line of dashes under a header, and the row count after the last
/// row are left out.
///
/// # Errors
/// [`CsvError`].
pub fn read_text(name: &str, bytes: &[u8]) -> Result<RawTable, CsvError> {
    let text = decode(bytes);
    let (delimiter, text) = find_delimiter(&text);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut table: Option<RawTable> = None;
    while reader.read_record(&mut record)? {
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        match &mut table {
            None => {
                let header = record.iter().map(|name| name.trim().to_owned());
                let mut header: Vec<String> = header.collect();
                // A delimiter after the last name makes no column.
                while header.last().is_some_and(String::is_empty) {
                    header.pop();
                }
                table = Some(RawTable::new(name, header, true));
            }
            Some(table) if table.rows() == 0 && is_rule(&record) => {}
            Some(table) if is_row_count(&record, table.columns().len()) => {}
            Some(table) => push_record(table, &record)?,
        }
    }
    table.ok_or(CsvError::MissingHeader)
}

fn push_record(table: &mut RawTable, record: &StringRecord) -> Result<(), CsvError> {
    let expected = table.columns().len();
    if record.iter().skip(expected).any(|field| !field.trim().is_empty()) {
        let line = record.position().map_or(0, csv::Position::line);
        return Err(CsvError::TooManyFields { line, found: record.len(), expected });
    }
    for field in record.iter().chain(std::iter::repeat("")).take(expected) {
        table.push_cell(field)?;
    }
    table.end_row()?;
    Ok(())
}

/// Whether it is the line of dashes that database tools print under a header.
fn is_rule(record: &StringRecord) -> bool {
    record.iter().all(|field| !field.trim().is_empty() && field.trim().bytes().all(|b| b == b'-'))
}

/// Whether it is `(123 rows affected)`, which database tools print at the end.
fn is_row_count(record: &StringRecord, columns: usize) -> bool {
    let text = record.get(0).map(str::trim).unwrap_or_default();
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(" affected)"));
    let count = inner.and_then(|inner| inner.split_once(' '));
    columns > 1
        && record.len() == 1
        && count.is_some_and(|(count, rows)| {
            count.bytes().all(|byte| byte.is_ascii_digit()) && rows.starts_with("row")
        })
}

/// Finds the delimiter: that of a first line `sep=;`, else the one with which the first records
/// have the most fields, and equally many; a comma if there is none. Returns it with the text after
/// such a first line.
fn find_delimiter(text: &str) -> (u8, &str) {
    let first = text.lines().next().unwrap_or_default();
    if let Some([named]) = first.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        return (*named, text[first.len()..].trim_start_matches(['\r', '\n']));
    }
    let fields = |delimiter: u8| {
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let widths: Vec<usize> = reader
            .records()
            .take(SAMPLED_RECORDS)
            .filter_map(Result::ok)
            .map(|r| r.len())
            .collect();
        let header = widths.first().copied().unwrap_or_default();
        let alike = widths.iter().filter(|width| **width == header).count();
        (header > 1).then_some((alike * header, header))
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| fields(*delimiter));
    (best.unwrap_or(b','), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
        let table = read_text("t", bytes).unwrap();
        let row = |row| (0..table.columns().len()).map(move |at| (row, at));
        let mut all = vec![table.columns().to_vec()];
        all.extend(
            (0..table.rows()).map(|at| {
                row(at).map(|(row, column)| table.cell(row, column).to_owned()).collect()
            }),
        );
        all
    }

    #[test]
    fn the_delimiter_is_found() {
        for text in [
            "id,price\nA,\"1,000\"\nB,2\n",
            "id;price\nA;1,000\nB;2\n",
            "id\tprice\r\nA\t1,000\r\nB\t2\r\n",
            "id|price\nA|1,000\nB|2",
            "sep=;\nid;price\nA;1,000\nB;2\n",
            " id , price \nA  ,\"1,000\"\nB,2   \n",
        ] {
            assert_eq!(
                cells(text.as_bytes()),
                [["id", "price"], ["A", "1,000"], ["B", "2"]],
                "{text}"
            );
        }
        assert_eq!(cells(b"id\nA\n"), [["id"], ["A"]]);
    }

    #[test]
    fn additions_of_tools_are_left_out_and_short_rows_are_filled_up() {
        let text = "id|price|note\n--|-----|----\n\nA|1|x\n|||\nB|2\nC|3|y|\n\n(3 rows affected)\n";
        assert_eq!(
            cells(text.as_bytes()),
            [["id", "price", "note"], ["A", "1", "x"], ["B", "2", ""], ["C", "3", "y"]]
        );
    }

    #[test]
    fn a_row_that_does_not_fit_is_named() {
        let error = read_text("t", b"id,price\nA,1\nB,2,3\n").unwrap_err();
        assert_eq!(error.to_string(), "line 3 has 3 fields, the header has 2");
        assert!(matches!(read_text("t", b"\n\n"), Err(CsvError::MissingHeader)));
    }
}
