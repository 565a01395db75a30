//! A turn of the passes.

use crate::book::TradeIdx;
use crate::candidates::{Candidate, CandidateIdx, Candidates, Scorer};
use crate::context::RunContext;
use crate::index::{Idx, IdxRange, IdxVec};
use powerfill_snapshot::tables::Trade;

/// Row of [`Turn::trades`].
pub(super) enum TurnTrade {}

/// The candidates of a turn, and its trades: those with any candidate in it.
pub(super) struct Turn {
    pub(super) candidates: IdxRange<Candidate>,
    /// By id.
    pub(super) trades: IdxVec<TurnTrade, TradeIdx>,
    rows: IdxVec<Trade, Option<Idx<TurnTrade>>>,
}

impl Turn {
    pub(super) fn new(
        scorer: &Scorer<'_>,
        candidates: &Candidates,
        range: IdxRange<Candidate>,
    ) -> Self {
        let RunContext { book, participation, .. } = scorer.context;
        let mut rows = IdxVec::per_row(&book.snapshot.trades, None);
        for candidate in &candidates.all[range] {
            rows[candidate.trade] = Some(Idx::new(0));
        }
        let included = participation.included.iter().copied();
        let trades: IdxVec<TurnTrade, TradeIdx> =
            included.filter(|trade| rows[*trade].is_some()).collect();
        for (row, trade) in trades.enumerate() {
            rows[*trade] = Some(row);
        }
        Self { candidates: range, trades, rows }
    }

    /// The row of a trade of the turn.
    pub(super) fn row(&self, trade: TradeIdx) -> Idx<TurnTrade> {
        self.rows[trade].expect("the trade has a candidate in the turn")
    }

    /// The candidates of the turn among those of a loan or a trade.
    pub(super) fn slice_of<'c>(&self, candidates: &'c [CandidateIdx]) -> &'c [CandidateIdx] {
        self.candidates.slice_of(candidates)
    }
}
