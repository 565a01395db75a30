//! The text of a loan's story.

use std::fmt::{Display, Formatter, Result};

use super::account::LoanAccount;
use super::answer::loan_verdict;
use super::clause::not_adopted;
use super::facts_text::{
    write_amount, write_loan, write_matched, write_rejections, write_unmatched,
};
use super::ledger::FillingLoan;
use super::limit::FullLimit;
use super::loan::{CandidateStory, FinalFill, LoanExplanation, LoanOutcome, SyntheticStory};
use super::step::LoanStep;
use super::verdict::CandidateVerdict;
use super::what_if_text::write_what_if;
use super::words::{counted, few, node_name, points, usd};
use powerfill_events::run::event::{
    LoanMoved, PoolAction, PoolActionDerived, Pricing, RejectionReason,
};
use powerfill_events::values::{Money, Price, round_div};

/// The number of loans or limits that a line names before it counts the rest.
const NAMED: usize = 6;

/// The groups of constraints that the loan does not match.
const NEAREST: usize = 12;

impl Display for LoanExplanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}", loan_verdict(self, None))?;
        self.write_standing(f)?;
        self.write_candidates(f)?;
        self.write_rejections(f)?;
        self.write_steps(f)?;
        self.write_elsewhere(f)
    }
}

impl Display for LoanAccount {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Some(facts) = &self.standing else {
            return match self.is_unknown() {
                true => writeln!(f, "{}", self.verdict),
                false => self.story.fmt(f),
            };
        };
        writeln!(f, "{}", self.verdict)?;
        match self.story.loan_amount {
            Some(_) => self.story.write_standing(f),
            None => write_amount(facts, f),
        }?;
        write_loan(facts, f)?;
        write_matched(facts, f)?;
        self.story.write_candidates(f)?;
        write_rejections(&facts.rejections, f)?;
        write_unmatched(facts, NEAREST, f)?;
        self.story.write_steps(f)?;
        self.story.write_elsewhere(f)?;
        match &self.what_if {
            Some(what_if) => write_what_if(what_if, f),
            None if self.can_have_what_if() => {
                writeln!(f, "\nWhat would have given it a place? Ask with --what-if.")
            }
            None => Ok(()),
        }
    }
}

impl LoanExplanation {
    pub(super) fn steps_title(&self) -> &'static str {
        match self.adopts_challenge() {
            true => "What the adopted challenge did with it:",
            false => "What the passes did with it:",
        }
    }

    /// Writes its amount and its pool.
    pub(super) fn write_place(&self, f: &mut Formatter<'_>) -> Result {
        let Some(amount) = self.loan_amount else { return Ok(()) };
        write!(f, "It is {}, ", usd(amount))?;
        match (&self.pool_name, &self.present_trade_id) {
            (Some(pool), Some(trade)) => writeln!(f, "in pool {pool} of trade {trade}."),
            (Some(pool), None) => writeln!(f, "in pool {pool}, which is designated to no trade."),
            (None, _) => writeln!(f, "in no pool."),
        }
    }

    fn write_standing(&self, f: &mut Formatter<'_>) -> Result {
        self.write_place(f)?;
        match &self.outcome {
            LoanOutcome::KickedOut(kickout) if kickout.constraints_matched > 0 => {
                let matched = counted(kickout.constraints_matched, "constraint", "constraints");
                write!(f, "It matched {matched}")?;
                if let (Some(trade), Some(score)) = (&kickout.best_trade_id, kickout.best_score) {
                    write!(f, "; nearest was trade {trade}, with a score of {}", points(score))?;
                }
                writeln!(f, ".")
            }
            LoanOutcome::Pinned(pinned) => match pinned.price {
                Some(price) => writeln!(f, "It is worth {} there.", points(price)),
                None => Ok(()),
            },
            LoanOutcome::KickedOut(_)
            | LoanOutcome::Allocated(_)
            | LoanOutcome::Undecided
            | LoanOutcome::NoPart => Ok(()),
        }
    }

    fn write_candidates(&self, f: &mut Formatter<'_>) -> Result {
        if self.candidates.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nWhere it could go, the best first:")?;
        for candidate in &self.candidates {
            write_candidate(candidate, f)?;
        }
        Ok(())
    }

    fn write_rejections(&self, f: &mut Formatter<'_>) -> Result {
        if self.rejections.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nWhere it could not go:")?;
        for reason in RejectionReason::ALL {
            let trades: Vec<_> =
                self.rejections.iter().filter(|pair| pair.reason == *reason).collect();
            if !trades.is_empty() {
                let named = few(trades.iter().map(|pair| pair.trade_id.to_string()), 2 * NAMED);
                writeln!(f, "  {named}: {}", reason.words())?;
            }
        }
        Ok(())
    }

    fn write_steps(&self, f: &mut Formatter<'_>) -> Result {
        if !self.steps.is_empty() {
            writeln!(f, "\n{}", self.steps_title())?;
            for step in &self.steps {
                write_step(step, f)?;
            }
        }
        if !self.postings.is_empty() {
            writeln!(f, "\nPools:")?;
            for posting in &self.postings {
                write_posting(posting, f)?;
            }
        }
        Ok(())
    }

    /// Writes the best synthetic option with the give-up, and the best cash option (2.11).
    pub(super) fn write_elsewhere(&self, f: &mut Formatter<'_>) -> Result {
        if self.synthetic.is_none() && self.cash.is_none() {
            return Ok(());
        }
        writeln!(f, "\nWhere else it could have gone today:")?;
        if let Some(synthetic) = &self.synthetic {
            write_synthetic(synthetic, self.loan_amount, f)?;
        }
        match &self.cash {
            Some(cash) => writeln!(
                f,
                "  best for cash: {}, settling {}, at {}, with carry {}",
                cash.slot.investor_instrument_name,
                cash.slot.settlement_date,
                points(cash.price),
                points(cash.prx_plus_carry)
            ),
            None => Ok(()),
        }
    }
}

