//! CSV as RFC 4180 has it, strictly, in UTF-8, from a stream.
//!
//! The `csv` crate takes a quote in the middle of a field literally, and one that is never closed
//! as the rest of the file. A single stray quote in the last column would so swallow every row
//! below it without a word, which a book of loans must not lose (1.2, "nothing is skipped
//! silently"). Here both are faults with a place. Line ends may be CRLF, LF or CR; blank lines
//! count for nothing; memory is bounded whatever the input.

use std::io::{ErrorKind, Read};

use powerfill_snapshot::{FaultCode, RawTable, SourceFault, TooLarge};

/// The longest field, in bytes. The longest sensible one is a rule of some kilobytes.
pub const LONGEST_FIELD: usize = 1 << 20;

/// The most columns.
pub const MOST_COLUMNS: usize = 4096;

const CHUNK: usize = 1 << 18;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Why a file cannot be read as a table, and where.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// There is no line at all.
    #[error("the file is empty: a header is expected")]
    MissingHeader,
    /// A field is not UTF-8.
    #[error("{0}: not UTF-8")]
    NotUtf8(Place),
    /// A quote within a field that does not begin with one, or text behind a closing quote.
    #[error("{0}: a quote within a field; a field with quotes is quoted, and they are doubled")]
    StrayQuote(Place),
    /// A quote that is never closed.
    #[error("{0}: the field begins with a quote that is never closed")]
    OpenQuote(Place),
    /// A field beyond [`LONGEST_FIELD`].
    #[error("{0}: a field of more than {LONGEST_FIELD} bytes")]
    LongField(Place),
    /// A header beyond [`MOST_COLUMNS`].
    #[error("the header has more than {MOST_COLUMNS} columns")]
    ManyColumns,
    /// The table is beyond what can be addressed.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The disk, or the compression.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Unreadable {
    /// The same as a fault of a table.
    pub fn of_table(&self, table: &str) -> SourceFault {
        let code = match self {
            Self::MissingHeader => FaultCode::MissingHeader,
            _ => FaultCode::Unreadable,
        };
        SourceFault { table: table.to_owned(), code, reason: self.to_string() }
    }
}

/// Where in a file: the data row, 0 for the header; the field, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Data row from 1; 0 is the header.
    pub row: usize,
    /// Field from 1.
    pub field: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.row {
            0 => write!(f, "header, field {}", self.field),
            row => write!(f, "row {row}, field {}", self.field),
        }
    }
}

/// Reads a table: the header first, then the rows. Rows of another length than the header are kept
/// as ragged.
///
/// # Errors
/// [`Unreadable`], the first.
pub fn read_table(name: &str, mut input: impl Read) -> Result<RawTable, Unreadable> {
    let mut parser = Parser::new(name);
    let mut chunk = vec![0; CHUNK];
    let mut filled = fill(&mut input, &mut chunk)?;
    let mut start = if chunk[..filled].starts_with(BYTE_ORDER_MARK) { 3 } else { 0 };
    while filled > 0 {
        parser.feed(&chunk[start..filled])?;
        start = 0;
        filled = fill(&mut input, &mut chunk)?;
    }
    parser.finish()
}

/// Reads until the chunk is full or the input ends.
fn fill(input: &mut impl Read, chunk: &mut [u8]) -> Result<usize, Unreadable> {
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
    /// Behind a quote in a quoted field: doubled, or the end of the field.
    Quote,
    /// Behind a CR: an LF belongs to it.
    Cr,
}

struct Parser {
    name: String,
    state: State,
    /// What a field has of earlier chunks, or between doubled quotes.
    field: Vec<u8>,
    /// Fields of the row so far.
    fields: usize,
    header: Vec<String>,
    table: Option<RawTable>,
}

impl Parser {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: State::Start,
            field: Vec::new(),
            fields: 0,
            header: Vec::new(),
            table: None,
        }
    }

    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Unreadable> {
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
                (State::Start | State::Cr | State::Plain, _) => bytes = self.plain(bytes)?,
                (State::Quoted, _) => bytes = self.quoted(bytes)?,
                (State::Quote, b'"') => {
                    self.keep(b"\"")?;
                    self.state = State::Quoted;
                    bytes = &bytes[1..];
                }
                (State::Quote, b',' | b'\n' | b'\r') => {
                    self.end_field(&[])?;
                    self.delimit(byte)?;
                    bytes = &bytes[1..];
                }
                (State::Quote, _) => return Err(Unreadable::StrayQuote(self.place())),
            }
        }
        Ok(())
    }

    /// Takes a field without quotes up to its delimiter, or to the end of the chunk.
    fn plain<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Unreadable> {
        let end = bytes.iter().position(|b| matches!(b, b',' | b'\n' | b'\r' | b'"'));
        let Some(end) = end else {
            self.keep(bytes)?;
            self.state = State::Plain;
            return Ok(&[]);
        };
        if bytes[end] == b'"' {
            return Err(Unreadable::StrayQuote(self.place()));
        }
        let blank_line = end == 0 && self.fields == 0 && self.state != State::Plain;
        if !(blank_line && bytes[0] != b',') {
            self.end_field(&bytes[..end])?;
        }
        self.delimit(bytes[end])?;
        Ok(&bytes[end + 1..])
    }

    fn quoted<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Unreadable> {
        let Some(end) = bytes.iter().position(|b| *b == b'"') else {
            self.keep(bytes)?;
            return Ok(&[]);
        };
        self.keep(&bytes[..end])?;
        self.state = State::Quote;
        Ok(&bytes[end + 1..])
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        if self.field.len() + bytes.len() > LONGEST_FIELD {
            return Err(Unreadable::LongField(self.place()));
        }
        self.field.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends a field whose last bytes are these.
    fn end_field(&mut self, last: &[u8]) -> Result<(), Unreadable> {
        let mut field = std::mem::take(&mut self.field);
        let bytes = if field.is_empty() {
            last
        } else {
            field.extend_from_slice(last);
            &field
        };
        if bytes.len() > LONGEST_FIELD {
            return Err(Unreadable::LongField(self.place()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotUtf8(self.place()))?;
        match &mut self.table {
            Some(table) => table.push_cell(text)?,
            None if self.header.len() == MOST_COLUMNS => return Err(Unreadable::ManyColumns),
            None => self.header.push(text.to_owned()),
        }
        self.fields += 1;
        field.clear();
        self.field = field;
        Ok(())
    }

    fn delimit(&mut self, delimiter: u8) -> Result<(), Unreadable> {
        self.state = if delimiter == b'\r' { State::Cr } else { State::Start };
        if delimiter != b',' && self.fields > 0 {
            self.end_row()?;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unreadable> {
        self.fields = 0;
        match &mut self.table {
            Some(table) => table.end_row()?,
            None => {
                let header = std::mem::take(&mut self.header);
                self.table = Some(RawTable::new(self.name.clone(), header, true));
            }
        }
        Ok(())
    }

    /// The last row may lack its line end.
    fn finish(mut self) -> Result<RawTable, Unreadable> {
        match self.state {
            State::Quoted => return Err(Unreadable::OpenQuote(self.place())),
            State::Plain | State::Quote => self.end_field(&[])?,
            State::Start if self.fields > 0 => self.end_field(&[])?,
            State::Start | State::Cr => {}
        }
        if self.fields > 0 {
            self.end_row()?;
        }
        self.table.ok_or(Unreadable::MissingHeader)
    }

    fn place(&self) -> Place {
        let row = self.table.as_ref().map_or(0, |table| table.rows() + 1);
        Place { row, field: self.fields + 1 }
    }
}
