//! The text of facts about a loan.

use std::collections::BTreeMap;
use std::fmt::{Formatter, Result};

use powerfill_events::run::event::ExclusionReason;
use powerfill_facts::{
    LoanFacts, LockSource, MissingPrice, NodeFacts, NodeFailure, NodeValue, ParticipationFacts,
    ParticipationFailure, PoolFacts, RejectedPair, RejectionCause, TreeLevel,
};

use super::words::{counted, few, node_name, points, short, usd};

/// The number of names that a line has before it counts the rest.
const NAMED: usize = 6;

/// Writes the amount and the pool of a loan that no event names.
pub(super) fn write_amount(facts: &LoanFacts, f: &mut Formatter<'_>) -> Result {
    write!(f, "It is {}, ", usd(facts.loan_amount))?;
    match &facts.pool {
        Some(pool) => writeln!(f, "in pool {}.", pool.pool_name),
        None => writeln!(f, "in no pool."),
    }
}

/// Writes the loan's data, and whether it takes part.
pub(super) fn write_loan(facts: &LoanFacts, f: &mut Formatter<'_>) -> Result {
    write!(f, "Its status is {}, its note rate {}", facts.curr_status, short(facts.note_rate))?;
    if let Some(term) = facts.term_months {
        write!(f, ", its term {term} months")?;
    }
    match (facts.close_date, facts.lock_expiration_date) {
        (Some(day), _) => writeln!(f, "; deliverable on {day}, when it closes.")?,
        (None, Some(day)) => writeln!(f, "; deliverable on {day}, when its lock expires.")?,
        (None, None) => writeln!(f, "; it is neither closed nor locked.")?,
    }
    match &facts.participation {
        ParticipationFacts::Eligible => writeln!(f, "It is eligible.")?,
        ParticipationFacts::Locked { locked_by } => {
            let by = match locked_by {
                LockSource::LockdownGuide => "the lockdown guide says so",
                LockSource::ClosedPool => "it is closed, and the lockdown guide has no row for it",
            };
            writeln!(f, "Its pool is locked: {by}.")?;
        }
        ParticipationFacts::Held { hindrance, .. } => {
            writeln!(f, "It is held: {}.", failure_words(hindrance))?;
        }
        ParticipationFacts::OutOfScope { hindrance, .. } => {
            writeln!(f, "It is out of scope: {}.", failure_words(hindrance))?;
        }
    }
    facts.pool.as_ref().map_or(Ok(()), |pool| write_pool(pool, f))
}

pub(super) fn failure_words(hindrance: &ParticipationFailure) -> String {
    match hindrance {
        ParticipationFailure::Status { curr_status, stage_rank, min_status, min_rank } => {
            match (stage_rank, min_rank) {
                (Some(rank), Some(min_rank)) => format!(
                    "its status {curr_status} (rank {rank}) is below {min_status} (rank {min_rank}), \
                     the lowest that takes part"
                ),
                (None, Some(min_rank)) => format!(
                    "its status {curr_status} has no rank, and {min_status} (rank {min_rank}) is the \
                     lowest that takes part"
                ),
                (_, None) => format!(
                    "its status {curr_status} is not {min_status}, which has no rank, so that only \
                     this very status takes part"
                ),
            }
        }
        ParticipationFailure::Scope { close_date, as_of } => {
            let closes = match close_date {
                Some(day) => format!("it closes on {day}"),
                None => "it has no close date".to_owned(),
            };
            format!("the run takes loans that are closed on {as_of}, and {closes}")
        }
        ParticipationFailure::NoEligibilityDate => "it is neither closed nor locked".to_owned(),
        ParticipationFailure::NotEligibleInTime { deliverable_on, latest } => {
            format!("it is deliverable on {deliverable_on}, the run looks ahead to {latest}")
        }
        ParticipationFailure::TradeNotInRun { trade_id, exclusion_reason, settlement_date } => {
            let settles = settlement_date.map(|day| format!(" (settling {day})"));
            let why = exclusion_reason.words();
            let settles = settles.unwrap_or_default();
            format!("its pool's trade {trade_id}{settles} is not in the run: {why}")
        }
    }
}

