//! What differs between the output tables of a run and others: another run's, or an export of the
//! Desktop App (specification 3.4 `diff`). Pure: no clock, no I/O; the same sides give the same
//! bytes.
//!
//! * [`RunSide`] and [`mapping`]: how the two sides come in
//! * [`compare`]: rows paired and judged; [`Incomparable`] where there is nothing to compare
//! * [`classes`]: what people have said about differences
//! * [`loans`]: what became of a loan on both sides, and where the paths part
//! * [`why`]: what two runs were given
//! * [`report`]: for programs, spreadsheets, and as one page to be mailed

pub mod classes;
pub mod compare;
pub mod grid;
pub mod loans;
pub mod mapping;
pub mod names;
pub mod reading;
pub mod report;
pub mod side;
pub mod why;

pub use compare::{Incomparable, RowVerdict};
pub use names::Interner;
pub use side::{RunSide, Side, SideHead};

use classes::{ClassificationCounts, ClassificationError, Classifications};
use compare::TableComparison;
use loans::LoanPath;
use mapping::Mapping;
use powerfill_events::values::{Day, Timestamp};
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::TableRole;
use powerfill_tables::tables::ALL;
use why::RunDifferences;

/// Two sides set against each other.
#[derive(Debug)]
pub struct Comparison {
    /// Our side, without the rows of the compared tables.
    pub here: Side,
    /// The other side, likewise.
    pub there: Side,
    /// The tables that both have.
    pub tables: Vec<TableComparison>,
    /// Tables that one side lacks, or that were left out, and why.
    pub left_out: Vec<(&'static str, &'static str)>,
    /// What could not be compared; where it is empty, everything that both sides have was.
    pub incomparable: Vec<Incomparable>,
    /// The entries that classify.
    pub classifications: Classifications,
    /// What they come to.
    pub classified: ClassificationCounts,
    /// The loans whose decision differs, by id, as far as they were told of.
    pub loans: Vec<LoanPath>,
    /// How many loans' decisions differ.
    pub loans_parted: u64,
    /// Between two runs, what they were given.
    pub why: Option<RunDifferences>,
    /// Every text.
    pub names: Interner,
}

/// What a comparison comes to, as an exit status says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparisonOutcome {
    /// No unclassified difference: 0.
    Same,
    /// There is one: 1.
    Different,
    /// Something could not be compared: 2.
    Incomparable,
}

impl Comparison {
    /// Compares.
    pub fn new(names: Interner, mut here: Side, mut there: Side, mapping: &Mapping) -> Self {
        let mut incomparable: Vec<Incomparable> =
            [&here, &there].into_iter().filter_map(|side| not_complete(&side.head)).collect();
        let left_out = left_out(&here, &there, mapping);
        let tables = match incomparable.is_empty() {
            true => compare::tables(&mut here, &mut there, mapping, &names),
            false => Vec::new(),
        };
        if incomparable.is_empty() {
            incomparable.extend(compare::nothing(&tables));
            incomparable.extend(tables.iter().filter_map(|table| table.incomparable.clone()));
        }
        let why = match (here.head.run(), there.head.run()) {
            (Some(here), Some(there)) => Some(RunDifferences::of(here, there)),
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
            loans_parted: 0,
            why,
            names,
        };
        comparison.classify(Classifications::default());
        comparison
    }

    /// Applies what people have said.
    pub fn classify(&mut self, classifications: Classifications) {
        self.classified = classifications.apply(&mut self.tables, &self.names);
        self.classifications = classifications;
    }

    /// The classification file with entries for what is not classified; `None` where there is
    /// nothing to add.
    ///
    /// # Errors
    /// Where the file cannot be added to.
    pub fn classifications_appended(
        &self,
        place: &str,
        text: &str,
    ) -> Result<Option<String>, ClassificationError> {
        classes::appended(place, text, &self.tables, &self.names, self.day())
    }

    /// The day of the later run, which is when its differences came to be: nothing here asks a
    /// clock.
    pub fn day(&self) -> Option<Day> {
        let recorded = [&self.here.head, &self.there.head].into_iter().filter_map(SideHead::run);
        let latest = recorded.filter_map(|run| run.recorded_at).max()?;
        Timestamp::to_string(&latest).get(..10)?.parse().ok()
    }

    /// What it comes to.
    pub fn answer(&self) -> ComparisonOutcome {
        match (self.incomparable.is_empty(), self.classified.unclassified) {
            (false, _) => ComparisonOutcome::Incomparable,
            (true, 0) => ComparisonOutcome::Same,
            (true, _) => ComparisonOutcome::Different,
        }
    }

    /// How many differences there are.
    pub fn differences(&self) -> u64 {
        self.tables.iter().map(|table| table.counts.differences()).sum()
    }

    /// How many rows were the same.
    pub fn same(&self) -> u64 {
        self.tables.iter().map(|table| table.counts.same).sum()
    }
}

fn not_complete(head: &SideHead) -> Option<Incomparable> {
    let run = head.run().filter(|run| run.status != RunStatus::Complete)?;
    Some(Incomparable::NotComplete { run: head.title(), status: run.status.name() })
}

fn left_out(here: &Side, there: &Side, mapping: &Mapping) -> Vec<(&'static str, &'static str)> {
    let reasons = ALL.iter().enumerate().filter_map(|(at, spec)| {
        let reason = match (mapping.takes_part(at), &here.tables[at], &there.tables[at]) {
            (false, ..) if spec.role == TableRole::Decision => "the mapping skips it",
            // What tells of a run only is not missed.
            (false, ..) | (true, Some(_), Some(_)) => return None,
            (true, None, None) => "neither side has it",
            (true, _, None) => "the other side does not have it",
            (true, None, _) => "this side does not have it",
        };
        Some((spec.name, reason))
    });
    reasons.collect()
}
