//! Events as a test writes them down: a small book at a trading desk, with what a test does not
//! care about filled in.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod cases;

use std::collections::BTreeMap;
use std::sync::Arc;

use powerfill_events::run::event::*;
use powerfill_events::run::options::RunOptions;
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::{Day, Money, Price, Timestamp};
use powerfill_snapshot::tables::{InstrumentKind, TradeType};
use powerfill_tables::table::RowBatch;
use powerfill_tables::tables::{Projector, projectors};

pub fn run_id() -> RunId {
    "01970000-0000-7000-8000-000000000001".parse().unwrap()
}

/// Recorded one second apart, from 1970 on, by `desk`.
pub fn recorded(events: &[RunEvent]) -> impl Iterator<Item = RecordedEvent<'_>> {
    events.iter().enumerate().map(|(at, event)| RecordedEvent {
        run_id: run_id(),
        stream_version: at as u64 + 1,
        recorded_at: Timestamp::from_micros(at as i64 * 1_000_000),
        actor: "desk",
        event,
    })
}

pub fn projector(table: &str) -> Box<dyn Projector> {
    projectors().into_iter().find(|projector| projector.table().name == table).unwrap()
}

/// The rows of a table after these events, as CSV without the header.
pub fn rows(table: &str, events: &[RunEvent]) -> String {
    let mut projector = projector(table);
    for event in recorded(events) {
        projector.apply(&event);
    }
    let mut rows = RowBatch::new(projector.table());
    projector.rows(&mut rows);
    csv(&rows)
}

pub fn csv(rows: &RowBatch) -> String {
    let mut out = Vec::new();
    for row in rows.rows() {
        powerfill_tables::csv::write_row(row, &mut out);
    }
    String::from_utf8(out).unwrap()
}

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}
pub fn usd(dollars: i64) -> Money {
    Money::whole(dollars)
}
pub fn pts(text: &str) -> Price {
    text.parse().unwrap()
}

pub fn node(name: &str, priority: i64) -> Arc<Node> {
    Arc::new(Node {
        investor_id: "FNMA".into(),
        investor_instrument_name: "FN 6.0".into(),
        constraint_name: name.into(),
        constraint_priority: priority,
    })
}

/// A price without pay-up and carry; the score is the price.
pub fn pricing(price: &str) -> Pricing {
    Pricing {
        interest_earning_days: 38,
        price: pts(price),
        payup: Price::ZERO,
        carry_cost: Price::ZERO,
        prx_plus_carry: pts(price),
        score: pts(price),
    }
}

pub fn requested() -> RunEvent {
    requested_with(RunOptions { as_of: Some(day("2026-01-15")), ..RunOptions::default() })
}

pub fn requested_with(options: RunOptions) -> RunEvent {
    RunEvent::RunRequested(Box::new(RunRequested {
        tenant_id: "ACME".into(),
        options,
        requested_by: "dana".into(),
        snapshot_digest: "ab12".into(),
        spec_version: "1".into(),
        source_warnings: Vec::new(),
    }))
}

pub fn started(loans: &[(&str, u64)], trades: &[(&str, u64)]) -> RunEvent {
    let counts = |of: &[(&str, u64)]| {
        of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<BTreeMap<_, _>>()
    };
    RunEvent::RunStarted(Box::new(RunStarted {
        engine_version: "0.1.0".into(),
        loans: counts(loans),
        trades: counts(trades),
    }))
}

pub fn preflight(findings: Vec<Finding>) -> RunEvent {
    RunEvent::PreflightCompleted(PreflightCompleted { findings })
}

pub fn finding(code: FindingCode, severity: Severity, subject: &str) -> Finding {
    let message = "what to do".to_owned();
    Finding { code, severity, subject: Some(subject.to_owned()), message }
}

/// An included trade with a band of 10 % around `open`.
pub fn trade(trade_id: &str, open: i64, held: i64) -> RunEvent {
    RunEvent::TradeAssessed(Box::new(TradeAssessed {
        trade_id: trade_id.into(),
        investor_id: "FNMA".into(),
        investor_instrument_name: "FN 6.0".into(),
        trade_type: TradeType::Forward,
        settlement_date: Some(day("2026-02-12")),
        exclusion_reason: None,
        open_amount: usd(open),
        band: Some(Band {
            tolerance_amount: usd(open / 10),
            min_amount: usd(open - open / 10),
            max_amount: usd(open + open / 10),
            held_amount: usd(held),
        }),
    }))
}

