//! The one form of a snapshot in bytes, and its digest.
//!
//! Tables in the order of 1.2, rows by key, every listed column, additional columns of `loan` by
//! name, numbers and dates in one spelling: the order of rows and columns in the source, absent
//! against empty columns, `6` against `6.000`, make no difference. Identifiers keep their spelling,
//! because outputs show it. Rows that a warning tells the engine to ignore are part of it. After
//! the first line everything is a count or a text behind its length.
//!
//! The first line names the version: the lowest one that has every column in use. A column that a
//! later version adds is left out where none of its cells has a value, so that the same data keeps
//! its bytes and its digest, and an old capture can be checked by writing it again.

use std::io::{self, Write};

use powerfill_events::config::RuleRow;
use powerfill_events::input::{InputColumn, InputRow, InputTable};
use powerfill_events::values::Name;

use super::raw::{RawSnapshot, RawTable, TooLarge};
use super::report::FaultReport;
use super::tables::{ColumnType, Loan, LoanColumn, Snapshot, TABLES};
use super::validate::validate;

/// The newest version of the canonical form, which this program writes where a column needs it.
pub const CANONICAL_VERSION: u32 = 1;

/// The first line, up to the version.
const FORMAT: &str = "powerfill snapshot ";

/// Why bytes are not a snapshot's canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalFault {
    /// They are something else, or cut off.
    #[error("not a canonical snapshot: byte {0}")]
    Malformed(usize),
    /// A newer program wrote them.
    #[error("the canonical snapshot has version {0}, this program reads up to {CANONICAL_VERSION}")]
    Newer(u32),
    /// A table is too large for this machine's limits.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// They hold tables that the validation refuses.
    #[error("the canonical snapshot is refused: {0}")]
    Refused(FaultReport),
}

/// A table of a canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanonicalPart<'a> {
    /// Its name.
    pub table: &'static str,
    /// The number of its rows.
    pub rows: usize,
    /// Its name, header, and rows.
    pub bytes: &'a [u8],
}

impl Snapshot {
    /// Writes the canonical form, row by row.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_canonical(&self, out: &mut impl Write) -> io::Result<()> {
        let additional = &self.loan_columns[Loan::TABLE.columns.len()..];
        let declared = additional.iter().filter(|column| column.column_type != ColumnType::Text);
        // Databases change the case of column names, and nothing depends on it.
        let folded = |column: &LoanColumn| LoanColumn {
            column_name: Name::new(column.column_name.folded()),
            column_type: column.column_type,
        };
        let declared: Vec<LoanColumn> = declared.map(folded).collect();
        let rules: Vec<&RuleRow> = self.rules.iter().map(|rule| &rule.row).collect();
        let tables: [&dyn CanonicalTable; 17] = [
            &TableRows::with_columns(&self.loans, additional),
            &TableRows::new(&declared),
            &TableRows::new(&self.stages),
            &TableRows::new(&self.instruments),
            &TableRows::new(&self.trades),
            &TableRows::new(&self.pools),
            &TableRows::new(&self.designations),
            &TableRows::new(rules),
            &TableRows::new(&self.prices),
            &TableRows::new(&self.payups),
            &TableRows::new(&self.loan_prices),
            &TableRows::new(&self.constraints),
            &TableRows::new(&self.constraint_rules),
            &TableRows::new(&self.carry_costs),
            &TableRows::new(&self.lockdown),
            &TableRows::new([&self.preflight]),
            &TableRows::new([&self.header]),
        ];
        write_tables(&tables, out)
    }

    /// The BLAKE3 digest of the canonical form, in hexadecimal: a run's input digest.
    pub fn digest(&self) -> String {
        let mut hasher = io::BufWriter::with_capacity(1 << 16, blake3::Hasher::new());
        self.write_canonical(&mut hasher).expect("hashing does not fail");
        hasher.into_inner().expect("hashing does not fail").finalize().to_hex().to_string()
    }

    /// Reads the canonical form back, through the same validation as any source.
    ///
    /// # Errors
    /// [`CanonicalFault`].
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, CanonicalFault> {
        let tables = Self::tables_of_canonical(bytes)?;
        let raw = RawSnapshot { tables, ..RawSnapshot::default() };
        validate(raw).map(|validated| validated.snapshot).map_err(CanonicalFault::Refused)
    }

    /// The tables of a canonical form as bytes, in the order of 1.2: equal rows are equal bytes.
    ///
    /// # Errors
    /// [`CanonicalFault::Malformed`] or [`CanonicalFault::Newer`].
    pub fn parts_of_canonical(bytes: &[u8]) -> Result<Vec<CanonicalPart<'_>>, CanonicalFault> {
        let mut reader = CanonicalReader::new(bytes)?;
        let parts = TABLES.iter().map(|table| reader.part(table)).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(parts)
    }

    /// The tables of a canonical form as texts, in the order of 1.2, rows by key: for setting two
    /// snapshots against each other, where nothing has to be typed or validated again.
    ///
    /// # Errors
    /// [`CanonicalFault`], but not that the tables are refused.
    pub fn tables_of_canonical(bytes: &[u8]) -> Result<Vec<RawTable>, CanonicalFault> {
        let mut reader = CanonicalReader::new(bytes)?;
        let tables = TABLES.iter().map(|table| reader.table(table)).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(tables)
    }
}

