//! Shadow prices by entropic annealing.
//!
//! At a temperature, each loan spreads its amount over its usable candidates and over "no trade" in
//! proportion to e^(worth after prices / temperature). A price rises where more than the room comes
//! in, and falls where less does; the premium of a turn rises where less than the rule demands
//! comes in. Then the temperature falls. Any prices give a valid bound ([`Instance::bound`]), so
//! that rounding here costs tightness at most, and never truth.
//!
//! All numbers are whole, and sums of whole numbers do not depend on their order, so that the
//! prices do not depend on the number of threads.

use rayon::prelude::*;

use crate::bound::ShadowPrices;
use crate::fixed_point::{ARG_BITS, EXP_BITS, LN_BITS, exp_neg, ln};
use crate::instance::Instance;
use crate::settle::Settler;

/// The first temperature, in units of 10^−8 points: 2 points.
const HOTTEST: i64 = 200_000_000;

/// The last one: a twenty-fifth of a point. A colder one comes closer where the prices have
/// settled, but needs many more rounds on large books.
const COLDEST: i64 = 4_000_000;

/// Rounds per temperature.
const ROUNDS: i64 = 6;

/// Stages of [`FINAL_ROUNDS`] at the last temperature at most. A stage that gains less than a
/// hundredth of a basis point of the eligible amount is the last one.
const FINAL_STAGES: u32 = 8;
const FINAL_ROUNDS: i64 = 60;

/// How far a price follows the logarithm of demand over room, in 256ths of the temperature; and how
/// far that of a turn follows what the turn lacks.
const TRADE_STEP: i64 = 102;
const LIMIT_STEP: i64 = 77;
const TURN_STEP: i64 = 102;

/// Sweeps that settle the prices at the end.
const SWEEPS: u32 = 3;

/// How far behind the best candidate of its loan one may be, in temperatures, to get a share; and
/// to be looked at while the temperature lasts, since prices move.
const REACH: i64 = 12;
const ACTIVE_REACH: i64 = 24;

/// Loans per task.
const TASK: usize = 2048;

/// Amounts are scaled so that the largest loan has this many binary digits.
const AMOUNT_BITS: u32 = 31;

/// Finds shadow prices of a run. They are the best of those that the annealing passes through, as
/// the exact bound says.
pub fn find_prices(instance: &Instance) -> ShadowPrices {
    let mut prices = ShadowPrices::zero(instance);
    let mut best = (instance.bound(&prices), prices.clone());
    let scale = AmountScale::of(instance);
    let rooms = Targets::new(instance, scale);
    let gains = gains(instance);
    let mut temperature = HOTTEST;
    while temperature >= COLDEST {
        let active = ActivePairs::new(instance, &gains, &prices, temperature, scale);
        let mut momentum = Momentum::new(&prices);
        momentum.rounds(ROUNDS, &mut prices, |prices| {
            rooms.adjust(prices, &active.demand(prices, temperature), temperature);
        });
        keep_better(instance, &prices, &mut best);
        temperature = temperature * 7 / 10;
    }
    let least_gain = i128::from(instance.eligible_amount()) * 10_000;
    let mut momentum = Momentum::new(&prices);
    for _ in 0..FINAL_STAGES {
        let before = best.0;
        let active = ActivePairs::new(instance, &gains, &prices, COLDEST, scale);
        momentum.rounds(FINAL_ROUNDS, &mut prices, |prices| {
            rooms.adjust(prices, &active.demand(prices, COLDEST), COLDEST);
        });
        keep_better(instance, &prices, &mut best);
        if before - best.0 < least_gain {
            break;
        }
    }
    let mut settler = Settler::new(instance, &gains, best.1.clone());
    for _ in 0..SWEEPS {
        settler.sweep();
        keep_better(instance, &settler.prices, &mut best);
    }
    best.1
}

/// Keeps prices that give no larger a bound: where it is equal, the later ones are fewer.
fn keep_better(instance: &Instance, prices: &ShadowPrices, best: &mut (i128, ShadowPrices)) {
    let bound = instance.bound(prices);
    if bound <= best.0 {
        *best = (bound, prices.clone());
    }
}