pub fn excluded(trade_id: &str, reason: ExclusionReason) -> RunEvent {
    let RunEvent::TradeAssessed(mut assessed) = trade(trade_id, 1000, 0) else { unreachable!() };
    assessed.exclusion_reason = Some(reason);
    assessed.band = None;
    RunEvent::TradeAssessed(assessed)
}

pub fn pinned(loan_id: &str, pool: &str, trade_id: Option<&str>, reason: HeldReason) -> RunEvent {
    RunEvent::LoanPinned(Box::new(LoanPinned {
        loan_id: loan_id.into(),
        pool_name: pool.into(),
        trade_id: trade_id.map(Into::into),
        settlement_date: trade_id.map(|_| day("2026-02-12")),
        loan_amount: usd(60_000),
        held_reason: reason,
        price: trade_id.map(|_| pts("101")),
        payup: trade_id.map(|_| Price::ZERO),
        carry_cost: None,
        prx_plus_carry: None,
        score: trade_id.map(|_| pts("101")),
    }))
}

pub fn matched(node: &Arc<Node>, turn: u32, loans: u64) -> RunEvent {
    RunEvent::ConstraintMatched(Box::new(ConstraintMatched {
        node: Arc::clone(node),
        turn,
        loans_matched: loans,
        trades: 2,
        lo_limit: None,
        hi_limit: Some("0.15".parse().unwrap()),
    }))
}

pub fn candidate(turn: u32, rank: u32, loan_id: &str, trade_id: &str, price: &str) -> RunEvent {
    RunEvent::CandidateScored(CandidateScored {
        turn,
        candidate_rank: rank,
        node: node("", 1),
        loan_id: loan_id.into(),
        trade_id: trade_id.into(),
        pricing: pricing(price),
    })
}

pub fn rejected(loan_id: &str, pairs: &[(&str, RejectionReason)]) -> RunEvent {
    let rejections = pairs
        .iter()
        .map(|(trade_id, reason)| Rejection { trade_id: (*trade_id).into(), reason: *reason })
        .collect();
    RunEvent::CandidatesRejected(CandidatesRejected { loan_id: loan_id.into(), rejections })
}

/// A placement: loan, trade, pass, sequence, amount, price, filled after.
pub fn allocated(
    (loan_id, amount): (&str, i64),
    (trade_id, filled_after): (&str, i64),
    pass: Pass,
    allocation_seq: u64,
    price: &str,
) -> LoanAllocated {
    LoanAllocated {
        turn: 1,
        node: node("", 1),
        loan_id: loan_id.into(),
        trade_id: trade_id.into(),
        pass,
        allocation_seq,
        loan_amount: usd(amount),
        pricing: pricing(price),
        settlement_date: day("2026-02-12"),
        prior_pool_name: None,
        prior_trade_id: None,
        filled_after: usd(filled_after),
    }
}

pub fn moved(
    (loan_id, amount): (&str, i64),
    (from, from_after): (&str, i64),
    (to, after): (&str, i64),
    pass: Pass,
    allocation_seq: u64,
    price: &str,
) -> LoanMoved {
    LoanMoved {
        turn: 1,
        node: node("CA", 2),
        loan_id: loan_id.into(),
        from_trade_id: from.into(),
        to_trade_id: to.into(),
        pass,
        allocation_seq,
        loan_amount: usd(amount),
        pricing: pricing(price),
        settlement_date: day("2026-02-19"),
        marginal_cost: usd(375),
        made_room_for: None,
        from_filled_after: usd(from_after),
        filled_after: usd(after),
    }
}

pub fn released(
    (loan_id, amount): (&str, i64),
    (trade_id, after): (&str, i64),
    by: &str,
) -> RunEvent {
    RunEvent::LoanReleased(Box::new(LoanReleased {
        turn: 1,
        loan_id: loan_id.into(),
        trade_id: trade_id.into(),
        pass: Pass::FillRemaining,
        loan_amount: usd(amount),
        marginal_cost: pts("0.25"),
        exchanged_for: by.into(),
        filled_after: usd(after),
    }))
}

pub fn pass(pass: Pass, turn: Option<u32>, allocated: u64, moved: u64) -> RunEvent {
    RunEvent::PassCompleted(PassCompleted {
        pass,
        turn,
        allocated,
        moved,
        released: 0,
        iterations: 1,
        converged: true,
    })
}

