//! The check of one table by its schema: header, cells, keys, references.

use std::collections::HashSet;
use std::ops::Range;

use powerfill_events::input::{InputCells, InputRow};
use powerfill_events::values::Name;

use super::across::rules_of;
use super::context::{Context, PlacedFault, TableKeys};
use super::layout::{ResolvedReference, TableLayout};
use super::parallel;
use super::row::RowCheck;
use super::suspects::ColumnWatch;
use crate::cell::CellFault;
use crate::near::suggestion;
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
    watches: Vec<ColumnWatch>,
}

/// Checks a table. Gives the rows without an error, in the source's order, and the keys of all
/// rows.
pub(super) fn check<T: InputRow>(
    position: usize,
    raw: &RawTable,
    context: &Context,
    faults: &mut Vec<PlacedFault>,
) -> (Vec<T>, TableKeys) {
    let Some(layout) = TableLayout::new(position, raw, context, faults) else {
        return (Vec::new(), None);
    };
    let (key, before) = (layout.key(), faults.len());
    let checked = parallel::collect(raw.rows().div_ceil(ROWS_PER_TASK), |task| {
        let start = task * ROWS_PER_TASK;
        check_rows::<T>(&layout, start..raw.rows().min(start + ROWS_PER_TASK), key.as_deref())
    });
    let mut rows = Vec::with_capacity(checked.iter().map(|task| task.rows.len()).sum());
    let mut keys = HashSet::with_capacity_and_hasher(raw.rows(), Default::default());
    let mut ragged_keys = Vec::new();
    let mut watches: Vec<ColumnWatch> = Vec::new();
    watches.resize_with(layout.columns.len(), ColumnWatch::default);
    for mut task in checked {
        rows.append(&mut task.rows);
        faults.append(&mut task.faults);
        ragged_keys.append(&mut task.ragged_keys);
        watches.iter_mut().zip(task.watches).for_each(|(watch, later)| watch.merge(later));
        for (row, name) in task.keys {
            if !keys.insert(name) {
                let fault = CellFault::new(FaultCode::DuplicateKey, "another row has this key");
                let columns = key.as_deref().unwrap_or_default();
                faults.push(layout.row_fault(Severity::Error, row, columns, fault));
            }
        }
    }
    for (column, watch) in watches.into_iter().enumerate() {
        faults.append(&mut watch.faults(&layout, column));
    }
    suggest_names(&layout, &mut faults[before..]);
    // The key of a ragged row is likely right: a reference to it is no fault of its own.
    keys.extend(ragged_keys);
    (rows, key.map(|_| keys))
}

/// Unknown names of a table for which the nearest known one is searched, and the most known ones.
const SUGGESTED: usize = 5;
const SEARCHED_KEYS: usize = 20_000;

/// Adds the nearest name to the first unknown ones: a search takes time.
fn suggest_names(layout: &TableLayout<'_>, faults: &mut [PlacedFault]) {
    let references = layout.resolve_references();
    let is_unknown = |placed: &&mut PlacedFault| placed.fault.code == FaultCode::UnknownReference;
    for PlacedFault { fault, .. } in faults.iter_mut().filter(is_unknown).take(SUGGESTED) {
        let is_of = |one: &&ResolvedReference<'_>| one.reference.columns.join("+") == fault.column;
        let Some(ResolvedReference { keys, .. }) = references.iter().find(is_of) else { continue };
        if keys.len() > SEARCHED_KEYS {
            continue;
        }
        // In the order of the keys, so that the answer does not depend on hashes.
        let mut names: Vec<String> =
            keys.iter().map(|key| key.as_str().replace('\0', "|")).collect();
        names.sort_unstable();
        let near = suggestion(&fault.value, names.iter().map(String::as_str));
        fault.reason.to_mut().push_str(&near);
    }
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
        watches: Vec::new(),
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
    checked.watches = check.watches;
    checked
}