/// The acceleration of Nesterov: each round begins a little further in the direction of the last
/// one.
struct Momentum {
    last: ShadowPrices,
    round: i64,
}

impl Momentum {
    fn new(prices: &ShadowPrices) -> Self {
        Self { last: prices.clone(), round: 0 }
    }

    fn rounds(
        &mut self,
        rounds: i64,
        prices: &mut ShadowPrices,
        mut adjust: impl FnMut(&mut ShadowPrices),
    ) {
        for _ in 0..rounds {
            let round = self.round;
            let advance = |prices: &mut [i64], last: &mut [i64]| {
                for (price, last) in prices.iter_mut().zip(last) {
                    let next = *price + (*price - *last) * round / (round + 3);
                    *last = *price;
                    *price = next.max(0);
                }
            };
            advance(&mut prices.trades, &mut self.last.trades);
            advance(&mut prices.limits, &mut self.last.limits);
            advance(&mut prices.turns, &mut self.last.turns);
            adjust(prices);
            self.round += 1;
        }
    }
}

/// What each pair is worth per 100 of par, in units of 10^−8 points, cut to whole units.
pub(crate) fn gains(instance: &Instance) -> Vec<i64> {
    (0..instance.pairs.len())
        .map(|pair| {
            let gain = instance.worth(pair) / i128::from(instance.amount_of(pair));
            i64::try_from(gain).unwrap_or(i64::MAX / 4)
        })
        .collect()
}

/// How amounts become whole numbers of at most 31 binary digits per loan.
#[derive(Clone, Copy)]
struct AmountScale {
    left: u32,
    right: u32,
}

impl AmountScale {
    fn of(instance: &Instance) -> Self {
        let largest = instance.loans.iter().map(|loan| loan.amount).max().unwrap_or(1);
        let bits = 64 - largest.leading_zeros();
        Self { left: AMOUNT_BITS.saturating_sub(bits), right: bits.saturating_sub(AMOUNT_BITS) }
    }

    /// At least 1 for an amount above 0.
    fn apply(self, cents: i64) -> u64 {
        let scaled = (i128::from(cents.max(0)) << self.left) >> self.right;
        let scaled = u64::try_from(scaled).unwrap_or(u64::MAX >> 1);
        scaled.max(u64::from(cents > 0))
    }
}

/// The rooms and the required amounts, scaled, with their logarithms.
struct Targets {
    trades: Vec<Target>,
    limits: Vec<Target>,
    turns: Vec<TurnTarget>,
}

struct Target {
    amount: u64,
    logarithm: i64,
}

impl Targets {
    fn new(instance: &Instance, scale: AmountScale) -> Self {
        let target = |cents| {
            let amount = scale.apply(cents);
            Target { amount, logarithm: ln(amount) }
        };
        Self {
            trades: instance.trades.iter().map(|trade| target(trade.room())).collect(),
            limits: instance.limits.iter().map(|limit| target(limit.room)).collect(),
            turns: TurnTarget::all(instance, scale),
        }
    }

    fn adjust(&self, prices: &mut ShadowPrices, demand: &Demand, temperature: i64) {
        let follow = |price: &mut i64, target: &Target, demand: u64, step: i64| {
            *price = match (target.amount, demand) {
                // No loan can use it, or none wants it.
                (0, _) => 0,
                (_, 0) => *price / 2,
                _ => {
                    let excess = ln(demand) - target.logarithm;
                    (*price + ((((excess * temperature) >> LN_BITS) * step) >> 8)).max(0)
                }
            };
        };
        for (at, target) in self.trades.iter().enumerate() {
            follow(&mut prices.trades[at], target, demand.trades[at], TRADE_STEP);
        }
        for (at, target) in self.limits.iter().enumerate() {
            follow(&mut prices.limits[at], target, demand.limits[at], LIMIT_STEP);
        }
        let (mut placed, mut yielding) = (0, 0);
        for (at, target) in self.turns.iter().enumerate() {
            placed += demand.turns[at];
            yielding += demand.yielding[at];
            if let Some(required) = target.required {
                let lack = i128::from(required) - i128::from(placed);
                let slope = i128::from(yielding.max(target.reachable.cast_signed() / 1000).max(1));
                // At most twice the temperature, with 16 binary digits.
                let step = ((lack << 16) / slope).clamp(-(2 << 16), 2 << 16) as i64;
                let price = &mut prices.turns[at];
                *price = (*price + ((((step * temperature) >> 16) * TURN_STEP) >> 8)).max(0);
            }
        }
    }
}

