//! Sets of a table's columns, with a bit per position.

/// The set of these columns.
pub(crate) fn set_of(columns: impl IntoIterator<Item = usize>) -> u32 {
    columns.into_iter().fold(0, |set, at| set | 1 << at)
}

/// The positions of the columns in a set.
pub fn columns_of(set: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |at| set >> at & 1 == 1)
}
