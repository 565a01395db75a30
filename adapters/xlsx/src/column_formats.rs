//! The number formats of the columns of output tables.

use powerfill_tables::table::CellType;
use rust_xlsxwriter::Format;

/// The number formats of columns.
pub(crate) struct ColumnFormats {
    pub(crate) header: Format,
    pub(crate) text: Format,
    /// A sum of dollars.
    pub(crate) total: Format,
    int: Format,
    day: Format,
    /// By the number of decimals.
    decimals: Vec<Format>,
}

impl ColumnFormats {
    /// The largest number of decimals of a column: that of a price.
    const MAX_DECIMALS: usize = 8;

    pub(crate) fn new() -> Self {
        let format = |code: &str| Format::new().set_num_format(code);
        let decimals = (0..=Self::MAX_DECIMALS).map(|scale| match scale {
            0 => format("0"),
            2 => format("#,##0.00"),
            scale => format(&format!("0.{}", "0".repeat(scale))),
        });
        Self {
            header: Format::new().set_bold(),
            text: format("@"),
            total: format("#,##0.00").set_bold(),
            int: format("0"),
            day: format("yyyy-mm-dd"),
            decimals: decimals.collect(),
        }
    }

    pub(crate) fn of(&self, cell_type: CellType) -> &Format {
        match cell_type {
            CellType::Int => &self.int,
            CellType::Day => &self.day,
            CellType::Decimal(scale) => &self.decimals[usize::from(scale).min(Self::MAX_DECIMALS)],
            CellType::Text | CellType::Timestamp | CellType::Json => &self.text,
        }
    }
}
