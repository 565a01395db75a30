//! The kinds of change: which levers each one tries, from which guess on, and when none can help.

use super::experiment::{Experiment, Lever};
use super::search::{Edge, Search};
use crate::dry_run::{LimitUse, SubjectCandidate};
use crate::participation::band;
use powerfill_events::run::event::RejectionReason;
use powerfill_events::values::{Money, Share};
use powerfill_facts::what_if::{ChangeKind, ChangeOutcome, NotTriedReason};

/// Most re-runs per kind of change.
pub const MAX_RUNS_PER_KIND: u32 = 96;

/// Most trades, or limits, that one kind of change is tried on.
pub const MAX_LEVERS_PER_KIND: usize = 4;

/// The largest number of days of an option (1.3).
const MAX_DAYS: i32 = 9999;

/// A lever, and changes of it to try first, in its smallest units.
struct Trial {
    lever: Lever,
    guesses: Vec<i64>,
}

/// The answer for a kind of change, and the number of re-runs.
pub(super) fn answer(
    kind: ChangeKind,
    experiment: &mut Experiment,
    progress: &mut dyn FnMut(ChangeKind),
) -> (ChangeOutcome, u32) {
    let trials = match kind {
        ChangeKind::FreedAmount => freed_amounts(experiment),
        ChangeKind::LimitRaised => raised_limits(experiment),
        ChangeKind::PriceFloorLowered => lowered_floors(experiment),
        ChangeKind::BufferShortened => shortened_buffers(experiment),
        ChangeKind::HorizonLengthened => lengthened_horizons(experiment),
    };
    match trials {
        Ok(trials) => search(&trials, experiment, &mut || progress(kind)),
        Err(reason) => (ChangeOutcome::NotTried { reason }, 0),
    }
}

fn search(
    trials: &[Trial],
    experiment: &mut Experiment,
    progress: &mut dyn FnMut(),
) -> (ChangeOutcome, u32) {
    let trials = &trials[..trials.len().min(MAX_LEVERS_PER_KIND)];
    let guesses: Vec<Vec<i64>> = trials.iter().map(|trial| trial.guesses.clone()).collect();
    let mut left = MAX_RUNS_PER_KIND;
    let attempt = |at: usize, units| {
        progress();
        experiment.run_with(trials[at].lever, units)
    };
    let edge = Search { attempts_left: &mut left, attempt }.edge(&guesses);
    let answer = match edge {
        Edge::Found { lever, enough, not_enough, result } => {
            let edge = (enough, not_enough);
            ChangeOutcome::Places(Box::new(experiment.finding(trials[lever].lever, edge, &result)))
        }
        Edge::NotFound { largest } => {
            let tried = trials.iter().zip(largest).filter(|(_, units)| *units > 0);
            let tried = tried.map(|(trial, units)| experiment.change(trial.lever, units));
            ChangeOutcome::DoesNot { tried: tried.collect(), gave_up: left == 0 }
        }
    };
    (answer, MAX_RUNS_PER_KIND - left)
}

/// More room in a trade that the loan is a candidate of: as much as it lacks there at the end, in
/// the band and under the limits that describe it. In case other loans take that room, the next
/// guesses add one loan amount, then two, four, and so on, up to the whole demand for the trade.
fn freed_amounts(experiment: &Experiment) -> Result<Vec<Trial>, NotTriedReason> {
    if experiment.unchanged.candidates.is_empty() {
        return Err(NotTriedReason::NoCandidate);
    }
    let amount = experiment.loan_amount();
    let mut trials: Vec<(i64, Trial)> = Vec::new();
    for candidate in &experiment.unchanged.candidates {
        let most = (candidate.demand + amount).units();
        let fits = |units| fits_with_freed_amount(experiment, candidate, Money::from_units(units));
        if !fits(most) {
            continue;
        }
        let least = least_enough(most, fits);
        let more = std::iter::successors(Some(amount.units()), |units| units.checked_mul(2));
        let more = more.map(|units| units.saturating_add(least));
        let mut guesses = vec![least];
        guesses.extend(more.take_while(|units| *units < most));
        guesses.push(most);
        trials.push((least, Trial { lever: Lever::TradeAmount(candidate.trade), guesses }));
    }
    if trials.is_empty() {
        return Err(NotTriedReason::NoAmountFits);
    }
    // The sort is stable: among equals the better rank comes first.
    trials.sort_by_key(|(least, _)| *least);
    Ok(trials.into_iter().map(|(_, trial)| trial).collect())
}

/// Whether the loan would fit the trade in its state at the end if the trade's `trade_amount` were
/// larger by `freed`.
fn fits_with_freed_amount(
    experiment: &Experiment,
    candidate: &SubjectCandidate,
    freed: Money,
) -> bool {
    let amount = experiment.loan_amount();
    let trade = experiment.trade(candidate.trade);
    let open = trade.trade_amount + freed - trade.pair_off_amount;
    candidate.filled + amount <= band(trade, open).max_amount
        && candidate.limits.iter().all(|limit| {
            let hi_limit = experiment.constraint(limit.constraint).hi_limit;
            hi_limit.is_none_or(|hi_limit| limit.used + amount <= open.share(hi_limit))
        })
}

