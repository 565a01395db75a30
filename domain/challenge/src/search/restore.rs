//! What follows the annealing: loans that fit somewhere are placed, exchanges that gain are made,
//! and moves that gain nothing are taken back.

use super::state::{NONE, SearchState};

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

/// Moves each loan to a trade where it is worth more, directly or in exchange for one other loan,
/// as long as the allocation gains by it.
pub(super) fn improve(state: &mut SearchState<'_>) {
    for _ in 0..ROUNDS {
        let mut is_changed = false;
        for loan in 0..state.chosen.len() {
            for target in state.instance.pairs_of(loan) {
                if state.value_of(target as u32) > state.value_of(state.chosen[loan]) {
                    let may_leave = |_: &SearchState<'_>, _| true;
                    is_changed |= bring(state, loan as u32, target as u32, 1, &may_leave);
                }
            }
        }
        if !is_changed {
            return;
        }
    }
}

/// Takes loans back to the trade of their present pool, or to where the run placed them, where the
/// allocation loses nothing by it. No loan that is back leaves for it.
pub(super) fn restore(state: &mut SearchState<'_>, start: &[Option<u32>]) {
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
                if bring(state, loan as u32, target, 0, &is_away) {
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
/// dollars, and stay within the goal.
fn bring(
    state: &mut SearchState<'_>,
    loan: u32,
    target: u32,
    least_gain: i64,
    may_leave: &dyn Fn(&SearchState<'_>, u32) -> bool,
) -> bool {
    if !state.instance.pairs[target as usize].is_usable {
        return false;
    }
    let pair = state.pairs[target as usize];
    let (before, met_goal) = (state.value, state.meets_goal());
    let keep = |state: &mut SearchState<'_>| {
        let keeps = state.value >= before + least_gain && (state.meets_goal() || !met_goal);
        if keeps {
            state.commit();
        }
        keeps
    };
    let from = state.chosen[loan as usize];
    state.set(loan, NONE);
    if state.fits(&pair) {
        state.set(loan, target);
        if keep(state) {
            return true;
        }
        state.undo();
        return false;
    }
    state.undo();
    let gain = pair.value - state.value_of(from);
    for victim in state.members[pair.trade as usize].clone() {
        if state.most_gain(victim) + gain < least_gain || !may_leave(state, victim) {
            continue;
        }
        state.set(loan, NONE);
        state.set(victim, NONE);
        if state.fits(&pair) {
            state.set(loan, target);
            if let Some(place) = best_place(state, victim) {
                state.set(victim, place);
                if keep(state) {
                    return true;
                }
            }
        }
        state.undo();
    }
    false
}

/// The pair of a loan that fits and is worth most.
fn best_place(state: &SearchState<'_>, loan: u32) -> Option<u32> {
    let pairs = state.instance.pairs_of(loan as usize);
    let fitting = pairs.filter(|pair| state.fits(&state.pairs[*pair]));
    fitting.max_by_key(|pair| state.pairs[*pair].value).map(|pair| pair as u32)
}
