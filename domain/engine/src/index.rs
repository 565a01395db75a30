//! Typed positions in tables: a loan's position cannot index trades.
//!
//! A position takes 32 bits, because lists of candidates are most of a run's memory. Every table of
//! a snapshot is sorted by key, so a smaller position is an earlier id wherever the specification
//! breaks ties "by id".

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut, Range};

/// Position of a `T` in its table.
pub(crate) struct Idx<T> {
    position: u32,
    table: PhantomData<fn() -> T>,
}

impl<T> Idx<T> {
    /// # Panics
    /// From position 2^32 on.
    #[inline]
    pub(crate) fn new(position: usize) -> Self {
        Self::from_u32(u32::try_from(position).expect("a table has fewer than 2^32 rows"))
    }

    #[inline]
    const fn from_u32(position: u32) -> Self {
        Self { position, table: PhantomData }
    }

    /// Lossless, since `usize` has at least 32 bits on every target with threads.
    #[inline]
    pub(crate) const fn get(self) -> usize {
        self.position as usize
    }
}

impl<T> Clone for Idx<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Idx<T> {}
impl<T> PartialEq for Idx<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}
impl<T> Eq for Idx<T> {}
impl<T> PartialOrd for Idx<T> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Idx<T> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.position.cmp(&other.position)
    }
}
impl<T> Hash for Idx<T> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.position.hash(state);
    }
}
impl<T> fmt::Debug for Idx<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.position.fmt(f)
    }
}

/// Adjacent positions in a table.
pub(crate) struct IdxRange<T> {
    start: Idx<T>,
    end: Idx<T>,
}

impl<T> Clone for IdxRange<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for IdxRange<T> {}

impl<T> IdxRange<T> {
    pub(crate) fn new(range: Range<usize>) -> Self {
        Self { start: Idx::new(range.start), end: Idx::new(range.end) }
    }

    /// All positions of a table.
    pub(crate) fn all(table: &[T]) -> Self {
        Self::new(0..table.len())
    }

    pub(crate) const fn start(self) -> Idx<T> {
        self.start
    }

    pub(crate) const fn len(self) -> usize {
        self.end.get() - self.start.get()
    }

    #[inline]
    pub(crate) fn contains(self, idx: Idx<T>) -> bool {
        (self.start..self.end).contains(&idx)
    }

    #[inline]
    pub(crate) fn iter(
        self,
    ) -> impl DoubleEndedIterator<Item = Idx<T>> + ExactSizeIterator + Clone {
        (self.start.position..self.end.position).map(Idx::from_u32)
    }

    /// The part of an ascending list of positions that lies in this range.
    pub(crate) fn slice_of(self, ascending: &[Idx<T>]) -> &[Idx<T>] {
        let from = ascending.partition_point(|idx| *idx < self.start);
        let to = ascending.partition_point(|idx| *idx < self.end);
        &ascending[from..to]
    }

    const fn range(self) -> Range<usize> {
        self.start.get()..self.end.get()
    }
}

/// One value per row of table `K`.
#[derive(Debug)]
pub(crate) struct IdxVec<K, V = K> {
    values: Vec<V>,
    table: PhantomData<fn() -> K>,
}

impl<K, V> IdxVec<K, V> {
    /// The same value for every row.
    pub(crate) fn per_row(table: &[K], value: V) -> Self
    where
        V: Clone,
    {
        Self { values: vec![value; table.len()], table: PhantomData }
    }

    pub(crate) fn as_slice(&self) -> &[V] {
        &self.values
    }

