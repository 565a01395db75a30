//! The text of a trade's story.

use std::fmt::{Display, Formatter, Result};

use powerfill_events::run::event::{
    ConstraintBlockEvaluated, FillStatus, TradeAssessed, TradeFillEvaluated,
};
use powerfill_facts::{FailureCause, FailureCount, NodeMatchCounts, UnmatchedLoans};

use super::account::TradeAccount;
use super::answer::trade_verdict;
use super::facts_text::level_words;
use super::loan_text::{write_limits, write_verdict};
use super::prices::write_prices;
use super::trade::{
    AbsentCandidate, LoanPlace, Shortage, TradeChange, TradeEntry, TradeExplanation,
};
use super::verdict::CandidateVerdict;
use super::words::{counted, node_name, points, short, thousands, usd};

impl Display for TradeExplanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}", trade_verdict(self))?;
        let Some(trade) = &self.trade else { return Ok(()) };
        write_band(trade, f)?;
        if let Some(fill) = &self.fill {
            write_fill(fill, f)?;
        }
        self.write_loans(f)?;
        if !self.limits.is_empty() {
            writeln!(f, "\nIts limits:")?;
            for limit in &self.limits {
                write_limit(limit, f)?;
            }
        }
        self.write_absent_candidates(f)?;
        match &self.shortage {
            Some(shortage) => self.write_shortage(shortage, f),
            None => Ok(()),
        }
    }
}

impl Display for TradeAccount {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.is_unknown() {
            return writeln!(f, "{}", self.verdict);
        }
        self.story.fmt(f)?;
        write_prices(self.shadow_prices.as_ref(), f)?;
        let Some(UnmatchedLoans { eligible, matched_nothing, nodes }) = &self.never_came else {
            return Ok(());
        };
        let eligible = counted(*eligible, "eligible loan", "eligible loans");
        match matched_nothing {
            0 => writeln!(f, "\nOf {eligible} each matches a constraint of its instrument:")?,
            some => {
                let some = thousands(*some);
                writeln!(f, "\nOf {eligible}, {some} match no constraint of its instrument:")?;
            }
        }
        if nodes.is_empty() {
            writeln!(f, "  no constraint names its instrument")?;
        }
        for node in nodes {
            write_node(node, usize::MAX, f)?;
        }
        Ok(())
    }
}

/// Writes how many loans match a node, and how many failed a condition, up to so many conditions.
pub(super) fn write_node(node: &NodeMatchCounts, most: usize, f: &mut Formatter<'_>) -> Result {
    let matched = counted(node.matched, "loan matches", "loans match");
    writeln!(f, "  turn {}: {}: {matched}", node.turn, node_name(&node.node))?;
    for FailureCount { loans, cause } in node.turned_down.iter().take(most) {
        writeln!(f, "    {} not: {}", thousands(*loans), cause_words(cause))?;
    }
    Ok(())
}

fn cause_words(cause: &FailureCause) -> String {
    match cause {
        FailureCause::UnknownInstrument => "its instrument does not exist".to_owned(),
        FailureCause::OtherInvestor { investor_id } => format!("its instrument is {investor_id}'s"),
        FailureCause::NoteRateBelow { min_note_rate } => {
            format!("note rate below {}", short(min_note_rate))
        }
        FailureCause::NoteRateAbove { max_note_rate } => {
            format!("note rate above {}", short(max_note_rate))
        }
        FailureCause::TermBelow { min_term_months } => {
            format!("term below {min_term_months} months")
        }
        FailureCause::TermAbove { max_term_months } => {
            format!("term above {max_term_months} months")
        }
        FailureCause::Rule { rule_name, attached_to, clause } => {
            format!("rule {rule_name}{} asks for {clause}", level_words(*attached_to))
        }
    }
}

impl TradeExplanation {
    fn write_loans(&self, f: &mut Formatter<'_>) -> Result {
        if !self.pinned.is_empty() {
            writeln!(f, "\nThere before the run, and stay:")?;
            for pinned in &self.pinned {
                let (loan, amount) = (&pinned.loan_id, usd(pinned.loan_amount));
                let reason = pinned.held_reason.as_str();
                writeln!(f, "  {loan} ({amount}) in pool {}: {reason}", pinned.pool_name)?;
            }
        }
        if !self.entries.is_empty() {
            writeln!(f, "\nHow it was filled, in order:")?;
            for entry in &self.entries {
                write_entry(entry, f)?;
            }
        }
        Ok(())
    }

    fn write_absent_candidates(&self, f: &mut Formatter<'_>) -> Result {
        if !self.turned_away.is_empty() {
            let candidates = counted(self.candidates, "candidate", "candidates");
            writeln!(f, "\nOf {candidates}, not here at the end:")?;
            for candidate in &self.turned_away {
                write_absent(candidate, f)?;
            }
        }
        for (reason, loans) in &self.rejected {
            let loans = counted(*loans, "loan was", "loans were");
            writeln!(f, "{loans} no candidate: {}", reason.as_str())?;
        }
        Ok(())
    }

