//! Why two of our own runs differ: what they were given, and what decided (specification 3.4).

use std::collections::BTreeMap;

use powerfill_events::input::RawTable;
use powerfill_events::run::options::RunOptions;
use powerfill_tables::table::CellType;
use serde::Serialize;
use serde_json::Value;

use crate::compare::{Pairs, in_order};
use crate::grid::{Grid, GridColumn, PackedCell};
use crate::names::Interner;
use crate::side::RunSideHead;

/// Rows of a table that are listed one by one.
const ROWS_LISTED: usize = 100;

/// What two runs do not have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunDifferences {
    /// Where the engine is another: here, there.
    pub engine_version: Option<[Option<String>; 2]>,
    /// Where the specification is another: here, there.
    pub spec_version: Option<[Option<String>; 2]>,
    /// The options that are others.
    pub options: Vec<OptionChange>,
    /// Whether the snapshots are the same, byte for byte of their canonical form.
    pub same_snapshot: bool,
    /// What is other in the snapshots.
    pub snapshot: Vec<InputChange>,
}

/// An option with another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptionChange {
    /// Its name in 1.3.
    pub option: String,
    /// Its value here.
    pub here: Value,
    /// Its value there.
    pub there: Value,
}

/// An input table (1.2) with other rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputChange {
    /// The table.
    pub table: String,
    /// Rows that only the snapshot here has.
    pub only_here: u64,
    /// Rows that only the snapshot there has.
    pub only_there: u64,
    /// Rows with another value.
    pub changed: u64,
    /// Changed rows by column.
    pub columns: BTreeMap<String, u64>,
    /// The first of the rows, by key.
    pub rows: Vec<InputRowChange>,
}

/// A row of an input table that is not the same in both snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputRowChange {
    /// What it is known by.
    pub key: Vec<String>,
    /// On which side it is; NULL where on both.
    pub only: Option<&'static str>,
    /// The columns that differ: name, value here, value there. Of a row on one side alone, none.
    pub fields: Vec<(String, String, String)>,
}

impl RunDifferences {
    /// Of two runs, from what their events say; `snapshots` adds those of the snapshots.
    pub fn of(here: &RunSideHead, there: &RunSideHead) -> Self {
        let other =
            |a: &Option<String>, b: &Option<String>| (a != b).then(|| [a.clone(), b.clone()]);
        Self {
            engine_version: other(&here.engine_version, &there.engine_version),
            spec_version: other(&here.spec_version, &there.spec_version),
            options: options(here.options.as_ref(), there.options.as_ref()),
            same_snapshot: here.snapshot_digest == there.snapshot_digest,
            snapshot: Vec::new(),
        }
    }

    /// Compares the tables of both snapshots, which are in the same order. `key` gives the names of
    /// a table's key columns; a table of one row has none.
    pub fn compare_inputs(
        &mut self,
        here: &[RawTable],
        there: &[RawTable],
        key: impl Fn(&str) -> &'static [&'static str],
    ) {
        let tables = here.iter().zip(there);
        let changes = tables.filter_map(|(here, there)| input(here, there, key(here.name())));
        self.snapshot = changes.collect();
    }

    /// Whether the runs were given the same and decided by the same.
    pub fn is_nothing(&self) -> bool {
        self.engine_version.is_none()
            && self.spec_version.is_none()
            && self.options.is_empty()
            && self.same_snapshot
    }
}

fn options(here: Option<&RunOptions>, there: Option<&RunOptions>) -> Vec<OptionChange> {
    let object = |options: Option<&RunOptions>| match serde_json::to_value(options) {
        Ok(Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    let (here, there) = (object(here), object(there));
    let value = |of: &serde_json::Map<String, Value>, name: &str| {
        of.get(name).cloned().unwrap_or(Value::Null)
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

fn input(here: &RawTable, there: &RawTable, key: &[&str]) -> Option<InputChange> {
    let mut columns: Vec<&String> = here.columns().iter().collect();
    columns.extend(there.columns().iter().filter(|name| !here.columns().contains(name)));
    let sources = |table: &RawTable| -> Vec<Option<usize>> {
        columns.iter().map(|name| table.columns().iter().position(|c| c == *name)).collect()
    };
    let (from_here, from_there) = (sources(here), sources(there));
    let key: Vec<usize> =
        key.iter().filter_map(|name| columns.iter().position(|c| c == name)).collect();
    let mut names = Interner::default();
    let (keys_here, keys_there) =
        (keys(here, &from_here, &key, &mut names), keys(there, &from_there, &key, &mut names));
    let all: Vec<usize> = (0..key.len()).collect();
    // The keys of a validated snapshot are unique.
    let (rows_here, rows_there) =
        (in_order(&keys_here, &all).ok()?, in_order(&keys_there, &all).ok()?);
    let cell = |table: &RawTable, sources: &[Option<usize>], row: u32, at: usize| {
        sources[at].map_or("", |column| table.cell(row as usize, column)).to_owned()
    };
    let mut change = InputChange {
        table: here.name().to_owned(),
        only_here: 0,
        only_there: 0,
        changed: 0,
        columns: BTreeMap::new(),
        rows: Vec::new(),
    };
    for pair in Pairs::new(&keys_here, &rows_here, &keys_there, &rows_there, &all) {
        let (only, of, sources, row) = match pair {
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
            let key = key.iter().map(|at| cell(of, sources, row, *at)).collect();
            change.rows.push(InputRowChange { key, only, fields });
        }
    }
    let rows = change.only_here + change.only_there + change.changed;
    (rows > 0).then_some(change)
}

/// The key columns alone, as names.
fn keys(table: &RawTable, sources: &[Option<usize>], key: &[usize], names: &mut Interner) -> Grid {
    // A table of one row has no key: a column that is the same in every row stands for it.
    let width = key.len().max(1);
    let space = names.space("key");
    let holds = GridColumn { cell_type: CellType::Text, is_share: false, space };
    let mut grid = Grid::new(vec![holds; width]);
    let mut row = vec![PackedCell::NULL; width];
    for at in 0..table.rows() {
        for (slot, column) in row.iter_mut().zip(key) {
            *slot = sources[*column]
                .map_or(PackedCell::NULL, |c| PackedCell::text(table.cell(at, c), holds, names));
        }
        grid.push(&row);
    }
    grid
}
