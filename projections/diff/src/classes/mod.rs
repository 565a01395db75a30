//! The classification of differences: a file under version control, which the next comparison
//! applies (specification 3.4).

mod append;
mod file;

pub(crate) use append::append_entries;

use std::collections::BTreeMap;

use globset::GlobMatcher;
use powerfill_events::values::fold;
use powerfill_tables::tables::ALL;
use serde::Serialize;

use crate::compare::{RowDifference, RowVerdict, TableComparison};
use crate::interner::Interner;

/// The class of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceClass {
    /// One side is wrong and must be corrected.
    Bug,
    /// PowerFill does better than the other side, on purpose.
    Enhancement,
    /// Both sides are right.
    AcceptableVariation,
}

impl DifferenceClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Bug, Self::Enhancement, Self::AcceptableVariation];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bug => "bug",
            Self::Enhancement => "enhancement",
            Self::AcceptableVariation => "acceptable_variation",
        }
    }
}

/// A classification file.
#[derive(Debug, Default)]
pub struct Classifications {
    entries: Vec<ClassificationEntry>,
}

/// An entry of a classification file.
#[derive(Debug)]
pub struct ClassificationEntry {
    /// Its first line, from 1.
    pub line: usize,
    /// The class; `None` until a person fills it in.
    pub class: Option<DifferenceClass>,
    /// The reason.
    pub note: String,
    /// The date of the entry, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// The position in [`ALL`]; `None` for any table.
    table: Option<usize>,
    verdict: Option<RowVerdict>,
    /// The columns that may differ, by name; `None` for any.
    columns: Option<Vec<String>>,
    /// The texts that key columns may have, by column.
    key: Vec<(String, TextMatcher)>,
}

/// Matches texts, in full or by pattern.
#[derive(Debug, Default)]
struct TextMatcher {
    /// Full texts, folded.
    literal: std::collections::BTreeSet<String>,
    patterns: Vec<GlobMatcher>,
}

/// A fault of a classification file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct ClassificationError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

/// The numbers of differences by class.
#[derive(Debug, Clone, Default, Serialize, schemars::JsonSchema)]
pub struct ClassificationCounts {
    /// Differences by class.
    pub classes: BTreeMap<&'static str, u64>,
    /// Differences that match no entry with a class.
    pub unclassified: u64,
    /// Of those, the differences that match an entry without a class.
    pub pending: u64,
    /// Entries that match no difference any more.
    pub stale: Vec<StaleEntry>,
}

/// An entry that matches no difference any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct StaleEntry {
    /// Its first line, from 1.
    pub line: usize,
    /// Its note.
    pub note: String,
}

impl Classifications {
    /// Reads a classification file. Messages call it `file`.
    ///
    /// # Errors
    /// [`ClassificationError`]: the text is no TOML, or has an unknown key, table, column, class,
    /// or verdict.
    pub fn parse(file: &str, text: &str) -> Result<Self, ClassificationError> {
        file::read(file, text)
    }

    /// The entries, in the order of the file.
    pub fn entries(&self) -> &[ClassificationEntry] {
        &self.entries
    }

    /// Gives each difference the first entry that matches it.
    pub(crate) fn apply(
        &self,
        tables: &mut [TableComparison],
        names: &Interner,
    ) -> ClassificationCounts {
        let mut uses = vec![0_u64; self.entries.len()];
        let mut classified = ClassificationCounts::default();
        for table in &mut *tables {
            let entries = self.entries_of(table);
            let mut differences = std::mem::take(&mut table.differences);
            for difference in &mut differences {
                let entry = entries.iter().find(|(_, e)| e.matches(table, difference, names));
                difference.entry = entry.and_then(|(at, _)| u32::try_from(*at).ok());
                if let Some((at, _)) = entry {
                    uses[*at] += 1;
                }
                match entry.map(|(_, entry)| entry.class) {
                    Some(Some(class)) => *classified.classes.entry(class.name()).or_default() += 1,
                    Some(None) => {
                        classified.pending += 1;
                        classified.unclassified += 1;
                    }
                    None => classified.unclassified += 1,
                }
            }
            table.differences = differences;
        }
        // An entry whose differences all match earlier entries is not stale.
        let shadowed = |entry: &ClassificationEntry| {
            tables
                .iter()
                .filter(|table| entry.applies_to(table))
                .any(|table| table.differences.iter().any(|d| entry.matches(table, d, names)))
        };
        let unused = self.entries.iter().zip(&uses).filter(|(_, uses)| **uses == 0);
        let stale = unused.filter(|(entry, _)| !shadowed(entry));
        classified.stale =
            stale.map(|(e, _)| StaleEntry { line: e.line, note: e.note.clone() }).collect();
        classified
    }

    fn entries_of(&self, table: &TableComparison) -> Vec<(usize, &ClassificationEntry)> {
        self.entries.iter().enumerate().filter(|(_, entry)| entry.applies_to(table)).collect()
    }
}

impl ClassificationEntry {
    fn applies_to(&self, table: &TableComparison) -> bool {
        self.table.is_none_or(|at| std::ptr::eq(ALL[at], table.spec))
            && self.key.iter().all(|(column, _)| table.spec.position(column).is_some())
    }

    fn matches(
        &self,
        table: &TableComparison,
        difference: &RowDifference,
        names: &Interner,
    ) -> bool {
        self.verdict.is_none_or(|verdict| verdict == difference.verdict)
            && self.columns.as_ref().is_none_or(|columns| {
                let mut differing = crate::column_set::columns_of(difference.columns);
                difference.columns != 0
                    && differing.all(|at| columns.iter().any(|name| name == table.column(at)))
            })
            && self.key.iter().all(|(column, texts)| {
                let (grid, row) = table.row_of(difference);
                let at = table.spec.position(column).unwrap_or_default();
                texts.matches(&fold(&grid.text(row, at, names)))
            })
    }
}

impl TextMatcher {
    fn matches(&self, folded: &str) -> bool {
        self.literal.contains(folded) || self.patterns.iter().any(|p| p.is_match(folded))
    }
}
