//! How large tables of a source may become.

/// How large a table may become while it is read. Without a limit as large as it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLimit {
    /// The most rows.
    pub rows: usize,
    /// The most bytes of text in all cells.
    pub bytes: usize,
}

impl Default for TableLimit {
    fn default() -> Self {
        Self { rows: usize::MAX, bytes: u32::MAX as usize }
    }
}

impl TableLimit {
    /// Refuses so many bytes of text if they are too many.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn admit_text(self, bytes: u64) -> Result<(), TooLarge> {
        match bytes > self.bytes as u64 {
            true if self.bytes < Self::default().bytes => Err(TooLarge::Bytes(self.bytes)),
            true => Err(TooLarge::Text),
            false => Ok(()),
        }
    }
}

/// Why a table is not read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// Its offsets cannot address more text.
    #[error("the table has more than 4 GiB of text")]
    Text,
    /// It has more rows than the service admits.
    #[error(
        "it has more than {0} rows, and the service reads no more; start it with a larger \
         --max-rows, or run this book with `powerfill run`"
    )]
    Rows(usize),
    /// Its cells have more text than the service admits.
    #[error(
        "it has more than {0} bytes of text, and the service reads no more; start it with a \
         larger --max-table-bytes, or run this book with `powerfill run`"
    )]
    Bytes(usize),
}

/// A table that is too large, by its name in the source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}: {source}")]
pub struct TableTooLarge {
    /// The table, or the file or sheet that has it.
    pub table: String,
    /// The exceeded limit.
    pub source: TooLarge,
}

impl TooLarge {
    /// For `map_err`: says which table it is.
    pub fn of(table: &str) -> impl FnOnce(Self) -> TableTooLarge {
        move |source| TableTooLarge { table: table.to_owned(), source }
    }
}