/// What the turns up to one must place.
struct TurnTarget {
    /// The amount of the loans that they can place, scaled.
    reachable: u64,
    /// Scaled; `None` where the turn has no price: it requires nothing, or no more than the turns
    /// before it.
    required: Option<u64>,
}

impl TurnTarget {
    fn all(instance: &Instance, scale: AmountScale) -> Vec<Self> {
        let mut reachable = vec![0_u64; instance.required.len()];
        for (at, loan) in instance.loans.iter().enumerate() {
            let usable = instance.usable_pairs_of(at);
            if let Some(first) = usable.map(|pair| instance.pairs[pair].turn).min() {
                let reached = &mut reachable[first as usize - 1..];
                reached.iter_mut().for_each(|amount| *amount += scale.apply(loan.amount));
            }
        }
        let mut before = 0;
        let target = |(amount, reachable): (&i64, u64)| {
            let required = (*amount > before).then(|| scale.apply(*amount));
            before = *amount;
            Self { reachable, required }
        };
        instance.required.iter().zip(reachable).map(target).collect()
    }
}

/// The amounts that loans spread at given prices, scaled.
#[derive(Clone)]
struct Demand {
    trades: Vec<u64>,
    limits: Vec<u64>,
    /// Of each turn alone.
    turns: Vec<u64>,
    /// The temperature times how fast the demand of the turns up to each rises with its premium, as
    /// differences from turn to turn.
    yielding: Vec<i64>,
}

impl Demand {
    fn zero(prices: &ShadowPrices) -> Self {
        Self {
            trades: vec![0; prices.trades.len()],
            limits: vec![0; prices.limits.len()],
            turns: vec![0; prices.turns.len()],
            yielding: vec![0; prices.turns.len()],
        }
    }

    /// Of a loan that places so much of its amount in the turns up to one: what it yields there,
    /// less what it yields in the turns before.
    fn add_yielding(&mut self, turn: u32, before: i64, placed: u64, amount: u64) -> i64 {
        let rest = amount.saturating_sub(placed);
        let yielding = (placed * rest / amount).cast_signed();
        self.yielding[turn as usize] += yielding - before;
        yielding
    }

    fn add(mut self, other: &Self) -> Self {
        let add = |to: &mut [u64], from: &[u64]| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        };
        add(&mut self.trades, &other.trades);
        add(&mut self.limits, &other.limits);
        add(&mut self.turns, &other.turns);
        self.yielding.iter_mut().zip(&other.yielding).for_each(|(to, from)| *to += from);
        self
    }
}

/// A pair that matters at the present temperature.
struct ActivePair {
    trade: u32,
    turn: u32,
    gain: i64,
    limits_from: u32,
    limits_to: u32,
}

/// The pairs that matter at the present temperature, by loan. The others are so far behind the best
/// one of their loan that they get nothing.
struct ActivePairs {
    pairs: Vec<ActivePair>,
    limits: Vec<u32>,
    /// Per loan with a pair: its scaled amount, and where its pairs end.
    loans: Vec<(u64, u32)>,
}