/// What is out of the ordinary about its pool.
fn write_pool(pool: &PoolFacts, f: &mut Formatter<'_>) -> Result {
    let name = &pool.pool_name;
    if pool.closed && pool.lock_pool == Some(false) {
        writeln!(f, "Pool {name} is closed, but the lockdown guide does not lock it.")?;
    }
    match &pool.trade {
        Some(trade) if !trade.counts => {
            let why = trade.exclusion_reason.map_or("it is not in the run", ExclusionReason::words);
            writeln!(
                f,
                "Pool {name} counts as designated to no trade: its trade is {}, and {why}.",
                trade.trade_id
            )
        }
        Some(_) | None => Ok(()),
    }
}

/// Writes the nodes that the loan matches.
pub(super) fn write_matched(facts: &LoanFacts, f: &mut Formatter<'_>) -> Result {
    let matched = facts.nodes.iter().filter(|node| node.matched);
    if matched.clone().next().is_none() {
        return Ok(());
    }
    let (some, all) = (matched.clone().count(), facts.nodes.len() as u64);
    let all = counted(all, "constraint", "constraints");
    writeln!(f, "\nIt matches {some} of {all}:")?;
    for node in matched {
        write!(f, "  turn {}: {}", node.turn, node_name(&node.node))?;
        if let Some(limit) = node.hi_limit {
            write!(f, ", at most {} of a trade", short(limit))?;
        }
        writeln!(f, "{}", trades_words(node))?;
    }
    Ok(())
}

fn trades_words(node: &NodeFacts) -> String {
    if node.trades > 0 {
        return format!(", {}", counted(node.trades, "trade", "trades"));
    }
    let excluded = node.excluded_trades.iter();
    let excluded: Vec<String> =
        excluded.map(|(reason, count)| format!("{count} {}", reason.as_str())).collect();
    match excluded.is_empty() {
        true => ", which has no trade".to_owned(),
        false => format!(", no trade in the run: {}", excluded.join(", ")),
    }
}

/// The nodes that the loan does not match, in groups with the same failures, the nearest first:
/// those that only a rule kept the loan from.
fn unmatched(facts: &LoanFacts) -> BTreeMap<(Nearness, String), Vec<String>> {
    let mut alike: BTreeMap<(Nearness, String), Vec<String>> = BTreeMap::new();
    for node in facts.nodes.iter().filter(|node| !node.matched) {
        let (nearness, failed, bounds) = failed_words(&node.failures);
        alike.entry((nearness, failed)).or_default().push(node_name(&node.node) + &bounds);
    }
    alike
}

/// The nearest node that the loan does not match, and what failed.
pub(super) fn nearest_unmatched(facts: &LoanFacts) -> Option<String> {
    let ((_, failed), nodes) = unmatched(facts).into_iter().next()?;
    Some(format!("{}: {failed}", nodes.first()?))
}

/// Writes the nodes that the loan does not match, up to so many groups: a book with hundreds of
/// nodes must not push the candidates out of sight.
pub(super) fn write_unmatched(facts: &LoanFacts, groups: usize, f: &mut Formatter<'_>) -> Result {
    let alike = unmatched(facts);
    if alike.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nWhat it does not match, the nearest first:")?;
    let further: usize = alike.values().skip(groups).map(Vec::len).sum();
    for ((_, failed), nodes) in alike.into_iter().take(groups) {
        writeln!(f, "  {}: {failed}", few(nodes.into_iter(), NAMED))?;
    }
    if further > 0 {
        writeln!(
            f,
            "  and {further} that are further away; --format json has each with what failed"
        )?;
    }
    Ok(())
}

/// How near a loan is to matching a node, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// This number of conditions of rules failed.
    Rules(usize),
    /// A bound of the instrument failed, so that the rules do not matter.
    Bounds,
    /// The node matches nothing.
    Nothing,
}