pub fn fill(trade_id: &str, open: i64, filled: i64, fill_status: FillStatus) -> RunEvent {
    let (min, max) = (open - open / 10, open + open / 10);
    RunEvent::TradeFillEvaluated(Box::new(TradeFillEvaluated {
        trade_id: trade_id.into(),
        open_amount: usd(open),
        min_amount: usd(min),
        max_amount: usd(max),
        filled_amount: usd(filled),
        loan_count: 2,
        fill_status,
        shortfall_amount: usd((min - filled).max(0)),
        wavg_price: Some(pts("101")),
        wavg_note_rate: Some("6.5".parse().unwrap()),
        wavg_fico: Some("712.5".parse().unwrap()),
        wavg_ltv: None,
    }))
}

pub fn kicked_out(loan_id: &str, reason: KickoutReason, best: Option<(&str, &str)>) -> RunEvent {
    RunEvent::LoanKickedOut(Box::new(LoanKickedOut {
        loan_id: loan_id.into(),
        reason,
        constraints_matched: 1,
        candidates: u64::from(best.is_some()),
        best_trade_id: best.map(|(trade_id, _)| trade_id.into()),
        best_score: best.map(|(_, score)| pts(score)),
        pool_name: None,
        loan_amount: usd(290_000),
    }))
}

pub fn posting(
    trade_id: Option<&str>,
    loan_id: &str,
    pool_action: PoolAction,
    from: Option<&str>,
    to: Option<&str>,
) -> RunEvent {
    let about = match pool_action {
        PoolAction::Remaining | PoolAction::Leaving | PoolAction::Switching => from,
        PoolAction::Joining | PoolAction::SwappedIn => to,
    };
    RunEvent::PoolActionDerived(Box::new(PoolActionDerived {
        trade_id: trade_id.map(Into::into),
        loan_id: loan_id.into(),
        pool_action,
        settlement_date: trade_id.map(|_| day("2026-02-12")),
        pool_name: about.unwrap().into(),
        from_pool_name: from.map(Into::into),
        to_pool_name: to.map(Into::into),
        loan_amount: usd(290_000),
        price: to.map(|_| pts("101")),
    }))
}

pub fn synthetic(instrument: &str, kind: InstrumentKind, grid: &[(&str, &str)]) -> RunEvent {
    RunEvent::SyntheticTradePriced(Box::new(SyntheticTradePriced {
        syn_trade_id: format!("SYN-{instrument}-2026-02-12").into(),
        investor_id: "CHASE".into(),
        investor_instrument_name: instrument.into(),
        kind,
        settlement_date: day("2026-02-12"),
        grid: grid
            .iter()
            .map(|(rate, price)| GridPoint { note_rate: rate.parse().unwrap(), price: pts(price) })
            .collect(),
    }))
}

pub fn option(instrument: &str, price: &str, rank_po: u32, rank_pc: u32) -> SyntheticOption {
    SyntheticOption {
        slot: Arc::new(SyntheticSlot {
            syn_trade_id: format!("SYN-{instrument}-2026-02-12").into(),
            investor_instrument_name: instrument.into(),
            settlement_date: day("2026-02-12"),
        }),
        interest_earning_days: 38,
        price: pts(price),
        payup: Price::ZERO,
        carry_cost: Price::ZERO,
        prx_plus_carry: pts(price),
        rank_po,
        rank_pc,
    }
}

/// The best option is the first of those given; `allocated` is trade and score.
pub fn ranked(
    loan_id: &str,
    options: Vec<SyntheticOption>,
    allocated: Option<(&str, &str)>,
) -> RunEvent {
    RunEvent::SyntheticOptionsRanked(Box::new(SyntheticOptionsRanked {
        loan_id: loan_id.into(),
        best_syn_trade_id: options[0].slot.syn_trade_id.clone(),
        allocated_trade_id: allocated.map(|(trade_id, _)| trade_id.into()),
        allocated_score: allocated.map(|(_, score)| pts(score)),
        give_up: allocated.map(|(_, score)| options[0].price - pts(score)),
        options,
    }))
}

pub fn completed(counts: &[(&str, u64)], output_digest: &str) -> RunEvent {
    RunEvent::RunCompleted(Box::new(RunCompleted {
        counts: counts.iter().map(|(table, rows)| ((*table).to_owned(), *rows)).collect(),
        output_digest: output_digest.to_owned(),
        tables: Vec::new(),
    }))
}

pub fn failed(step: Step) -> RunEvent {
    RunEvent::RunFailed(RunFailed {
        step,
        code: "PREFLIGHT_REFUSED".into(),
        message: "2 errors; see the findings".into(),
    })
}
