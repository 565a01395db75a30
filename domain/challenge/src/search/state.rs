//! An allocation with its running sums.

use crate::instance::{Instance, TradeRoom};

/// No pair, or no place.
pub(super) const NONE: u32 = u32::MAX;

/// What an allocation loses per cent that a turn places too little, in units of 10^−8 dollars: half
/// a dollar per dollar, more than any placement is worth.
const PENALTY: i64 = 500_000;

/// What an allocation loses per turn that places too little, in units of 10^−8 dollars, so that no
/// small lack pays: $1,000.
const LACKING: i64 = 100_000_000_000;

/// What the search pays beside the worth, in units of 10^−8 dollars.
#[derive(Clone, Copy)]
struct Bonus {
    /// Per trade in its band: no part of the worth, but what desks want among allocations of about
    /// the same worth.
    filled: i64,
    /// Per placed loan: the desk counts kicked-out loans, too.
    placed: i64,
    /// Per loan in the trade of its present pool: no loan moves for little.
    stay: i64,
}

impl Bonus {
    /// $10,000 per filled trade, or a fiftieth of a basis point of the eligible amount where that
    /// is more, which is $10,000 at $5 billion; a fifth of it per placed loan; $500 per loan that
    /// stays.
    fn of(eligible_cents: i64) -> Self {
        // A cent has 10^6 units.
        let fiftieth = eligible_cents.saturating_mul(2);
        let filled = fiftieth.max(1_000_000_000_000);
        Self { filled, placed: filled / 5, stay: 50_000_000_000 }
    }
}

/// What an allocation must reach: the passes' result.
pub(super) struct Goal {
    kicked_out: usize,
    filled: i64,
    placed: i64,
    /// Per rank of turns.
    required: Vec<i64>,
    /// Per turn, from turn 1 at 0: its rank among the turns with candidates.
    rank_of_turn: Vec<u32>,
    bonus: Bonus,
}

impl Goal {
    pub(super) fn of_run(instance: &Instance) -> Self {
        let mut rank_of_turn = vec![NONE; instance.required.len()];
        for pair in &instance.pairs {
            rank_of_turn[pair.turn as usize - 1] = 0;
        }
        let mut required = Vec::new();
        for (rank, amount) in rank_of_turn.iter_mut().zip(&instance.required) {
            if *rank == 0 {
                *rank = required.len() as u32;
                required.push(*amount);
            }
        }
        let (kicked_out, bonus) = (usize::MAX, Bonus::of(instance.eligible_amount()));
        let mut goal = Self { kicked_out, filled: 0, placed: 0, required, rank_of_turn, bonus };
        let run = SearchState::new(instance, &goal, &instance.run_allocation());
        let (kicked_out, filled, placed) = (run.out.len(), run.filled, run.placed);
        (goal.kicked_out, goal.filled, goal.placed) = (kicked_out, filled, placed);
        goal
    }
}

/// What the search reads of a pair, in one place.
#[derive(Clone, Copy)]
pub(super) struct HotPair {
    pub(super) loan: u32,
    pub(super) trade: u32,
    pub(super) amount: i64,
    /// Units of 10^−8 dollars.
    pub(super) value: i64,
    limits_from: u32,
    limits: u16,
    rank: u16,
}

/// What the search reads of a trade, in one place. Amounts are those of placed loans alone.
struct HotTrade {
    used: i64,
    room: i64,
    /// The band.
    min: i64,
    max: i64,
}

impl HotTrade {
    fn new(trade: &TradeRoom) -> Self {
        let (min, max) = (trade.min - trade.held, trade.max - trade.held);
        Self { used: 0, room: trade.room(), min, max }
    }

    #[inline]
    fn is_filled(&self) -> bool {
        (self.min..=self.max).contains(&self.used)
    }
}

/// An allocation that moves are made in. Sums are in cents, values in units of 10^−8 dollars.
pub(super) struct SearchState<'a> {
    pub(super) instance: &'a Instance,
    goal: &'a Goal,
    pub(super) pairs: Vec<HotPair>,
    /// Per loan.
    pub(super) amounts: Vec<i64>,
    trades: Vec<HotTrade>,
    /// Per limit: the room that is left.
    limit_rooms: Vec<i64>,
    /// Per loan: its pair, or [`NONE`].
    pub(super) chosen: Vec<u32>,
    /// Per trade: the loans in it, in no order that means anything.
    pub(super) members: Vec<Vec<u32>>,
    /// Per loan: what its pair is worth, in units of 10^−8 dollars; 0 without one.
    pub(super) values: Vec<i64>,
    /// Per loan: its place in the members of its trade, or in `out`.
    place: Vec<u32>,
    /// The loans with a usable pair that are in no trade.
    pub(super) out: Vec<u32>,
    /// Per rank of turns: the amount placed by it and those before it.
    prefix: Vec<i64>,
    /// The sum over the turns of what they place too little.
    lack: i64,
    filled: i64,
    placed: i64,
    /// What the allocation is worth, less the penalties.
    pub(super) value: i64,
    /// What the moves since the last commit replaced.
    log: Vec<(u32, u32)>,
}