/// The failures, in words that are the same for all nodes with the same failures, and the bounds of
/// this node.
fn failed_words(failures: &[NodeFailure]) -> (Nearness, String, String) {
    let mut nearness = Nearness::Rules(failures.len());
    let (mut rules, mut outside, mut bounds) = (Vec::new(), Vec::new(), Vec::new());
    for failure in failures {
        let (failed, bound) = match failure {
            NodeFailure::UnknownInstrument => {
                let words = "it matches nothing, because its instrument does not exist";
                return (Nearness::Nothing, words.to_owned(), String::new());
            }
            NodeFailure::OtherInvestor { investor_id } => {
                let words =
                    format!("it matches nothing, because its instrument is {investor_id}'s");
                return (Nearness::Nothing, words, String::new());
            }
            NodeFailure::NoteRateBelow { note_rate, min_note_rate } => (
                format!("its note rate {} is too low", short(note_rate)),
                format!("from {}", short(min_note_rate)),
            ),
            NodeFailure::NoteRateAbove { note_rate, max_note_rate } => (
                format!("its note rate {} is too high", short(note_rate)),
                format!("to {}", short(max_note_rate)),
            ),
            NodeFailure::TermBelow { term_months, min_term_months } => (
                format!("its term of {term_months} months is too short"),
                format!("from {min_term_months} months"),
            ),
            NodeFailure::TermAbove { term_months, max_term_months } => (
                format!("its term of {term_months} months is too long"),
                format!("to {max_term_months} months"),
            ),
            NodeFailure::Rule { rule_name, attached_to, clause, values, .. } => {
                let level = level_words(*attached_to);
                let values = values_words(values);
                rules.push(format!("rule {rule_name}{level} asks for {clause}{values}"));
                continue;
            }
        };
        nearness = Nearness::Bounds;
        outside.push(failed);
        bounds.push(bound);
    }
    match nearness {
        Nearness::Bounds => (nearness, outside.join(" and "), format!(" ({})", bounds.join(", "))),
        Nearness::Rules(_) | Nearness::Nothing => (nearness, rules.join("; "), String::new()),
    }
}

fn values_words(values: &[NodeValue]) -> String {
    let of_loan = |value: &NodeValue| value.value.clone().unwrap_or_else(|| "NULL".to_owned());
    let values: Vec<String> =
        values.iter().map(|value| format!("{} {}", value.column, of_loan(value))).collect();
    if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) }
}

pub(super) const fn level_words(level: TreeLevel) -> &'static str {
    match level {
        TreeLevel::Node => "",
        TreeLevel::Instrument => " of the instrument",
        TreeLevel::Investor => " of the investor",
    }
}

/// Writes the rejected pairs, with the dates and prices that decided.
pub(super) fn write_rejections(rejections: &[RejectedPair], f: &mut Formatter<'_>) -> Result {
    if rejections.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nWhere it could not go:")?;
    let mut alike: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in rejections {
        let (trade, why) = rejected_words(pair);
        alike.entry(why).or_default().push(trade);
    }
    for (why, trades) in alike {
        writeln!(f, "  {}: {why}", few(trades.into_iter(), 2 * NAMED))?;
    }
    Ok(())
}

pub(super) fn rejected_words(pair: &RejectedPair) -> (String, String) {
    let RejectedPair { trade_id, settlement_date, why } = pair;
    match why {
        RejectionCause::SettlesTooSoon { deliverable_on, buffer_days, earliest } => {
            let buffer = match buffer_days {
                0 => String::new(),
                days => {
                    let days = counted(u64::from(days.unsigned_abs()), "day", "days");
                    format!(", with {days} of buffer on {earliest}")
                }
            };
            (
                format!("{trade_id} ({settlement_date})"),
                format!("settles too soon, it is deliverable on {deliverable_on}{buffer}"),
            )
        }
        RejectionCause::NoPrice(MissingPrice::PricedOnly) => (
            trade_id.to_string(),
            "takes only loans with a price of their own, and it has none there".to_owned(),
        ),
        RejectionCause::NoPrice(MissingPrice::NoGridDate) => {
            (trade_id.to_string(), format!("the price grid has nothing for {settlement_date}"))
        }
        RejectionCause::NoPrice(MissingPrice::BelowGrid { note_rate, lowest_note_rate }) => (
            trade_id.to_string(),
            format!(
                "the price grid for {settlement_date} begins at note rate {}, above its {}",
                short(*lowest_note_rate),
                short(*note_rate)
            ),
        ),
        RejectionCause::BelowPriceFloor { price, price_floor } => (
            format!("{trade_id} (at {})", points(*price)),
            format!("its price is below the floor of {}", points(*price_floor)),
        ),
    }
}