fn write_tables(tables: &[&dyn CanonicalTable], out: &mut dyn Write) -> io::Result<()> {
    let version = tables.iter().map(|table| table.version()).max().unwrap_or(1);
    writeln!(out, "{FORMAT}{version}")?;
    tables.iter().try_for_each(|table| table.write(out))
}

/// A table as the canonical form has it.
trait CanonicalTable {
    /// The lowest version that has every column in use.
    fn version(&self) -> u32;

    fn write(&self, out: &mut dyn Write) -> io::Result<()>;
}

struct TableRows<'a, T> {
    rows: Vec<&'a T>,
    /// Columns of `loan` after the listed ones.
    additional: &'a [LoanColumn],
    /// By listed column, whether it is written.
    in_use: Vec<bool>,
}

impl<'a, T: InputRow> TableRows<'a, T> {
    fn new(rows: impl IntoIterator<Item = &'a T>) -> Self {
        Self::with_columns(rows, &[])
    }

    fn with_columns(rows: impl IntoIterator<Item = &'a T>, additional: &'a [LoanColumn]) -> Self {
        let (rows, columns) = (rows.into_iter().collect::<Vec<_>>(), T::TABLE.columns);
        let mut in_use: Vec<bool> = columns.iter().map(|column| column.since == 1).collect();
        if in_use.contains(&false) {
            let empty: Vec<String> = columns.iter().map(InputColumn::text_of_empty).collect();
            for row in &rows {
                let mut at = 0;
                row.write(&mut |text| {
                    if at < columns.len() {
                        in_use[at] |= text != empty[at];
                    }
                    at += 1;
                });
            }
        }
        Self { rows, additional, in_use }
    }

    fn columns(&self) -> impl Iterator<Item = &'static InputColumn> {
        T::TABLE
            .columns
            .iter()
            .zip(&self.in_use)
            .filter_map(|(column, used)| used.then_some(column))
    }
}

