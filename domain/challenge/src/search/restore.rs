//! What follows the annealing: loans that fit somewhere are placed, exchanges that gain are made,
//! and moves that gain nothing are taken back.

use super::near::NearPairs;
use super::state::{HotPair, NONE, SearchState};
use crate::bound::ShadowPrices;

/// Candidates further behind the best one of their loan are left out, in units of 10^−8 points.
const NEAR: i64 = 50_000_000;

/// Rounds of each pass at most.
const ROUNDS: u32 = 8;

/// Places every loan that fits somewhere, by falling worth, until none does (2.12, invariant 7).
pub(super) fn top_up(state: &mut SearchState<'_>) {
    let mut open: Vec<(i64, u32)> = Vec::new();
    for loan in &state.out {
        let usable = state.instance.pairs_of(*loan as usize);
        open.extend(usable.map(|pair| (-state.pairs[pair].value, pair as u32)));
    }
    open.sort_unstable();
    for (_, idx) in open {
        let pair = state.pairs[idx as usize];
        if state.chosen[pair.loan as usize] == NONE && state.fits(&pair) {
            state.set(pair.loan, idx);
        }
    }
    state.commit();
}

/// A candidate, with what is read of each in a list.
#[derive(Clone, Copy)]
struct RankedPair {
    pair: u32,
    trade: u32,
    value: i64,
}

/// The candidates of each loan that are near its best one after prices, the one that is worth most
/// first. The others gain nothing by an exchange.
pub(super) struct RankedPairs {
    pairs: Vec<RankedPair>,
    /// Per loan: where its pairs begin, and after the last one their end.
    first: Vec<u32>,
    /// Per loan: what its first pair is worth.
    most: Vec<i64>,
}

impl RankedPairs {
    pub(super) fn new(state: &SearchState<'_>, prices: &ShadowPrices) -> Self {
        let mut near = NearPairs::new(state.instance, prices, NEAR);
        let mut ranked = Self { pairs: Vec::new(), first: vec![0], most: Vec::new() };
        for loan in 0..state.chosen.len() {
            let from = ranked.pairs.len();
            ranked.pairs.extend(near.of_loan(loan).iter().map(|pair| {
                let HotPair { trade, value, .. } = state.pairs[*pair as usize];
                RankedPair { pair: *pair, trade, value }
            }));
            ranked.pairs[from..].sort_by_key(|pair| std::cmp::Reverse(pair.value));
            ranked.first.push(ranked.pairs.len() as u32);
            ranked.most.push(ranked.pairs.get(from).map_or(i64::MIN, |pair| pair.value));
        }
        ranked
    }

    /// The pairs of a loan that are worth at least this much.
    fn of_loan(&self, loan: u32, least: i64) -> impl Iterator<Item = RankedPair> + use<'_> {
        let at = loan as usize;
        let pairs = &self.pairs[self.first[at] as usize..self.first[at + 1] as usize];
        pairs.iter().copied().take_while(move |pair| pair.value >= least)
    }
}

/// Moves each loan to a trade where it is worth more, directly or in exchange for one other loan,
/// as long as the allocation gains by it.
pub(super) fn improve(state: &mut SearchState<'_>, ranked: &RankedPairs) {
    // A loan looks again at a trade that has changed since it looked last.
    let mut changed_at = vec![1; state.instance.trades.len()];
    let mut looked_at = vec![0; state.chosen.len()];
    let mut time = 1;
    for _ in 0..ROUNDS {
        let before = time;
        for loan in 0..state.chosen.len() as u32 {
            let last = std::mem::replace(&mut looked_at[loan as usize], time);
            let present = state.values[loan as usize];
            let better = ranked.of_loan(loan, present + 1);
            let mut changed = better.filter(|target| changed_at[target.trade as usize] > last);
            let Some(trades) =
                changed.find_map(|target| bring(state, ranked, loan, target.pair, 1, &|_, _| true))
            else {
                continue;
            };
            time += 1;
            looked_at[loan as usize] = 0;
            for trade in trades.into_iter().flatten() {
                changed_at[trade as usize] = time;
            }
        }
        if time == before {
            return;
        }
    }
}

