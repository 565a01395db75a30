//! The mapping file: what tables, columns and values are called on the other side, how they are
//! written there, and what is not to count (specification 3.4).

mod bind;
mod draft;
mod file;

pub use bind::{ExportSheet, export_side};
pub use draft::draft;

use std::collections::BTreeMap;
use std::ops::Range;

use powerfill_events::values::fold;
use powerfill_tables::table::{CellType, TableRole, TableSpec};
use powerfill_tables::tables::ALL;
use rust_decimal::Decimal;

use crate::reading::CellFormats;

/// A mapping, checked against the tables of 1.5.
#[derive(Debug)]
pub struct Mapping {
    /// What messages call the file.
    place: String,
    text: String,
    /// By position in [`ALL`]; `None` where the file does not speak of the table.
    tables: [Option<TableMapping>; ALL.len()],
    formats: CellFormats,
}

/// What a mapping says of a table.
#[derive(Debug, Default)]
pub(crate) struct TableMapping {
    /// Its name there.
    name: Option<Located<String>>,
    /// Whether to leave it out.
    skip: bool,
    /// Positions of the columns that rows pair by, where they are others.
    pub(crate) key: Option<Vec<usize>>,
    /// Their column, ours.
    rename: Vec<(Located<String>, usize)>,
    /// Columns that are not compared, a bit each.
    pub(crate) ignore: u32,
    /// What a column may be off by.
    pub(crate) tolerance: BTreeMap<usize, Decimal>,
    /// By column: their text, folded, and ours.
    values: BTreeMap<usize, BTreeMap<String, String>>,
    formats: Option<CellFormats>,
    /// What of it only makes sense for an export.
    of_export: Option<Range<usize>>,
}

/// Something, and where it stands in the file.
#[derive(Debug, Clone)]
pub(crate) struct Located<T> {
    value: T,
    span: Range<usize>,
}

/// A mapping file that cannot be used: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}, line {line}: {what}")]
pub struct MappingError {
    /// The file.
    pub place: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl Default for Mapping {
    /// No file: the same names, whatever their case.
    fn default() -> Self {
        Self {
            place: String::new(),
            text: String::new(),
            tables: [const { None }; ALL.len()],
            formats: CellFormats::default(),
        }
    }
}

impl Mapping {
    /// Reads a mapping file; `place` is what messages call it.
    ///
    /// # Errors
    /// [`MappingError`]: no TOML, or a key, table or column that there is not.
    pub fn parse(place: &str, text: &str) -> Result<Self, MappingError> {
        file::read(place, text)
    }

    pub(crate) fn table(&self, at: usize) -> Option<&TableMapping> {
        self.tables[at].as_ref()
    }

    /// Whether the file says that a table is called so there.
    pub fn names(&self, name: &str) -> bool {
        let given = self.tables.iter().flatten().filter_map(|table| table.name.as_ref());
        given.into_iter().any(|given| fold(&given.value) == fold(name))
    }

    /// Whether a table takes part: those that say what was decided, and those that the file names.
    pub(crate) fn takes_part(&self, at: usize) -> bool {
        match &self.tables[at] {
            Some(mapping) => !mapping.skip,
            None => ALL[at].role == TableRole::Decision,
        }
    }

    /// Checks that nothing in it is about the names and values of an export, for a comparison of
    /// two runs.
    ///
    /// # Errors
    /// Where there is.
    pub fn for_runs(&self) -> Result<(), MappingError> {
        let of_export = self.tables.iter().flatten().find_map(|table| table.of_export.clone());
        match of_export {
            Some(span) => Err(self.fault(
                &span,
                "two runs have the same names: name, rename, values and formats are for exports",
            )),
            None => Ok(()),
        }
    }

    fn formats(&self, at: usize) -> &CellFormats {
        self.table(at).and_then(|table| table.formats.as_ref()).unwrap_or(&self.formats)
    }

    fn fault(&self, span: &Range<usize>, what: impl Into<String>) -> MappingError {
        fault(&self.place, &self.text, span, what)
    }
}

fn fault(place: &str, text: &str, span: &Range<usize>, what: impl Into<String>) -> MappingError {
    let before = text.as_bytes().iter().take(span.start);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    MappingError { place: place.to_owned(), line, what: what.into() }
}

/// A name as defaults compare it: without schema, brackets, quotes, case, and whatever stands
/// between words.
pub(crate) fn plain(name: &str) -> String {
    let mut plain = String::new();
    for c in fold(name.trim()).chars() {
        if c.is_alphanumeric() {
            plain.push(c);
        } else if !plain.ends_with('_') && !plain.is_empty() && !matches!(c, '[' | ']' | '"' | '`')
        {
            plain.push('_');
        }
    }
    plain.trim_end_matches('_').to_owned()
}

/// The table that a file or sheet of this name holds by default: `dbo.PFILL_Trade_Recap`,
/// `[dbo].[pfill_trade_recap]`, or the first 31 characters, which is all that a sheet's name can
/// have.
pub(crate) fn table_of(name: &str) -> Option<usize> {
    let last = plain(name.rsplit('.').next().unwrap_or(name));
    let is = |spec: &&TableSpec| {
        let own = fold(spec.name);
        own == last || (last.len() == SHEET_NAME && own.starts_with(&last))
    };
    let mut found = (0..ALL.len()).filter(|at| is(&ALL[*at]));
    found.next().filter(|_| found.next().is_none())
}

/// The longest name of a sheet.
const SHEET_NAME: usize = 31;

fn is_number(cell_type: CellType) -> bool {
    matches!(cell_type, CellType::Int | CellType::Decimal(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::side::by_name;

    #[test]
    fn a_file_is_known_by_its_name_in_any_dress() {
        let recap = by_name("pfill_trade_recap").map(|(at, _)| at);
        for name in [
            "pfill_trade_recap",
            "PFILL_TRADE_RECAP",
            "dbo.pfill_trade_recap",
            "[Tenant].[dbo].[Pfill_Trade_Recap]",
            "Pfill Trade Recap ",
        ] {
            assert_eq!(table_of(name), recap, "{name}");
        }
        assert_eq!(table_of("trade_recap"), None);
        let all_rank = by_name("pfill_syn_powerfill_guide_all_rank").map(|(at, _)| at);
        assert_eq!(table_of("pfill_syn_powerfill_guide_all_r"), all_rank);
        let candidates = by_name("pfill_loan2trade_candy_level_01").map(|(at, _)| at);
        assert_eq!(table_of("pfill_loan2trade_candy_level_01"), candidates);
    }

    #[test]
    fn column_names_compare_without_dress() {
        for name in ["loan_id", "Loan ID", "[LOAN_ID]", "\"loan-id\"", " loan  id "] {
            assert_eq!(plain(name), "LOAN_ID", "{name}");
        }
        assert_ne!(plain("loanid"), plain("loan_id"));
    }
}
