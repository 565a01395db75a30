//! The allocation without the record: the same input through the same passes, and at the end where every loan is and how
//! things stand for one of them. For asking what would have changed its place (see [`crate::what_if`]), where the events
//! of hundreds of runs would only be thrown away.

use super::book::{Book, Ix};
use super::candidates::{Candidates, Scorer};
use super::capacity::Capacity;
use super::carry::CarryCurves;
pub(crate) use super::participation::band;
use super::participation::{Inclusion, LoanStanding, Participation};
use super::passes::{self, Allocation, Placed};
use super::prices::{Grids, PriceSources};
use super::tree::{Matches, Tree};
use super::{Observer, Recorder, preflight, refusal, trades_of_instrument};
use powerfill_events::run::event::{ExclusionReason, Pass, Pricing, RejectionReason, RunEvent};
use powerfill_events::values::{Day, LoanId, Money, Price};
use powerfill_snapshot::{RunOptions, Snapshot};

/// Where a loan is after the passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this trade: placed there, or pinned in a pool of it.
    Trade(Ix),
    /// Eligible, without a place.
    KickedOut,
    /// Not in the allocation, and in no pool of a trade.
    Elsewhere,
}

/// How the allocation ends.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    /// By position of the loan.
    pub(crate) places: Vec<Place>,
    /// Its last placement.
    pub(crate) placement: Option<Placement>,
    /// Its candidates, by turn and rank.
    pub(crate) chances: Vec<Chance>,
    /// Its pairs that are no candidates, by trade.
    pub(crate) rejected: Vec<TurnedDownPair>,
    /// Trades of the instruments that it matches, which settle beyond the horizon, by id.
    pub(crate) beyond: Vec<(Ix, Day)>,
}

/// Where the loan was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(crate) trade: Ix,
    pub(crate) settles_on: Day,
    pub(crate) pass: Pass,
    pub(crate) pricing: Pricing,
}

/// A candidate of the loan, and how its trade stands at the end.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    pub(crate) trade: Ix,
    pub(crate) filled: Money,
    pub(crate) max: Money,
    /// The upper limits that describe the loan.
    pub(crate) limits: Vec<LimitUse>,
    /// Of all loans with a candidate in the trade.
    pub(crate) wanted: Money,
}

/// A limit of a trade that describes the loan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LimitUse {
    /// Its row in `pfill_constraints`.
    pub(crate) constraint: Ix,
    pub(crate) hi: Money,
    pub(crate) used: Money,
}

/// A pair that is no candidate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TurnedDownPair {
    pub(crate) reason: RejectionReason,
    pub(crate) settles_on: Day,
    pub(crate) deliverable_on: Day,
    pub(crate) price: Option<Price>,
}

/// Runs the passes; `None` where preflight refuses the run.
pub(crate) fn rehearse(
    snapshot: &Snapshot,
    options: &RunOptions,
    subject: Ix,
) -> Option<Rehearsal> {
    let book = &Book::new(snapshot, options);
    let grids = &Grids::new(book);
    let participation = &Participation::new(book, grids);
    let tree = &Tree::new(book);
    if refusal(&preflight::findings(book, grids, participation, tree)).is_some() {
        return None;
    }
    let trades_of_instrument = &trades_of_instrument(book, participation);
    let matches = &Matches::new(book, tree, participation);
    let (prices, carry) = (&PriceSources::new(book, grids), &CarryCurves::new(book));
    let scorer = &Scorer { book, participation, matches, prices, carry, trades_of_instrument };
    let candidates = &Candidates::new(scorer, tree);
    let capacity = Capacity::new(book, participation, tree, matches, trades_of_instrument);
    let mut witness = Witness { loan: LoanId::from(&book.loan(subject).loan_id), last: None };
    let mut recorder = Recorder::new(&mut witness);
    let mut allocation =
        Allocation::new(book, participation, tree, matches, candidates, capacity, &mut recorder);
    passes::run(&mut allocation).expect("a witness never asks to stop");
    let (placed, capacity) = allocation.into_placed();
    recorder.flush();
    let placement = placed.of(subject).map(|ix| {
        let candidate = candidates.get(ix);
        Placement {
            trade: candidate.trade,
            settles_on: participation.settles_on(candidate.trade),
            pass: witness.last.expect("a placed loan has a last placement"),
            pricing: candidate.pricing,
        }
    });
    Some(Rehearsal {
        places: places(scorer, candidates, &placed),
        placement,
        chances: chances(scorer, tree, candidates, &capacity, subject),
        rejected: rejected(scorer, candidates, subject),
        beyond: beyond(scorer, subject),
    })
}

