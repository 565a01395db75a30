//! Rows of two sides set against each other, table by table (specification 3.4).

mod incomparable;
mod pairs;

pub use incomparable::Incomparable;
pub(crate) use pairs::{Pairs, in_order};

use std::cmp::Ordering;

use powerfill_tables::table::{CellType, TableSpec};
use powerfill_tables::tables::ALL;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::grid::{Grid, PackedCell};
use crate::mapping::{Mapping, TableMapping};
use crate::names::Interner;
use crate::side::{Side, SideTable, all_columns};

/// What a row comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowVerdict {
    /// Every compared column is the same, within its tolerance.
    Same,
    /// The decision is the same, other columns are not.
    OtherNumbers,
    /// A column that says what was decided differs.
    OtherDecision,
    /// Missing there.
    OnlyHere,
    /// Missing here.
    OnlyThere,
}

impl RowVerdict {
    /// The differences, those that matter most first.
    pub const DIFFERENCES: [Self; 4] =
        [Self::OtherDecision, Self::OnlyHere, Self::OnlyThere, Self::OtherNumbers];

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::OtherNumbers => "other_numbers",
            Self::OtherDecision => "other_decision",
            Self::OnlyHere => "only_here",
            Self::OnlyThere => "only_there",
        }
    }

    /// The verdict with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::DIFFERENCES.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// A row that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDifference {
    /// The row here.
    pub here: Option<u32>,
    /// The row there.
    pub there: Option<u32>,
    /// What it comes to.
    pub verdict: RowVerdict,
    /// The columns that differ, a bit each; none where a row is missing.
    pub columns: u32,
    /// What has been said about it: a position in the classifications.
    pub entry: Option<u32>,
}

/// How many rows came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct VerdictCounts {
    /// The same.
    pub same: u64,
    /// The same decision with other numbers.
    pub other_numbers: u64,
    /// Another decision.
    pub other_decision: u64,
    /// Missing there.
    pub only_here: u64,
    /// Missing here.
    pub only_there: u64,
}

impl VerdictCounts {
    /// Of one verdict.
    pub fn of(&self, verdict: RowVerdict) -> u64 {
        let mut copy = *self;
        *copy.at(verdict)
    }

    fn at(&mut self, verdict: RowVerdict) -> &mut u64 {
        match verdict {
            RowVerdict::Same => &mut self.same,
            RowVerdict::OtherNumbers => &mut self.other_numbers,
            RowVerdict::OtherDecision => &mut self.other_decision,
            RowVerdict::OnlyHere => &mut self.only_here,
            RowVerdict::OnlyThere => &mut self.only_there,
        }
    }

    /// All but the same ones.
    pub fn differences(&self) -> u64 {
        self.other_numbers + self.other_decision + self.only_here + self.only_there
    }
}

/// A table of both sides.
#[derive(Debug)]
pub struct TableComparison {
    /// The declaration of the table.
    pub spec: &'static TableSpec,
    /// Positions of the columns that rows pair by.
    pub key: Vec<usize>,
    /// Columns that were compared, a bit each, the key left out.
    pub compared: u32,
    /// Columns that the mapping ignores, a bit each.
    pub ignored: u32,
    /// Columns that one side lacks, a bit each; remarks left out.
    pub missing: u32,
    /// Rows of our side.
    pub here: SideTable,
    /// Rows of the other side.
    pub there: SideTable,
    /// How many rows came to what.
    pub counts: VerdictCounts,
    /// By key.
    pub differences: Vec<RowDifference>,
    /// Why it could not be compared.
    pub incomparable: Option<Incomparable>,
}

/// The two sides of a message.
const SIDES: [&str; 2] = ["here", "there"];

/// Compares the tables that both sides have and the mapping does not leave out.
pub(crate) fn tables(
    here: &mut Side,
    there: &mut Side,
    mapping: &Mapping,
    names: &Interner,
) -> Vec<TableComparison> {
    let mut compared = Vec::new();
    for at in (0..ALL.len()).filter(|at| mapping.takes_part(*at)) {
        if there.tables[at].is_some()
            && let Some(of_here) = here.tables[at].take()
            && let Some(of_there) = there.tables[at].take()
        {
            compared.push(table(at, of_here, of_there, mapping.table(at), names));
        }
    }
    compared
}

/// Why the comparison as a whole says nothing.
pub(crate) fn nothing(tables: &[TableComparison]) -> Option<Incomparable> {
    if tables.is_empty() {
        return Some(Incomparable::NoTableInCommon);
    }
    let any =
        tables.iter().any(|table| !table.here.grid.is_empty() && !table.there.grid.is_empty());
    (!any).then_some(Incomparable::NoRows)
}

