//! One text file of another system.

use csv::{ReaderBuilder, StringRecord};
use powerfill_mapping::{FileForm, FirstRow, ForeignTable, HeadedTable};

use super::encoding::decode;
use super::layout::{FieldLayout, find_layout, open_quote};
use crate::error::CsvError;

/// The number of rows in which the header is looked for.
const HEADER_ROWS: usize = 20;

/// Reads a table from the bytes of a file, in any encoding and with any usual delimiter, and says
/// which. Short rows are filled up. Blank lines, the line of dashes under a header, and the row
/// count after the last row are left out. The digest is left empty.
///
/// # Errors
/// [`CsvError`].
pub fn read_text(
    name: &str,
    file: &str,
    bytes: &[u8],
    mut form: FileForm,
) -> Result<ForeignTable, CsvError> {
    let (text, encoding) = decode(bytes, form.encoding.as_deref())?;
    let (layout, start) = find_layout(&text, form.delimiter);
    let records = Records {
        text: &text[start..],
        layout: &layout,
        first: text[..start].matches('\n').count(),
    };
    if let FieldLayout::Delimited(delimiter) = layout
        && let Some(line) = open_quote(records.text, delimiter)
    {
        return Err(CsvError::OpenQuoteAt(line + records.first));
    }
    let mut notes: Vec<String> = encoding.into_iter().chain(layout.note()).collect();
    let mut first = Vec::new();
    records.visit(|line, record, _| {
        let position = u32::try_from(line).unwrap_or(u32::MAX);
        first.push(FirstRow { position, cells: record.iter().map(str::to_owned).collect() });
        Ok(first.len() < HEADER_ROWS)
    })?;
    let header_lines = form.detect_header(&first);
    let table = HeadedTable::of_file(name, file, form);
    let mut rows = RowFilter { table, is_ruled: false };
    records.visit(|line, record, text| rows.push(line, record, text).map(|()| true))?;
    let (table, left_out) = rows.table.finish()?;
    notes.extend(left_out);
    let (file, digest) = (file.to_owned(), String::new());
    Ok(ForeignTable { file, is_sheet: false, digest, notes, header_lines, table })
}

/// The records of a text.
struct Records<'t> {
    text: &'t str,
    layout: &'t FieldLayout,
    /// The number of lines before the text.
    first: usize,
}

