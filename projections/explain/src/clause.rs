//! Clauses about a loan (specification 3.4 `diff`): its place, and why it is not in another trade.

use std::fmt::{Display, Formatter, Result};

use powerfill_events::run::event::Node;
use powerfill_events::values::TradeId;

use super::ledger::FillingLoan;
use super::limit::FullLimits;
use super::loan::LoanOutcome;
use super::loan_stories::TradeRelation;
use super::verdict::CandidateVerdict;
use super::words::{few, node_name, points, usd};

/// The number of loans or limits that a clause names before it counts the rest.
const NAMED: usize = 3;

/// The place of a loan: `goes to trade T1 by best_fit in turn 1, at 101.50`.
pub struct OutcomeClause<'a>(pub &'a LoanOutcome);

/// The relation of a loan to a trade: `for trade T2 it was rank 3 of turn 1: no room, …`.
pub struct RelationClause<'a> {
    /// The trade.
    pub trade_id: &'a str,
    /// The loan's relation to it.
    pub relation: &'a TradeRelation,
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
        match self.relation {
            TradeRelation::Candidate { turn, candidate_rank, node, verdict } => {
                write!(f, "for trade {trade} it was rank {candidate_rank} of turn {turn}: ")?;
                write_verdict(verdict, node, f)
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

/// The verdict on a candidate: `no room, …`.
pub(super) struct VerdictClause<'a> {
    pub(super) verdict: &'a CandidateVerdict,
    /// The node of the candidate.
    pub(super) node: &'a Node,
}

impl Display for VerdictClause<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write_verdict(self.verdict, self.node, f)
    }
}

/// `node` is the node of the candidate.
fn write_verdict(verdict: &CandidateVerdict, node: &Node, f: &mut Formatter<'_>) -> Result {
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
            let when = match full_limits {
                FullLimits::Possible(_) => "at the end",
                FullLimits::Barring(_) => "then",
            };
            let limits = full_limits.describing(node);
            if !limits.is_empty() {
                let names = limits.iter().map(|limit| node_name(&limit.node));
                write!(f, " (full {when}: {})", few(names, NAMED))?;
            }
            Ok(())
        }
        CandidateVerdict::NotAdopted { trade_id } => f.write_str(&not_adopted(trade_id.as_ref())),
        CandidateVerdict::NotReached => write!(f, "the run's events do not reach that far"),
    }
}

/// What an adopted challenge does with a loan that is not in a trade: it is in another one, or in
/// none.
pub(super) fn not_adopted(trade_id: Option<&TradeId>) -> String {
    match trade_id {
        Some(trade) => format!("the adopted challenge has it in trade {trade}"),
        None => "the adopted challenge gives the room to others".to_owned(),
    }
}

fn write_fillers(filled_by: &[FillingLoan], f: &mut Formatter<'_>) -> Result {
    if filled_by.is_empty() {
        return Ok(());
    }
    let loans = filled_by.iter().map(|filler| filler.loan_id.to_string());
    write!(f, ", by {}", few(loans, NAMED))
}
