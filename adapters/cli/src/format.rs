//! The formats of `--format`: those that can be printed, and for output tables a workbook besides.

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

/// How to give output tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TableFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For programs and spreadsheets
    Csv,
    /// A workbook, a sheet a table
    Xlsx,
}

impl TableFormat {
    /// The format of what is printed; `None` for a workbook.
    pub(crate) fn printed(self) -> Option<Format> {
        match self {
            Self::Text => Some(Format::Text),
            Self::Json => Some(Format::Json),
            Self::Csv => Some(Format::Csv),
            Self::Xlsx => None,
        }
    }
}
