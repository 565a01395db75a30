//! The one form of a snapshot in bytes, and its digest.
//!
//! Tables in the order of 1.2, rows by key, every listed column, further columns of `loan` by name,
//! numbers and dates in one spelling: the order of rows and columns in the source, absent against
//! empty columns, `6` against `6.000`, make no difference. Identifiers stay as they are spelled,
//! for the outputs show them so. Rows that a warning leaves to be ignored are part of it. After the
//! first line everything is a count or a text behind its length.

use std::io::{self, Write};

use super::raw::{RawSnapshot, RawTable, TooLarge};
use super::records::{Record, RowWriter};
use super::report::FaultReport;
use super::schema::{TABLES, Table};
use super::tables::{ColumnType, Loan, LoanColumn, Snapshot};
use super::validate::validate;

/// The first line: the format and its version.
const MAGIC: &[u8] = b"powerfill snapshot 1\n";

/// Why bytes are not a snapshot's canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalFault {
    /// They are something else, or cut off.
    #[error("not a canonical snapshot: byte {0}")]
    Malformed(usize),
    /// A table is too large for this machine's limits.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// They hold tables that the validation refuses.
    #[error("the canonical snapshot is refused: {0}")]
    Refused(FaultReport),
}

impl Snapshot {
    /// Writes the canonical form, row by row.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_canonical(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(MAGIC)?;
        let mut canonical = Canonical { out, row: RowWriter::default() };
        canonical.header(Loan::TABLE, self.loans.len(), self.further_columns())?;
        canonical.rows(&self.loans)?;
        let declared: Vec<LoanColumn> = self
            .further_columns()
            .iter()
            .filter(|column| column.column_type != ColumnType::Text)
            .cloned()
            .collect();
        canonical.table(&declared)?;
        canonical.table(&self.stages)?;
        canonical.table(&self.instruments)?;
        canonical.table(&self.trades)?;
        canonical.table(&self.pools)?;
        canonical.table(&self.designations)?;
        canonical.table(&self.rules)?;
        canonical.table(&self.prices)?;
        canonical.table(&self.payups)?;
        canonical.table(&self.loan_prices)?;
        canonical.table(&self.constraints)?;
        canonical.table(&self.constraint_rules)?;
        canonical.table(&self.carry_costs)?;
        canonical.table(&self.lockdown)?;
        canonical.table(std::slice::from_ref(&self.preflight))?;
        canonical.table(std::slice::from_ref(&self.header))
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

    fn further_columns(&self) -> &[LoanColumn] {
        let listed = Table::position(Loan::TABLE).map_or(0, |at| TABLES[at].columns.len());
        &self.loan_columns[listed..]
    }

    /// The tables of a canonical form as texts, in the order of 1.2, rows by key: for setting two snapshots against
    /// each other, where nothing has to be typed or validated again.
    ///
    /// # Errors
    /// [`CanonicalFault`], but not that the tables are refused.
    pub fn tables_of_canonical(bytes: &[u8]) -> Result<Vec<RawTable>, CanonicalFault> {
        let mut reader = Reader::new(bytes)?;
        let tables = TABLES.iter().map(|table| reader.table(table)).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(tables)
    }
}

struct Canonical<'a, W> {
    out: &'a mut W,
    row: RowWriter,
}

impl<W: Write> Canonical<'_, W> {
    fn table<T: Record>(&mut self, rows: &[T]) -> io::Result<()> {
        self.header(T::TABLE, rows.len(), &[])?;
        self.rows(rows)
    }

    fn header(&mut self, table: &str, rows: usize, further: &[LoanColumn]) -> io::Result<()> {
        let listed = Table::position(table).map_or(&[][..], |position| TABLES[position].columns);
        self.row.text(table);
        self.row.count(listed.len() + further.len());
        for column in listed {
            self.row.text(column.name);
        }
        for column in further {
            self.row.text(column.column_name.folded());
        }
        self.row.count(rows);
        self.row.take(|bytes| self.out.write_all(bytes))
    }

    fn rows<T: Record>(&mut self, rows: &[T]) -> io::Result<()> {
        for row in rows {
            row.write(&mut self.row);
            self.row.take(|bytes| self.out.write_all(bytes))?;
        }
        Ok(())
    }
}

/// Reads the canonical form, table by table.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the first table.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, CanonicalFault> {
        match bytes.starts_with(MAGIC) {
            true => Ok(Self { bytes, at: MAGIC.len() }),
            false => Err(CanonicalFault::Malformed(0)),
        }
    }

    /// Nothing may follow the last table.
    pub(super) fn end(&self) -> Result<(), CanonicalFault> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.malformed()) }
    }

    pub(super) fn table(&mut self, schema: &Table) -> Result<RawTable, CanonicalFault> {
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

    /// The next table's columns, and how many rows follow.
    pub(super) fn table_header(
        &mut self,
        schema: &Table,
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
