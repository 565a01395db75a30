//! A challenge as text, for people.

use std::cmp::Reverse;
use std::fmt::Write;

use powerfill_app::challenge::ChallengeResult;
use powerfill_events::challenge::{
    AllocationTotals, BoundCertified, ChallengeEvent, ChallengerPlaced, PriceSubject,
    RunCertificate, ShadowPriceFound,
};
use powerfill_events::run::RunId;
use powerfill_events::values::{Money, Price};
use powerfill_explain::{limit_name, price_words};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::output::{grouped, text_table};
use crate::summary::count;
use crate::words::short_id;

/// The largest number of listed prices, of listed parts of the gap, and of listed loans.
const LISTED: usize = 8;

/// The challenge as text.
pub(super) fn text(run: RunId, result: &ChallengeResult) -> String {
    let certified = &result.judgment.certified;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "Run {run}\n\
         is within {} bp ({}) of the best possible: no allocation of its\n\
         candidates within rooms, limits, and priorities is worth more than {}.\n\
         The checks have computed this bound again, exactly.",
        certified.basis_points(certified.gap),
        whole_dollars(certified.gap),
        whole_dollars(certified.bound)
    );
    side_by_side(result, certified, &mut out);
    prices(result, &mut out);
    gap(result, &mut out);
    movers(run, result, &mut out);
    out
}

/// One line: how far a run is from the best possible, and which challenge says so.
pub(crate) fn within(certificate: &RunCertificate) -> String {
    let RunCertificate { challenge, gap_bp, certified } = certificate;
    let gap = short_dollars(certified.gap);
    format!("\nWithin {gap_bp} bp ({gap}) of the best possible, says\n{challenge}\n")
}

/// Both allocations and their difference.
fn side_by_side(result: &ChallengeResult, certified: &BoundCertified, out: &mut String) {
    let Some(ChallengeEvent::ChallengeCompleted(completed)) = result.events.last() else { return };
    let challenger = completed.challenger.as_ref().zip(result.judgment.challenger.as_ref());
    let (run, own) = (&completed.run, challenger.map(|(totals, _)| totals));
    let worths = (certified.run_worth, challenger.map(|(_, verified)| verified.worth));
    let gaps = (certified.gap, challenger.map(|(_, verified)| verified.gap));
    let dollars = |(run, own): (Decimal, Option<Decimal>)| {
        let change = own.map_or_else(String::new, |own| signed(own - run));
        [whole_dollars(run), own.map_or_else(String::new, whole_dollars), change]
    };
    let money = |of: fn(&AllocationTotals) -> Money| {
        dollars((of(run).to_decimal(), own.map(|own| of(own).to_decimal())))
    };
    let number = |of: fn(&AllocationTotals) -> u64| {
        let change = own.map_or_else(String::new, |own| {
            let (from, to) = (of(run), of(own));
            let sign = if to < from { "−" } else { "+" };
            format!("{sign}{}", count(from.abs_diff(to)))
        });
        [count(of(run)), own.map_or_else(String::new, |own| count(of(own))), change]
    };
    let bp = |gap: Decimal| format!("{} bp", certified.basis_points(gap));
    let rows = [
        ("worth", dollars(worths)),
        ("proceeds", money(|totals| totals.proceeds)),
        ("placed", money(|totals| totals.placed_amount)),
        ("placed loans", number(|totals| totals.placed)),
        ("kicked out", number(|totals| totals.kicked_out)),
        ("filled trades", number(|totals| totals.filled_trades)),
        ("switches", number(|totals| totals.switches)),
        ("gap", dollars(gaps)),
        (
            "  of the eligible amount",
            [bp(gaps.0), gaps.1.map_or_else(String::new, bp), String::new()],
        ),
    ];
    let columns = if own.is_some() { 3 } else { 1 };
    let header = ["", "run", "challenger", "change"];
    let rows = rows.map(|(what, cells)| {
        std::iter::once(what.to_owned()).chain(cells.into_iter().take(columns)).collect::<Vec<_>>()
    });
    let _ = writeln!(out, "\n{}", text_table(&header[..=columns], rows, &[1, 2, 3]));
}

/// The highest prices, in words.
fn prices(result: &ChallengeResult, out: &mut String) {
    let mut found = found_prices(result);
    found.sort_by_key(|found| Reverse(found.price));
    list_prices(&found, "--out and --format csv have all", out);
}

/// What one more $100,000 is worth, by prices that are sorted. `rest` says where the others are.
pub(crate) fn list_prices(found: &[&ShadowPriceFound], rest: &str, out: &mut String) {
    if found.is_empty() {
        let _ = writeln!(out, "\nNo room, limit, or priority has a price: none of them binds");
        return;
    }
    let _ = writeln!(out, "\nWhat one more $100,000 is worth, highest first");
    for found in found.iter().take(LISTED) {
        let (worth, what) = price_words(found);
        let _ = writeln!(out, "  {worth:>9}  {what}");
    }
    if let Some(more) = found.len().checked_sub(LISTED).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {} more; {rest}", count(more as u64));
    }
}