pub(super) fn write_candidate(candidate: &CandidateStory, f: &mut Formatter<'_>) -> Result {
    write!(
        f,
        "  turn {}, rank {}: trade {} by {}",
        candidate.turn,
        candidate.candidate_rank,
        candidate.trade_id,
        node_name(&candidate.node)
    )?;
    if let Some(day) = candidate.settlement_date {
        write!(f, ", settling {day}")?;
    }
    writeln!(f)?;
    writeln!(f, "    {}", pricing_words(&candidate.pricing))?;
    write!(f, "    ")?;
    write_verdict(&candidate.verdict, f)?;
    let barring: &[FullLimit] = match &candidate.verdict {
        CandidateVerdict::LimitBarred { full_limits, .. } => full_limits.limits(),
        _ => &[],
    };
    write_limits(barring, f)?;
    candidate.at_end.as_ref().map_or(Ok(()), |at_end| write_final_fill(at_end, barring, f))
}

fn pricing_words(pricing: &Pricing) -> String {
    format!(
        "price {} (pay-up {} within), {} days of carry {}, score {}",
        points(pricing.price),
        points(pricing.payup),
        pricing.interest_earning_days,
        points(pricing.carry_cost),
        points(pricing.score)
    )
}

pub(super) fn write_verdict(verdict: &CandidateVerdict, f: &mut Formatter<'_>) -> Result {
    match verdict {
        CandidateVerdict::Chosen => writeln!(f, "taken"),
        CandidateVerdict::GivenUp { allocation_seq } => {
            writeln!(f, "taken by placement {allocation_seq}, and given up later")
        }
        CandidateVerdict::PlacedBefore { trade_id, pass } => {
            writeln!(f, "not needed: {} had placed it in trade {trade_id}", pass.as_str())
        }
        CandidateVerdict::CompletedAnother { trade_id } => {
            writeln!(
                f,
                "passed over: exact_fit goes before rank, and it completed trade {trade_id}"
            )
        }
        CandidateVerdict::NoRoom { filled_amount, max_amount, excess_amount, filled_by } => {
            let (filled, max) = (usd(*filled_amount), usd(*max_amount));
            let excess = usd(*excess_amount);
            writeln!(
                f,
                "no room: {filled} of at most {max} was filled, {excess} too much with it"
            )?;
            write_fillers(filled_by, f)
        }
        CandidateVerdict::AtOpenAmount { filled_amount, open_amount, filled_by } => {
            let (filled, open) = (usd(*filled_amount), usd(*open_amount));
            writeln!(f, "filled when its turn came: {filled} of an open amount of {open}")?;
            write_fillers(filled_by, f)
        }
        CandidateVerdict::LimitBarred { filled_amount, room_amount, .. } => {
            let (filled, room) = (usd(*filled_amount), usd(*room_amount));
            writeln!(
                f,
                "room was there ({filled} filled, {room} left to max), so a limit barred it"
            )
        }
        CandidateVerdict::NotAdopted { trade_id } => {
            writeln!(f, "not taken: {}", not_adopted(trade_id.as_ref()))
        }
        CandidateVerdict::NotReached => writeln!(f, "the run's events do not reach that far"),
    }
}

fn write_fillers(filled_by: &[FillingLoan], f: &mut Formatter<'_>) -> Result {
    if filled_by.is_empty() {
        return Ok(());
    }
    let loans = counted(filled_by.len() as u64, "loan", "loans");
    writeln!(f, "    filled by {loans}: {}", filler_names(filled_by))
}

fn filler_names(fillers: &[FillingLoan]) -> String {
    let name = |filler: &FillingLoan| {
        let (loan, amount) = (&filler.loan_id, usd(filler.loan_amount));
        let held = if filler.pass.is_none() { ", held" } else { "" };
        format!("{loan} ({amount}{held})")
    };
    few(fillers.iter().map(name), NAMED)
}

