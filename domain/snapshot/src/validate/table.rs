//! The check of one table by its schema: header, cells, keys, references.

use std::collections::HashSet;
use std::ops::Range;

use powerfill_events::input::{InputCells, InputRow};
use powerfill_events::values::Name;
use rayon::prelude::*;

use super::across::rules_of;
use super::context::{Context, PlacedFault, TableKeys};
use super::layout::TableLayout;
use super::row::RowCheck;
use crate::cell::CellFault;
use crate::raw::RawTable;
use crate::report::{FaultCode, Severity};

/// Rows that one task checks: enough to pay for it, few enough for every core to have some.
const ROWS_PER_TASK: usize = 1 << 12;

/// The result of checking some rows.
struct CheckedRows<T> {
    rows: Vec<T>,
    keys: Vec<(usize, Name)>,
    ragged_keys: Vec<Name>,
    faults: Vec<PlacedFault>,
}

/// Checks a table. Gives the rows without an error, in the source's order, and the keys of all
/// rows.
pub(super) fn check<T: InputRow>(
    position: usize,
    raw: &RawTable,
    context: &Context,
    faults: &mut Vec<PlacedFault>,
) -> (Vec<T>, TableKeys) {
    let layout = TableLayout::new(position, raw, context, faults);
    let key = layout.key();
    let tasks: Vec<usize> = (0..raw.rows()).step_by(ROWS_PER_TASK).collect();
    let checked: Vec<CheckedRows<T>> = tasks
        .into_par_iter()
        .map(|start| {
            check_rows(&layout, start..raw.rows().min(start + ROWS_PER_TASK), key.as_deref())
        })
        .collect();
    let mut rows = Vec::with_capacity(checked.iter().map(|task| task.rows.len()).sum());
    let mut keys = HashSet::with_capacity_and_hasher(raw.rows(), Default::default());
    let mut ragged_keys = Vec::new();
    for mut task in checked {
        rows.append(&mut task.rows);
        faults.append(&mut task.faults);
        ragged_keys.append(&mut task.ragged_keys);
        for (row, name) in task.keys {
            if !keys.insert(name) {
                let fault = CellFault::new(FaultCode::DuplicateKey, "another row has this key");
                let columns = key.as_deref().unwrap_or_default();
                faults.push(layout.row_fault(Severity::Error, row, columns, fault));
            }
        }
    }
    // The key of a ragged row is likely right: a reference to it is no fault of its own.
    keys.extend(ragged_keys);
    (rows, key.map(|_| keys))
}

fn check_rows<T: InputRow>(
    layout: &TableLayout<'_>,
    range: Range<usize>,
    key: Option<&[usize]>,
) -> CheckedRows<T> {
    let references = layout.resolve_references();
    let rules = rules_of(layout.schema);
    let mut checked = CheckedRows {
        rows: Vec::with_capacity(range.len()),
        keys: Vec::with_capacity(if key.is_some() { range.len() } else { 0 }),
        ragged_keys: Vec::new(),
        faults: Vec::new(),
    };
    let mut check = RowCheck::new(layout);
    for row in range {
        check.begin(row);
        if check.is_ragged() {
            checked.ragged_keys.extend(check.key_of_ragged());
            continue;
        }
        check.read_cells();
        rules(&mut check);
        check.check_references(&references);
        if let Some(name) = key.and_then(|columns| check.key(columns)) {
            checked.keys.push((row, name));
        }
        if !check.has_errors {
            checked.rows.push(T::read(&mut InputCells::new(&mut check.cells)));
        }
    }
    checked.faults = check.faults;
    checked
}
