//! Work on all cores. What is generic here is small: the code of parallel iterators and sorts is
//! large, and would be compiled for each table.

use std::cmp::Ordering;
use std::sync::OnceLock;

use powerfill_events::input::InputRow;
use rayon::prelude::*;

/// The results of tasks `0..count`, in this order.
pub(super) fn collect<R: Send + Sync>(count: usize, task: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let mut results = Vec::new();
    results.resize_with(count, OnceLock::new);
    for_each(count, &|at| {
        let _ = results[at].set(task(at));
    });
    results.into_iter().filter_map(OnceLock::into_inner).collect()
}

fn for_each(count: usize, task: &(dyn Fn(usize) + Sync)) {
    (0..count).into_par_iter().for_each(task);
}

/// Sorts rows by key. Rows with the same key keep their order.
pub(super) fn sort<T: InputRow>(rows: &mut [T]) {
    if !rows.is_sorted_by(|row, next| row.order(next).is_le()) {
        let sources = sorted_positions(rows.len(), &|a, b| rows[a].order(&rows[b]));
        move_rows(&sources, &mut |a, b| rows.swap(a, b));
    }
}

fn sorted_positions(count: usize, order: &(dyn Fn(usize, usize) -> Ordering + Sync)) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..count).collect();
    positions.par_sort_by(|a, b| order(*a, *b));
    positions
}

/// Moves to each position the row of its source, by swaps.
fn move_rows(sources: &[usize], swap: &mut dyn FnMut(usize, usize)) {
    let mut targets = vec![0; sources.len()];
    for (target, source) in sources.iter().enumerate() {
        targets[*source] = target;
    }
    for at in 0..targets.len() {
        while targets[at] != at {
            let target = targets[at];
            swap(at, target);
            targets.swap(at, target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_move_to_their_sorted_positions() {
        // Each number is a key, and each place says which of several with that key it is.
        for rows in [vec![], vec![(1, 0)], vec![(3, 0), (1, 0), (3, 1), (2, 0), (1, 1), (0, 0)]] {
            let mut expected = rows.clone();
            expected.sort_by_key(|(key, _)| *key);
            let sources = sorted_positions(rows.len(), &|a, b| rows[a].0.cmp(&rows[b].0));
            let mut moved = rows.clone();
            move_rows(&sources, &mut |a, b| moved.swap(a, b));
            assert_eq!(moved, expected);
        }
    }

    #[test]
    fn results_are_in_the_order_of_their_tasks() {
        assert_eq!(collect(1_000, |at| at), (0..1_000).collect::<Vec<_>>());
    }
}
