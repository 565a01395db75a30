//! Short words for where a loan went, and why not where somebody else put it.

use std::fmt::{Display, Formatter, Result};

use super::loan::LoanOutcome;
use super::loan_story::TradeRelation;
use super::verdict::CandidateVerdict;
use super::words::{few, node_name, points, usd};

/// Loans or limits that are named.
const NAMED: usize = 3;

/// Where a loan went, in a clause: `goes to trade T1 by best_fit in turn 1, at 101.50`.
pub struct OutcomeClause<'a>(pub &'a LoanOutcome);

/// How it stands to a trade, in a clause: `T2 had no room: …`.
pub struct RelationClause<'a> {
    /// The trade.
    pub trade_id: &'a str,
    /// How.
    pub toward: &'a TradeRelation,
}

impl Display for OutcomeClause<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            LoanOutcome::Allocated(place) => {
                let (pass, turn) = (place.pass.as_str(), place.turn);
                let price = points(place.pricing.price);
                write!(f, "goes to trade {} by {pass} in turn {turn}, at {price}", place.trade_id)
            }
            LoanOutcome::KickedOut(kickout) => {
                let reason = kickout.reason;
                write!(f, "is kicked out, {}: {}", reason.as_str(), reason.words())
            }
            LoanOutcome::Pinned(pinned) => {
                let reason = pinned.held_reason.words();
                write!(f, "stays in pool {}: {reason}", pinned.pool_name)
            }
            LoanOutcome::Undecided => write!(f, "takes part, but has no place yet"),
            LoanOutcome::NoPart => write!(f, "takes no part: out of scope, or not in the snapshot"),
        }
    }
}

impl Display for RelationClause<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let trade = self.trade_id;
        match self.toward {
            TradeRelation::Candidate { turn, candidate_rank, verdict } => {
                write!(f, "for trade {trade} it was rank {candidate_rank} of turn {turn}: ")?;
                write_verdict(verdict, f)
            }
            TradeRelation::Rejected(reason) => {
                write!(f, "it is no candidate for trade {trade}: {}", reason.words())
            }
            TradeRelation::Excluded(reason) => {
                write!(f, "trade {trade} is not in the run: {}", reason.words())
            }
            TradeRelation::NoSuchTrade => write!(f, "the run has no trade {trade}"),
            TradeRelation::NoMatch => {
                write!(f, "it matches no constraint of the instrument of trade {trade}")
            }
            TradeRelation::NoPart => {
                write!(f, "trade {trade} is in the run, the loan takes no part")
            }
        }
    }
}

fn write_verdict(verdict: &CandidateVerdict, f: &mut Formatter<'_>) -> Result {
    match verdict {
        CandidateVerdict::Chosen => write!(f, "taken"),
        CandidateVerdict::GivenUp { allocation_seq } => {
            write!(f, "taken by placement {allocation_seq}, and given up later")
        }
        CandidateVerdict::PlacedBefore { trade_id, pass } => {
            write!(f, "{} had placed it in trade {trade_id} before", pass.as_str())
        }
        CandidateVerdict::CompletedAnother { trade_id } => {
            write!(f, "exact_fit goes before rank, and it completed trade {trade_id}")
        }
        CandidateVerdict::NoRoom { filled_amount, max_amount, excess_amount, filled_by } => {
            let (filled, max, excess) =
                (usd(*filled_amount), usd(*max_amount), usd(*excess_amount));
            write!(f, "no room, {filled} of at most {max} was filled, {excess} too much with it")?;
            write_fillers(filled_by, f)
        }
        CandidateVerdict::AtOpenAmount { filled_amount, open_amount, filled_by } => {
            let (filled, open) = (usd(*filled_amount), usd(*open_amount));
            write!(f, "filled when its turn came, {filled} of an open amount of {open}")?;
            write_fillers(filled_by, f)
        }
        CandidateVerdict::LimitBarred { room_amount, full_limits, .. } => {
            write!(f, "room was there, {} left to max, so a limit barred it", usd(*room_amount))?;
            if !full_limits.is_empty() {
                let limits = full_limits.iter().map(|limit| node_name(&limit.node));
                write!(f, " (full at the end: {})", few(limits, NAMED))?;
            }
            Ok(())
        }
        CandidateVerdict::NotReached => write!(f, "the run's events do not reach that far"),
    }
}

fn write_fillers(filled_by: &[super::FillingLoan], f: &mut Formatter<'_>) -> Result {
    if filled_by.is_empty() {
        return Ok(());
    }
    let loans = filled_by.iter().map(|filler| filler.loan_id.to_string());
    write!(f, ", by {}", few(loans, NAMED))
}
