//! The kinds of change: what each is tried on, from which guess on, and when it is hopeless.

use super::bench::{Bench, Lever};
use super::search::{Edge, Search};
use super::{MOST_RUNS_OF_A_KIND, MOST_TRIED};
use crate::rehearsal::{Chance, LimitUse, band};
use powerfill_events::run::event::RejectionReason;
use powerfill_events::values::{Money, Share};
use powerfill_facts::what_if::{Answer, Kind, NotTried};
use powerfill_snapshot::tables::Trade;

/// The largest number of days of an option (1.3).
const MOST_DAYS: i32 = 9999;

/// A lever, and changes of it to try, smaller ones first.
struct Trial {
    lever: Lever,
    guesses: Vec<i64>,
}

/// The answer for a kind of change, and how many re-runs it took.
pub(super) fn answer(
    kind: Kind,
    bench: &mut Bench,
    progress: &mut dyn FnMut(Kind),
) -> (Answer, u32) {
    let trials = match kind {
        Kind::FreedAmount => freed_amounts(bench),
        Kind::LimitRaised => raised_limits(bench),
        Kind::PriceFloorLowered => lowered_floors(bench),
        Kind::BufferShortened => shortened_buffers(bench),
        Kind::HorizonLengthened => lengthened_horizons(bench),
    };
    match trials {
        Ok(trials) => tried(&trials, bench, &mut || progress(kind)),
        Err(reason) => (Answer::NotTried { reason }, 0),
    }
}

fn tried(trials: &[Trial], bench: &mut Bench, progress: &mut dyn FnMut()) -> (Answer, u32) {
    let trials = &trials[..trials.len().min(MOST_TRIED)];
    let guesses: Vec<Vec<i64>> = trials.iter().map(|trial| trial.guesses.clone()).collect();
    let mut left = MOST_RUNS_OF_A_KIND;
    let attempt = |at: usize, units| {
        progress();
        bench.attempt(trials[at].lever, units)
    };
    let found = Search { tries: &mut left, attempt }.edge(&guesses);
    let answer = match found {
        Edge::Found { lever, at, not_at, what } => {
            Answer::Places(Box::new(bench.finding(trials[lever].lever, (at, not_at), &what)))
        }
        Edge::NotFound { furthest } => {
            let furthest = trials.iter().zip(furthest).filter(|(_, units)| *units > 0);
            let tried = furthest.map(|(trial, units)| bench.change(trial.lever, units));
            Answer::DoesNot { tried: tried.collect(), gave_up: left == 0 }
        }
    };
    (answer, MOST_RUNS_OF_A_KIND - left)
}

/// More room in a trade that the loan is a candidate of: as much as it lacks there at the end, in the band and in the
/// limits that describe it. Where others take that, one more loan like it, then two, four and so on, up to all that is
/// wanted of the trade.
fn freed_amounts(bench: &Bench) -> Result<Vec<Trial>, NotTried> {
    if bench.unchanged.chances.is_empty() {
        return Err(NotTried::NoCandidate);
    }
    let amount = bench.loan_amount();
    let mut trials: Vec<(i64, Trial)> = Vec::new();
    for chance in &bench.unchanged.chances {
        let at = chance.trade as usize;
        let most = (chance.wanted + amount).units();
        let fits = |units| fits_with(bench, chance, Money::from_units(units), amount);
        if !fits(most) {
            continue;
        }
        let least = least(most, fits);
        let more = std::iter::successors(Some(amount.units()), |units| units.checked_mul(2));
        let more = more.map(|units| units.saturating_add(least));
        let mut guesses = vec![least];
        guesses.extend(more.take_while(|units| *units < most));
        guesses.push(most);
        trials.push((least, Trial { lever: Lever::TradeAmount(at), guesses }));
    }
    if trials.is_empty() {
        return Err(NotTried::NoAmountFits);
    }
    // The sort is stable: among equals the better rank comes first.
    trials.sort_by_key(|(least, _)| *least);
    Ok(trials.into_iter().map(|(_, trial)| trial).collect())
}

/// Whether the loan would fit the trade as it stands at the end, were its trade_amount larger by so much.
fn fits_with(bench: &Bench, chance: &Chance, freed: Money, amount: Money) -> bool {
    let trade: &Trade = &bench.snapshot.trades[chance.trade as usize];
    let open = trade.trade_amount + freed - trade.pair_off_amount;
    chance.filled + amount <= band(trade, open).max_amount
        && chance.limits.iter().all(|limit| {
            let hi_limit = bench.snapshot.constraints[limit.constraint as usize].hi_limit;
            hi_limit.is_none_or(|hi_limit| limit.used + amount <= open.share(hi_limit))
        })
}