impl<'a> SearchState<'a> {
    pub(super) fn new(instance: &'a Instance, goal: &'a Goal, start: &[Option<u32>]) -> Self {
        let pairs = (0..instance.pairs.len()).map(|at| hot_pair(instance, goal, at)).collect();
        let loans = instance.loans.len();
        let mut state = Self {
            instance,
            goal,
            pairs,
            amounts: instance.loans.iter().map(|loan| loan.amount).collect(),
            trades: instance.trades.iter().map(HotTrade::new).collect(),
            limit_rooms: instance.limits.iter().map(|limit| limit.room).collect(),
            chosen: vec![NONE; loans],
            members: vec![Vec::new(); instance.trades.len()],
            values: vec![0; loans],
            place: vec![NONE; loans],
            out: Vec::new(),
            prefix: vec![0; goal.required.len()],
            lack: goal.required.iter().sum(),
            filled: 0,
            placed: 0,
            value: 0,
            log: Vec::new(),
        };
        state.filled = state.trades.iter().map(|trade| i64::from(trade.is_filled())).sum();
        let lacking: i64 = goal.required.iter().map(|amount| i64::from(*amount > 0)).sum();
        state.value = -state.lack.saturating_mul(PENALTY) - lacking * LACKING;
        for loan in 0..loans {
            if instance.usable_pairs_of(loan).next().is_some() {
                state.place[loan] = state.out.len() as u32;
                state.out.push(loan as u32);
            }
        }
        for (loan, pair) in (0..).zip(start) {
            if let Some(pair) = pair {
                state.put(loan, *pair);
            }
        }
        state
    }

    /// Per loan: its pair.
    pub(super) fn allocation(&self) -> Vec<Option<u32>> {
        allocation_of(&self.chosen)
    }

    /// Whether it is no worse than the passes in turns, kickouts, filled trades, and amount.
    pub(super) fn meets_goal(&self) -> bool {
        self.lack == 0
            && self.out.len() <= self.goal.kicked_out
            && self.filled >= self.goal.filled
            && self.placed >= self.goal.placed
    }

