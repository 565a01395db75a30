//! The differences of the inputs and engines of two runs (specification 3.4).

use std::collections::BTreeMap;

use powerfill_events::input::RawTable;
use powerfill_events::run::options::RunOptions;
use powerfill_mapping::ValueKind;
use powerfill_tables::table::CellType;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::compare::{Pairs, key_order};
use crate::grid::{Grid, GridColumn, PackedCell};
use crate::interner::Interner;
use crate::side::RunSideHead;

/// The number of rows per table that are listed one by one.
const ROWS_LISTED: usize = 100;

/// The differences of the inputs and engines of two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunDifferences {
    /// The versions of the engines, here and there, if they differ.
    pub engine_version: Option<[Option<String>; 2]>,
    /// The versions of the specifications, here and there, if they differ.
    pub spec_version: Option<[Option<String>; 2]>,
    /// The options with different values.
    pub options: Vec<OptionChange>,
    /// Whether the canonical forms of the snapshots are the same.
    pub same_snapshot: bool,
    /// The differences of the snapshots.
    pub snapshot: Vec<InputChange>,
}

/// An option with different values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OptionChange {
    /// Its name in 1.3.
    pub option: String,
    /// Its value here.
    pub here: Value,
    /// Its value there.
    pub there: Value,
}

/// An input table (1.2) with different rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InputChange {
    /// The table.
    pub table: String,
    /// The number of rows that only the snapshot here has.
    pub only_here: u64,
    /// The number of rows that only the snapshot there has.
    pub only_there: u64,
    /// The number of rows with different values.
    pub changed: u64,
    /// The number of changed rows by column.
    pub columns: BTreeMap<String, u64>,
    /// The first rows, by key.
    pub rows: Vec<InputRowChange>,
}

/// A row of an input table that differs between the snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InputRowChange {
    /// The texts of its key.
    pub key: Vec<String>,
    /// The side that has it; NULL if both have it.
    pub only: Option<&'static str>,
    /// The columns that differ: name, value here, value there. Empty for a row of one side.
    #[schemars(with = "Vec<[String; 3]>")]
    pub fields: Vec<(String, String, String)>,
}

impl RunDifferences {
    /// The differences of two runs, from their events. [`compare_inputs`](Self::compare_inputs)
    /// adds those of the snapshots.
    pub fn new(here: &RunSideHead, there: &RunSideHead) -> Self {
        let differing =
            |a: &Option<String>, b: &Option<String>| (a != b).then(|| [a.clone(), b.clone()]);
        Self {
            engine_version: differing(&here.engine_version, &there.engine_version),
            spec_version: differing(&here.spec_version, &there.spec_version),
            options: compare_options(here.options.as_ref(), there.options.as_ref()),
            same_snapshot: here.snapshot_digest == there.snapshot_digest,
            snapshot: Vec::new(),
        }
    }

    /// Compares the tables of both snapshots, which are in the same order. `key` returns the names
    /// of a table's key columns; a table of one row has none.
    pub fn compare_inputs(
        &mut self,
        here: &[RawTable],
        there: &[RawTable],
        key: impl Fn(&str) -> &'static [&'static str],
    ) {
        let tables = here.iter().zip(there);
        let changes =
            tables.filter_map(|(here, there)| compare_table(here, there, key(here.name())));
        self.snapshot = changes.collect();
    }

    /// Whether the runs have the same input and the same engine.
    pub fn is_empty(&self) -> bool {
        self.engine_version.is_none()
            && self.spec_version.is_none()
            && self.options.is_empty()
            && self.same_snapshot
    }
}

fn compare_options(here: Option<&RunOptions>, there: Option<&RunOptions>) -> Vec<OptionChange> {
    let object = |options: Option<&RunOptions>| match serde_json::to_value(options) {
        Ok(Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    let (here, there) = (object(here), object(there));
    let value = |options: &serde_json::Map<String, Value>, name: &str| {
        options.get(name).cloned().unwrap_or(Value::Null)
    };
    let mut names: Vec<&String> = here.keys().chain(there.keys()).collect();
    names.sort();
    names.dedup();
    let changes = names.into_iter().map(|name| OptionChange {
        option: name.clone(),
        here: value(&here, name),
        there: value(&there, name),
    });
    changes.filter(|change| change.here != change.there).collect()
}

fn compare_table(here: &RawTable, there: &RawTable, key: &[&str]) -> Option<InputChange> {
    let mut columns: Vec<&String> = here.columns().iter().collect();
    columns.extend(there.columns().iter().filter(|name| !here.columns().contains(name)));
    let sources = |table: &RawTable| -> Vec<Option<usize>> {
        columns.iter().map(|name| table.columns().iter().position(|c| c == *name)).collect()
    };
    let (from_here, from_there) = (sources(here), sources(there));
    let key: Vec<usize> =
        key.iter().filter_map(|name| columns.iter().position(|c| c == name)).collect();
    let mut names = Interner::default();
    let (keys_here, keys_there) = (
        key_grid(here, &from_here, &key, &mut names),
        key_grid(there, &from_there, &key, &mut names),
    );
    let all: Vec<usize> = (0..key.len()).collect();
    // A validated snapshot has no key twice.
    let (rows_here, rows_there) =
        (key_order(&keys_here, &all).ok()?, key_order(&keys_there, &all).ok()?);
    let cell = |table: &RawTable, sources: &[Option<usize>], row: u32, at: usize| {
        sources[at].map_or("", |column| table.cell(row as usize, column)).to_owned()
    };
    let mut change = InputChange { table: here.name().to_owned(), ..InputChange::default() };
    for pair in Pairs::new(&keys_here, &rows_here, &keys_there, &rows_there, &all) {
        let (only, table, sources, row) = match pair {
            (Some(row), None) => (Some("here"), here, &from_here, row),
            (None, Some(row)) => (Some("there"), there, &from_there, row),
            (Some(row), Some(_)) => (None, here, &from_here, row),
            (None, None) => continue,
        };
        let mut fields = Vec::new();
        if let (Some(a), Some(b)) = pair {
            for (at, name) in columns.iter().enumerate() {
                let (a, b) = (cell(here, &from_here, a, at), cell(there, &from_there, b, at));
                if a != b {
                    *change.columns.entry((*name).clone()).or_default() += 1;
                    fields.push(((*name).clone(), a, b));
                }
            }
        }
        match only {
            Some("here") => change.only_here += 1,
            Some(_) => change.only_there += 1,
            None if fields.is_empty() => continue,
            None => change.changed += 1,
        }
        if change.rows.len() < ROWS_LISTED {
            let key = key.iter().map(|at| cell(table, sources, row, *at)).collect();
            change.rows.push(InputRowChange { key, only, fields });
        }
    }
    let rows = change.only_here + change.only_there + change.changed;
    (rows > 0).then_some(change)
}

/// The key columns of a table as texts.
fn key_grid(
    table: &RawTable,
    sources: &[Option<usize>],
    key: &[usize],
    names: &mut Interner,
) -> Grid {
    // A table of one row has no key. A column of NULLs takes its place.
    let width = key.len().max(1);
    let space = names.space("key");
    let column = GridColumn { cell_type: CellType::Text, kind: ValueKind::Text, space };
    let mut grid = Grid::new(vec![column; width]);
    let mut row = vec![PackedCell::NULL; width];
    for at in 0..table.rows() {
        for (cell, key_column) in row.iter_mut().zip(key) {
            *cell = sources[*key_column]
                .map_or(PackedCell::NULL, |c| PackedCell::text(table.cell(at, c), column, names));
        }
        grid.push(&row);
    }
    grid
}
