//! Compares the rows of two sides, table by table (specification 3.4).

mod incomparable;
mod pairs;

pub use incomparable::Incomparable;
pub(crate) use pairs::{Pairs, key_order};

use std::cmp::Ordering;

use powerfill_mapping::ComparisonSettings;
use powerfill_tables::table::{CellType, TableRef};
use powerfill_tables::tables::ALL;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::column_set::{columns_of, set_of};
use crate::grid::{Grid, PackedCell};
use crate::interner::Interner;
use crate::mapping::ComparisonMapping;
use crate::side::{Side, SideTable};

/// The verdict on a row.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RowVerdict {
    /// All compared columns are the same, within their tolerances.
    Same,
    /// The columns of the decision are the same, and others differ.
    OtherNumbers,
    /// A column of the decision differs.
    OtherDecision,
    /// The row is missing there.
    OnlyHere,
    /// The row is missing here.
    OnlyThere,
}

impl RowVerdict {
    /// The differences, the most important first.
    pub const DIFFERENCES: [Self; 4] =
        [Self::OtherDecision, Self::OnlyHere, Self::OnlyThere, Self::OtherNumbers];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::OtherNumbers => "other_numbers",
            Self::OtherDecision => "other_decision",
            Self::OnlyHere => "only_here",
            Self::OnlyThere => "only_there",
        }
    }

    /// The difference with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::DIFFERENCES.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// A row that differs between the sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDifference {
    /// The row here; `None` if it is missing.
    pub here: Option<u32>,
    /// The row there; `None` if it is missing.
    pub there: Option<u32>,
    /// The verdict.
    pub verdict: RowVerdict,
    /// The columns that differ, as a bit set; empty if a row is missing.
    pub columns: u32,
    /// The position of its entry in the classifications.
    pub entry: Option<u32>,
}

/// The numbers of rows by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct VerdictCounts {
    /// Rows that are the same.
    pub same: u64,
    /// Rows with the same decision and other numbers.
    pub other_numbers: u64,
    /// Rows with another decision.
    pub other_decision: u64,
    /// Rows that are missing there.
    pub only_here: u64,
    /// Rows that are missing here.
    pub only_there: u64,
}

impl VerdictCounts {
    /// The number of rows with a verdict.
    pub fn count(&self, verdict: RowVerdict) -> u64 {
        let mut copy = *self;
        *copy.count_mut(verdict)
    }

    fn count_mut(&mut self, verdict: RowVerdict) -> &mut u64 {
        match verdict {
            RowVerdict::Same => &mut self.same,
            RowVerdict::OtherNumbers => &mut self.other_numbers,
            RowVerdict::OtherDecision => &mut self.other_decision,
            RowVerdict::OnlyHere => &mut self.only_here,
            RowVerdict::OnlyThere => &mut self.only_there,
        }
    }

    /// The number of rows that differ.
    pub fn differences(&self) -> u64 {
        self.other_numbers + self.other_decision + self.only_here + self.only_there
    }
}

/// The comparison of a table.
#[derive(Debug)]
pub struct TableComparison {
    /// The declaration of the table.
    pub spec: TableRef,
    /// The positions of the columns that rows pair by.
    pub key: Vec<usize>,
    /// The compared columns without the key, as a bit set.
    pub compared: u32,
    /// The columns that the mapping ignores, as a bit set.
    pub ignored: u32,
    /// The columns that one side lacks, without remarks, as a bit set.
    pub missing: u32,
    /// The rows here.
    pub here: SideTable,
    /// The rows there.
    pub there: SideTable,
    /// The numbers of rows by verdict.
    pub counts: VerdictCounts,
    /// The differences, by key.
    pub differences: Vec<RowDifference>,
    /// Why the table cannot be compared; `None` if it was.
    pub incomparable: Option<Incomparable>,
}

/// The sides in messages.
const SIDES: [&str; 2] = ["here", "there"];

/// Compares the tables that both sides have and the mapping does not skip.
pub(crate) fn compare_tables(
    here: &mut Side,
    there: &mut Side,
    mapping: &ComparisonMapping,
    names: &Interner,
) -> Vec<TableComparison> {
    let mut compared = Vec::new();
    for at in (0..ALL.len()).filter(|at| mapping.compares(*at)) {
        if there.tables[at].is_some()
            && let Some(table_here) = here.tables[at].take()
            && let Some(table_there) = there.tables[at].take()
        {
            let mapping = mapping.settings(at);
            compared.push(compare_table(at, table_here, table_there, mapping, names));
        }
    }
    compared
}