/// The least number from 1 to `most` that is enough. `most` is, and so is every number above one
/// that is.
fn least_enough(most: i64, is_enough: impl Fn(i64) -> bool) -> i64 {
    let (mut not_enough, mut enough) = (0, most);
    while enough - not_enough > 1 {
        let middle = not_enough + (enough - not_enough) / 2;
        if is_enough(middle) { enough = middle } else { not_enough = middle }
    }
    enough
}

/// A higher limit where that limit alone bars the loan from a trade: as high as the loan needs
/// there at the end, then as high as a limit can be. Trades that have room at the end come first;
/// in the others a placed loan can move away.
fn raised_limits(experiment: &Experiment) -> Result<Vec<Trial>, NotTriedReason> {
    if experiment.unchanged.candidates.is_empty() {
        return Err(NotTriedReason::NoCandidate);
    }
    let amount = experiment.loan_amount();
    let bars = |limit: &&LimitUse| limit.used + amount > limit.hi;
    let mut any_bars = false;
    let mut trials: Vec<((bool, i64), Trial)> = Vec::new();
    for candidate in &experiment.unchanged.candidates {
        let barring: Vec<&LimitUse> = candidate.limits.iter().filter(bars).collect();
        any_bars |= !barring.is_empty();
        let [limit] = barring[..] else { continue };
        let hi_limit = experiment.constraint(limit.constraint).hi_limit.unwrap_or_default();
        let most = (Share::whole(1) - hi_limit).units();
        let trade = experiment.trade(candidate.trade);
        let open = trade.trade_amount - trade.pair_off_amount;
        let fits = |units| limit.used + amount <= open.share(hi_limit + Share::from_units(units));
        if most < 1 || !fits(most) {
            continue;
        }
        let least = least_enough(most, fits);
        let order = (candidate.filled + amount > candidate.max, least);
        let lever = Lever::HiLimit(limit.constraint);
        match trials.iter_mut().find(|(_, trial)| trial.lever == lever) {
            Some((first, trial)) => {
                trial.guesses.push(least);
                *first = order.min(*first);
            }
            None => trials.push((order, Trial { lever, guesses: vec![least, most] })),
        }
    }
    if trials.is_empty() {
        return Err(if any_bars {
            NotTriedReason::LimitsBarTogether
        } else {
            NotTriedReason::NoLimitBars
        });
    }
    trials.sort_by_key(|(order, _)| *order);
    Ok(trials.into_iter().map(|(_, trial)| trial).collect())
}

/// A lower floor, down to each price of the loan that is below it, the highest first.
fn lowered_floors(experiment: &Experiment) -> Result<Vec<Trial>, NotTriedReason> {
    let floor = experiment.options.bx_price_floor.ok_or(NotTriedReason::NoPriceFloor)?;
    let rejections = experiment.unchanged.rejections.iter();
    let below = rejections.filter(|pair| pair.reason == RejectionReason::BelowPriceFloor);
    let guesses = below.filter_map(|pair| Some((floor - pair.price?).units()));
    one_lever(Lever::PriceFloor, guesses, NotTriedReason::NothingBelowFloor)
}

/// A shorter buffer, down to what each trade that settles too soon allows, the longest first.
fn shortened_buffers(experiment: &Experiment) -> Result<Vec<Trial>, NotTriedReason> {
    let buffer = experiment.options.eligible_settle_buffer_days;
    if buffer == 0 {
        return Err(NotTriedReason::NoBuffer);
    }
    let rejections = experiment.unchanged.rejections.iter();
    let mut too_soon =
        rejections.filter(|pair| pair.reason == RejectionReason::SettlesTooSoon).peekable();
    if too_soon.peek().is_none() {
        return Err(NotTriedReason::NothingTooSoon);
    }
    let allowed = too_soon.map(|pair| pair.eligible_on.days_until(pair.settles_on));
    let guesses = allowed.filter(|days| *days >= 0).map(|days| i64::from(buffer - days));
    one_lever(Lever::Buffer, guesses, NotTriedReason::NotDeliverable)
}

/// A longer horizon, up to each trade beyond it that has an instrument which the loan matches, the
/// nearest first.
fn lengthened_horizons(experiment: &Experiment) -> Result<Vec<Trial>, NotTriedReason> {
    let as_of = experiment.options.as_of.unwrap_or(experiment.snapshot.header.as_of);
    let now = experiment.options.max_trade_settle_days;
    let beyond = experiment.unchanged.beyond_horizon.iter();
    let needed = beyond.map(|(_, settles_on)| as_of.days_until(*settles_on));
    let guesses = needed.filter(|days| *days <= MAX_DAYS).map(|days| i64::from(days - now));
    one_lever(Lever::Horizon, guesses, NotTriedReason::NothingBeyond)
}

/// The trial of the only lever of a kind, or the reason why there is no guess.
fn one_lever(
    lever: Lever,
    guesses: impl Iterator<Item = i64>,
    without_guesses: NotTriedReason,
) -> Result<Vec<Trial>, NotTriedReason> {
    let mut guesses: Vec<i64> = guesses.collect();
    guesses.sort_unstable();
    guesses.dedup();
    if guesses.is_empty() { Err(without_guesses) } else { Ok(vec![Trial { lever, guesses }]) }
}
