//! The values of `--format`.

/// The format of printed output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

/// The format of output tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TableFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For programs and spreadsheets
    Csv,
    /// A workbook with one sheet per table
    Xlsx,
}

impl TableFormat {
    /// The format of printed output; `None` for a workbook.
    pub(crate) fn printed(self) -> Option<Format> {
        match self {
            Self::Text => Some(Format::Text),
            Self::Json => Some(Format::Json),
            Self::Csv => Some(Format::Csv),
            Self::Xlsx => None,
        }
    }
}
