//! The story of a trade on one screen: the answer, and the few facts that it rests on.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result};

use powerfill_events::run::event::{ConstraintBlockEvaluated, TradeFillEvaluated};
use powerfill_events::values::Money;
use powerfill_facts::UnmatchedLoans;

use super::account::TradeAccount;
use super::answer::verdict_words;
use super::loan_summary::write_rest;
use super::prices::write_prices;
use super::screen::Screen;
use super::trade::{TradeChange, TradeExplanation};
use super::trade_text::{write_band, write_limit, write_node, write_place};
use super::words::{counted, points, thousands, usd};

/// The limits and absent candidates of a summary.
const SHOWN: usize = 3;

/// The constraints of a summary.
const CONSTRAINTS: usize = 2;

/// The conditions that loans failed, per constraint.
const FAILURES: usize = 2;

/// The account of a trade as text for one screen; the account itself is the whole text.
pub struct TradeSummary<'a>(pub &'a TradeAccount);

impl Display for TradeSummary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let TradeAccount { verdict, story, never_came, shadow_prices } = self.0;
        let Some(trade) = &story.trade else { return writeln!(f, "{verdict}") };
        let mut screen = Screen::default();
        screen.add(|f| {
            writeln!(f, "{verdict}")?;
            write_band(trade, f)?;
            match &story.fill {
                Some(TradeFillEvaluated { wavg_price: Some(price), .. }) => {
                    writeln!(f, "Its loans are at {} on average.", points(*price))
                }
                Some(_) | None => Ok(()),
            }
        });
        screen.add(|f| write_sources(story, f));
        screen.add(|f| write_absent(story, f));
        screen.add(|f| write_limits(&story.limits, f));
        screen.add(|f| write_prices(shadow_prices.as_ref(), f));
        screen
            .add(|f| never_came.as_ref().map_or(Ok(()), |unmatched| write_unmatched(unmatched, f)));
        screen.fmt(f)?;
        writeln!(f, "\nWhy is a loan not here? --loan LOAN_ID. Everything: --all.")
    }
}

/// How many loans it has from where.
fn write_sources(story: &TradeExplanation, f: &mut Formatter<'_>) -> Result {
    let mut sources: BTreeMap<&str, (u64, Money)> = BTreeMap::new();
    let mut add = |source, amount| {
        let (loans, sum) = sources.entry(source).or_default();
        *loans += 1;
        *sum += amount;
    };
    for pinned in &story.pinned {
        add("there before the run", pinned.loan_amount);
    }
    let mut left = 0;
    for entry in &story.entries {
        match entry.change {
            TradeChange::Placed { .. } | TradeChange::MovedIn { .. } => {
                add(entry.pass.as_str(), entry.loan_amount);
            }
            TradeChange::MovedOut { .. } | TradeChange::TakenOut { .. } => left += 1,
        }
    }
    if sources.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nHow it was filled:")?;
    for (source, (loans, amount)) in sources {
        writeln!(f, "  {source}: {} of {}", counted(loans, "loan", "loans"), usd(amount))?;
    }
    match left {
        0 => Ok(()),
        left => writeln!(f, "  of these, {left} left it again"),
    }
}

/// The limits and goals that are used most of what they allow first.
fn write_limits(limits: &[ConstraintBlockEvaluated], f: &mut Formatter<'_>) -> Result {
    if limits.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nIts limits:")?;
    let mut limits: Vec<&ConstraintBlockEvaluated> = limits.iter().collect();
    limits.sort_by_key(|limit| {
        let room = limit.hi_amount.map(|hi| hi - limit.used_amount);
        (room.is_none(), room)
    });
    for limit in limits.iter().take(SHOWN) {
        write_limit(limit, f)?;
    }
    write_rest(limits.len().saturating_sub(SHOWN), "limits", f)
}

fn write_absent(story: &TradeExplanation, f: &mut Formatter<'_>) -> Result {
    if !story.turned_away.is_empty() {
        let candidates = counted(story.candidates, "candidate", "candidates");
        writeln!(f, "\nOf {candidates}, not here at the end:")?;
    }
    for absent in story.turned_away.iter().take(SHOWN) {
        write!(f, "  turn {}, rank {}: {}, ", absent.turn, absent.candidate_rank, absent.loan_id)?;
        write_place(&absent.place, f)?;
        writeln!(f, "    {}", verdict_words(&absent.verdict, &absent.node))?;
    }
    write_rest(story.turned_away.len().saturating_sub(SHOWN), "candidates", f)?;
    for (reason, loans) in &story.rejected {
        let loans = counted(*loans, "loan was", "loans were");
        writeln!(f, "{loans} no candidate: {}", reason.as_str())?;
    }
    Ok(())
}

/// The loans that match no constraint of the trade's instrument.
fn write_unmatched(unmatched: &UnmatchedLoans, f: &mut Formatter<'_>) -> Result {
    let UnmatchedLoans { eligible, matched_nothing, nodes } = unmatched;
    let eligible = counted(*eligible, "eligible loan", "eligible loans");
    let matched_nothing = thousands(*matched_nothing);
    writeln!(f, "\nOf {eligible}, {matched_nothing} match no constraint of its instrument:")?;
    for node in nodes.iter().take(CONSTRAINTS) {
        write_node(node, FAILURES, f)?;
    }
    write_rest(nodes.len().saturating_sub(CONSTRAINTS), "constraints", f)
}