fn table(
    at: usize,
    here: SideTable,
    there: SideTable,
    mapping: Option<&TableMapping>,
    names: &Interner,
) -> TableComparison {
    let spec = ALL[at];
    let position = |columns: &[&str]| -> Vec<usize> {
        columns.iter().filter_map(|column| spec.position(column)).collect()
    };
    let key =
        mapping.and_then(|mapping| mapping.key.clone()).unwrap_or(position(spec.diff.pair_by));
    let ignored = mapping.map_or(0, |mapping| mapping.ignore);
    let set = |columns: &[usize]| columns.iter().fold(0_u32, |set, at| set | 1 << at);
    let relevant = all_columns(spec.columns.len())
        & !set(&key)
        & !set(&position(spec.diff.remarks))
        & !ignored;
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
    /// The texts of a difference's key.
    pub fn key_texts(&self, difference: &RowDifference, names: &Interner) -> Vec<String> {
        let (grid, row) = match (difference.here, difference.there) {
            (Some(row), _) => (&self.here.grid, row),
            (None, row) => (&self.there.grid, row.unwrap_or_default()),
        };
        self.key.iter().map(|column| grid.written(row, *column, names)).collect()
    }

    /// The name of a column.
    pub fn column(&self, at: usize) -> &'static str {
        self.spec.columns[at].name
    }

    /// Whether a column says what was decided.
    pub fn is_decision(&self, at: usize) -> bool {
        self.spec.diff.decision.contains(&self.column(at))
    }

    /// What to show of a difference: the columns that differ, or of a row that is missing on a side
    /// what it decides.
    pub fn shown(&self, difference: &RowDifference) -> impl Iterator<Item = usize> {
        let decision = (0..self.spec.columns.len()).filter(|at| self.is_decision(*at));
        let columns = match difference.verdict {
            RowVerdict::OnlyHere | RowVerdict::OnlyThere => {
                decision.fold(0, |set, at| set | 1 << at) & self.compared
            }
            RowVerdict::Same | RowVerdict::OtherNumbers | RowVerdict::OtherDecision => {
                difference.columns
            }
        };
        columns_of(columns)
    }

    fn pair(
        &mut self,
        decision: u32,
        mapping: Option<&TableMapping>,
        names: &Interner,
    ) -> Result<(), Incomparable> {
        let (here, there) = (self.order(0, names)?, self.order(1, names)?);
        let pairs = Pairs::new(&self.here.grid, &here, &self.there.grid, &there, &self.key);
        let pairs: Vec<_> = pairs.collect();
        let met = pairs.iter().any(|pair| matches!(pair, (Some(_), Some(_))));
        let (rows_here, rows_there) = (self.here.grid.len(), self.there.grid.len());
        if !met && rows_here > 0 && rows_there > 0 && !self.spec.diff.presence_decides {
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
            self.judge(here, there, decision, mapping, names);
        }
        self.sort(names);
        Ok(())
    }

    /// The rows of a side in the order of their key.
    fn order(&self, side: usize, names: &Interner) -> Result<Vec<u32>, Incomparable> {
        let table = [&self.here, &self.there][side];
        let (name, side) = (self.spec.name, SIDES[side]);
        if let Some(at) = self.key.iter().find(|at| table.columns >> **at & 1 == 0) {
            let column = self.column(*at);
            return Err(Incomparable::KeyColumnMissing { table: name, side, column });
        }
        let grid = &table.grid;
        // A number with more decimals than its column may be a key like any other.
        let unread = |row: u32, at: usize| {
            let slot = grid.row(row)[at];
            slot.is_unread() && slot.decimal(grid.columns()[at].cell_type, names).is_none()
        };
        let place = (0..grid.len())
            .find_map(|row| Some((row, *self.key.iter().find(|at| unread(row, **at))?)));
        if let Some((row, at)) = place {
            let (column, text) = (self.column(at), grid.written(row, at, names));
            return Err(Incomparable::KeyUnread { table: name, side, row: row + 1, column, text });
        }
        in_order(grid, &self.key).map_err(|(first, second)| Incomparable::DuplicateKey {
            table: name,
            side,
            first: first + 1,
            second: second + 1,
            key: key_text(grid, first, &self.key, names),
        })
    }

    fn judge(
        &mut self,
        here: Option<u32>,
        there: Option<u32>,
        decision: u32,
        mapping: Option<&TableMapping>,
        names: &Interner,
    ) {
        let (verdict, columns) = match (here, there) {
            (Some(_), None) => (RowVerdict::OnlyHere, 0),
            (None, _) => (RowVerdict::OnlyThere, 0),
            (Some(here), Some(there)) => {
                let (here, there) = (self.here.grid.row(here), self.there.grid.row(there));
                let other = columns_of(self.compared).filter(|at| {
                    let tolerance = mapping.and_then(|mapping| mapping.tolerance.get(at));
                    let cell_type = self.here.grid.columns()[*at].cell_type;
                    !same(here[*at], there[*at], cell_type, tolerance, names)
                });
                let columns = other.fold(0_u32, |set, at| set | 1 << at);
                let verdict = match columns {
                    0 => RowVerdict::Same,
                    other if other & decision != 0 => RowVerdict::OtherDecision,
                    _ => RowVerdict::OtherNumbers,
                };
                (verdict, columns)
            }
        };
        *self.counts.at(verdict) += 1;
        if verdict != RowVerdict::Same {
            self.differences.push(RowDifference { here, there, verdict, columns, entry: None });
        }
    }

    /// Puts the differences in the order of the key as people read it.
    fn sort(&mut self, names: &Interner) {
        let (here, there, key) = (&self.here.grid, &self.there.grid, &self.key);
        let row = |difference: &RowDifference| match (difference.here, difference.there) {
            (Some(row), _) => here.row(row),
            (None, row) => there.row(row.unwrap_or_default()),
        };
        self.differences.sort_by(|a, b| {
            let (a, b) = (row(a), row(b));
            let orders =
                key.iter().map(|at| a[*at].order(b[*at], here.columns()[*at].cell_type, names));
            orders.fold(Ordering::Equal, Ordering::then)
        });
    }
}

/// The positions in a set of columns.
pub fn columns_of(set: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |at| set >> at & 1 == 1)
}

fn key_text(grid: &Grid, row: u32, key: &[usize], names: &Interner) -> String {
    let texts: Vec<String> = key.iter().map(|at| grid.written(row, *at, names)).collect();
    texts.join(" | ")
}

/// Whether two cells are the same, or numbers within the tolerance.
fn same(
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
