//! The facts about loans and trades agree with the decisions, and are the same from an excerpt.

use std::collections::{BTreeMap, BTreeSet};

use powerfill_engine::decide_all;
use powerfill_engine::facts::Facts;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{Node, Rejection, RunStarted};
use powerfill_events::values::{LoanId, TradeId};
use powerfill_facts::{LoanFacts, ParticipationFacts};
use powerfill_snapshot::{RunOptions, Snapshot};

use crate::books::{Terms, book};
use crate::cases;
use crate::seeds::each;

fn participation(facts: &LoanFacts) -> String {
    match &facts.participation {
        ParticipationFacts::Eligible => "Eligible".to_owned(),
        ParticipationFacts::Locked { .. } => "Locked".to_owned(),
        ParticipationFacts::Held { held_reason, .. } => format!("Held({held_reason:?})"),
        ParticipationFacts::OutOfScope { scope_reason, .. } => {
            format!("OutOfScope({scope_reason:?})")
        }
    }
}

/// Whether the loan counts in `ConstraintMatched`.
fn counts(facts: &LoanFacts) -> bool {
    match facts.participation {
        ParticipationFacts::Eligible => true,
        ParticipationFacts::Locked { .. } | ParticipationFacts::Held { .. } => {
            let trade = facts.pool.as_ref().and_then(|pool| pool.trade.as_ref());
            trade.is_some_and(|trade| trade.exclusion_reason.is_none())
        }
        ParticipationFacts::OutOfScope { .. } => false,
    }
}

struct Decided {
    started: RunStarted,
    matched: BTreeMap<Node, (u32, u64, u64)>,
    candidates: BTreeMap<(LoanId, TradeId), Node>,
    rejections: BTreeMap<LoanId, Vec<Rejection>>,
    instruments: BTreeMap<TradeId, String>,
}

/// `None` where preflight refuses the run.
fn decided(snapshot: &Snapshot, options: &RunOptions) -> Option<Decided> {
    let mut started = None;
    let mut matched = BTreeMap::new();
    let (mut candidates, mut rejections) = (BTreeMap::new(), BTreeMap::new());
    let mut instruments = BTreeMap::new();
    for event in decide_all(snapshot, options) {
        match event {
            RunEvent::RunStarted(event) => started = Some(*event),
            RunEvent::TradeAssessed(event) if event.band.is_some() => {
                let instrument = event.investor_instrument_name.as_str().to_owned();
                instruments.insert(event.trade_id.clone(), instrument);
            }
            RunEvent::ConstraintMatched(event) => {
                let counts = (event.turn, event.loans_matched, event.trades);
                matched.insert((*event.node).clone(), counts);
            }
            RunEvent::CandidateScored(event) => {
                candidates.insert((event.loan_id, event.trade_id), (*event.node).clone());
            }
            RunEvent::CandidatesRejected(event) => {
                rejections.insert(event.loan_id, event.rejections);
            }
            RunEvent::RunFailed(_) => return None,
            _ => {}
        }
    }
    Some(Decided { started: started.unwrap(), matched, candidates, rejections, instruments })
}

fn judge(snapshot: &Snapshot, options: &RunOptions) -> Vec<String> {
    let facts = Facts::new(snapshot, options);
    let mut canonical = vec![];
    snapshot.write_canonical(&mut canonical).unwrap();
    let all: Vec<LoanFacts> =
        snapshot.loans.iter().map(|loan| facts.loan(loan.loan_id.as_str()).unwrap()).collect();
    let mut wrong = vec![];
    for of_loan in &all {
        // An excerpt with the loan alone, whose id compares without case, gives the same facts.
        let spelled = of_loan.loan_id.as_str().to_lowercase();
        let excerpt = Snapshot::excerpt(&canonical, [spelled.as_str()]).unwrap();
        assert_eq!(excerpt.loans.len(), 1);
        let alone = Facts::new(&excerpt, options).loan(&spelled);
        if alone.as_ref() != Some(of_loan) {
            wrong.push(format!("the excerpt says {alone:?}, the whole {of_loan:?}"));
        }
        if of_loan.nodes.iter().any(|node| node.matched != node.failures.is_empty()) {
            wrong.push(format!("matched and failed at once, or neither: {of_loan:?}"));
        }
    }
    let Some(decided) = decided(snapshot, options) else { return wrong };
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    let mut matched: BTreeMap<&Node, (u32, u64, u64)> = BTreeMap::new();
    for of_loan in &all {
        *counted.entry(participation(of_loan)).or_default() += 1;
        for node in &of_loan.nodes {
            let count = matched.entry(&node.node).or_insert((node.turn, 0, node.trades));
            count.1 += u64::from(node.matched && counts(of_loan));
        }
    }
    if counted != decided.started.loans {
        wrong.push(format!("{counted:?} take part, the run has {:?}", decided.started.loans));
    }
    if !all.is_empty()
        && !matched.iter().map(|(n, c)| (*n, *c)).eq(decided.matched.iter().map(|(n, c)| (n, *c)))
    {
        wrong.push(format!("matched {matched:?}, the run has {:?}", decided.matched));
    }
    wrong.extend(all.iter().flat_map(|of_loan| pairs(of_loan, &decided)));
    wrong.extend(unmatched_loans(&facts, &all, &decided));
    wrong
}

