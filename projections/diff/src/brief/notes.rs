//! What to look at first (9.5).

use powerfill_events::values::{Money, Severity, TradeId};
use powerfill_explain::usd;
use serde::Serialize;

use super::changes::{LoanChange, LoanChanges, TradeChanges};
use super::side::BriefSide;
use super::{GivenChanges, TableChange};

/// The entries at most.
const ENTRIES: usize = 10;

/// The findings of preflight among them at most.
const FINDINGS: usize = 3;

/// The loans and trades of one kind among them at most.
const OF_ONE_KIND: usize = 3;

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BriefNote {
    /// What it is about.
    pub kind: BriefNoteKind,
    /// The loan, if it is about one.
    pub loan_id: Option<String>,
    /// The trade, if it is about one.
    pub trade_id: Option<TradeId>,
    /// The dollars at stake.
    pub amount: Option<Money>,
    /// One sentence.
    pub text: String,
}

/// What an entry is about, in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BriefNoteKind {
    /// A warning of preflight that the earlier run did not have.
    Finding,
    /// A trade that has fallen short.
    FallenShort,
    /// A new trade that is short.
    NewAndShort,
    /// A loan that was in a trade and is kicked out.
    NewlyKickedOut,
    /// A new loan that is kicked out.
    NewAndKickedOut,
    /// A table of the configuration, or an option, that is another.
    Configuration,
    /// A loan whose move loses value.
    LosingMove,
    /// A trade that is still short.
    StillShort,
    /// A loan that is rescued.
    Rescued,
}

fn note(kind: BriefNoteKind, text: String) -> BriefNote {
    BriefNote { kind, loan_id: None, trade_id: None, amount: None, text }
}

fn of_trade(kind: BriefNoteKind, trade: &TradeId, amount: Money, text: String) -> BriefNote {
    let (trade_id, amount) = (Some(trade.clone()), Some(amount));
    BriefNote { trade_id, amount, ..note(kind, text) }
}

fn of_loan(kind: BriefNoteKind, loan: &LoanChange, amount: Money, text: String) -> BriefNote {
    let (loan_id, amount) = (Some(loan.loan_id.clone()), Some(amount));
    let trade_id = loan.to_trade_id.clone().or_else(|| loan.from_trade_id.clone());
    BriefNote { loan_id, trade_id, amount, ..note(kind, text) }
}

/// The first entries: of each kind in the order of the kinds, the most dollars first.
pub(super) fn most_important(
    then: &BriefSide,
    now: &BriefSide,
    loans: &LoanChanges,
    trades: &TradeChanges,
    given: &GivenChanges,
) -> Vec<BriefNote> {
    let mut notes = findings(then, now);
    notes.extend(short_trades(then, now, trades));
    notes.extend(loan_notes(loans));
    notes.extend(configuration(given));
    notes.sort_by_key(|note| (note.kind, std::cmp::Reverse(note.amount)));
    let mut kept: Vec<BriefNote> = Vec::new();
    let mut rest = Vec::new();
    for note in notes {
        let of_kind = kept.iter().filter(|kept| kept.kind == note.kind).count();
        let most = if note.kind == BriefNoteKind::Finding { FINDINGS } else { OF_ONE_KIND };
        if of_kind < most { kept.push(note) } else { rest.push(note) }
    }
    // What is left of the ten goes to the kinds that have more, in their order.
    kept.extend(rest);
    let mut first: Vec<BriefNote> = kept.into_iter().take(ENTRIES).collect();
    first.sort_by_key(|note| (note.kind, std::cmp::Reverse(note.amount)));
    first
}

fn findings(then: &BriefSide, now: &BriefSide) -> Vec<BriefNote> {
    let is_new = |code, subject: &Option<String>| {
        !then.findings.iter().any(|former| former.code == code && former.subject == *subject)
    };
    let new = now.findings.iter().filter(|finding| {
        finding.severity == Severity::Warning && is_new(finding.code, &finding.subject)
    });
    new.map(|finding| {
        let subject = finding.subject.as_deref().filter(|subject| !subject.is_empty());
        let subject = subject.map_or_else(String::new, |subject| format!(" {subject}"));
        let text = format!("{}{subject}: {}", finding.code.as_str(), finding.message);
        note(BriefNoteKind::Finding, text)
    })
    .collect()
}

