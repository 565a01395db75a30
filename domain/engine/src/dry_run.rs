//! The allocation without a record: the same input through the same passes, and at the end the
//! place of every loan and the details of one of them.
//!
//! [`crate::what_if`] tests hundreds of changed inputs this way, and needs no events of them.

use super::book::{ConstraintIdx, LoanIdx, TradeIdx};
use super::candidates::{Candidate, Candidates, PairRejection, Scorer};
use super::capacity::Capacity;
use super::context::RunContext;
use super::index::IdxVec;
use super::matching::Matches;
use super::participation::LoanParticipation;
use super::passes::{self, AllocationOutcome};
use super::preflight;
use super::recorder::{EventRecorder, Observer};
use powerfill_events::run::event::{ExclusionReason, Pass, Pricing, RejectionReason, RunEvent};
use powerfill_events::values::{Day, LoanId, Money, Price};
use powerfill_snapshot::tables::Loan;
use powerfill_snapshot::{RunOptions, Snapshot};

/// The place of a loan after the passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FinalPlace {
    /// Placed in this trade, or pinned in a pool of it.
    Trade(TradeIdx),
    /// Eligible, without a placement.
    KickedOut,
    /// Not eligible, and in no pool of a trade.
    NoTrade,
}

/// The end of a dry run. All fields but the first are about the subject, the one loan of interest.
#[derive(Debug)]
pub(crate) struct DryRun {
    pub(crate) places: IdxVec<Loan, FinalPlace>,
    /// Its last placement.
    pub(crate) placement: Option<SubjectPlacement>,
    /// Its candidates, by turn and rank.
    pub(crate) candidates: Vec<SubjectCandidate>,
    /// Its rejected pairs, by trade.
    pub(crate) rejections: Vec<SubjectRejection>,
    /// Trades of the instruments that it matches that settle beyond the horizon, by id.
    pub(crate) beyond_horizon: Vec<(TradeIdx, Day)>,
}

/// The subject's last placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SubjectPlacement {
    pub(crate) trade: TradeIdx,
    pub(crate) settles_on: Day,
    pub(crate) pass: Pass,
    pub(crate) pricing: Pricing,
}

/// A candidate of the subject, with the state of its trade at the end.
#[derive(Debug, Clone)]
pub(crate) struct SubjectCandidate {
    pub(crate) trade: TradeIdx,
    pub(crate) filled: Money,
    pub(crate) max: Money,
    /// The upper limits that describe the subject.
    pub(crate) limits: Vec<LimitUse>,
    /// The amounts of all loans with a candidate in the trade.
    pub(crate) demand: Money,
}

/// An upper limit of a trade, with its use at the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LimitUse {
    pub(crate) constraint: ConstraintIdx,
    pub(crate) hi: Money,
    pub(crate) used: Money,
}

/// A rejected pair of the subject.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubjectRejection {
    pub(crate) reason: RejectionReason,
    pub(crate) settles_on: Day,
    pub(crate) eligible_on: Day,
    pub(crate) price: Option<Price>,
}

/// Runs the passes; `None` where preflight refuses the run.
pub(crate) fn dry_run(
    snapshot: &Snapshot,
    options: &RunOptions,
    subject: LoanIdx,
) -> Option<DryRun> {
    let context = &RunContext::new(snapshot, options);
    if preflight::refusal(&preflight::findings(context)).is_some() {
        return None;
    }
    let matches = &Matches::new(context);
    let scorer = &Scorer::new(context, matches);
    let candidates = &Candidates::new(scorer);
    let loan_id = LoanId::from(&context.book.loan(subject).loan_id);
    let mut observer = LastPassObserver { loan_id, last: None };
    let mut recorder = EventRecorder::new(&mut observer);
    let outcome = passes::run(scorer, candidates, &mut recorder);
    let outcome = &outcome.expect("this observer never cancels");
    recorder.flush();
    let placement = outcome.placements.of(subject).map(|idx| {
        let candidate = &candidates.all[idx];
        SubjectPlacement {
            trade: candidate.trade,
            settles_on: context.participation.settles_on(candidate.trade),
            pass: observer.last.expect("a placed loan has a last placement"),
            pricing: candidate.pricing,
        }
    });
    Some(DryRun {
        places: final_places(context, candidates, outcome),
        placement,
        candidates: subject_candidates(scorer, candidates, &outcome.capacity, subject),
        rejections: subject_rejections(scorer, candidates, subject),
        beyond_horizon: trades_beyond_horizon(scorer, subject),
    })
}

