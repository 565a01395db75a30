//! The mapping file: the names of tables, columns, and values on the other side, the formats of its
//! cells, and what a comparison leaves out (specification 3.4).

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
    /// The name of the file in messages.
    file: String,
    text: String,
    /// By position in [`ALL`]; `None` if the file does not name the table.
    tables: [Option<TableMapping>; ALL.len()],
    formats: CellFormats,
}

/// The mapping of a table.
#[derive(Debug, Default)]
pub(crate) struct TableMapping {
    /// Its name in the export.
    name: Option<Located<String>>,
    /// Whether the comparison skips it.
    skip: bool,
    /// The positions of the columns that rows pair by, if the file gives them.
    pub(crate) key: Option<Vec<usize>>,
    /// Columns of the export, with the positions of the table's columns.
    rename: Vec<(Located<String>, usize)>,
    /// Columns that are not compared, as a bit set.
    pub(crate) ignore: u32,
    /// The greatest difference at which numbers of a column count as the same.
    pub(crate) tolerance: BTreeMap<usize, Decimal>,
    /// By column: texts of the export, folded, with the texts of the run.
    values: BTreeMap<usize, BTreeMap<String, String>>,
    formats: Option<CellFormats>,
    /// The first place of the file that is for exports only.
    export_only: Option<Range<usize>>,
}

/// A value with its place in the file.
#[derive(Debug, Clone)]
pub(crate) struct Located<T> {
    value: T,
    span: Range<usize>,
}

/// A fault of a mapping file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct MappingError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl Default for Mapping {
    /// The mapping without a file: all names are the same on both sides, in any case.
    fn default() -> Self {
        Self {
            file: String::new(),
            text: String::new(),
            tables: [const { None }; ALL.len()],
            formats: CellFormats::default(),
        }
    }
}

impl Mapping {
    /// Reads a mapping file. Messages call it `file`.
    ///
    /// # Errors
    /// [`MappingError`]: the text is no TOML, or has an unknown key, table, or column.
    pub fn parse(file: &str, text: &str) -> Result<Self, MappingError> {
        file::read(file, text)
    }

    pub(crate) fn table(&self, at: usize) -> Option<&TableMapping> {
        self.tables[at].as_ref()
    }

    /// Whether the file gives a table this name in the export.
    pub fn has_name(&self, name: &str) -> bool {
        let given = self.tables.iter().flatten().filter_map(|table| table.name.as_ref());
        given.into_iter().any(|given| fold(&given.value) == fold(name))
    }

    /// Whether a table is compared: the decision tables that the file does not skip, and the
    /// records that it names.
    pub(crate) fn compares(&self, at: usize) -> bool {
        match &self.tables[at] {
            Some(mapping) => !mapping.skip,
            None => ALL[at].role == TableRole::Decision,
        }
    }

    /// Checks that the mapping fits a comparison of two runs.
    ///
    /// # Errors
    /// If it has names, values, or formats of an export.
    pub fn check_for_runs(&self) -> Result<(), MappingError> {
        let export_only = self.tables.iter().flatten().find_map(|table| table.export_only.clone());
        match export_only {
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
        fault(&self.file, &self.text, span, what)
    }
}

fn fault(file: &str, text: &str, span: &Range<usize>, what: impl Into<String>) -> MappingError {
    let before = text.as_bytes().iter().take(span.start);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    MappingError { file: file.to_owned(), line, what: what.into() }
}

/// A name in the form in which default names compare: folded, without schema, brackets, and quotes,
/// and with `_` between words.
pub(crate) fn normalize(name: &str) -> String {
    let mut normal = String::new();
    for c in fold(name.trim()).chars() {
        if c.is_alphanumeric() {
            normal.push(c);
        } else if !normal.ends_with('_')
            && !normal.is_empty()
            && !matches!(c, '[' | ']' | '"' | '`')
        {
            normal.push('_');
        }
    }
    normal.trim_end_matches('_').to_owned()
}

/// The position of the table in a file or sheet of this name by default: `dbo.PFILL_Trade_Recap`,
/// `[dbo].[pfill_trade_recap]`, or the first 31 characters, the longest name of a sheet.
pub(crate) fn default_table(name: &str) -> Option<usize> {
    let last = normalize(name.rsplit('.').next().unwrap_or(name));
    let is = |spec: &&TableSpec| {
        let own = fold(spec.name);
        own == last || (last.len() == SHEET_NAME_LENGTH && own.starts_with(&last))
    };
    let mut found = (0..ALL.len()).filter(|at| is(&ALL[*at]));
    found.next().filter(|_| found.next().is_none())
}

/// The longest name of a sheet.
const SHEET_NAME_LENGTH: usize = 31;

fn is_number(cell_type: CellType) -> bool {
    matches!(cell_type, CellType::Int | CellType::Decimal(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::side::by_name;

    #[test]
    fn a_file_is_recognized_by_its_name_in_many_forms() {
        let recap = by_name("pfill_trade_recap").map(|(at, _)| at);
        for name in [
            "pfill_trade_recap",
            "PFILL_TRADE_RECAP",
            "dbo.pfill_trade_recap",
            "[Tenant].[dbo].[Pfill_Trade_Recap]",
            "Pfill Trade Recap ",
        ] {
            assert_eq!(default_table(name), recap, "{name}");
        }
        assert_eq!(default_table("trade_recap"), None);
        let all_rank = by_name("pfill_syn_powerfill_guide_all_rank").map(|(at, _)| at);
        assert_eq!(default_table("pfill_syn_powerfill_guide_all_r"), all_rank);
        let candidates = by_name("pfill_loan2trade_candy_level_01").map(|(at, _)| at);
        assert_eq!(default_table("pfill_loan2trade_candy_level_01"), candidates);
    }

    #[test]
    fn column_names_compare_without_case_brackets_and_quotes() {
        for name in ["loan_id", "Loan ID", "[LOAN_ID]", "\"loan-id\"", " loan  id "] {
            assert_eq!(normalize(name), "LOAN_ID", "{name}");
        }
        assert_ne!(normalize("loanid"), normalize("loan_id"));
    }
}
