//! Simulated annealing with ejections.

use super::near::NearPairs;
use super::random::Random;
use super::state::{HotPair, NONE, SearchState, allocation_of};
use super::{SearchEnd, SearchWatcher};
use crate::bound::ShadowPrices;
use crate::fixed_point::{ARG_BITS, EXP_BITS, LN_BITS, exp_neg, ln};
use crate::instance::Instance;

/// The first temperature, in units of 10^−8 dollars: $2 per step and loan, $500 at least, $2,000 at
/// most. A hotter search loses what the passes have found, and needs steps to find it again.
const HOT_PER_STEP: i64 = 200_000_000;
const HOTTEST: std::ops::RangeInclusive<i64> = 50_000_000_000..=200_000_000_000;

/// The last temperature: $50.
const COLDEST: i64 = 5_000_000_000;

/// Candidates further behind the best one of their loan are left out, in units of 10^−8 points.
const CORE: i64 = 300_000_000;

/// Loans that one move may eject.
const EJECTIONS: usize = 3;

/// The candidates that the search uses: by loan, best after prices first, and by trade.
struct Core {
    pairs: Vec<u32>,
    /// Per loan: where its pairs begin, and after the last one their end.
    first: Vec<u32>,
    of_trade: Vec<Vec<u32>>,
    /// The loans that have some.
    loans: Vec<u32>,
}

impl Core {
    fn new(instance: &Instance, prices: &ShadowPrices) -> Self {
        let mut near = NearPairs::new(instance, prices, CORE);
        let mut core = Self {
            pairs: Vec::new(),
            first: vec![0],
            of_trade: vec![Vec::new(); instance.trades.len()],
            loans: Vec::new(),
        };
        for loan in 0..instance.loans.len() {
            for pair in near.of_loan(loan) {
                core.of_trade[instance.pairs[*pair as usize].trade as usize].push(*pair);
                core.pairs.push(*pair);
            }
            let end = core.pairs.len() as u32;
            if core.first.last() != Some(&end) {
                core.loans.push(loan as u32);
            }
            core.first.push(end);
        }
        core
    }

    #[inline]
    fn of_loan(&self, loan: u32) -> &[u32] {
        let at = loan as usize;
        &self.pairs[self.first[at] as usize..self.first[at + 1] as usize]
    }
}

/// A search in progress.
pub(super) struct Annealing {
    core: Core,
    random: Random,
    ejected: Vec<u32>,
}

impl Annealing {
    pub(super) fn new(instance: &Instance, prices: &ShadowPrices, random: Random) -> Self {
        Self { core: Core::new(instance, prices), random, ejected: Vec::new() }
    }

    /// Makes the steps. The best allocation on the way that meets the goal, and the number of steps
    /// that were made.
    pub(super) fn run(
        &mut self,
        state: &mut SearchState<'_>,
        steps: u64,
        watcher: &mut dyn SearchWatcher,
    ) -> SearchEnd {
        let mut best_value = state.value;
        let mut best = state.chosen.clone();
        let cooling = Cooling::new(steps, state.chosen.len());
        let mut temperature = cooling.hottest;
        let mut made = 0;
        while made < steps && !self.core.loans.is_empty() {
            if made % 1024 == 0 {
                if !watcher.goes_on(made, best_value) {
                    break;
                }
                temperature = cooling.at(made);
            }
            made += 1;
            let before = state.value;
            if !self.try_move(state) {
                state.undo();
                continue;
            }
            let change = state.value - before;
            if change < 0 && !self.accepts(change, temperature) {
                state.undo();
                continue;
            }
            if state.value > best_value && state.meets_goal() {
                best_value = state.value;
                best.clone_from(&state.chosen);
            }
            state.commit();
        }
        SearchEnd { allocation: allocation_of(&best), steps: made }
    }

    /// Whether a loss is accepted: with the probability e^(change / temperature).
    fn accepts(&mut self, change: i64, temperature: i64) -> bool {
        // −ln(u) is below 23.
        if change.saturating_neg() > temperature * 23 {
            return false;
        }
        let allowed = i128::from(temperature) * i128::from(self.random.exponential());
        i128::from(change.saturating_neg()) << LN_BITS < allowed
    }

