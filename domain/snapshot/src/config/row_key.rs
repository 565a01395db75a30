//! Rows that a caller gives, and the keys of rows of the configuration.

use std::fmt;

use powerfill_events::config::{ConfigRow, ConfigTable};
use powerfill_events::input::{InputType, cells_of};
use powerfill_events::values::Name;

use crate::whole_number;

/// A row from a caller, before validation: columns with texts. An empty text is NULL.
pub type GivenRow = Vec<(String, String)>;

/// The key of a row. Names compare as text, days as numbers; the order is that of the table (1.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(Vec<KeyPart>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum KeyPart {
    Name(Name),
    Number(i64),
}

impl RowKey {
    /// The key of these texts, in the order of the table's key columns, as users and URLs give
    /// them. Missing parts are empty. A day that is not a whole number stays a text, which no row
    /// has.
    pub fn of<'a>(table: ConfigTable, parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut parts = parts.into_iter();
        let schema = table.schema();
        let part = |column: &&str| {
            let text = parts.next().unwrap_or_default();
            let column = schema.position(column).map(|position| &schema.columns[position]);
            let is_number = column.is_some_and(|c| matches!(c.input_type, InputType::Whole));
            match is_number.then(|| whole_number(text)).flatten() {
                Some(number) => KeyPart::Number(number),
                None => KeyPart::Name(Name::new(text)),
            }
        };
        Self(schema.key.iter().map(part).collect())
    }

    /// The key of a row.
    pub fn of_row<R: ConfigRow>(row: &R) -> Self {
        let cells = cells_of(row);
        let text = |column: &&str| {
            cells.iter().find(|(name, _)| name == column).map_or("", |(_, text)| text.as_str())
        };
        Self::of(R::CONFIG_TABLE, R::TABLE.key.iter().map(text))
    }
}

impl fmt::Display for RowKey {
    /// The parts joined by `|`, as the report of faults names a row.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("|")?;
            }
            match part {
                KeyPart::Name(name) => f.write_str(name.as_str())?,
                KeyPart::Number(number) => fmt::Display::fmt(number, f)?,
            }
        }
        Ok(())
    }
}