/// The least number from 1 to `most` that does, where `most` does and more never does less.
fn least(most: i64, does: impl Fn(i64) -> bool) -> i64 {
    let (mut not_at, mut at) = (0, most);
    while at - not_at > 1 {
        let middle = not_at + (at - not_at) / 2;
        if does(middle) { at = middle } else { not_at = middle }
    }
    at
}

/// A higher limit where it alone bars the loan from a trade: as high as the loan needs there at the end, then as high as
/// a limit can be. Trades that have room at the end come first; in the others who has the place may give way.
fn raised_limits(bench: &Bench) -> Result<Vec<Trial>, NotTried> {
    if bench.unchanged.chances.is_empty() {
        return Err(NotTried::NoCandidate);
    }
    let amount = bench.loan_amount();
    let bars = |limit: &&LimitUse| limit.used + amount > limit.hi;
    let mut any_bars = false;
    let mut trials: Vec<((bool, i64), Trial)> = Vec::new();
    for chance in &bench.unchanged.chances {
        let barring: Vec<&LimitUse> = chance.limits.iter().filter(bars).collect();
        any_bars |= !barring.is_empty();
        let [limit] = barring[..] else { continue };
        let at = limit.constraint as usize;
        let hi_limit = bench.snapshot.constraints[at].hi_limit.unwrap_or_default();
        let most = (Share::whole(1) - hi_limit).units();
        let trade = &bench.snapshot.trades[chance.trade as usize];
        let open = trade.trade_amount - trade.pair_off_amount;
        let does = |units| limit.used + amount <= open.share(hi_limit + Share::from_units(units));
        if most < 1 || !does(most) {
            continue;
        }
        let least = least(most, does);
        let order = (chance.filled + amount > chance.max, least);
        let lever = Lever::HiLimit(at);
        match trials.iter_mut().find(|(_, trial)| trial.lever == lever) {
            Some((first, trial)) => {
                trial.guesses.push(least);
                *first = order.min(*first);
            }
            None => trials.push((order, Trial { lever, guesses: vec![least, most] })),
        }
    }
    if trials.is_empty() {
        return Err(if any_bars { NotTried::LimitsBarTogether } else { NotTried::NoLimitBars });
    }
    trials.sort_by_key(|(order, _)| *order);
    Ok(trials.into_iter().map(|(_, trial)| trial).collect())
}

/// A lower floor, down to each price of the loan that is below it, the highest first.
fn lowered_floors(bench: &Bench) -> Result<Vec<Trial>, NotTried> {
    let floor = bench.options.bx_price_floor.ok_or(NotTried::NoPriceFloor)?;
    let below = bench.unchanged.rejected.iter();
    let below = below.filter(|pair| pair.reason == RejectionReason::BelowPriceFloor);
    let guesses = below.filter_map(|pair| Some((floor - pair.price?).units()));
    one_lever(Lever::PriceFloor, guesses, NotTried::NothingBelowFloor)
}

/// A shorter buffer, down to what each trade that settles too soon allows, the longest first.
fn shortened_buffers(bench: &Bench) -> Result<Vec<Trial>, NotTried> {
    let buffer = bench.options.eligible_settle_buffer_days;
    if buffer == 0 {
        return Err(NotTried::NoBuffer);
    }
    let too_soon = bench.unchanged.rejected.iter();
    let too_soon: Vec<_> =
        too_soon.filter(|pair| pair.reason == RejectionReason::SettlesTooSoon).collect();
    if too_soon.is_empty() {
        return Err(NotTried::NothingTooSoon);
    }
    let allowed = too_soon.iter().map(|pair| pair.deliverable_on.days_until(pair.settles_on));
    let guesses = allowed.filter(|days| *days >= 0).map(|days| i64::from(buffer - days));
    one_lever(Lever::Buffer, guesses, NotTried::NotDeliverable)
}

/// A longer horizon, up to each trade that the loan could be in and that settles beyond it, the nearest first.
fn lengthened_horizons(bench: &Bench) -> Result<Vec<Trial>, NotTried> {
    let as_of = bench.options.as_of.unwrap_or(bench.snapshot.header.as_of);
    let now = bench.options.max_trade_settle_days;
    let needed = bench.unchanged.beyond.iter().map(|(_, settles_on)| as_of.days_until(*settles_on));
    let guesses = needed.filter(|days| *days <= MOST_DAYS).map(|days| i64::from(days - now));
    one_lever(Lever::Horizon, guesses, NotTried::NothingBeyond)
}

fn one_lever(
    lever: Lever,
    guesses: impl Iterator<Item = i64>,
    otherwise: NotTried,
) -> Result<Vec<Trial>, NotTried> {
    let mut guesses: Vec<i64> = guesses.collect();
    guesses.sort_unstable();
    guesses.dedup();
    if guesses.is_empty() { Err(otherwise) } else { Ok(vec![Trial { lever, guesses }]) }
}