/// Takes loans back to the trade of their present pool, or to where the run placed them, where the
/// allocation loses nothing by it. No loan that is back leaves for it.
pub(super) fn restore(state: &mut SearchState<'_>, ranked: &RankedPairs, start: &[Option<u32>]) {
    let is_away = |state: &SearchState<'_>, loan: u32| {
        let (at, pair) = (loan as usize, state.chosen[loan as usize]);
        let present = state.instance.loans[at].present;
        start[at] != Some(pair) && present != Some(state.pairs[pair as usize].trade)
    };
    for _ in 0..ROUNDS {
        let mut is_changed = false;
        for (loan, run) in start.iter().enumerate() {
            let present = state.instance.loans[loan].present;
            let home = present.and_then(|trade| state.instance.pair_at(loan, trade));
            for target in [home.map(|pair| pair as u32), *run].into_iter().flatten() {
                if state.chosen[loan] == target {
                    break;
                }
                if bring(state, ranked, loan as u32, target, 0, &is_away).is_some() {
                    is_changed = true;
                    break;
                }
            }
        }
        if !is_changed {
            return;
        }
    }
}

/// Brings a loan to a pair, directly or in exchange for one other loan that may leave, which goes
/// to the best place that it then has. The allocation must gain at least so much, in units of 10^−8
/// dollars, and stay within the goal. Returns the trades that have changed, if the loan came in.
fn bring(
    state: &mut SearchState<'_>,
    ranked: &RankedPairs,
    loan: u32,
    target: u32,
    least_gain: i64,
    may_leave: &dyn Fn(&SearchState<'_>, u32) -> bool,
) -> Option<[Option<u32>; 3]> {
    let pair = state.pairs[target as usize];
    let (before, met_goal) = (state.value, state.meets_goal());
    let keep = |state: &mut SearchState<'_>| {
        let keeps = state.value >= before + least_gain && (state.meets_goal() || !met_goal);
        if keeps {
            state.commit()
        } else {
            state.undo()
        }
        keeps
    };
    let from = state.chosen[loan as usize];
    let left = state.trade_of(from);
    if state.fits(&pair) {
        state.set(loan, target);
        return keep(state).then_some([left, Some(pair.trade), None]);
    }
    if !state.instance.pairs[target as usize].is_usable {
        return None;
    }
    // What the other loan must be worth in its new place at least, less what it is worth now.
    let change = least_gain - (pair.value - state.values[loan as usize]);
    let lacking = state.lacking_room(pair.trade as usize, pair.amount);
    let is_barred = state.barring_limit(&pair).is_some();
    // From the end: what is tried and taken back is a member at the end again.
    for at in (0..state.members[pair.trade as usize].len()).rev() {
        let victim = state.members[pair.trade as usize][at];
        let (amount, least) =
            (state.amounts[victim as usize], state.values[victim as usize] + change);
        if amount < lacking
            || ranked.most[victim as usize] < least
            || (is_barred && !state.lifts_bars(&pair, victim))
            || !may_leave(state, victim)
            || !may_move(state, ranked, (victim, least), [Some(pair.trade), left])
        {
            continue;
        }
        state.set(victim, NONE);
        state.set(loan, target);
        let fits = |place: &RankedPair| state.fits(&state.pairs[place.pair as usize]);
        if let Some(place) = ranked.of_loan(victim, least).find(fits) {
            state.set(victim, place.pair);
            if keep(state) {
                return Some([left, Some(pair.trade), Some(place.trade)]);
            }
        } else {
            state.undo();
        }
    }
    None
}

/// Whether a loan may find a place that is worth at least so much: one with room in another trade
/// than the one that it leaves, or in the trade that the loan in its stead leaves.
fn may_move(
    state: &SearchState<'_>,
    ranked: &RankedPairs,
    (loan, least): (u32, i64),
    [taken, left]: [Option<u32>; 2],
) -> bool {
    let amount = state.amounts[loan as usize];
    ranked.of_loan(loan, least).any(|place| {
        let trade = Some(place.trade);
        trade != taken && (trade == left || state.lacking_room(place.trade as usize, amount) <= 0)
    })
}