/// Keeps the pass that placed a loan last.
struct LastPassObserver {
    loan_id: LoanId,
    last: Option<Pass>,
}

impl Observer for LastPassObserver {
    fn events(&mut self, chunk: Vec<RunEvent>) {
        for event in chunk {
            match event {
                RunEvent::LoanAllocated(event) if event.loan_id == self.loan_id => {
                    self.last = Some(event.pass);
                }
                RunEvent::LoanMoved(event) if event.loan_id == self.loan_id => {
                    self.last = Some(event.pass);
                }
                _ => {}
            }
        }
    }
}

fn final_places(
    context: &RunContext<'_>,
    candidates: &Candidates,
    outcome: &AllocationOutcome,
) -> IdxVec<Loan, FinalPlace> {
    let RunContext { book, participation, .. } = context;
    let places = participation.loans.enumerate().map(|(loan, participates)| match participates {
        LoanParticipation::Eligible => match outcome.placements.of(loan) {
            None => FinalPlace::KickedOut,
            Some(idx) => FinalPlace::Trade(candidates.all[idx].trade),
        },
        LoanParticipation::Pinned(_) => {
            let trade = participation.present_trade(book, loan);
            trade.map_or(FinalPlace::NoTrade, FinalPlace::Trade)
        }
        LoanParticipation::OutOfScope(_) => FinalPlace::NoTrade,
    });
    places.collect()
}

fn subject_candidates(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    capacity: &Capacity,
    subject: LoanIdx,
) -> Vec<SubjectCandidate> {
    let RunContext { book, tree, .. } = scorer.context;
    let with_state = |candidate: &Candidate| {
        let trade = candidate.trade;
        let limits = scorer.matches.limited(candidate.matched).iter().filter_map(|node| {
            let block = capacity.block(capacity.block_at(*node, trade));
            let constraint = tree.nodes[*node].constraint;
            Some(LimitUse { constraint, hi: block.hi?, used: block.used })
        });
        let of_trade = candidates.of_trade(trade).iter();
        SubjectCandidate {
            trade,
            filled: capacity.fill(trade).filled,
            max: capacity.fill(trade).max,
            limits: limits.collect(),
            demand: of_trade.map(|idx| book.amounts[candidates.all[*idx].loan]).sum(),
        }
    };
    candidates.of_loan(subject).iter().map(|idx| with_state(&candidates.all[*idx])).collect()
}

fn subject_rejections(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    subject: LoanIdx,
) -> Vec<SubjectRejection> {
    let rejection = |pair: &PairRejection| SubjectRejection {
        reason: pair.reason,
        settles_on: scorer.context.participation.settles_on(pair.trade),
        eligible_on: scorer.eligible_on(subject),
        price: scorer.price_in(subject, pair.trade).map(|all_in| all_in.price),
    };
    candidates.rejected_of(subject).iter().map(rejection).collect()
}

fn trades_beyond_horizon(scorer: &Scorer<'_>, subject: LoanIdx) -> Vec<(TradeIdx, Day)> {
    let RunContext { book, participation, .. } = scorer.context;
    let matches = scorer.matches.of_loan(subject);
    let is_matched = |trade: TradeIdx| {
        matches.iter().any(|matched| matched.instrument == book.trade_instrument[trade])
    };
    let beyond = participation.trades.enumerate().filter_map(|(idx, trade)| {
        let is_beyond = trade.exclusion() == Some(ExclusionReason::BeyondHorizon);
        (is_beyond && is_matched(idx)).then_some((idx, trade.settles_on?))
    });
    beyond.collect()
}
