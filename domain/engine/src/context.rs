//! What every part of the engine starts from.

use super::book::RunBook;
use super::grid::PriceGrids;
use super::participation::Participation;
use super::tree::ConstraintTree;
use powerfill_snapshot::{RunOptions, Snapshot};

/// The input of a run with what follows from it before any loan is matched.
pub(crate) struct RunContext<'a> {
    pub(crate) book: RunBook<'a>,
    pub(crate) grids: PriceGrids,
    pub(crate) participation: Participation,
    pub(crate) tree: ConstraintTree,
}

impl<'a> RunContext<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, options: &'a RunOptions) -> Self {
        let book = RunBook::new(snapshot, options);
        let grids = PriceGrids::new(&book);
        let participation = Participation::new(&book, &grids);
        let tree = ConstraintTree::new(&book);
        Self { book, grids, participation, tree }
    }
}