    /// Brings a loan into a trade. Returns whether the state is one that may be kept.
    fn try_move(&mut self, state: &mut SearchState<'_>) -> bool {
        let loan = self.pick_loan(state);
        let pairs = self.core.of_loan(loan);
        if pairs.is_empty() {
            return false;
        }
        let idx = pairs[self.random.low_below(pairs.len())];
        let old = state.chosen[loan as usize];
        if idx == old {
            return false;
        }
        let pair = state.pairs[idx as usize];
        if old != NONE {
            state.set(loan, NONE);
        }
        self.ejected.clear();
        while !state.fits(&pair) {
            let victim = match self.pick_victim(state, &pair) {
                Some(victim) if self.ejected.len() < EJECTIONS => victim,
                _ => return false,
            };
            state.set(victim, NONE);
            self.ejected.push(victim);
        }
        state.set(loan, idx);
        for at in 0..self.ejected.len() {
            self.place_elsewhere(state, self.ejected[at], pair.trade);
        }
        if old != NONE {
            self.offer(state, state.pairs[old as usize].trade, 6);
        } else if !self.ejected.is_empty() {
            self.offer(state, pair.trade, 4);
        }
        true
    }

    /// Mostly a loan without a trade.
    fn pick_loan(&mut self, state: &SearchState<'_>) -> u32 {
        let out = &state.out;
        if self.random.next() & 3 != 0 && !out.is_empty() {
            out[self.random.below(out.len())]
        } else {
            self.core.loans[self.random.below(self.core.loans.len())]
        }
    }

    /// A loan that is in the way of a pair: one that uses the limit that bars it, or one that frees
    /// just enough room.
    fn pick_victim(&mut self, state: &SearchState<'_>, pair: &HotPair) -> Option<u32> {
        let trade = pair.trade as usize;
        let members = &state.members[trade];
        if members.is_empty() {
            return None;
        }
        if let Some(limit) = state.barring_limit(pair) {
            for _ in 0..12 {
                let member = members[self.random.below(members.len())];
                let of_member = state.pairs[state.chosen[member as usize] as usize];
                if state.limits(&of_member).contains(&limit) {
                    return Some(member);
                }
            }
            return None;
        }
        let lacking = state.lacking_room(trade, pair.amount);
        let amount = |loan: u32| state.amounts[loan as usize] - lacking;
        let [first, second] = [0; 2].map(|_| members[self.random.below(members.len())]);
        let (one, other) = (amount(first), amount(second));
        Some(if other >= 0 && (one < 0 || other < one) { second } else { first })
    }

    /// Places an ejected loan in its best trade that has room, other than the one that it left.
    fn place_elsewhere(&self, state: &mut SearchState<'_>, loan: u32, left: u32) {
        let free = self.core.of_loan(loan).iter().find(|idx| {
            let pair = &state.pairs[**idx as usize];
            pair.trade != left && state.fits(pair)
        });
        if let Some(idx) = free {
            state.set(loan, *idx);
        }
    }

    /// Offers the room of a trade to some of its candidates that are in no trade.
    fn offer(&mut self, state: &mut SearchState<'_>, trade: u32, times: u32) {
        let pairs = &self.core.of_trade[trade as usize];
        for _ in 0..times {
            if pairs.is_empty() {
                return;
            }
            let idx = pairs[self.random.below(pairs.len())];
            let pair = state.pairs[idx as usize];
            if state.chosen[pair.loan as usize] == NONE && state.fits(&pair) {
                state.set(pair.loan, idx);
                return;
            }
        }
    }
}

/// The temperature falls geometrically with the steps.
struct Cooling {
    steps: u64,
    hottest: i64,
    /// ln of the first temperature over the last one, with 16 binary digits.
    logarithm: u128,
}

impl Cooling {
    fn new(steps: u64, loans: usize) -> Self {
        let per_loan = i64::try_from(steps / (loans as u64).max(1)).unwrap_or(i64::MAX);
        let hottest = per_loan.saturating_mul(HOT_PER_STEP);
        let hottest = hottest.clamp(*HOTTEST.start(), *HOTTEST.end());
        let logarithm = ln(hottest.unsigned_abs()) - ln(COLDEST.unsigned_abs());
        let logarithm = logarithm.unsigned_abs() >> (LN_BITS - ARG_BITS);
        Self { steps: steps.max(1), hottest, logarithm: logarithm.into() }
    }

    fn at(&self, step: u64) -> i64 {
        let argument = self.logarithm * u128::from(step) / u128::from(self.steps);
        let share = exp_neg(u64::try_from(argument).unwrap_or(1 << ARG_BITS));
        let cooled = (i128::from(self.hottest) * i128::from(share)) >> EXP_BITS;
        i64::try_from(cooled).unwrap_or(0)
    }
}