impl<T: InputRow> CanonicalTable for TableRows<'_, T> {
    fn version(&self) -> u32 {
        self.columns().map(|column| column.since).max().unwrap_or(1)
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut bytes = Vec::new();
        push_text(&mut bytes, T::TABLE.name);
        push_count(&mut bytes, self.columns().count() + self.additional.len());
        for column in self.columns() {
            push_text(&mut bytes, column.name);
        }
        for column in self.additional {
            push_text(&mut bytes, column.column_name.folded());
        }
        push_count(&mut bytes, self.rows.len());
        out.write_all(&bytes)?;
        for row in &self.rows {
            bytes.clear();
            let mut in_use = self.in_use.iter();
            row.write(&mut |text| {
                if in_use.next() != Some(&false) {
                    push_text(&mut bytes, text);
                }
            });
            out.write_all(&bytes)?;
        }
        Ok(())
    }
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    push_count(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// A count or a length: seven bits per byte, the lowest first, the top bit set on all but the last.
fn push_count(bytes: &mut Vec<u8>, mut count: usize) {
    while count >= 0x80 {
        bytes.push(u8::try_from(count & 0x7f).unwrap_or_default() | 0x80);
        count >>= 7;
    }
    bytes.push(u8::try_from(count).unwrap_or_default());
}

/// Reads the canonical form, table by table.
#[derive(Clone)]
pub(super) struct CanonicalReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> CanonicalReader<'a> {
    /// At the first table.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, CanonicalFault> {
        let line = bytes.iter().take(FORMAT.len() + 10).position(|byte| *byte == b'\n');
        let line = line.ok_or(CanonicalFault::Malformed(0))?;
        let version = std::str::from_utf8(&bytes[..line]).ok().and_then(|l| l.strip_prefix(FORMAT));
        match version.and_then(|version| version.parse().ok()) {
            Some(1..=CANONICAL_VERSION) => Ok(Self { bytes, at: line + 1 }),
            Some(newer @ 2..) => Err(CanonicalFault::Newer(newer)),
            _ => Err(CanonicalFault::Malformed(0)),
        }
    }

    /// Nothing may follow the last table.
    pub(super) fn end(&self) -> Result<(), CanonicalFault> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.malformed()) }
    }

    pub(super) fn table(&mut self, schema: &InputTable) -> Result<RawTable, CanonicalFault> {
        let (columns, rows) = self.table_header(schema)?;
        let width = columns.len();
        let mut table = RawTable::new(schema.name, columns, true);
        for _ in 0..rows {
            for _ in 0..width {
                table.push_cell(self.text()?)?;
            }
            table.end_row()?;
        }
        Ok(table)
    }

    /// The next table as bytes.
    fn part(&mut self, schema: &'static InputTable) -> Result<CanonicalPart<'a>, CanonicalFault> {
        let from = self.at;
        let (columns, rows) = self.table_header(schema)?;
        for _ in 0..rows.saturating_mul(columns.len()) {
            self.cell()?;
        }
        Ok(CanonicalPart { table: schema.name, rows, bytes: &self.bytes[from..self.at] })
    }

    /// The next table's columns, and how many rows follow.
    pub(super) fn table_header(
        &mut self,
        schema: &InputTable,
    ) -> Result<(Vec<String>, usize), CanonicalFault> {
        if self.text()? != schema.name {
            return Err(self.malformed());
        }
        let width = self.count()?;
        // A forged width must not reserve memory: every column takes at least one byte.
        let mut columns = Vec::new();
        for _ in 0..width {
            columns.push(self.text()?.to_owned());
        }
        let rows = self.count()?;
        if width == 0 && rows > 0 {
            return Err(self.malformed());
        }
        Ok((columns, rows))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, CanonicalFault> {
        let bytes = self.cell()?;
        std::str::from_utf8(bytes).map_err(|_| CanonicalFault::Malformed(self.at - bytes.len()))
    }

    /// The bytes of the next text, not looked at.
    pub(super) fn cell(&mut self) -> Result<&'a [u8], CanonicalFault> {
        let length = self.count()?;
        let end = self.at.checked_add(length).ok_or_else(|| self.malformed())?;
        let bytes = self.bytes.get(self.at..end).ok_or_else(|| self.malformed())?;
        self.at = end;
        Ok(bytes)
    }

    fn count(&mut self) -> Result<usize, CanonicalFault> {
        let mut count = 0;
        for shift in (0..63).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.malformed())?;
            self.at += 1;
            count |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(count);
            }
        }
        Err(self.malformed())
    }

    pub(super) fn malformed(&self) -> CanonicalFault {
        CanonicalFault::Malformed(self.at)
    }
}

#[cfg(test)]
mod tests {
    use powerfill_events::input_table;
    use powerfill_events::values::{Key, TradeId};

    use super::*;

    input_table! {
        /// A table as a later version has it.
        table FutureTrade = "future_trades", key(trade_id);
        columns {
            /// Since version 1.
            trade_id: Key<TradeId>;
            /// Since version 2.
            fee: Option<i64>, since(2);
            /// Since version 3.
            is_split: bool = false, since(3);
        }
    }

    fn written(rows: &[FutureTrade]) -> String {
        let mut bytes = Vec::new();
        write_tables(&[&TableRows::new(rows)], &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_later_column_is_left_out_where_no_cell_has_a_value() {
        let trade = |fee, is_split| FutureTrade { trade_id: "T".into(), fee, is_split };
        let former = "powerfill snapshot 1\n\u{d}future_trades\u{1}\u{8}trade_id\u{1}\u{1}T";
        assert_eq!(written(&[trade(None, false)]), former);
        let with_fee = "powerfill snapshot 2\n\u{d}future_trades\u{2}\u{8}trade_id\u{3}fee\u{2}\
                        \u{1}T\u{0}\u{1}T\u{1}5";
        assert_eq!(written(&[trade(None, false), trade(Some(5), false)]), with_fee);
        let split = "powerfill snapshot 3\n\u{d}future_trades\u{2}\u{8}trade_id\u{8}is_split\u{1}\
                     \u{1}T\u{1}Y";
        assert_eq!(written(&[trade(None, true)]), split);
    }

    #[test]
    fn a_column_of_a_later_version_may_be_empty() {
        for column in TABLES.iter().flat_map(|table| table.columns) {
            assert!(column.since <= CANONICAL_VERSION, "{}", column.name);
            assert!(column.since == 1 || column.may_be_empty(), "{}", column.name);
        }
    }

    #[test]
    fn a_newer_version_is_refused_by_its_number() {
        let newer = CanonicalReader::new(b"powerfill snapshot 7\n");
        assert!(matches!(newer, Err(CanonicalFault::Newer(7))));
        for malformed in ["powerfill snapshot 0\n", "powerfill snapshot x\n", "powerfill", ""] {
            let read = CanonicalReader::new(malformed.as_bytes());
            assert!(matches!(read, Err(CanonicalFault::Malformed(0))), "{malformed}");
        }
    }
}
