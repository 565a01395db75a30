//! Loans from messages of MISMO version 3, such as the files of the Uniform Loan Delivery Dataset
//! (specification 4.1).
//!
//! A message is read once, from beginning to end, with one deal in memory. Each subject loan of a
//! deal becomes a row of the table `loan`, with the columns of [`COLUMNS`]; the values stay as
//! MISMO spells them. A message with a document type declaration is refused, and nothing outside of
//! the file is ever read.
//!
//! * [`read`]: a message, or the messages of a folder, as a table
//! * [`COLUMNS`]: which element each column comes from

mod deal;
mod error;
mod fields;
mod message;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use powerfill_events::input::{RawTable, RowOrigin, TableLimit};
use powerfill_mapping::ForeignTable;

pub use error::MismoError;
pub use fields::COLUMNS;

/// The table of the loans of messages.
const TABLE: &str = "loan";

/// Whether a file is a message by its name.
pub fn is_message(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml"))
}

/// Reads the loans of a message, or of all messages of a folder by name, as one table `loan` of at
/// most this size.
///
/// # Errors
/// A file cannot be read, is no message of MISMO 3, or has no subject loan; the folder has none;
/// the table would be larger.
pub fn read(path: &Path, limit: TableLimit) -> Result<ForeignTable, MismoError> {
    let files = if path.is_dir() { messages(path)? } else { vec![path.to_owned()] };
    let columns = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let origins = files.iter().map(|file| RowOrigin::file(name_of(file))).collect();
    let mut table = RawTable::mapped(TABLE, columns, origins).within(limit);
    let mut hasher = blake3::Hasher::new();
    for (origin, file) in (0..).zip(&files) {
        let input = File::open(file).map_err(MismoError::io(file))?;
        let mut input = HashedInput { input, hasher: &mut hasher };
        let read = message::read(BufReader::new(&mut input), origin, &mut table);
        read.map_err(|error| error.in_file(file))?;
    }
    let digest = hasher.finalize().to_hex().to_string();
    Ok(ForeignTable {
        file: name_of(path),
        is_sheet: false,
        digest,
        notes: Vec::new(),
        header_lines: Vec::new(),
        table,
    })
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The messages of a folder, by name.
fn messages(folder: &Path) -> Result<Vec<PathBuf>, MismoError> {
    let entries = std::fs::read_dir(folder).map_err(MismoError::io(folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<_> = paths.collect::<Result<_, _>>().map_err(MismoError::io(folder))?;
    paths.retain(|path| is_message(path));
    paths.sort();
    if paths.is_empty() {
        return Err(MismoError::NoMessage(folder.to_owned()));
    }
    Ok(paths)
}

/// A file whose bytes are hashed as they are read.
struct HashedInput<'a> {
    input: File,
    hasher: &'a mut blake3::Hasher,
}

impl Read for HashedInput<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(bytes)?;
        self.hasher.update(&bytes[..read]);
        Ok(read)
    }
}