/// Remembers the pass that placed a loan last.
struct Witness {
    loan: LoanId,
    last: Option<Pass>,
}

impl Observer for Witness {
    fn events(&mut self, chunk: Vec<RunEvent>) {
        for event in chunk {
            match event {
                RunEvent::LoanAllocated(placed) if placed.loan_id == self.loan => {
                    self.last = Some(placed.pass);
                }
                RunEvent::LoanMoved(moved) if moved.loan_id == self.loan => {
                    self.last = Some(moved.pass);
                }
                _ => {}
            }
        }
    }
}

fn places(scorer: &Scorer<'_>, candidates: &Candidates, placed: &Placed) -> Vec<Place> {
    let standings = scorer.participation.loans.iter().zip(0..);
    let place = |(standing, ix): (&LoanStanding, Ix)| match standing {
        LoanStanding::Eligible => placed
            .of(ix)
            .map_or(Place::KickedOut, |placed| Place::Trade(candidates.get(placed).trade)),
        LoanStanding::Pinned(_) => scorer
            .participation
            .present_trade(scorer.book, ix)
            .map_or(Place::Elsewhere, Place::Trade),
        LoanStanding::OutOfScope(_) => Place::Elsewhere,
    };
    standings.map(place).collect()
}

fn chances(
    scorer: &Scorer<'_>,
    tree: &Tree,
    candidates: &Candidates,
    capacity: &Capacity,
    subject: Ix,
) -> Vec<Chance> {
    let of_loan = candidates.of_loan(subject).iter().map(|ix| candidates.get(*ix));
    let chance = |candidate: &super::candidates::Candidate| {
        let trade = candidate.trade;
        let limits = scorer.matches.limited(scorer.matches.found(candidate.found)).iter();
        let limits = limits.filter_map(|node| {
            let block = &capacity.blocks[capacity.block(*node, trade)];
            let constraint = tree.node(*node).constraint;
            Some(LimitUse { constraint, hi: block.hi?, used: block.used })
        });
        let wanted = candidates.of_trade(trade).iter();
        Chance {
            trade,
            filled: capacity.fill(trade).filled,
            max: capacity.fill(trade).max,
            limits: limits.collect(),
            wanted: wanted.map(|ix| scorer.book.amount(candidates.get(*ix).loan)).sum(),
        }
    };
    of_loan.map(chance).collect()
}

fn rejected(scorer: &Scorer<'_>, candidates: &Candidates, subject: Ix) -> Vec<TurnedDownPair> {
    let pairs = candidates.rejected(subject).iter();
    let pair = |pair: &super::candidates::Rejected| TurnedDownPair {
        reason: pair.reason,
        settles_on: scorer.participation.settles_on(pair.trade),
        deliverable_on: scorer.deliverable_on(subject),
        price: scorer.price_in(subject, pair.trade).map(|all_in| all_in.price),
    };
    pairs.map(pair).collect()
}

fn beyond(scorer: &Scorer<'_>, subject: Ix) -> Vec<(Ix, Day)> {
    let matched = scorer.matches.of_loan(subject);
    let of_matched = |trade: &Ix| {
        let instrument = scorer.book.trade_instrument[*trade as usize];
        matched.binary_search_by_key(&instrument, |found| found.instrument).is_ok()
    };
    let trades = scorer.participation.trades.iter().zip(0..);
    let beyond = trades.filter_map(|(trade, ix)| match trade.inclusion {
        Inclusion::Excluded(ExclusionReason::BeyondHorizon) => Some((ix, trade.settles_on?)),
        Inclusion::Excluded(_) | Inclusion::Included(_) => None,
    });
    beyond.filter(|(trade, _)| of_matched(trade)).collect()
}