/// Each candidate belongs to the first node of its trade's instrument that matches by the facts;
/// rejected pairs have the run's reasons.
fn pairs(of_loan: &LoanFacts, decided: &Decided) -> Vec<String> {
    let mut wrong = vec![];
    for ((_, trade), node) in
        decided.candidates.iter().filter(|((loan, _), _)| *loan == of_loan.loan_id)
    {
        let first = of_loan.nodes.iter().find(|at| {
            at.matched && at.node.investor_instrument_name == node.investor_instrument_name
        });
        if first.is_none_or(|first| *first.node != *node) {
            wrong.push(format!("{}, {trade}: {first:?}, the run has {node:?}", of_loan.loan_id));
        }
    }
    let reasons: Vec<Rejection> = of_loan
        .rejections
        .iter()
        .map(|pair| Rejection { trade_id: pair.trade_id.clone(), reason: pair.why.reason() })
        .collect();
    let expected = decided.rejections.get(&of_loan.loan_id).cloned().unwrap_or_default();
    if reasons != expected {
        wrong.push(format!("{}: rejected {reasons:?}, the run has {expected:?}", of_loan.loan_id));
    }
    wrong
}

/// The eligible loans that match no node of a trade's instrument are those without a pair.
fn unmatched_loans(facts: &Facts<'_>, all: &[LoanFacts], decided: &Decided) -> Vec<String> {
    let mut wrong = vec![];
    for trade in decided.instruments.keys() {
        let scored = decided.candidates.keys().filter(|(_, at)| at == trade);
        let mut came: BTreeSet<&LoanId> = scored.map(|(loan, _)| loan).collect();
        came.extend(decided.rejections.iter().filter_map(|(loan, pairs)| {
            pairs.iter().any(|pair| pair.trade_id == *trade).then_some(loan)
        }));
        let turnout = facts.unmatched_loans(trade.as_str()).unwrap();
        let eligible = all.iter().filter(|loan| loan.participation == ParticipationFacts::Eligible);
        if turnout.eligible != eligible.clone().count() as u64
            || turnout.matched_nothing != turnout.eligible - came.len() as u64
        {
            wrong.push(format!("{trade}: {turnout:?}, but {} came", came.len()));
        }
        for node in &turnout.nodes {
            let matches =
                |loan: &&LoanFacts| loan.nodes.iter().any(|at| at.node == node.node && at.matched);
            let matched = eligible.clone().filter(matches).count() as u64;
            let most = node.turned_down.iter().map(|cause| cause.loans).max().unwrap_or(0);
            let down = turnout.eligible - matched;
            if node.matched != matched || most > down || (down > 0) != (most > 0) {
                wrong.push(format!("{trade}: {matched} match {node:?}"));
            }
        }
    }
    wrong
}

#[test]
fn facts_agree_with_the_decisions() {
    each("facts::facts_agree", 300, |seed| {
        let (snapshot, options) = book(seed, Terms::PLAIN).typed();
        judge(&snapshot, &options)
    });
}

#[test]
fn facts_agree_with_the_decisions_of_every_case() {
    let cases = cases::all();
    assert!(cases.len() >= 42, "{} cases", cases.len());
    for (name, snapshot, options) in cases {
        let wrong = judge(&snapshot, &options);
        assert!(wrong.is_empty(), "{name}\n{}", wrong.join("\n"));
    }
}