fn short_trades(then: &BriefSide, now: &BriefSide, trades: &TradeChanges) -> Vec<BriefNote> {
    let mut notes = Vec::new();
    for (id, trade) in now.trades.iter().filter(|(_, trade)| trade.is_short()) {
        let shortfall = trade.fill.map_or(Money::ZERO, |(_, shortfall)| shortfall);
        let fell = trades.fallen_short.iter().any(|fallen| fallen.trade_id == trade.trade_id);
        let is_new = !then.trades.get(id).is_some_and(|former| former.is_included);
        let (kind, what) = match (fell, is_new) {
            (true, _) => (BriefNoteKind::FallenShort, "has fallen short"),
            (false, true) => (BriefNoteKind::NewAndShort, "is new and short"),
            (false, false) => (BriefNoteKind::StillShort, "is still short"),
        };
        let settles =
            trade.settlement_date.map_or_else(String::new, |day| format!(", settles {day}"));
        let text = format!("trade {} {what} by {}{settles}", trade.trade_id, usd(shortfall));
        notes.push(of_trade(kind, &trade.trade_id, shortfall, text));
    }
    notes
}

fn loan_notes(loans: &LoanChanges) -> Vec<BriefNote> {
    let mut notes = Vec::new();
    let amount = |loan: &LoanChange| usd(loan.loan_amount);
    let was_in = |loan: &LoanChange| {
        loan.from_trade_id.as_ref().map_or_else(String::new, |trade| format!(", was in {trade}"))
    };
    for loan in &loans.newly_kicked_out.listed {
        let from = loan.from_trade_id.as_ref().map_or("its pool", |trade| trade.as_str());
        let (id, reason) = (&loan.loan_id, loan.reason.unwrap_or_default());
        let text = format!("loan {id} ({}) is out of {from}: {reason}", amount(loan));
        notes.push(of_loan(BriefNoteKind::NewlyKickedOut, loan, loan.loan_amount, text));
    }
    for loan in loans.new.listed.iter().filter(|loan| loan.reason.is_some()) {
        let reason = loan.reason.unwrap_or_default();
        let text = format!("new loan {} ({}) is kicked out: {reason}", loan.loan_id, amount(loan));
        notes.push(of_loan(BriefNoteKind::NewAndKickedOut, loan, loan.loan_amount, text));
    }
    for loan in loans.moved.listed.iter().filter(|loan| loan.value_amount < Money::ZERO) {
        let to = loan.to_trade_id.as_ref().map_or("no trade", |trade| trade.as_str());
        let lost = usd(loan.value_amount.abs());
        let text = format!("loan {} moved to {to}{}; it lost {lost}", loan.loan_id, was_in(loan));
        let lost = loan.value_amount.abs();
        notes.push(of_loan(BriefNoteKind::LosingMove, loan, lost, text));
    }
    for loan in &loans.rescued.listed {
        let to = loan.to_trade_id.as_ref().map_or("no trade", |trade| trade.as_str());
        let text = format!("loan {} ({}) has a place now: {to}", loan.loan_id, amount(loan));
        notes.push(of_loan(BriefNoteKind::Rescued, loan, loan.loan_amount, text));
    }
    notes
}

fn configuration(given: &GivenChanges) -> Vec<BriefNote> {
    let options = given.options.iter().map(|change| {
        let words = crate::report::value_words;
        let (then, now) = (words(&change.here), words(&change.there));
        format!("option {} was {then} and is {now}", change.option)
    });
    let tables = given.configuration.iter().map(|change| {
        let TableChange { table, added, removed, changed, .. } = change;
        format!("{table}: {changed} rows changed, {added} added, {removed} removed")
    });
    options.chain(tables).map(|text| note(BriefNoteKind::Configuration, text)).collect()
}
