//! Trades below their band are filled one by one, where that costs less than a filled trade counts.

use super::state::{NONE, SearchState};

/// Rounds over all trades, and moves into one trade, at most.
const ROUNDS: u32 = 4;
const MOVES: u32 = 40;

/// A loan that may come into a trade, and a member that leaves for it, or [`NONE`].
#[derive(Clone, Copy)]
struct Entry {
    pair: u32,
    leaves: u32,
}

/// The usable pairs of each trade that is below its band, and of each trade those of loans that
/// are in no trade.
struct Entrants {
    short: Vec<(i64, usize)>,
    of_short: Vec<Vec<u32>>,
    open: Vec<Vec<u32>>,
}

impl Entrants {
    fn new(state: &SearchState<'_>) -> Self {
        let trades = state.instance.trades.len();
        let shortage = |trade| state.shortage(trade).map(|(lacking, _)| (lacking, trade));
        let mut short: Vec<_> = (0..trades).filter_map(shortage).collect();
        short.sort_unstable();
        let (mut of_short, mut open) = (vec![Vec::new(); trades], vec![Vec::new(); trades]);
        for (at, pair) in (0..).zip(&state.instance.pairs).filter(|(_, pair)| pair.is_usable) {
            let trade = pair.trade as usize;
            if state.shortage(trade).is_some() {
                of_short[trade].push(at);
            }
            if state.chosen[pair.loan as usize] == NONE {
                open[trade].push(at);
            }
        }
        Self { short, of_short, open }
    }

    /// Places loans that are in no trade in one, as long as one fits, the one that is worth most
    /// first.
    fn refill(&self, state: &mut SearchState<'_>, trade: u32) {
        let is_open = |state: &SearchState<'_>, at: u32| {
            let pair = &state.pairs[at as usize];
            state.chosen[pair.loan as usize] == NONE && state.fits(pair)
        };
        loop {
            let open = self.open[trade as usize].iter().filter(|at| is_open(state, **at));
            let best = open.max_by_key(|at| (state.pairs[**at as usize].value, **at));
            let Some(best) = best.copied() else { return };
            state.set(state.pairs[best as usize].loan, best);
        }
    }

    /// Makes an entry; what leaves goes where it is worth most, and the room that the loan leaves
    /// is refilled. Returns whether it fits.
    fn enter(&self, state: &mut SearchState<'_>, Entry { pair: at, leaves }: Entry) -> bool {
        let pair = state.pairs[at as usize];
        let left = state.trade_of(state.chosen[pair.loan as usize]);
        if leaves != NONE {
            state.set(leaves, NONE);
        }
        if !state.fits(&pair) {
            return false;
        }
        state.set(pair.loan, at);
        if leaves != NONE {
            let others = state.instance.usable_pairs_of(leaves as usize);
            let others = others.filter(|other| {
                let other = &state.pairs[*other];
                other.trade != pair.trade && state.fits(other)
            });
            let best = others.max_by_key(|other| (state.pairs[*other].value, *other));
            if let Some(best) = best {
                state.set(leaves, best as u32);
            }
        }
        if let Some(left) = left {
            self.refill(state, left);
        }
        true
    }

    /// The entry into a trade that costs least per cent of what the trade lacks.
    fn best_entry(&self, state: &mut SearchState<'_>, trade: usize) -> Option<Entry> {
        let (lacking, room) = state.shortage(trade)?;
        let (from, before) = (state.moves(), state.value);
        let mut best: Option<(i64, i64, Entry)> = None;
        for pair in &self.of_short[trade] {
            let loan = state.pairs[*pair as usize].loan as usize;
            if state.trade_of(state.chosen[loan]) == Some(trade as u32) {
                continue;
            }
            let amount = state.amounts[loan];
            // From the end: what is taken back is a member at the end again.
            for at in (0..=state.members[trade].len()).rev() {
                let leaves = if at == 0 { NONE } else { state.members[trade][at - 1] };
                let freed = state.amounts.get(leaves as usize).copied().unwrap_or(0);
                let net = amount - freed;
                // Only the last entry is an exchange.
                if net > room || net <= 0 || (leaves != NONE && net < lacking) {
                    continue;
                }
                let entry = Entry { pair: *pair, leaves };
                let fits = self.enter(state, entry);
                let (loss, gained) = (before - state.value, net.min(lacking));
                state.undo_to(from);
                let costs_less = |(of_best, by_best, _): &(i64, i64, Entry)| {
                    i128::from(loss) * i128::from(*by_best)
                        < i128::from(*of_best) * i128::from(gained)
                };
                if fits && best.as_ref().is_none_or(costs_less) {
                    best = Some((loss, gained, entry));
                }
            }
        }
        best.map(|(.., entry)| entry)
    }
}

/// Fills the trades below their band, the one that lacks least first.
pub(super) fn fill(state: &mut SearchState<'_>) {
    for _ in 0..ROUNDS {
        let entrants = Entrants::new(state);
        let mut is_changed = false;
        for (_, trade) in &entrants.short {
            let (before, met_goal) = (state.value, state.meets_goal());
            for _ in 0..MOVES {
                let Some(entry) = entrants.best_entry(state, *trade) else { break };
                entrants.enter(state, entry);
            }
            if state.value > before && (state.meets_goal() || !met_goal) {
                state.commit();
                is_changed = true;
            } else {
                state.undo();
            }
        }
        if !is_changed {
            return;
        }
    }
}
