//! What people have said about differences, in a file under version control, applied in the next
//! comparison (specification 3.4).

mod file;
mod new;

pub use new::appended;

use std::collections::BTreeMap;

use globset::GlobMatcher;
use powerfill_events::values::fold;
use powerfill_tables::tables::ALL;
use serde::Serialize;

use crate::compare::{RowDifference, RowVerdict, TableComparison};
use crate::names::Interner;

/// What a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceClass {
    /// One of the sides is wrong, and has to be put right.
    Bug,
    /// PowerFill does it better than what it is compared with, on purpose.
    Enhancement,
    /// Either is right.
    AcceptableVariation,
}

impl DifferenceClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Bug, Self::Enhancement, Self::AcceptableVariation];

    /// Its name in files.
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

/// An entry of it.
#[derive(Debug)]
pub struct ClassificationEntry {
    /// The line that it begins at, from 1.
    pub line: usize,
    /// NULL until somebody has filled it in.
    pub class: Option<DifferenceClass>,
    /// Why.
    pub note: String,
    /// Since when: `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Position in [`ALL`]; NULL for any table.
    table: Option<usize>,
    verdict: Option<RowVerdict>,
    /// Columns that may differ, by name; NULL for any.
    columns: Option<Vec<String>>,
    /// By column: texts that it may have.
    key: Vec<(String, Texts)>,
}

/// Texts, in full or by pattern.
#[derive(Debug, Default)]
struct Texts {
    /// Folded.
    literal: std::collections::BTreeSet<String>,
    patterns: Vec<GlobMatcher>,
}

/// A classification file that cannot be used: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}, line {line}: {what}")]
pub struct ClassificationError {
    /// The file.
    pub place: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

/// What the classifications come to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ClassificationCounts {
    /// Differences by class.
    pub classes: BTreeMap<&'static str, u64>,
    /// Differences that no entry with a class speaks of.
    pub unclassified: u64,
    /// Of those, the ones that an entry without a class waits for.
    pub pending: u64,
    /// Entries that match nothing any more.
    pub stale: Vec<StaleEntry>,
}

/// An entry that matches nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaleEntry {
    /// The line that it begins at.
    pub line: usize,
    /// Its note.
    pub note: String,
}

impl Classifications {
    /// Reads a classification file; `place` is what messages call it.
    ///
    /// # Errors
    /// [`ClassificationError`]: no TOML, or a key, table, column, class or verdict that there is not.
    pub fn parse(place: &str, text: &str) -> Result<Self, ClassificationError> {
        file::read(place, text)
    }

    /// The entries, in the order of the file.
    pub fn entries(&self) -> &[ClassificationEntry] {
        &self.entries
    }

    /// Gives each difference the first entry that speaks of it.
    pub(crate) fn apply(
        &self,
        tables: &mut [TableComparison],
        names: &Interner,
    ) -> ClassificationCounts {
        let mut uses = vec![0_u64; self.entries.len()];
        let mut classified = ClassificationCounts::default();
        for table in &mut *tables {
            let of_table = self.of_table(table);
            let mut differences = std::mem::take(&mut table.differences);
            for difference in &mut differences {
                let entry = of_table.iter().find(|(_, e)| e.speaks_of(table, difference, names));
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
        // One that matches what an earlier entry has already is not stale.
        let shadowed = |entry: &ClassificationEntry| {
            tables
                .iter()
                .filter(|table| entry.is_of(table))
                .any(|table| table.differences.iter().any(|d| entry.speaks_of(table, d, names)))
        };
        let unused = self.entries.iter().zip(&uses).filter(|(_, uses)| **uses == 0);
        let stale = unused.filter(|(entry, _)| !shadowed(entry));
        classified.stale =
            stale.map(|(e, _)| StaleEntry { line: e.line, note: e.note.clone() }).collect();
        classified
    }

    fn of_table(&self, table: &TableComparison) -> Vec<(usize, &ClassificationEntry)> {
        self.entries.iter().enumerate().filter(|(_, entry)| entry.is_of(table)).collect()
    }
}

impl ClassificationEntry {
    fn is_of(&self, table: &TableComparison) -> bool {
        self.table.is_none_or(|at| std::ptr::eq(ALL[at], table.spec))
            && self.key.iter().all(|(column, _)| table.spec.position(column).is_some())
    }

    fn speaks_of(
        &self,
        table: &TableComparison,
        difference: &RowDifference,
        names: &Interner,
    ) -> bool {
        self.verdict.is_none_or(|verdict| verdict == difference.verdict)
            && self.columns.as_ref().is_none_or(|columns| {
                let mut differing = crate::compare::columns_of(difference.columns);
                difference.columns != 0
                    && differing.all(|at| columns.iter().any(|name| name == table.column(at)))
            })
            && self.key.iter().all(|(column, texts)| {
                let grid_row = match (difference.here, difference.there) {
                    (Some(row), _) => (&table.here.grid, row),
                    (None, row) => (&table.there.grid, row.unwrap_or_default()),
                };
                let at = table.spec.position(column).unwrap_or_default();
                texts.have(&fold(&grid_row.0.written(grid_row.1, at, names)))
            })
    }
}

impl Texts {
    fn have(&self, folded: &str) -> bool {
        self.literal.contains(folded) || self.patterns.iter().any(|p| p.is_match(folded))
    }
}
