//! The answer in one sentence: what became of a loan or of a trade, and the reason that decided it.

use powerfill_events::run::event::{FillStatus, KickoutReason, LoanKickedOut, Node};
use powerfill_events::values::Money;
use powerfill_facts::{LoanFacts, ParticipationFacts, RejectionCause};
use powerfill_tables::status::RunStatus;

use super::clause::VerdictClause;
use super::facts_text::{failure_words, nearest_unmatched};
use super::limit::FullLimit;
use super::loan::{CandidateStory, LoanExplanation, LoanOutcome};
use super::trade::{Shortage, TradeExplanation};
use super::verdict::CandidateVerdict;
use super::words::{counted, node_name, points, usd};

/// What became of a loan, and why.
pub(super) fn loan_verdict(story: &LoanExplanation, facts: Option<&LoanFacts>) -> String {
    let loan = facts.map_or(&story.loan_id, |facts| &facts.loan_id);
    let status = story.status.name();
    match &story.outcome {
        LoanOutcome::Allocated(place) => {
            let (trade, day) = (&place.trade_id, place.settlement_date);
            let (price, choice) = (points(place.pricing.price), choice_words(&story.candidates));
            let so_far = match story.status {
                RunStatus::Complete => String::new(),
                _ => format!(" The run is {status}: this is what it decided so far."),
            };
            format!(
                "Loan {loan} goes to trade {trade}, settling {day}, at {price}{choice}.{so_far}"
            )
        }
        LoanOutcome::KickedOut(kickout) => {
            let (reason, why) = (kickout.reason.as_str(), kickout_words(kickout, story, facts));
            format!("Loan {loan} is kicked out, {reason}: {why}.")
        }
        LoanOutcome::Pinned(pinned) => {
            let (pool, why) = (&pinned.pool_name, pinned.held_reason.words());
            format!("Loan {loan} stays in pool {pool}: {why}.")
        }
        LoanOutcome::Undecided => format!(
            "Loan {loan} takes part; the run is {status}, and its events do not say yet where it \
             goes."
        ),
        LoanOutcome::NoPart => match facts.map(|facts| &facts.participation) {
            None => format!(
                "No event of this run names loan {loan}: it was out of scope, or is not in the \
                 snapshot."
            ),
            Some(ParticipationFacts::Eligible) => format!(
                "Loan {loan} takes part; the run is {status}, and its events do not name it yet."
            ),
            Some(ParticipationFacts::OutOfScope { hindrance, .. }) => {
                format!("Loan {loan} takes no part in the run: {}.", failure_words(hindrance))
            }
            Some(ParticipationFacts::Locked { .. } | ParticipationFacts::Held { .. }) => {
                format!("Loan {loan} takes no part in the run: it stays in its pool.")
            }
        },
    }
}

/// Which of its candidates an allocated loan got, and why not the first one.
fn choice_words(candidates: &[CandidateStory]) -> String {
    let chosen = candidates.iter().position(|candidate| candidate.is_chosen());
    match (chosen, candidates) {
        (Some(0), [_]) => ", its only candidate".to_owned(),
        (Some(0), all) => format!(", the best of its {} candidates", all.len()),
        (Some(at), [best, ..]) => {
            let (number, all) = (at + 1, candidates.len());
            let (trade, price) = (&best.trade_id, points(best.pricing.price));
            let why = verdict_words(&best.verdict, &best.node);
            format!(
                ", number {number} of its {all} candidates (the best was {trade} at {price}: {why})"
            )
        }
        _ => String::new(),
    }
}

/// The verdict on a candidate in one clause. Of several limits, that which it exceeds most.
pub(super) fn verdict_words(verdict: &CandidateVerdict, node: &Node) -> String {
    if let CandidateVerdict::LimitBarred { full_limits, .. } = verdict
        && let Some(limit) =
            full_limits.describing(node).into_iter().max_by_key(|l| l.excess_amount)
    {
        return limit_words(limit);
    }
    VerdictClause { verdict, node }.to_string()
}

fn limit_words(limit: &FullLimit) -> String {
    let FullLimit { node, hi_amount, used_amount, excess_amount, .. } = limit;
    let (node, used, bound) = (node_name(node), usd(*used_amount), usd(*hi_amount));
    let excess = usd(*excess_amount);
    format!("the limit of {node} bars it, {used} of {bound} used, {excess} too much with it")
}

