//! A strict parser of CSV (RFC 4180, UTF-8), which reads a stream.
//!
//! The `csv` crate accepts a quote in the middle of a field, and reads a quote that is never closed
//! to the end of the file. So a single stray quote in the last column would swallow every row below
//! it silently, which 1.2 forbids ("nothing is skipped silently"). Here both are faults with a
//! position. Line ends are CRLF, LF, or CR; blank lines are ignored; memory is bounded for any
//! input.

use std::io::{ErrorKind, Read};

use encoding_rs::WINDOWS_1252;
use powerfill_snapshot::{RawTable, TableLimit};

use crate::error::{CsvError, FieldPosition};
use crate::start;

/// The longest field, in bytes. The longest rule in practice has some kilobytes.
pub const MAX_FIELD_BYTES: usize = 1 << 20;

/// The most columns of a header.
pub const MAX_COLUMNS: usize = 4096;

/// The characters of a field that an error shows.
const SHOWN_CHARACTERS: usize = 40;

/// The bytes that show the format of a file: a header is within them.
const START: usize = 1 << 14;

const CHUNK: usize = 1 << 18;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads a table: the header, then the rows. Rows of another length than the header are marked as
/// ragged.
///
/// # Errors
/// The first [`CsvError`].
pub fn read_table(name: &str, input: impl Read) -> Result<RawTable, CsvError> {
    read_limited(name, input, TableLimit::default())
}

/// As [`read_table`], of at most this size. Ends at the row beyond it.
pub(crate) fn read_limited(
    name: &str,
    mut input: impl Read,
    limit: TableLimit,
) -> Result<RawTable, CsvError> {
    let mut parser = Parser::new(name, limit);
    let mut chunk = vec![0; CHUNK];
    let mut filled = fill(&mut input, &mut chunk)?;
    start::check(&chunk[..filled.min(START)])?;
    let mut start = if chunk[..filled].starts_with(BYTE_ORDER_MARK) { 3 } else { 0 };
    while filled > 0 {
        parser.feed(&chunk[start..filled])?;
        start = 0;
        filled = fill(&mut input, &mut chunk)?;
    }
    parser.finish()
}

/// Reads until the chunk is full or the input ends.
fn fill(input: &mut impl Read, chunk: &mut [u8]) -> Result<usize, CsvError> {
    let mut filled = 0;
    while filled < chunk.len() {
        match input.read(&mut chunk[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a field.
    Start,
    /// In a field without quotes.
    Plain,
    /// In a quoted field.
    Quoted,
    /// After a quote in a quoted field: it is doubled, or ends the field.
    Quote,
    /// After a CR, which may have an LF.
    Cr,
}

struct Parser {
    name: String,
    limit: TableLimit,
    state: State,
    /// The part of the field from earlier chunks, or between doubled quotes.
    field: Vec<u8>,
    /// The number of complete fields of the row.
    fields: usize,
    header: Vec<String>,
    table: Option<RawTable>,
}

impl Parser {
    fn new(name: &str, limit: TableLimit) -> Self {
        Self {
            name: name.to_owned(),
            limit,
            state: State::Start,
            field: Vec::new(),
            fields: 0,
            header: Vec::new(),
            table: None,
        }
    }

    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), CsvError> {
        while let Some(&byte) = bytes.first() {
            match (self.state, byte) {
                (State::Cr, b'\n') => {
                    self.state = State::Start;
                    bytes = &bytes[1..];
                }
                (State::Start | State::Cr, b'"') => {
                    self.state = State::Quoted;
                    bytes = &bytes[1..];
                }
                (State::Start | State::Cr | State::Plain, _) => bytes = self.read_plain(bytes)?,
                (State::Quoted, _) => bytes = self.read_quoted(bytes)?,
                (State::Quote, b'"') => {
                    self.push_bytes(b"\"")?;
                    self.state = State::Quoted;
                    bytes = &bytes[1..];
                }
                (State::Quote, b',' | b'\n' | b'\r') => {
                    self.end_field(&[])?;
                    self.end_at(byte)?;
                    bytes = &bytes[1..];
                }
                (State::Quote, _) => return Err(CsvError::StrayQuote(self.position())),
            }
        }
        Ok(())
    }

    /// Reads a field without quotes up to its delimiter, or to the end of the chunk. Returns the
    /// bytes that follow.
    fn read_plain<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], CsvError> {
        let end = bytes.iter().position(|b| matches!(b, b',' | b'\n' | b'\r' | b'"'));
        let Some(end) = end else {
            self.push_bytes(bytes)?;
            self.state = State::Plain;
            return Ok(&[]);
        };
        if bytes[end] == b'"' {
            return Err(CsvError::StrayQuote(self.position()));
        }
        let blank_line = end == 0 && self.fields == 0 && self.state != State::Plain;
        if !(blank_line && bytes[0] != b',') {
            self.end_field(&bytes[..end])?;
        }
        self.end_at(bytes[end])?;
        Ok(&bytes[end + 1..])
    }

    fn read_quoted<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], CsvError> {
        let Some(end) = bytes.iter().position(|b| *b == b'"') else {
            self.push_bytes(bytes)?;
            return Ok(&[]);
        };
        self.push_bytes(&bytes[..end])?;
        self.state = State::Quote;
        Ok(&bytes[end + 1..])
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), CsvError> {
        if self.field.len() + bytes.len() > MAX_FIELD_BYTES {
            return Err(CsvError::LongField(self.position()));
        }
        self.field.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends a field with these last bytes.
    fn end_field(&mut self, last: &[u8]) -> Result<(), CsvError> {
        let mut field = std::mem::take(&mut self.field);
        let bytes = if field.is_empty() {
            last
        } else {
            field.extend_from_slice(last);
            &field
        };
        if bytes.len() > MAX_FIELD_BYTES {
            return Err(CsvError::LongField(self.position()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| CsvError::NotUtf8 {
            at: self.position(),
            text: WINDOWS_1252.decode(bytes).0.chars().take(SHOWN_CHARACTERS).collect(),
        })?;
        match &mut self.table {
            Some(table) => table.push_cell(text)?,
            None if self.header.len() == MAX_COLUMNS => return Err(CsvError::ManyColumns),
            None => self.header.push(text.to_owned()),
        }
        self.fields += 1;
        field.clear();
        self.field = field;
        Ok(())
    }

    fn end_at(&mut self, delimiter: u8) -> Result<(), CsvError> {
        self.state = if delimiter == b'\r' { State::Cr } else { State::Start };
        if delimiter != b',' && self.fields > 0 {
            self.end_row()?;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), CsvError> {
        self.fields = 0;
        match &mut self.table {
            Some(table) => table.end_row()?,
            None => {
                let header = std::mem::take(&mut self.header);
                let table = RawTable::new(self.name.clone(), header, true);
                self.table = Some(table.within(self.limit));
            }
        }
        Ok(())
    }

    /// Ends the table. The last row may lack its line end.
    fn finish(mut self) -> Result<RawTable, CsvError> {
        match self.state {
            State::Quoted => return Err(CsvError::OpenQuote(self.position())),
            State::Plain | State::Quote => self.end_field(&[])?,
            State::Start if self.fields > 0 => self.end_field(&[])?,
            State::Start | State::Cr => {}
        }
        if self.fields > 0 {
            self.end_row()?;
        }
        self.table.ok_or(CsvError::MissingHeader)
    }

    fn position(&self) -> FieldPosition {
        let row = self.table.as_ref().map_or(0, |table| table.rows() + 1);
        FieldPosition { row, field: self.fields + 1 }
    }
}