    fn write_shortage(&self, shortage: &Shortage, f: &mut Formatter<'_>) -> Result {
        let short = usd(shortage.shortfall_amount);
        writeln!(f, "\nWhy it is short by {short}:")?;
        if self.candidates == 0 {
            return writeln!(f, "  no loan was a candidate for it");
        }
        if shortage.placed_elsewhere + shortage.kicked_out == 0 {
            return writeln!(f, "  every loan that was a candidate for it is in it");
        }
        for (candidates, amount, what) in [
            (shortage.placed_elsewhere, shortage.placed_elsewhere_amount, "went to other trades"),
            (shortage.kicked_out, shortage.kicked_out_amount, "fit neither here nor elsewhere"),
        ] {
            if candidates > 0 {
                let candidates = counted(candidates, "candidate", "candidates");
                writeln!(f, "  {candidates} of {} {what}", usd(amount))?;
            }
        }
        Ok(())
    }
}

/// Writes when the trade settles, and how it is to be filled.
pub(super) fn write_band(trade: &TradeAssessed, f: &mut Formatter<'_>) -> Result {
    match trade.settlement_date {
        Some(day) => write!(f, "It settles on {day}")?,
        None => write!(f, "It has no settlement date")?,
    }
    let open = usd(trade.open_amount);
    match (&trade.band, trade.exclusion_reason) {
        (Some(band), _) => {
            let (min, max) = (usd(band.min_amount), usd(band.max_amount));
            writeln!(f, ": {open} open, to be filled from {min} to {max}.")
        }
        (None, _) => writeln!(f, ": {open} open."),
    }
}

fn write_fill(fill: &TradeFillEvaluated, f: &mut Formatter<'_>) -> Result {
    let (filled, loans) = (usd(fill.filled_amount), counted(fill.loan_count, "loan", "loans"));
    write!(f, "It has {filled} from {loans}")?;
    if let Some(price) = fill.wavg_price {
        write!(f, ", on average at {}", points(price))?;
    }
    match fill.fill_status {
        FillStatus::Filled => writeln!(f, "."),
        FillStatus::Under => writeln!(f, ", {} below min.", usd(fill.shortfall_amount)),
        FillStatus::Over => {
            writeln!(f, ", {} above max.", usd(fill.filled_amount - fill.max_amount))
        }
    }
}

fn write_entry(entry: &TradeEntry, f: &mut Formatter<'_>) -> Result {
    let (loan, amount, filled) = (&entry.loan_id, usd(entry.loan_amount), usd(entry.filled_after));
    let pass = entry.pass.as_str();
    match &entry.change {
        TradeChange::Placed { allocation_seq, score } => {
            let score = points(*score);
            write!(f, "  {allocation_seq}. {loan} ({amount}) by {pass}, score {score}")?;
        }
        TradeChange::MovedIn { allocation_seq, score, from_trade_id, made_room_for } => {
            let score = points(*score);
            write!(
                f,
                "  {allocation_seq}. {loan} ({amount}) from trade {from_trade_id} by {pass}, score {score}"
            )?;
            if let Some(other) = made_room_for {
                write!(f, ", to make room there for {other}")?;
            }
        }
        TradeChange::MovedOut { to_trade_id, made_room_for } => {
            write!(f, "  -  {loan} ({amount}) goes to trade {to_trade_id} by {pass}")?;
            if let Some(other) = made_room_for {
                write!(f, ", to make room for {other}")?;
            }
        }
        TradeChange::TakenOut { exchanged_for } => {
            write!(f, "  -  {loan} ({amount}) is taken out by {pass} for {exchanged_for}")?;
        }
    }
    writeln!(f, ": filled to {filled}")
}

pub(super) fn write_limit(limit: &ConstraintBlockEvaluated, f: &mut Formatter<'_>) -> Result {
    write!(f, "  {}: {} used", node_name(&limit.node), usd(limit.used_amount))?;
    if let Some(hi) = limit.hi_amount {
        write!(f, " of at most {}", usd(hi))?;
    }
    match (limit.lo_amount, limit.lo_met) {
        (Some(lo), Some(true)) => writeln!(f, ", the goal of {} is met", usd(lo)),
        (Some(lo), _) => writeln!(f, ", the goal of {} is missed", usd(lo)),
        (None, _) => writeln!(f),
    }
}

/// Writes where an absent candidate is.
pub(super) fn write_place(place: &LoanPlace, f: &mut Formatter<'_>) -> Result {
    match place {
        LoanPlace::Trade { trade_id, pass, score } => {
            let score = points(*score);
            writeln!(f, "in trade {trade_id} by {}, score {score}", pass.as_str())
        }
        LoanPlace::KickedOut { reason } => writeln!(f, "kicked out, {}", reason.as_str()),
        LoanPlace::Unplaced => writeln!(f, "without a place so far"),
    }
}

fn write_absent(candidate: &AbsentCandidate, f: &mut Formatter<'_>) -> Result {
    let AbsentCandidate { loan_id, turn, candidate_rank, .. } = candidate;
    write!(f, "  turn {turn}, rank {candidate_rank}: {loan_id}")?;
    if let Some(amount) = candidate.loan_amount {
        write!(f, " ({})", usd(amount))?;
    }
    write!(f, ", score {}: ", points(candidate.score))?;
    write_place(&candidate.place, f)?;
    write!(f, "    ")?;
    write_verdict(&candidate.verdict, f)?;
    match &candidate.verdict {
        CandidateVerdict::LimitBarred { full_limits, .. } => write_limits(full_limits.limits(), f),
        _ => Ok(()),
    }
}