impl ActivePairs {
    fn new(
        instance: &Instance,
        gains: &[i64],
        prices: &ShadowPrices,
        temperature: i64,
        scale: AmountScale,
    ) -> Self {
        let premiums = prices.premiums();
        let reach = ACTIVE_REACH * temperature;
        let mut active = Self { pairs: Vec::new(), limits: Vec::new(), loans: Vec::new() };
        let mut nets: Vec<(usize, i64)> = Vec::new();
        for (at, loan) in instance.loans.iter().enumerate() {
            let net = |pair| (pair, gains[pair] - prices.charge(instance, &premiums, pair));
            nets.clear();
            nets.extend(instance.usable_pairs_of(at).map(net));
            let best = nets.iter().map(|(_, net)| *net).fold(0, i64::max);
            let before = active.pairs.len();
            nets.sort_by_key(|(pair, _)| instance.pairs[*pair].turn);
            for (pair, _) in nets.iter().filter(|(_, net)| best - net <= reach) {
                let limits_from = active.limits.len() as u32;
                active.limits.extend_from_slice(instance.limits_of(*pair));
                active.pairs.push(ActivePair {
                    trade: instance.pairs[*pair].trade,
                    turn: instance.pairs[*pair].turn - 1,
                    gain: gains[*pair],
                    limits_from,
                    limits_to: active.limits.len() as u32,
                });
            }
            if active.pairs.len() > before {
                active.loans.push((scale.apply(loan.amount), active.pairs.len() as u32));
            }
        }
        active
    }

    /// What the loans spread at these prices.
    fn demand(&self, prices: &ShadowPrices, temperature: i64) -> Demand {
        let premiums = prices.premiums();
        let tasks = self.loans.len().div_ceil(TASK);
        (0..tasks)
            .into_par_iter()
            .map(|task| self.demand_of_task(task * TASK, prices, &premiums, temperature))
            .reduce(|| Demand::zero(prices), |sum, part| sum.add(&part))
    }

    fn demand_of_task(
        &self,
        from: usize,
        prices: &ShadowPrices,
        premiums: &[i64],
        temperature: i64,
    ) -> Demand {
        let mut demand = Demand::zero(prices);
        // Units of 10^−8 points become an argument of `exp_neg` by a product and a shift.
        let inverse = (1_u64 << (ARG_BITS + 30)) / temperature.unsigned_abs();
        let reach = REACH * temperature;
        let share = |behind: i64| match behind {
            behind if behind >= reach => 0,
            behind => exp_neg((behind.unsigned_abs() * inverse) >> 30),
        };
        let mut first = if from == 0 { 0 } else { self.loans[from - 1].1 as usize };
        let mut shares: Vec<u64> = Vec::new();
        let mut nets: Vec<i64> = Vec::new();
        for (amount, end) in self.loans[from..].iter().take(TASK) {
            let pairs = &self.pairs[first..*end as usize];
            first = *end as usize;
            nets.clear();
            let mut best = 0;
            for pair in pairs {
                let limits = &self.limits[pair.limits_from as usize..pair.limits_to as usize];
                let charged: i64 = limits.iter().map(|limit| prices.limits[*limit as usize]).sum();
                let net = pair.gain - prices.trades[pair.trade as usize] - charged
                    + premiums[pair.turn as usize];
                nets.push(net);
                best = best.max(net);
            }
            let mut total = share(best);
            shares.clear();
            for net in &nets {
                let own = share(best - net);
                shares.push(own);
                total += own;
            }
            let unit = (amount << EXP_BITS) / total;
            let (mut turn, mut placed, mut last) = (0, 0, 0);
            for (pair, own) in pairs.iter().zip(&shares).filter(|(_, own)| **own > 0) {
                let spread = (own * unit) >> EXP_BITS;
                if pair.turn != turn {
                    last = demand.add_yielding(turn, last, placed, *amount);
                    turn = pair.turn;
                }
                placed += spread;
                demand.trades[pair.trade as usize] += spread;
                demand.turns[pair.turn as usize] += spread;
                for limit in &self.limits[pair.limits_from as usize..pair.limits_to as usize] {
                    demand.limits[*limit as usize] += spread;
                }
            }
            demand.add_yielding(turn, last, placed, *amount);
        }
        demand
    }
}
