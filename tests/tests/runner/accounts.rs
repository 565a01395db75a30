//! The accounts of every loan and trade of every conformance case agree with the decisions of the
//! run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures::TryStreamExt;
use powerfill_app::explain::{explain_loan, explain_trade, what_if};
use powerfill_app::{DecodedEvent, read_run};
use powerfill_engine::what_if::NoAnswer;
use powerfill_events::run::event::{ConstraintBlockEvaluated, KickoutReason};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{LoanId, Money, TradeId};
use powerfill_explain::{CandidateVerdict, FullLimit, LoanAccount, LoanOutcome, TradeAccount};
use powerfill_facts::ParticipationFacts;
use powerfill_facts::what_if::ChangeKind;
use powerfill_tables::status::RunStatus;
use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};

use crate::books::{self, Book};
use crate::desk::Desk;

type Events = Vec<DecodedEvent>;

async fn events(desk: &Desk, run: RunId) -> Events {
    read_run(desk.store.as_ref(), run).try_concat().await.unwrap()
}

async fn loan_account(desk: &Desk, run: RunId, loan_id: &str) -> LoanAccount {
    explain_loan(desk.store.as_ref(), run, loan_id).await.unwrap()
}

async fn trade_account(desk: &Desk, run: RunId, trade_id: &str) -> TradeAccount {
    explain_trade(desk.store.as_ref(), run, trade_id).await.unwrap()
}

/// JSON in which no object has a member twice, and no number is a float.
struct StrictJson;

