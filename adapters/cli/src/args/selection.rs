//! Arguments that choose rows and columns of an output table.

use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct SelectionArgs {
    /// Only these columns, in this order
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Only rows for which this holds, in the syntax of rules: "fill_status = 'Under'"
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: Option<String>,
    /// In the order of these columns; -COLUMN has the largest first
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) sort: Vec<String>,
    /// Only the first N rows
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
}

impl SelectionArgs {
    /// Whether they choose anything.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { columns, condition, sort, top } = self;
        columns.is_empty() && condition.is_none() && sort.is_empty() && top.is_none()
    }
}