/// The terms of the run's gap.
fn gap(result: &ChallengeResult, out: &mut String) {
    let found = found_prices(result);
    let of = |wanted: fn(&PriceSubject) -> bool| -> Decimal {
        found.iter().filter(|found| wanted(&found.subject)).map(|found| found.run_gap).sum()
    };
    let trades = of(|subject| matches!(subject, PriceSubject::Trade { .. }));
    let limits = of(|subject| matches!(subject, PriceSubject::Block { .. }));
    let turns = of(|subject| matches!(subject, PriceSubject::Turn { .. }));
    let loans = result.judgment.certified.gap - trades - limits - turns;
    let _ = writeln!(out, "\nWhere the gap of the run is");
    for (what, dollars) in [
        ("room of trades that is worth money and is not used", trades),
        ("room under limits that is worth money and is not used", limits),
        ("turns that place more than they must", turns),
        ("loans that are not where they are worth most, or are kicked out", loans),
    ] {
        let _ = writeln!(out, "  {:>13}  {what}", whole_dollars(dollars));
    }
    let mut largest: Vec<_> = found.iter().filter(|found| found.run_gap > Decimal::ZERO).collect();
    largest.sort_by_key(|found| Reverse(found.run_gap));
    for found in largest.iter().take(LISTED / 2) {
        let subject = match &found.subject {
            PriceSubject::Trade { trade_id } => format!("unused room of {trade_id}"),
            PriceSubject::Block { node, trade_id } => {
                format!("unused {} in {trade_id}", limit_name(node))
            }
            PriceSubject::Turn { turn } => format!("turn {turn}"),
        };
        let _ = writeln!(out, "      {:>13}  {subject}", whole_dollars(found.run_gap));
    }
}

/// The loans that the challenger decides otherwise.
fn movers(run: RunId, result: &ChallengeResult, out: &mut String) {
    let (mut moved, mut entered, mut released) = (Vec::new(), Vec::new(), 0);
    for event in &result.events {
        match event {
            ChallengeEvent::ChallengerPlaced(placed) if placed.from_trade_id.is_some() => {
                moved.push(placed.as_ref());
            }
            ChallengeEvent::ChallengerPlaced(placed) => entered.push(placed.as_ref()),
            ChallengeEvent::ChallengerReleased(_) => released += 1,
            ChallengeEvent::ChallengeRequested(_)
            | ChallengeEvent::ShadowPriceFound(_)
            | ChallengeEvent::BoundCertified(_)
            | ChallengeEvent::ChallengerVerified(_)
            | ChallengeEvent::ChallengeCompleted(_) => {}
        }
    }
    if moved.len() + entered.len() + released == 0 {
        return;
    }
    let _ = writeln!(
        out,
        "\nThe challenger places {} kicked-out loans, moves {}, and leaves out {}.",
        count(entered.len() as u64),
        count(moved.len() as u64),
        count(released as u64)
    );
    let gain = |placed: &ChallengerPlaced| {
        let points =
            placed.to_score_after_prices - placed.from_score_after_prices.unwrap_or_default();
        placed.loan_amount.at_points(points)
    };
    moved.sort_by_key(|placed| Reverse(gain(placed)));
    entered.sort_by_key(|placed| Reverse(placed.loan_amount));
    let score = |score: Option<Price>| score.map_or("-".to_owned(), three_decimals);
    let rows = entered.iter().take(LISTED / 2).chain(moved.iter().take(LISTED)).map(|placed| {
        [
            placed.loan_id.to_string(),
            placed.from_trade_id.as_ref().map_or("kicked out".to_owned(), ToString::to_string),
            score(placed.from_score),
            score(placed.from_score_after_prices),
            placed.to_trade_id.to_string(),
            score(Some(placed.to_score)),
            score(Some(placed.to_score_after_prices)),
        ]
    });
    let header = ["loan", "from", "score", "net", "to", "score", "net"];
    let _ = writeln!(out, "{}", text_table(&header, rows, &[2, 3, 5, 6]));
    let _ = writeln!(
        out,
        "net: the score less the prices of the trade and its limits, plus those of turns.\n\
         `powerfill explain {} --loan ID` says why the run decided as it did",
        short_id(run)
    );
}

fn found_prices(result: &ChallengeResult) -> Vec<&ShadowPriceFound> {
    let found = result.events.iter().filter_map(|event| match event {
        ChallengeEvent::ShadowPriceFound(found) => Some(found.as_ref()),
        _ => None,
    });
    found.collect()
}

/// Dollars in millions where there are some: `$2.85M`, else without cents.
fn short_dollars(dollars: Decimal) -> String {
    let millions = dollars / Decimal::from(1_000_000);
    if millions < Decimal::ONE {
        return whole_dollars(dollars);
    }
    let rounded = millions.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    format!("${rounded:.2}M")
}

/// Dollars without cents, with thousands separators.
pub(crate) fn whole_dollars(dollars: Decimal) -> String {
    let rounded = dollars.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    let sign = if rounded < Decimal::ZERO { "−" } else { "" };
    format!("{sign}${}", grouped(&rounded.abs().to_string()))
}

fn signed(dollars: Decimal) -> String {
    let sign = if dollars < Decimal::ZERO { "" } else { "+" };
    format!("{sign}{}", whole_dollars(dollars))
}

/// A score to three decimals.
fn three_decimals(score: Price) -> String {
    let rounded =
        score.to_decimal().round_dp_with_strategy(3, RoundingStrategy::MidpointAwayFromZero);
    format!("{rounded:.3}")
}