impl<'de> Deserialize<'de> for StrictJson {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = StrictJson;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON without floats")
            }
            fn visit_bool<E>(self, _: bool) -> Result<StrictJson, E> {
                Ok(StrictJson)
            }
            fn visit_i64<E>(self, _: i64) -> Result<StrictJson, E> {
                Ok(StrictJson)
            }
            fn visit_u64<E>(self, _: u64) -> Result<StrictJson, E> {
                Ok(StrictJson)
            }
            fn visit_str<E>(self, _: &str) -> Result<StrictJson, E> {
                Ok(StrictJson)
            }
            fn visit_unit<E>(self) -> Result<StrictJson, E> {
                Ok(StrictJson)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<StrictJson, A::Error> {
                while seq.next_element::<StrictJson>()?.is_some() {}
                Ok(StrictJson)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StrictJson, A::Error> {
                let mut names = BTreeSet::new();
                while let Some((name, StrictJson)) = map.next_entry::<String, StrictJson>()? {
                    assert!(names.insert(name.clone()), "{name} occurs twice");
                }
                Ok(StrictJson)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

fn assert_strict(value: &impl serde::Serialize) {
    let json = serde_json::to_string(value).unwrap();
    if let Err(error) = serde_json::from_str::<StrictJson>(&json) {
        panic!("{error}: {json}");
    }
}

/// Checks a limit that barred a loan of this amount: the named loans use it up, and the loan does
/// not fit.
fn assert_bars(limit: &FullLimit, amount: Money, text: &str) {
    let used: Money = limit.used_by.iter().map(|filler| filler.loan_amount).sum();
    assert_eq!(used, limit.used_amount, "{text}");
    assert!(limit.used_amount + amount > limit.hi_amount, "{text}");
}

/// The blocks of a run at its end, by trade.
fn blocks(events: &Events) -> BTreeMap<TradeId, Vec<&ConstraintBlockEvaluated>> {
    let mut blocks: BTreeMap<TradeId, Vec<&ConstraintBlockEvaluated>> = BTreeMap::new();
    for DecodedEvent { event, .. } in events {
        if let RunEvent::ConstraintBlockEvaluated(block) = event {
            blocks.entry(block.trade_id.clone()).or_default().push(block);
        }
    }
    blocks
}

fn check_loan(
    account: &LoanAccount,
    blocks: &BTreeMap<TradeId, Vec<&ConstraintBlockEvaluated>>,
    complete: bool,
) -> usize {
    let text = account.to_string();
    assert_strict(account);
    let facts = account.standing.as_ref().expect("the snapshot has the loan");
    let matched = facts.nodes.iter().filter(|node| node.matched).count() as u64;
    let part = &facts.participation;
    match &account.story.outcome {
        LoanOutcome::KickedOut(kickout) => {
            assert_eq!(kickout.constraints_matched, matched, "{text}");
            assert_eq!(*part, ParticipationFacts::Eligible, "{text}");
            assert!(text.ends_with("Ask with --what-if.\n"), "{text}");
            match kickout.reason {
                KickoutReason::NoMatchingConstraint => assert_eq!(matched, 0, "{text}"),
                KickoutReason::NoOpenTrade => {
                    let open = facts.nodes.iter().filter(|node| node.matched && node.trades > 0);
                    assert_eq!(open.count(), 0, "{text}");
                }
                _ => {}
            }
        }
        LoanOutcome::Allocated(_) => {
            assert_eq!(*part, ParticipationFacts::Eligible, "{text}");
        }
        LoanOutcome::Pinned(_) => assert!(
            matches!(part, ParticipationFacts::Locked { .. } | ParticipationFacts::Held { .. }),
            "{text}"
        ),
        LoanOutcome::NoPart if complete => {
            assert!(matches!(part, ParticipationFacts::OutOfScope { .. }), "{text}");
        }
        LoanOutcome::NoPart | LoanOutcome::Undecided => assert!(!complete, "{text}"),
    }
    let mut barred = 0;
    let amount = facts.loan_amount;
    for candidate in &account.story.candidates {
        if let CandidateVerdict::LimitBarred { full_limits, .. } = &candidate.verdict {
            assert!(!full_limits.limits().is_empty(), "{text}");
            full_limits.limits().iter().for_each(|limit| assert_bars(limit, amount, &text));
            barred += 1;
        }
        let Some(at_end) = &candidate.at_end else { continue };
        let limits = at_end.full_limits.limits();
        assert_eq!(limits.is_empty(), at_end.excess_amount.is_some(), "{text}");
        for limit in limits {
            assert_bars(limit, amount, &text);
            let block = blocks[&candidate.trade_id].iter().find(|block| block.node == limit.node);
            assert_eq!(block.unwrap().used_amount, limit.used_amount, "{text}");
            assert_eq!(block.unwrap().hi_amount, Some(limit.hi_amount), "{text}");
        }
    }
    barred
}

fn check_trade(account: &TradeAccount) -> usize {
    let text = account.to_string();
    assert_strict(account);
    let in_the_run = account.story.trade.as_ref().is_some_and(|trade| trade.band.is_some());
    assert_eq!(account.never_came.is_some(), in_the_run, "{text}");
    if let Some(never_came) = &account.never_came {
        let came = account.story.candidates + account.story.rejected.values().sum::<u64>();
        // A loan has one pair with a trade, which is a candidate or rejected.
        assert_eq!(never_came.eligible, never_came.matched_nothing + came, "{text}");
    }
    let mut barred = 0;
    for away in &account.story.turned_away {
        if let CandidateVerdict::LimitBarred { full_limits, .. } = &away.verdict {
            assert!(!full_limits.limits().is_empty(), "{text}");
            barred += 1;
        }
    }
    barred
}

pub(crate) async fn every_loan_and_trade_of_every_case_has_an_account(desk: &Desk) {
    let (mut runs, mut loans, mut barred, mut barred_by_trades) = (0, 0, 0, 0);
    for book in books::cases() {
        let (run, status) = desk.run(&book).await;
        let events = events(desk, run).await;
        let blocks = blocks(&events);
        for loan in &book.snapshot.loans {
            let account = loan_account(desk, run, &loan.loan_id.as_str().to_lowercase()).await;
            barred += check_loan(&account, &blocks, status == RunStatus::Complete);
            loans += 1;
        }
        for trade in &book.snapshot.trades {
            let account = trade_account(desk, run, trade.trade_id.as_str()).await;
            barred_by_trades += check_trade(&account);
        }
        runs += 1;
    }
    assert!(runs >= 42 && loans > 900, "{runs} runs, {loans} loans");
    // The stories of loans and of trades agree; those of loans also have the trades that exact_fit
    // passed over.
    assert!(
        barred > 20 && barred_by_trades > 20 && barred_by_trades <= barred,
        "{barred_by_trades} of {barred}"
    );
}

pub(crate) async fn a_loan_that_the_snapshot_does_not_have_is_unknown(desk: &Desk) {
    let run = desk.complete(&books::small()).await;
    let account = loan_account(desk, run, "unknown").await;
    assert!(account.is_unknown());
    assert_eq!(account.to_string(), "The snapshot of this run has no loan unknown.\n");
}

pub(crate) async fn what_if_uses_the_captured_input(desk: &Desk) {
    let book: Book = books::case("12-kickout-reasons");
    let run = desk.complete(&book).await;
    let account = loan_account(desk, run, "K6").await;
    let input = account.story.input.clone().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let what_if_of = |loan: &'static str| {
        let sender = sender.clone();
        what_if(desk.store.as_ref(), &input, loan, move |kind| sender.send(kind).unwrap())
    };
    let answer = what_if_of("k6").await.unwrap().unwrap();
    assert_eq!(answer.loan_id, LoanId::from("K6"));
    let kinds: Vec<ChangeKind> = receiver.try_iter().collect();
    assert_eq!(kinds, [ChangeKind::FreedAmount; 2]);
    assert_eq!(answer.runs, 3);
    let account = LoanAccount { what_if: Some(answer), ..account };
    assert_strict(&account);
    assert!(account.to_string().contains(
        "\n  more room in a trade: 89,108.91 more of trade T1, a trade_amount of 1,089,108.91, \
         to be filled up to 1,100,000.00\n"
    ));
    assert_eq!(what_if_of("FILL").await.unwrap(), Err(NoAnswer::NotKickedOut));
}