/// Why the comparison as a whole says nothing; `None` if some table has rows on both sides.
pub(crate) fn check_any_rows(tables: &[TableComparison]) -> Option<Incomparable> {
    if tables.is_empty() {
        return Some(Incomparable::NoTableInCommon);
    }
    let any =
        tables.iter().any(|table| !table.here.grid.is_empty() && !table.there.grid.is_empty());
    (!any).then_some(Incomparable::NoRows)
}

fn compare_table(
    at: usize,
    here: SideTable,
    there: SideTable,
    mapping: Option<&ComparisonSettings>,
    names: &Interner,
) -> TableComparison {
    let spec = ALL[at];
    let position = |columns: &[&str]| -> Vec<usize> {
        columns.iter().filter_map(|column| spec.position(column)).collect()
    };
    let key =
        mapping.and_then(|mapping| mapping.key.clone()).unwrap_or(position(spec.diff.pair_by));
    let ignored = mapping.map_or(0, |mapping| set_of(mapping.ignore.iter().copied()));
    let set = |columns: &[usize]| set_of(columns.iter().copied());
    let relevant =
        set_of(0..spec.columns.len()) & !set(&key) & !set(&position(spec.diff.remarks)) & !ignored;
    let both = here.columns & there.columns;
    let (compared, missing) = (relevant & both, relevant & !both);
    let (counts, differences) = (VerdictCounts::default(), Vec::new());
    let mut table = TableComparison {
        spec,
        key,
        compared,
        ignored,
        missing,
        here,
        there,
        counts,
        differences,
        incomparable: None,
    };
    table.incomparable = table.pair(set(&position(spec.diff.decision)), mapping, names).err();
    table
}

impl TableComparison {
    /// The row of a difference, here if it is here.
    pub(crate) fn row_of(&self, difference: &RowDifference) -> (&Grid, u32) {
        match (difference.here, difference.there) {
            (Some(row), _) => (&self.here.grid, row),
            (None, row) => (&self.there.grid, row.unwrap_or_default()),
        }
    }

    /// The texts of a difference's key.
    pub fn key_texts(&self, difference: &RowDifference, names: &Interner) -> Vec<String> {
        let (grid, row) = self.row_of(difference);
        self.key.iter().map(|column| grid.text(row, *column, names)).collect()
    }