impl Records<'_> {
    /// Visits each record with its line, from 0, and the whole line of a fixed layout, until
    /// `visit` has enough.
    fn visit(
        &self,
        mut visit: impl FnMut(usize, &StringRecord, &str) -> Result<bool, CsvError>,
    ) -> Result<(), CsvError> {
        match self.layout {
            FieldLayout::Fixed(fields) => {
                for (line, text) in (self.first..).zip(self.text.lines()) {
                    if !visit(line, &fixed_record(text, fields), text)? {
                        break;
                    }
                }
            }
            FieldLayout::Delimited(delimiter) => {
                let text = self.text;
                let mut reader = ReaderBuilder::new()
                    .delimiter(*delimiter)
                    .has_headers(false)
                    .flexible(true)
                    .from_reader(text.as_bytes());
                let mut record = StringRecord::new();
                let (mut counted, mut lines) = (0, self.first);
                while reader.read_record(&mut record)? {
                    let at = record.position().map_or(0, |position| position.byte());
                    let at = usize::try_from(at).unwrap_or(text.len()).min(text.len());
                    // The reader counts blank lines as the beginning of the record after them.
                    let rest = &text[at..];
                    let start = at + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
                    lines += text[counted..start].matches('\n').count();
                    counted = start;
                    if !visit(lines, &record, "")? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

fn fixed_record(line: &str, fields: &[(usize, usize)]) -> StringRecord {
    let characters: Vec<char> = line.chars().collect();
    let cells = fields.iter().enumerate().map(|(at, (first, last))| {
        // The last field goes to the end of its line.
        let last = if at + 1 == fields.len() { characters.len() } else { *last };
        characters.iter().take(last).skip(*first).collect::<String>()
    });
    StringRecord::from(cells.collect::<Vec<_>>())
}

/// Leaves out what database tools print around a table.
struct RowFilter {
    table: HeadedTable,
    /// Whether the line under the header came.
    is_ruled: bool,
}

impl RowFilter {
    /// Adds a record, which is in this line, from 0. `text` is the whole line of a fixed layout.
    fn push(&mut self, line: usize, record: &StringRecord, text: &str) -> Result<(), CsvError> {
        let is_under_header = self.table.has_header() && self.table.rows() == 0;
        if is_under_header && !self.is_ruled && is_rule(record) {
            self.is_ruled = true;
            return Ok(());
        }
        if self.table.width() > 1 && (is_row_count(record) || is_count_line(text)) {
            return Ok(());
        }
        let cells: Vec<(&str, Option<&str>)> = record.iter().map(|cell| (cell, None)).collect();
        let position = u32::try_from(line).unwrap_or(u32::MAX);
        self.table.push(position, &cells)?;
        Ok(())
    }
}

/// Whether it is the line of dashes that database tools print under a header.
fn is_rule(record: &StringRecord) -> bool {
    record.iter().all(|field| !field.trim().is_empty() && field.trim().bytes().all(|b| b == b'-'))
}

/// Whether it is `(123 rows affected)`, which database tools print at the end.
fn is_row_count(record: &StringRecord) -> bool {
    record.len() == 1 && is_count_line(record.get(0).unwrap_or_default())
}

fn is_count_line(text: &str) -> bool {
    let inner = text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(" affected)"));
    let count = inner.and_then(|inner| inner.split_once(' '));
    count.is_some_and(|(count, rows)| {
        count.bytes().all(|byte| byte.is_ascii_digit()) && rows.starts_with("row")
    })
}

#[cfg(test)]
mod tests {
    use powerfill_mapping::HeaderPlace;
    use powerfill_snapshot::RawTable;

    use super::*;

    fn read(text: &str, form: &FileForm) -> (RawTable, Vec<String>) {
        let read = read_text("t", "t.csv", text.as_bytes(), form.clone()).unwrap();
        (read.table, read.notes)
    }

    fn cells_of(table: &RawTable) -> Vec<Vec<String>> {
        let row = |row| (0..table.columns().len()).map(move |at| table.cell(row, at).to_owned());
        let rows = (0..table.rows()).map(|at| row(at).collect());
        std::iter::once(table.columns().to_vec()).chain(rows).collect()
    }

    fn cells(text: &str) -> Vec<Vec<String>> {
        cells_of(&read(text, &FileForm::default()).0)
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
            assert_eq!(cells(text), [["id", "price"], ["A", "1,000"], ["B", "2"]], "{text}");
        }
        assert_eq!(cells("id\nA\n"), [["id"], ["A"]]);
    }

    #[test]
    fn additions_of_tools_are_left_out_and_short_rows_are_filled_up() {
        let text = "id|price|note\n--|-----|----\n\nA|1|x\n|||\nB|2\nC|3|y|\n\n(3 rows affected)\n";
        let expected = [["id", "price", "note"], ["A", "1", "x"], ["B", "2", ""], ["C", "3", "y"]];
        assert_eq!(cells(text), expected);
        let fixed = "id   price note\n---- ----- ----\nA    1     x\nB    2     \nC    3     \
                     y\n\n(3 rows affected)\n";
        assert_eq!(cells(fixed), expected);
    }

    #[test]
    fn rows_are_named_by_their_lines_in_the_file() {
        let (table, _) =
            read("sep=;\r\nid;x\r\n\r\n1;\"a\r\nb\"\r\n\r\n2;c\r\n", &FileForm::default());
        let places = [0, 1].map(|row| table.place(Some(row), &[0]).unwrap());
        assert_eq!(places, ["t.csv:4", "t.csv:7"]);
    }

    #[test]
    fn a_form_says_where_the_header_and_the_data_are() {
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let text = "Pipeline of ACME,\nLoan,,Rate\nNo.,Id,\n7,x,6.5\nTotal,,6.5\n";
        let form = FileForm {
            header: HeaderPlace::Rows(vec![2, 3]),
            totals: vec!["TOTAL".to_owned()],
            ..FileForm::default()
        };
        let (table, notes) = read(text, &form);
        assert_eq!(cells_of(&table), [["Loan No.", "Loan Id", "Rate"], ["7", "x", "6.5"]]);
        assert_eq!(notes, ["rows of totals left out: 1"]);
        let bare = FileForm {
            header: HeaderPlace::Absent,
            columns: names(&["a", "b"]),
            ..FileForm::default()
        };
        let (table, notes) = read("1|2\n3|4\n", &bare);
        assert_eq!(cells_of(&table), [["a", "b"], ["1", "2"], ["3", "4"]]);
        assert_eq!(notes, ["separated by |"]);
        let under_units = FileForm { first_row: Some(3), ..FileForm::default() };
        assert_eq!(cells_of(&read("a,b\n$,%\n1,2\n", &under_units).0), [["a", "b"], ["1", "2"]]);
    }

    #[test]
    fn a_draft_finds_the_header_under_a_title() {
        let form = FileForm { header: HeaderPlace::Detected, ..FileForm::default() };
        let text = "Pipeline of ACME\n\nid;rate;state\n1;6.5;CA\n2;;TX\nTotal\n";
        let read = read_text("t", "t.csv", text.as_bytes(), form).unwrap();
        assert_eq!(read.header_lines, ["header = 3  # the rows above are titles"]);
        assert_eq!(read.table.columns().len(), 3);
    }

    #[test]
    fn a_row_that_does_not_fit_is_named() {
        let error = |text: &str| {
            let read = read_text("t", "t.csv", text.as_bytes(), FileForm::default());
            read.unwrap_err().to_string()
        };
        assert_eq!(
            error("id,price\nA,1\nB,2,3\n"),
            "row 3 has 3 fields, the header has 2; if the header is in another row, the mapping can say so: header = 3"
        );
        assert!(error("\n\n").contains("a header is expected"));
        assert!(error("id,price\nA,\"1\nB,2\n").starts_with("line 2: "));
    }
}
