//! The comparison of two sides (specification 3.4 `diff`).

use powerfill_events::values::{Day, Timestamp};
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::TableRole;
use powerfill_tables::tables::ALL;

use crate::classes::{self, ClassificationCounts, ClassificationError, Classifications};
use crate::compare::{self, Incomparable, TableComparison};
use crate::interner::Interner;
use crate::loan_path::LoanPath;
use crate::mapping::ComparisonMapping;
use crate::run_differences::RunDifferences;
use crate::side::{Side, SideHead};

/// The comparison of two sides.
#[derive(Debug)]
pub struct Comparison {
    /// The run in question, or the earlier one of two runs, without the rows of the compared
    /// tables.
    pub here: Side,
    /// The other side, or the later run, likewise.
    pub there: Side,
    /// The tables that both sides have.
    pub tables: Vec<TableComparison>,
    /// Tables that were not compared, and why.
    pub left_out: Vec<(&'static str, &'static str)>,
    /// What could not be compared. If it is empty, everything that both sides have was compared.
    pub incomparable: Vec<Incomparable>,
    /// The entries of the classification file.
    pub classifications: Classifications,
    /// The numbers of differences by class.
    pub classified: ClassificationCounts,
    /// The paths of the loans whose decision differs, by id, as far as they were explained.
    pub loans: Vec<LoanPath>,
    /// The number of all loans whose decision differs.
    pub diverging_loan_count: u64,
    /// Between two runs: the differences of their inputs and engines.
    pub run_differences: Option<RunDifferences>,
    /// The texts of both sides.
    pub names: Interner,
}

/// The outcome of a comparison, as an exit status says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparisonOutcome {
    /// No unclassified difference: 0.
    Same,
    /// At least one unclassified difference: 1.
    Different,
    /// Something could not be compared: 2.
    Incomparable,
}

impl Comparison {
    /// Compares the tables of two sides.
    pub fn new(
        names: Interner,
        mut here: Side,
        mut there: Side,
        mapping: &ComparisonMapping,
    ) -> Self {
        let mut incomparable: Vec<Incomparable> =
            [&here, &there].into_iter().filter_map(|side| check_complete(&side.head)).collect();
        let left_out = left_out(&here, &there, mapping);
        let tables = match incomparable.is_empty() {
            true => compare::compare_tables(&mut here, &mut there, mapping, &names),
            false => Vec::new(),
        };
        if incomparable.is_empty() {
            incomparable.extend(compare::check_any_rows(&tables));
            incomparable.extend(tables.iter().filter_map(|table| table.incomparable.clone()));
        }
        let run_differences = match (here.head.run(), there.head.run()) {
            (Some(here), Some(there)) => Some(RunDifferences::new(here, there)),
            _ => None,
        };
        let mut comparison = Self {
            here,
            there,
            tables,
            left_out,
            incomparable,
            classifications: Classifications::default(),
            classified: ClassificationCounts::default(),
            loans: Vec::new(),
            diverging_loan_count: 0,
            run_differences,
            names,
        };
        comparison.classify(Classifications::default());
        comparison
    }

    /// Applies a classification file.
    pub fn classify(&mut self, classifications: Classifications) {
        self.classified = classifications.apply(&mut self.tables, &self.names);
        self.classifications = classifications;
    }

    /// The classification file with new entries for unclassified differences; `None` if there is
    /// nothing to add. `file` is the name of the file, and `text` its content.
    ///
    /// # Errors
    /// If no entries can be added to the file.
    pub fn append_classifications(
        &self,
        file: &str,
        text: &str,
    ) -> Result<Option<String>, ClassificationError> {
        classes::append_entries(file, text, &self.tables, &self.names, self.day())
    }

    /// Keeps the first differing rows of each table. The counts stay those of all rows.
    pub fn keep_rows(&mut self, most: usize) {
        self.tables.iter_mut().for_each(|table| table.differences.truncate(most));
    }

    /// The day of the later run, which new entries get as their date. There is no clock here.
    pub fn day(&self) -> Option<Day> {
        let runs = [&self.here.head, &self.there.head].into_iter().filter_map(SideHead::run);
        let latest = runs.filter_map(|run| run.recorded_at).max()?;
        Timestamp::to_string(&latest).get(..10)?.parse().ok()
    }

    /// The outcome.
    pub fn outcome(&self) -> ComparisonOutcome {
        match (self.incomparable.is_empty(), self.classified.unclassified) {
            (false, _) => ComparisonOutcome::Incomparable,
            (true, 0) => ComparisonOutcome::Same,
            (true, _) => ComparisonOutcome::Different,
        }
    }

    /// What the sides are called: two runs are in the order of time.
    pub const fn labels(&self) -> [&'static str; 2] {
        match self.run_differences {
            Some(_) => ["old", "new"],
            None => ["here", "there"],
        }
    }

    /// The number of differences.
    pub fn differences(&self) -> u64 {
        self.tables.iter().map(|table| table.counts.differences()).sum()
    }

    /// The number of rows that are the same.
    pub fn same(&self) -> u64 {
        self.tables.iter().map(|table| table.counts.same).sum()
    }
}

fn check_complete(head: &SideHead) -> Option<Incomparable> {
    let run = head.run().filter(|run| run.status != RunStatus::Complete)?;
    Some(Incomparable::NotComplete { run: head.title(), status: run.status.name() })
}

fn left_out(
    here: &Side,
    there: &Side,
    mapping: &ComparisonMapping,
) -> Vec<(&'static str, &'static str)> {
    let reasons = ALL.iter().enumerate().filter_map(|(at, spec)| {
        let reason = match (mapping.compares(at), &here.tables[at], &there.tables[at]) {
            (false, ..) if mapping.skips_options(at) => {
                "options of loans, compared with --candidates"
            }
            (false, ..) if spec.role == TableRole::Decision => "the mapping skips it",
            // A record of a run is only compared on request, so its absence is no news.
            (false, ..) | (true, Some(_), Some(_)) => return None,
            (true, None, None) => "neither side has it",
            (true, _, None) => "the other side does not have it",
            (true, None, _) => "this side does not have it",
        };
        Some((spec.name, reason))
    });
    reasons.collect()
}