    /// The name of a column.
    pub fn column(&self, at: usize) -> &'static str {
        self.spec.columns[at].name
    }

    /// Whether a column belongs to the decision.
    pub fn is_decision(&self, at: usize) -> bool {
        self.spec.diff.decision.contains(&self.column(at))
    }

    /// The columns of a difference for reports: those that differ, or the decision of a row that is
    /// missing on a side.
    pub fn report_columns(&self, difference: &RowDifference) -> impl Iterator<Item = usize> {
        let decision = (0..self.spec.columns.len()).filter(|at| self.is_decision(*at));
        let columns = match difference.verdict {
            RowVerdict::OnlyHere | RowVerdict::OnlyThere => set_of(decision) & self.compared,
            RowVerdict::Same | RowVerdict::OtherNumbers | RowVerdict::OtherDecision => {
                difference.columns
            }
        };
        columns_of(columns)
    }

    /// Pairs the rows and gives each pair its verdict.
    fn pair(
        &mut self,
        decision: u32,
        mapping: Option<&ComparisonSettings>,
        names: &Interner,
    ) -> Result<(), Incomparable> {
        let (here, there) = (self.ordered_rows(0, names)?, self.ordered_rows(1, names)?);
        let pairs = Pairs::new(&self.here.grid, &here, &self.there.grid, &there, &self.key);
        let pairs: Vec<_> = pairs.collect();
        let has_pair = pairs.iter().any(|pair| matches!(pair, (Some(_), Some(_))));
        let (rows_here, rows_there) = (self.here.grid.len(), self.there.grid.len());
        if !has_pair && rows_here > 0 && rows_there > 0 && !self.spec.diff.presence_decides {
            let columns: Vec<&str> = self.key.iter().map(|at| self.column(*at)).collect();
            return Err(Incomparable::KeysDoNotMeet {
                table: self.spec.name,
                here: rows_here,
                there: rows_there,
                columns: columns.join(", "),
                sample: key_text(&self.there.grid, 0, &self.key, names),
            });
        }
        for (here, there) in pairs {
            self.add_verdict(here, there, decision, mapping, names);
        }
        self.sort(names);
        Ok(())
    }

    /// The rows of a side in the order of their keys.
    fn ordered_rows(&self, side: usize, names: &Interner) -> Result<Vec<u32>, Incomparable> {
        let table = [&self.here, &self.there][side];
        let (name, side) = (self.spec.name, SIDES[side]);
        if let Some(at) = self.key.iter().find(|at| table.columns >> **at & 1 == 0) {
            let column = self.column(*at);
            return Err(Incomparable::KeyColumnMissing { table: name, side, column });
        }
        let grid = &table.grid;
        // A number with more decimals than its column is a valid key.
        let is_unreadable = |row: u32, at: usize| {
            let cell = grid.row(row)[at];
            cell.is_unreadable() && cell.decimal(grid.columns()[at].cell_type, names).is_none()
        };
        let unreadable = (0..grid.len())
            .find_map(|row| Some((row, *self.key.iter().find(|at| is_unreadable(row, **at))?)));
        if let Some((row, at)) = unreadable {
            let (column, text) = (self.column(at), grid.text(row, at, names));
            return Err(Incomparable::KeyUnread { table: name, side, row: row + 1, column, text });
        }
        key_order(grid, &self.key).map_err(|(first, second)| Incomparable::DuplicateKey {
            table: name,
            side,
            first: first + 1,
            second: second + 1,
            key: key_text(grid, first, &self.key, names),
        })
    }

    fn add_verdict(
        &mut self,
        here: Option<u32>,
        there: Option<u32>,
        decision: u32,
        mapping: Option<&ComparisonSettings>,
        names: &Interner,
    ) {
        let (verdict, columns) = match (here, there) {
            (Some(_), None) => (RowVerdict::OnlyHere, 0),
            (None, _) => (RowVerdict::OnlyThere, 0),
            (Some(here), Some(there)) => {
                let (here, there) = (self.here.grid.row(here), self.there.grid.row(there));
                let differing = columns_of(self.compared).filter(|at| {
                    let tolerance = mapping.and_then(|mapping| mapping.tolerance.get(at));
                    let cell_type = self.here.grid.columns()[*at].cell_type;
                    !is_same(here[*at], there[*at], cell_type, tolerance, names)
                });
                let columns = set_of(differing);
                let verdict = match columns {
                    0 => RowVerdict::Same,
                    other if other & decision != 0 => RowVerdict::OtherDecision,
                    _ => RowVerdict::OtherNumbers,
                };
                (verdict, columns)
            }
        };
        *self.counts.count_mut(verdict) += 1;
        if verdict != RowVerdict::Same {
            self.differences.push(RowDifference { here, there, verdict, columns, entry: None });
        }
    }

    /// Sorts the differences by key: texts by their folded form, numbers and days by value.
    fn sort(&mut self, names: &Interner) {
        let mut differences = std::mem::take(&mut self.differences);
        let row = |difference: &RowDifference| {
            let (grid, row) = self.row_of(difference);
            grid.row(row)
        };
        let columns = self.here.grid.columns();
        differences.sort_by(|a, b| {
            let (a, b) = (row(a), row(b));
            let orders =
                self.key.iter().map(|at| a[*at].order(b[*at], columns[*at].cell_type, names));
            orders.fold(Ordering::Equal, Ordering::then)
        });
        self.differences = differences;
    }
}

fn key_text(grid: &Grid, row: u32, key: &[usize], names: &Interner) -> String {
    let texts: Vec<String> = key.iter().map(|at| grid.text(row, *at, names)).collect();
    texts.join(" | ")
}

/// Whether two cells are the same, or numbers within the tolerance.
fn is_same(
    here: PackedCell,
    there: PackedCell,
    cell_type: CellType,
    tolerance: Option<&Decimal>,
    names: &Interner,
) -> bool {
    if here == there {
        return true;
    }
    let Some(tolerance) = tolerance else { return false };
    match (here.decimal(cell_type, names), there.decimal(cell_type, names)) {
        (Some(here), Some(there)) => {
            here.checked_sub(there).is_some_and(|off| off.abs() <= *tolerance)
        }
        _ => false,
    }
}