    pub(crate) fn indices(&self) -> IdxRange<K> {
        IdxRange::new(0..self.values.len())
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &V> {
        self.values.iter()
    }

    #[inline]
    pub(crate) fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut V> {
        self.values.iter_mut()
    }

    /// Positions with their values.
    #[inline]
    pub(crate) fn enumerate(&self) -> impl ExactSizeIterator<Item = (Idx<K>, &V)> {
        self.indices().iter().zip(&self.values)
    }
}

impl<K, V> Extend<V> for IdxVec<K, V> {
    fn extend<I: IntoIterator<Item = V>>(&mut self, values: I) {
        self.values.extend(values);
    }
}
impl<K, V> Default for IdxVec<K, V> {
    fn default() -> Self {
        Self { values: Vec::new(), table: PhantomData }
    }
}
impl<K, V> From<Vec<V>> for IdxVec<K, V> {
    fn from(values: Vec<V>) -> Self {
        Self { values, table: PhantomData }
    }
}
impl<K, V> FromIterator<V> for IdxVec<K, V> {
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Self {
        Vec::from_iter(values).into()
    }
}
impl<K, V> Index<Idx<K>> for IdxVec<K, V> {
    type Output = V;
    #[inline]
    fn index(&self, idx: Idx<K>) -> &V {
        &self.values[idx.get()]
    }
}
impl<K, V> IndexMut<Idx<K>> for IdxVec<K, V> {
    #[inline]
    fn index_mut(&mut self, idx: Idx<K>) -> &mut V {
        &mut self.values[idx.get()]
    }
}
impl<K, V> Index<IdxRange<K>> for IdxVec<K, V> {
    type Output = [V];
    fn index(&self, range: IdxRange<K>) -> &[V] {
        &self.values[range.range()]
    }
}

/// Any number of values per row of table `K`, in one vector: the values of the first row, then
/// those of the second, and so on.
#[derive(Debug)]
pub(crate) struct Groups<K, V> {
    /// Where the group of each row starts, and where the group that is being filled starts.
    starts: Vec<u32>,
    values: Vec<V>,
    table: PhantomData<fn() -> K>,
}

impl<K, V> Groups<K, V> {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        let mut starts = Vec::with_capacity(rows + 1);
        starts.push(0);
        Self { starts, values: Vec::new(), table: PhantomData }
    }

    /// Adds a value to the group of the next row.
    pub(crate) fn push(&mut self, value: V) {
        self.values.push(value);
    }

    /// Ends the group of the next row.
    pub(crate) fn end_group(&mut self) {
        self.starts.push(Idx::<V>::new(self.values.len()).position);
    }

    /// Adds the groups of later rows.
    pub(crate) fn append(&mut self, later: Self) {
        let shift = Idx::<V>::new(self.values.len()).position;
        self.starts.extend(later.starts[1..].iter().map(|start| shift + start));
        self.values.extend(later.values);
    }

    #[inline]
    pub(crate) fn group(&self, row: Idx<K>) -> &[V] {
        &self.values[self.range(row).range()]
    }

    /// Positions of the values of a row.
    #[inline]
    pub(crate) fn range(&self, row: Idx<K>) -> IdxRange<V> {
        let (start, end) = (self.starts[row.get()], self.starts[row.get() + 1]);
        IdxRange { start: Idx::from_u32(start), end: Idx::from_u32(end) }
    }

    /// The value at an offset in the group of a row.
    #[inline]
    pub(crate) fn position(&self, row: Idx<K>, offset: u32) -> Idx<V> {
        Idx::from_u32(self.starts[row.get()] + offset)
    }

    pub(crate) fn values(&self) -> &[V] {
        &self.values
    }
}

impl<K, T> Groups<K, Idx<T>> {
    /// Positions of the rows of `table` by the row of `K` that each belongs to, in their order.
    pub(crate) fn by_owner(rows: usize, table: &IdxVec<T>, owner: impl Fn(&T) -> Idx<K>) -> Self {
        let mut starts = vec![0; rows + 1];
        for row in table.iter() {
            starts[owner(row).get() + 1] += 1;
        }
        for at in 0..rows {
            starts[at + 1] += starts[at];
        }
        let mut next: Vec<u32> = starts.clone();
        let mut values = vec![Idx::from_u32(0); table.values.len()];
        for (idx, row) in table.enumerate() {
            let next = &mut next[owner(row).get()];
            values[Idx::<T>::from_u32(*next).get()] = idx;
            *next += 1;
        }
        Self { starts, values, table: PhantomData }
    }
}

impl<K, V> Index<Idx<V>> for Groups<K, V> {
    type Output = V;
    #[inline]
    fn index(&self, idx: Idx<V>) -> &V {
        &self.values[idx.get()]
    }
}
impl<K, V> IndexMut<Idx<V>> for Groups<K, V> {
    #[inline]
    fn index_mut(&mut self, idx: Idx<V>) -> &mut V {
        &mut self.values[idx.get()]
    }
}

/// A length as the counts of events have it.
pub(crate) fn count(len: usize) -> u64 {
    u64::try_from(len).expect("a length has at most 64 bits")
}