    #[inline]
    pub(super) fn limits(&self, pair: &HotPair) -> &'a [u32] {
        &self.instance.pair_limits[pair.limits_from as usize..][..usize::from(pair.limits)]
    }

    /// What is missing of the room of a trade for this amount; not above 0 where it has room.
    #[inline]
    pub(super) fn lacking_room(&self, trade: usize, amount: i64) -> i64 {
        let trade = &self.trades[trade];
        trade.used + amount - trade.room
    }

    /// The first limit of a pair that bars it.
    #[inline]
    pub(super) fn barring_limit(&self, pair: &HotPair) -> Option<u32> {
        let bars = |limit: &&u32| pair.amount > self.limit_rooms[**limit as usize];
        self.limits(pair).iter().find(bars).copied()
    }

    #[inline]
    pub(super) fn fits(&self, pair: &HotPair) -> bool {
        self.lacking_room(pair.trade as usize, pair.amount) <= 0
            && self.barring_limit(pair).is_none()
    }

    /// The trade of a pair.
    pub(super) fn trade_of(&self, pair: u32) -> Option<u32> {
        self.pairs.get(pair as usize).map(|pair| pair.trade)
    }

    /// Whether no limit bars a pair, whose loan is not in its trade, as soon as a member has left.
    pub(super) fn lifts_bars(&self, pair: &HotPair, member: u32) -> bool {
        let freed = self.amounts[member as usize];
        let of_member = self.limits(&self.pairs[self.chosen[member as usize] as usize]);
        self.limits(pair).iter().all(|limit| {
            let lacking = pair.amount - self.limit_rooms[*limit as usize];
            lacking <= 0 || (lacking <= freed && of_member.contains(limit))
        })
    }

    /// Gives a loan another pair, or none.
    #[inline]
    pub(super) fn set(&mut self, loan: u32, pair: u32) {
        self.log.push((loan, self.chosen[loan as usize]));
        self.put(loan, pair);
    }

    /// What a trade lacks to be in its band, and the room that it then has at most; `None` where it
    /// lacks nothing.
    pub(super) fn shortage(&self, trade: usize) -> Option<(i64, i64)> {
        let trade = &self.trades[trade];
        let lacking = trade.min - trade.used;
        (lacking > 0).then_some((lacking, trade.room - trade.used))
    }

    /// Keeps the moves since the last call.
    pub(super) fn commit(&mut self) {
        self.log.clear();
    }

    /// Takes back the moves since the last commit.
    pub(super) fn undo(&mut self) {
        self.undo_to(0);
    }

    /// The number of moves since the last commit.
    pub(super) fn moves(&self) -> usize {
        self.log.len()
    }

    /// Takes back the moves since the last commit, but for the first ones.
    pub(super) fn undo_to(&mut self, moves: usize) {
        while self.log.len() > moves
            && let Some((loan, pair)) = self.log.pop()
        {
            self.put(loan, pair);
        }
    }

    fn put(&mut self, loan: u32, new: u32) {
        let at = loan as usize;
        let old = self.chosen[at];
        if old == new {
            return;
        }
        let list = if old == NONE {
            &mut self.out
        } else {
            &mut self.members[self.pairs[old as usize].trade as usize]
        };
        let place = self.place[at] as usize;
        list.swap_remove(place);
        if let Some(moved) = list.get(place) {
            self.place[*moved as usize] = place as u32;
        }
        if old != NONE {
            self.shift(old as usize, -1);
        }
        if new != NONE {
            self.shift(new as usize, 1);
        }
        self.values[at] = self.pairs.get(new as usize).map_or(0, |pair| pair.value);
        let list = if new == NONE {
            &mut self.out
        } else {
            &mut self.members[self.pairs[new as usize].trade as usize]
        };
        self.place[at] = list.len() as u32;
        list.push(loan);
        self.chosen[at] = new;
    }

    /// Adds a pair to the sums, or takes it out.
    fn shift(&mut self, pair: usize, sign: i64) {
        let pair = self.pairs[pair];
        let amount = pair.amount * sign;
        let trade = &mut self.trades[pair.trade as usize];
        let was = i64::from(trade.is_filled());
        trade.used += amount;
        let gained = i64::from(trade.is_filled()) - was;
        self.filled += gained;
        self.value += gained * self.goal.bonus.filled;
        for limit in self.limits(&pair) {
            self.limit_rooms[*limit as usize] -= amount;
        }
        self.placed += amount;
        self.value += pair.value * sign;
        let turns = self.goal.required.iter().zip(&mut self.prefix).skip(pair.rank as usize);
        let (mut change, mut lacking) = (0, 0);
        for (required, placed) in turns {
            let before = (required - *placed).max(0);
            *placed += amount;
            let after = (required - *placed).max(0);
            change += after - before;
            lacking += i64::from(after > 0) - i64::from(before > 0);
        }
        self.lack += change;
        self.value -= change * PENALTY + lacking * LACKING;
    }
}

fn hot_pair(instance: &Instance, goal: &Goal, at: usize) -> HotPair {
    let pair = &instance.pairs[at];
    let stays = instance.loans[pair.loan as usize].present == Some(pair.trade);
    let bonus = goal.bonus.placed + if stays { goal.bonus.stay } else { 0 };
    let value = instance.worth(at) / 10_000 + i128::from(bonus);
    let limits_from = instance.first_limit[at];
    HotPair {
        loan: pair.loan,
        trade: pair.trade,
        amount: instance.amount_of(at),
        value: i64::try_from(value).unwrap_or(i64::MAX / (1 << 32)),
        limits_from,
        limits: narrow(instance.first_limit[at + 1] - limits_from),
        rank: narrow(goal.rank_of_turn[pair.turn as usize - 1]),
    }
}

/// The limits of one pair, or the rank of a turn.
fn narrow(number: u32) -> u16 {
    u16::try_from(number).expect("a tree has fewer than 65,536 nodes per instrument and turns")
}

/// Chosen pairs as an allocation.
pub(super) fn allocation_of(chosen: &[u32]) -> Vec<Option<u32>> {
    chosen.iter().map(|pair| (*pair != NONE).then_some(*pair)).collect()
}

#[cfg(test)]
mod tests {
    use super::Bonus;

    #[test]
    fn a_filled_trade_counts_more_in_a_book_above_five_billion_dollars() {
        let dollars = |billions: i64| {
            let bonus = Bonus::of(billions * 100_000_000_000);
            [bonus.filled, bonus.placed].map(|units| units / 100_000_000)
        };
        assert_eq!([1, 5, 12].map(dollars), [[10_000, 2000], [10_000, 2000], [24_000, 4800]]);
    }
}
