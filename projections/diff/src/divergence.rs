//! Where the paths of a loan diverge, between two runs or between a run and an export
//! (specification 3.4).

use powerfill_events::run::event::Pass;
use powerfill_events::values::fold;
use powerfill_explain::{
    CandidateVerdict, LoanOutcome, LoanStep, LoanStories, Moment, OutcomeClause, RelationClause,
    TradeRelation,
};

use crate::loan_path::{Divergence, LoanPosition};

fn step_words(step: Option<&LoanStep>) -> String {
    match step {
        Some(LoanStep::Allocated(placed)) => format!("it is placed in trade {}", placed.trade_id),
        Some(LoanStep::Moved(moved)) => {
            format!("it moves from trade {} to {}", moved.from_trade_id, moved.to_trade_id)
        }
        Some(LoanStep::Released(released)) => {
            format!(
                "it is taken out of trade {} for loan {}",
                released.trade_id, released.exchanged_for
            )
        }
        None => "nothing is done with it".to_owned(),
    }
}

fn outcome_words(stories: &LoanStories, loan: &str) -> Option<String> {
    stories.outcome(loan).map(|outcome| OutcomeClause(&outcome).to_string())
}

/// Why a loan is no candidate for a trade; `None` if it is one.
fn no_candidate(stories: &LoanStories, loan: &str, trade: Option<&str>) -> Option<String> {
    let trade_id = trade?;
    match &stories.relation(loan, trade_id)? {
        TradeRelation::Candidate { .. } => None,
        relation => Some(RelationClause { trade_id, relation }.to_string()),
    }
}

/// The divergence between two runs, the old one here and the new one there: they did not begin with
/// the same candidates, or did the same with the loan until one step.
pub(crate) fn between_runs(
    loan: &str,
    (here, position_here): (&LoanStories, &LoanPosition),
    (there, position_there): (&LoanStories, &LoanPosition),
) -> Divergence {
    let takes_part = |stories: &LoanStories| {
        !matches!(stories.outcome(loan), None | Some(LoanOutcome::Pinned(_) | LoanOutcome::NoPart))
    };
    if takes_part(here) != takes_part(there) {
        let outcome = |stories: &LoanStories| outcome_words(stories, loan).unwrap_or_default();
        let what = format!("old: it {}; new: it {}", outcome(here), outcome(there));
        return Divergence::before_passes(what);
    }
    if let Some(why) = no_candidate(here, loan, position_there.trade()) {
        return Divergence::before_passes(format!("old: {why}"));
    }
    if let Some(why) = no_candidate(there, loan, position_here.trade()) {
        return Divergence::before_passes(format!("new: {why}"));
    }
    let (mut steps_here, mut steps_there) = (here.steps(loan), there.steps(loan));
    loop {
        let (a, b) = (steps_here.next(), steps_there.next());
        let (moment_a, moment_b) = (a.map(LoanStep::moment), b.map(LoanStep::moment));
        if moment_a == moment_b && step_words(a) == step_words(b) {
            if a.is_none() {
                return Divergence::before_passes("both did the same with it".to_owned());
            }
            continue;
        }
        // A later step of one side has not happened yet when the other side acts.
        let first = [moment_a, moment_b].into_iter().flatten().min();
        let words = |step, moment| step_words(if moment == first { step } else { None });
        let what = format!("old: {}; new: {}", words(a, moment_a), words(b, moment_b));
        return match first {
            Some(moment) => Divergence::at(moment, what),
            None => Divergence::before_passes(what),
        };
    }
}

/// The divergence between a run and an export. An export has no events, so this is where the run
/// did something else than what leads to the position there.
pub(crate) fn from_export(
    loan: &str,
    here: &LoanStories,
    position_there: &LoanPosition,
) -> Divergence {
    let no_event = || "no event names it".to_owned();
    let at_step = |step: &LoanStep| Divergence::at(step.moment(), step_words(Some(step)));
    let Some(trade_id) = position_there.trade() else {
        let placed = here.steps(loan).find(|step| matches!(step, LoanStep::Allocated(_)));
        return placed.map_or_else(
            || {
                let outcome = outcome_words(here, loan).map(|outcome| format!("it {outcome}"));
                Divergence::before_passes(outcome.unwrap_or_else(no_event))
            },
            at_step,
        );
    };
    let relation = here.relation(loan, trade_id);
    let words = relation.as_ref().map(|relation| RelationClause { trade_id, relation }.to_string());
    let words = words.unwrap_or_else(no_event);
    let Some(TradeRelation::Candidate { turn, verdict, .. }) = relation else {
        return Divergence::before_passes(words);
    };
    let visit = Moment::new(turn, Pass::BestFit);
    match &verdict {
        CandidateVerdict::NotAdopted { .. } => {
            let step = here.steps(loan).last();
            step.map_or_else(|| Divergence::before_passes(words), at_step)
        }
        CandidateVerdict::PlacedBefore { trade_id, .. }
        | CandidateVerdict::CompletedAnother { trade_id } => {
            let step = here.steps(loan).find(|step| step.entered_trade() == Some(trade_id));
            step.map_or_else(|| Divergence::before_passes(words), at_step)
        }
        CandidateVerdict::GivenUp { .. } => {
            let leaves = |step: &&LoanStep| {
                step.left_trade().is_some_and(|left| fold(left.as_str()) == fold(trade_id))
            };
            let step = here.steps(loan).filter(leaves).last();
            step.map_or_else(|| Divergence::at(visit, step_words(None)), at_step)
        }
        CandidateVerdict::NoRoom { .. }
        | CandidateVerdict::AtOpenAmount { .. }
        | CandidateVerdict::LimitBarred { .. }
        | CandidateVerdict::NotReached
        | CandidateVerdict::Chosen => Divergence::at(visit, words),
    }
}
