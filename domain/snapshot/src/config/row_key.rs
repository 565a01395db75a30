//! The keys of the rows of the configuration.

use std::fmt;

use powerfill_events::config::ConfigTable;
use powerfill_events::values::Name;

use crate::whole_number;

/// The key of a row. Names compare as text, days by their number; the order is that of the table (1.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(Vec<KeyPart>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum KeyPart {
    Name(Name),
    Day(i64),
}

impl RowKey {
    /// The key of these texts, in the order of the table's key columns: as a person types it, or an address has it.
    /// Missing parts are empty. A day that is no whole number is no row's, and stands as the text that it is.
    pub fn of<'a>(table: ConfigTable, parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut parts = parts.into_iter();
        let part = |column: &&str| {
            let text = parts.next().unwrap_or_default();
            match (*column == "on_day").then(|| whole_number(text)).flatten() {
                Some(day) => KeyPart::Day(day),
                None => KeyPart::Name(Name::new(text)),
            }
        };
        Self(table.key_columns().iter().map(part).collect())
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
                KeyPart::Day(day) => fmt::Display::fmt(day, f)?,
            }
        }
        Ok(())
    }
}
