//! The story of a loan on one screen: the answer, and the few facts that it rests on.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result};

use powerfill_facts::LoanFacts;

use super::account::LoanAccount;
use super::answer::verdict_words;
use super::facts_text::{write_amount, write_loan, write_unmatched};
use super::loan::{CandidateStory, LoanExplanation, LoanOutcome};
use super::loan_text::{write_posting, write_step};
use super::screen::Screen;
use super::what_if_text::write_what_if;
use super::words::{counted, points};

/// The candidates of a summary.
const CANDIDATES: usize = 3;

/// The steps and postings of a summary.
const STEPS: usize = 3;

/// The groups of constraints that the loan does not match.
const UNMATCHED: usize = 2;

/// The account of a loan as text for one screen; the account itself is the whole text.
pub struct LoanSummary<'a>(pub &'a LoanAccount);

impl Display for LoanSummary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let LoanAccount { verdict, story, standing, what_if, .. } = self.0;
        if self.0.is_unknown() {
            return writeln!(f, "{verdict}");
        }
        let facts = standing.as_ref();
        let is_placed = matches!(story.outcome, LoanOutcome::Allocated(_));
        let mut screen = Screen::default();
        screen.add(|f| {
            writeln!(f, "{verdict}")?;
            match (story.loan_amount, facts) {
                (None, None) => {}
                (None, Some(facts)) => write_amount(facts, f)?,
                (Some(_), _) => story.write_place(f)?,
            }
            facts.map_or(Ok(()), |facts| write_own_facts(facts, f))
        });
        screen.add(|f| write_candidates(story, f));
        if !is_placed {
            screen.add(|f| write_rejected_counts(story, f));
            let groups = if story.candidates.is_empty() { UNMATCHED } else { 1 };
            let facts = facts.filter(|_| what_if.is_none());
            screen.add(|f| facts.map_or(Ok(()), |facts| write_unmatched(facts, groups, f)));
        }
        screen.add(|f| write_few(&story.steps, story.steps_title(), "steps", write_step, f));
        screen.add(|f| write_few(&story.postings, "Pools:", "postings", write_posting, f));
        if what_if.is_none() {
            screen.add(|f| story.write_elsewhere(f));
        }
        screen.fmt(f)?;
        match what_if {
            Some(what_if) => write_what_if(what_if, f)?,
            None if self.0.can_have_what_if() => {
                writeln!(f, "\nWhat would have given it a place? Ask with --what-if.")?;
            }
            None => writeln!(f)?,
        }
        writeln!(f, "Why not in another trade? --trade TRADE_ID. Everything: --all.")
    }
}

/// The loan's data, and how many constraints it matches.
fn write_own_facts(facts: &LoanFacts, f: &mut Formatter<'_>) -> Result {
    write_loan(facts, f)?;
    let matched = facts.nodes.iter().filter(|node| node.matched).count();
    let all = counted(facts.nodes.len() as u64, "constraint", "constraints");
    writeln!(f, "It matches {matched} of {all}.")
}

/// The candidates in order, the one that was taken among them.
fn write_candidates(story: &LoanExplanation, f: &mut Formatter<'_>) -> Result {
    let all = &story.candidates;
    if all.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nWhere it could go, the best first:")?;
    let chosen = all.iter().position(CandidateStory::is_chosen);
    let (first, last) = match chosen {
        Some(at) if at >= CANDIDATES => (CANDIDATES - 1, Some(at)),
        _ => (CANDIDATES.min(all.len()), None),
    };
    let shown = all[..first].iter().chain(last.map(|at| &all[at]));
    let mut rest = all.len();
    for candidate in shown {
        rest -= 1;
        let (turn, rank) = (candidate.turn, candidate.candidate_rank);
        write!(f, "  turn {turn}, rank {rank}: trade {}", candidate.trade_id)?;
        if let Some(day) = candidate.settlement_date {
            write!(f, ", settling {day}")?;
        }
        writeln!(f, ", at {}", points(candidate.pricing.price))?;
        writeln!(f, "    {}", verdict_words(&candidate.verdict, &candidate.node))?;
    }
    write_rest(rest, "candidates", f)
}

/// For how many trades the loan is no candidate, by reason.
fn write_rejected_counts(story: &LoanExplanation, f: &mut Formatter<'_>) -> Result {
    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    for pair in &story.rejections {
        *counts.entry(pair.reason).or_default() += 1;
    }
    if !counts.is_empty() {
        writeln!(f, "\nWhere it could not go:")?;
    }
    for (reason, trades) in counts {
        writeln!(f, "  {}: {}", counted(trades, "trade", "trades"), reason.words())?;
    }
    Ok(())
}

fn write_few<T>(
    items: &[T],
    title: &str,
    name: &str,
    write_item: impl Fn(&T, &mut Formatter<'_>) -> Result,
    f: &mut Formatter<'_>,
) -> Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    for item in items.iter().take(STEPS) {
        write_item(item, f)?;
    }
    write_rest(items.len().saturating_sub(STEPS), name, f)
}

/// Says how many of a list are left out.
pub(super) fn write_rest(rest: usize, name: &str, f: &mut Formatter<'_>) -> Result {
    match rest {
        0 => Ok(()),
        rest => writeln!(f, "  and {rest} more {name}"),
    }
}