fn kickout_words(
    kickout: &LoanKickedOut,
    story: &LoanExplanation,
    facts: Option<&LoanFacts>,
) -> String {
    let words = kickout.reason.words();
    let specific = match kickout.reason {
        KickoutReason::LimitReached => {
            nearest_limit(&story.candidates).map(|(candidate, limit)| {
                format!("trade {} has room, but {}", candidate.trade_id, limit_words(limit))
            })
        }
        KickoutReason::CapacityExhausted => {
            nearest_room(&story.candidates).map(|(candidate, excess)| {
                format!(
                    "{words}; nearest is {}, {} too much with it",
                    candidate.trade_id,
                    usd(excess)
                )
            })
        }
        KickoutReason::NoMatchingConstraint => facts
            .and_then(nearest_unmatched)
            .map(|nearest| format!("{words}; nearest is {nearest}")),
        KickoutReason::SettlesTooSoon => facts.and_then(|facts| {
            let last = facts.rejections.iter().max_by_key(|pair| pair.settlement_date)?;
            let RejectionCause::SettlesTooSoon { earliest, .. } = &last.why else { return None };
            let (trade, day) = (&last.trade_id, last.settlement_date);
            Some(format!(
                "{words}; the last, {trade}, on {day}, and it could go from {earliest} on"
            ))
        }),
        KickoutReason::NoOpenTrade | KickoutReason::NoPrice | KickoutReason::BelowPriceFloor => {
            None
        }
    };
    specific.unwrap_or_else(|| words.to_owned())
}

/// The candidate whose limits are exceeded least at the end, and the limit that it exceeds most.
fn nearest_limit(candidates: &[CandidateStory]) -> Option<(&CandidateStory, &FullLimit)> {
    let barred = candidates.iter().filter_map(|candidate| {
        let at_end = candidate.at_end.as_ref().filter(|at_end| at_end.excess_amount.is_none())?;
        let limits = at_end.full_limits.describing(&candidate.node);
        Some((candidate, limits.into_iter().max_by_key(|limit| limit.excess_amount)?))
    });
    barred.min_by_key(|(_, limit)| limit.excess_amount)
}

/// The candidate whose trade has the least too little room at the end.
fn nearest_room(candidates: &[CandidateStory]) -> Option<(&CandidateStory, Money)> {
    let full = candidates
        .iter()
        .filter_map(|candidate| Some((candidate, candidate.at_end.as_ref()?.excess_amount?)));
    full.min_by_key(|(_, excess)| *excess)
}

/// What became of a trade, and why.
pub(super) fn trade_verdict(story: &TradeExplanation) -> String {
    let Some(trade) = &story.trade else {
        return format!("No event of this run names trade {}.", story.trade_id);
    };
    let (id, investor) = (&trade.trade_id, &trade.investor_id);
    let name = format!("Trade {id} of {investor} {}", trade.investor_instrument_name);
    let open = usd(trade.open_amount);
    match (&story.fill, trade.exclusion_reason) {
        (_, Some(reason)) => format!("{name} is not in the run: {}.", reason.words()),
        (None, None) => {
            let status = story.status.name();
            format!("{name} has {open} open; the run is {status}, and has not filled it yet.")
        }
        (Some(fill), None) => {
            let (filled, is) = (usd(fill.filled_amount), fill.fill_status.as_str());
            let loans = counted(fill.loan_count, "loan", "loans");
            let rest = match fill.fill_status {
                FillStatus::Filled => format!("from {loans}"),
                FillStatus::Under => {
                    let shortage = story.shortage.as_ref();
                    let why = shortage.map(|shortage| shortage_words(shortage, story.candidates));
                    let short = usd(fill.shortfall_amount);
                    format!("{short} below its min; {}", why.unwrap_or_default())
                }
                FillStatus::Over => {
                    format!("{} above its max", usd(fill.filled_amount - fill.max_amount))
                }
            };
            format!("{name} is {is}: {filled} of {open} open, {rest}.")
        }
    }
}

fn shortage_words(shortage: &Shortage, candidates: u64) -> String {
    if candidates == 0 {
        return "no loan was a candidate for it".to_owned();
    }
    let parts = [
        (shortage.placed_elsewhere, shortage.placed_elsewhere_amount, "went to other trades"),
        (shortage.kicked_out, shortage.kicked_out_amount, "fit neither here nor elsewhere"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, amount, what)| {
            format!("{} of {} {what}", counted(number, "candidate", "candidates"), usd(amount))
        })
        .collect();
    match parts.is_empty() {
        true => "every loan that was a candidate for it is in it".to_owned(),
        false => parts.join(", "),
    }
}
