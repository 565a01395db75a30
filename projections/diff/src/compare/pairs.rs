//! Rows of two grids paired by key.

use std::cmp::Ordering;

use crate::grid::{Grid, PackedCell};

fn by_key(a: &[PackedCell], b: &[PackedCell], key: &[usize]) -> Ordering {
    key.iter().map(|at| a[*at].cmp(&b[*at])).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The rows in the order of their keys' packed cells, which is the same for all grids over the same
/// texts; or the first two rows with the same key.
pub(crate) fn key_order(grid: &Grid, key: &[usize]) -> Result<Vec<u32>, (u32, u32)> {
    let order = |a: &u32, b: &u32| by_key(grid.row(*a), grid.row(*b), key);
    let mut rows: Vec<u32> = (0..grid.len()).collect();
    // The sort is stable, so that the first of equal rows comes first.
    rows.sort_by(order);
    let equal = rows.windows(2).filter(|pair| order(&pair[0], &pair[1]).is_eq());
    match equal.min_by_key(|pair| pair[1]) {
        None => Ok(rows),
        Some(pair) => Err((pair[0], pair[1])),
    }
}

/// The rows of two grids in pairs, from both in key order. A row without a counterpart is alone in
/// its pair.
pub(crate) struct Pairs<'a> {
    here: (&'a Grid, &'a [u32]),
    there: (&'a Grid, &'a [u32]),
    key: &'a [usize],
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(
        here: &'a Grid,
        rows_here: &'a [u32],
        there: &'a Grid,
        rows_there: &'a [u32],
        key: &'a [usize],
    ) -> Self {
        Self { here: (here, rows_here), there: (there, rows_there), key }
    }
}

impl Iterator for Pairs<'_> {
    type Item = (Option<u32>, Option<u32>);

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.here.1.first(), self.there.1.first()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => by_key(self.here.0.row(*a), self.there.0.row(*b), self.key),
        };
        let take = |rows: &mut &[u32]| {
            let (first, rest) = rows.split_first()?;
            *rows = rest;
            Some(*first)
        };
        let here = if order.is_le() { take(&mut self.here.1) } else { None };
        let there = if order.is_ge() { take(&mut self.there.1) } else { None };
        Some((here, there))
    }
}