/// Writes a line per limit. Limits that are known to describe the loan have the loans that use
/// them.
pub(super) fn write_limits(full_limits: &[FullLimit], f: &mut Formatter<'_>) -> Result {
    for limit in full_limits {
        let (used, bound) = (usd(limit.used_amount), usd(limit.hi_amount));
        write!(f, "    limit without room: {}, {used} of {bound} used", node_name(&limit.node))?;
        if !limit.used_by.is_empty() {
            write!(f, " by {}", filler_names(&limit.used_by))?;
        }
        writeln!(f, ", {} too much with it", usd(limit.excess_amount))?;
    }
    Ok(())
}

/// `barring` are the limits that barred the loan when best_fit reached it. If they are the same at
/// the end, the text does not repeat them.
fn write_final_fill(at_end: &FinalFill, barring: &[FullLimit], f: &mut Formatter<'_>) -> Result {
    let (filled, room) = (usd(at_end.filled_amount), usd(at_end.room_amount));
    write!(f, "    at the end {filled} was filled and {room} left to max: ")?;
    match at_end.excess_amount {
        Some(excess) => writeln!(f, "{} too little for it", usd(excess)),
        None => {
            writeln!(f, "enough, so a limit barred it")?;
            let limits = at_end.full_limits.limits();
            if limits == barring { Ok(()) } else { write_limits(limits, f) }
        }
    }
}

pub(super) fn write_step(step: &LoanStep, f: &mut Formatter<'_>) -> Result {
    match step {
        LoanStep::Allocated(placed) => writeln!(
            f,
            "  {}. {} placed it in trade {} at {}, which filled that to {}",
            placed.allocation_seq,
            placed.pass.as_str(),
            placed.trade_id,
            points(placed.pricing.price),
            usd(placed.filled_after)
        ),
        LoanStep::Moved(moved) => {
            write!(
                f,
                "  {}. {} moved it from trade {} to {} at {}, at a cost of {}, {}",
                moved.allocation_seq,
                moved.pass.as_str(),
                moved.from_trade_id,
                moved.to_trade_id,
                points(moved.pricing.price),
                usd(moved.marginal_cost),
                move_words(moved)
            )?;
            writeln!(f, "; {} is filled to {}", moved.to_trade_id, usd(moved.filled_after))
        }
        LoanStep::Released(released) => writeln!(
            f,
            "  -  {} took it out of trade {} for loan {}, which fills it better, at a cost of {} points",
            released.pass.as_str(),
            released.trade_id,
            released.exchanged_for,
            points(released.marginal_cost)
        ),
    }
}

fn move_words(moved: &LoanMoved) -> String {
    match &moved.made_room_for {
        Some(loan) => format!("to make room for loan {loan}"),
        None => format!("because {} was short", moved.to_trade_id),
    }
}

pub(super) fn write_posting(posting: &PoolActionDerived, f: &mut Formatter<'_>) -> Result {
    let pool = &posting.pool_name;
    match posting.pool_action {
        PoolAction::Remaining => write!(f, "  Remaining in pool {pool}"),
        PoolAction::Joining => write!(f, "  Joining pool {pool}"),
        PoolAction::Leaving => write!(f, "  Leaving pool {pool}"),
        PoolAction::Switching => write!(f, "  Switching out of pool {pool}"),
        PoolAction::SwappedIn => write!(f, "  Swapped In to pool {pool}"),
    }?;
    match &posting.trade_id {
        Some(trade) => writeln!(f, ", posted to trade {trade}"),
        None => writeln!(f, ", posted to no trade"),
    }
}

fn write_synthetic(
    synthetic: &SyntheticStory,
    loan_amount: Option<Money>,
    f: &mut Formatter<'_>,
) -> Result {
    if let Some(best) = &synthetic.best {
        writeln!(
            f,
            "  best of {}: {}, settling {}, at {}, with carry {}",
            counted(synthetic.options, "option", "options"),
            best.slot.investor_instrument_name,
            best.slot.settlement_date,
            points(best.price),
            points(best.prx_plus_carry)
        )?;
    }
    let (Some(give_up), Some(score), Some(trade)) =
        (synthetic.give_up, synthetic.allocated_score, &synthetic.allocated_trade_id)
    else {
        return Ok(());
    };
    let word = if give_up < Price::ZERO { "it is ahead by" } else { "it gives up" };
    write!(
        f,
        "  with a score of {} in trade {trade} {word} {} points",
        points(score),
        points(give_up.abs())
    )?;
    match loan_amount {
        Some(amount) => writeln!(f, ", {} dollars", usd(in_dollars(give_up.abs(), amount))),
        None => writeln!(f),
    }
}

/// Points, which are per 100 of par and have 8 decimals, of an amount in cents.
fn in_dollars(points: Price, amount: Money) -> Money {
    let exact = i128::from(points.units()) * i128::from(amount.units());
    Money::from_wide(round_div(exact, 100 * i128::from(Price::ONE_UNITS)))
}
