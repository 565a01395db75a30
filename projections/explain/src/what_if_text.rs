//! The text of a what-if: what would have placed a loan.

use std::fmt::{Formatter, Result};

use powerfill_events::values::LoanId;
use powerfill_facts::what_if::{
    ChangeKind, ChangeOutcome, ChangeResult, NotTriedReason, PlacingChange, SideEffects,
    TrialChange, WhatIf,
};

use super::words::{counted, few, node_name, points, short, usd};

/// The number of loans that a line names before it counts the rest.
const NAMED: usize = 6;

/// Writes one paragraph per kind of change.
pub(super) fn write_what_if(what_if: &WhatIf, f: &mut Formatter<'_>) -> Result {
    let runs = counted(u64::from(what_if.runs), "run", "runs");
    writeln!(f, "\nWhat would have given it a place ({runs} of the passes):")?;
    for result in &what_if.kinds {
        write_result(result, f)?;
    }
    Ok(())
}

fn write_result(result: &ChangeResult, f: &mut Formatter<'_>) -> Result {
    write!(f, "  {}: ", change_kind_words(result.kind))?;
    match &result.answer {
        ChangeOutcome::Places(finding) => write_placing_change(finding, f),
        ChangeOutcome::DoesNot { tried, gave_up } => {
            let tried = few(tried.iter().map(change_words), NAMED);
            let gave_up = if *gave_up { "; the bound on re-runs is reached" } else { "" };
            writeln!(f, "would not do; tried {tried}{gave_up}")
        }
        ChangeOutcome::NotTried { reason } => {
            writeln!(f, "would not help, {}", not_tried_words(*reason))
        }
    }
}

fn write_placing_change(finding: &PlacingChange, f: &mut Formatter<'_>) -> Result {
    let PlacingChange { change, not_enough, exact, place, others } = finding;
    writeln!(f, "{}", change_words(change))?;
    writeln!(
        f,
        "    it then goes to trade {}, settling {}, at {}, by {}",
        place.trade_id,
        place.settlement_date,
        points(place.pricing.price),
        place.pass.as_str()
    )?;
    write_side_effects(others, f)?;
    let less = match not_enough {
        Some(change) => format!("with {}", by_words(change)),
        None => "as it was".to_owned(),
    };
    match exact {
        true => writeln!(f, "    tried on both sides: {less} it has no place"),
        false => writeln!(
            f,
            "    {less} it has no place; the bound on re-runs was reached before what lies between"
        ),
    }
}

fn write_side_effects(others: &SideEffects, f: &mut Formatter<'_>) -> Result {
    if others.moved == 0 {
        return writeln!(f, "    no other loan changes its place");
    }
    let moved = counted(others.moved, "other loan changes its", "other loans change their");
    write!(f, "    {moved} place")?;
    for (loans, what) in
        [(&others.kicked_out, "kicked out instead"), (&others.placed, "placed too")]
    {
        if !loans.is_empty() {
            write!(f, "; {what}: {}", few(loans.iter().map(LoanId::to_string), NAMED))?;
        }
    }
    writeln!(f)
}

/// The text of a kind of change.
pub const fn change_kind_words(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::FreedAmount => "more room in a trade",
        ChangeKind::LimitRaised => "a higher limit",
        ChangeKind::PriceFloorLowered => "a lower price floor",
        ChangeKind::BufferShortened => "a shorter buffer",
        ChangeKind::HorizonLengthened => "a longer horizon",
    }
}

fn change_words(change: &TrialChange) -> String {
    match change {
        TrialChange::FreedAmount { trade_id, freed_amount, trade_amount, max_amount, .. } => {
            format!(
                "{} more of trade {trade_id}, a trade_amount of {}, to be filled up to {}",
                usd(*freed_amount),
                usd(*trade_amount),
                usd(*max_amount)
            )
        }
        TrialChange::LimitRaised { node, raised_by, hi_limit } => format!(
            "the limit of {} raised by {} to {}",
            node_name(node),
            short(raised_by),
            short(hi_limit)
        ),
        TrialChange::PriceFloorLowered { lowered_by, bx_price_floor } => {
            format!("the floor lowered by {} to {}", points(*lowered_by), points(*bx_price_floor))
        }
        TrialChange::BufferShortened { days, eligible_settle_buffer_days } => {
            let days = counted(u64::from(days.unsigned_abs()), "day", "days");
            format!("the buffer shortened by {days} to {eligible_settle_buffer_days}")
        }
        TrialChange::HorizonLengthened { days, max_trade_settle_days } => {
            let days = counted(u64::from(days.unsigned_abs()), "day", "days");
            format!("the horizon lengthened by {days} to {max_trade_settle_days}")
        }
    }
}

/// The new value of a change, without the name of what changed.
fn by_words(change: &TrialChange) -> String {
    match change {
        TrialChange::FreedAmount { trade_id, freed_amount, .. } => {
            format!("{} more of {trade_id}", usd(*freed_amount))
        }
        TrialChange::LimitRaised { hi_limit, .. } => short(hi_limit),
        TrialChange::PriceFloorLowered { bx_price_floor, .. } => points(*bx_price_floor),
        TrialChange::BufferShortened { eligible_settle_buffer_days: days, .. }
        | TrialChange::HorizonLengthened { max_trade_settle_days: days, .. } => {
            counted(u64::from(days.unsigned_abs()), "day", "days")
        }
    }
}

const fn not_tried_words(reason: NotTriedReason) -> &'static str {
    match reason {
        NotTriedReason::NoCandidate => "it is a candidate of no trade",
        NotTriedReason::NoAmountFits => {
            "the limits of its trades leave it nothing at any amount in reach"
        }
        NotTriedReason::NoLimitBars => "no limit of its trades bars it",
        NotTriedReason::LimitsBarTogether => {
            "where a limit bars it, another does too, or even a share of 1 leaves too little"
        }
        NotTriedReason::NoPriceFloor => "the run has no price floor",
        NotTriedReason::NothingBelowFloor => "no trade's price for it is below the floor",
        NotTriedReason::NoBuffer => "the run has no buffer",
        NotTriedReason::NothingTooSoon => "no trade settles too soon for it",
        NotTriedReason::NotDeliverable => {
            "what settles too soon settles before it is deliverable at all"
        }
        NotTriedReason::NothingBeyond => {
            "no trade of an instrument that it matches settles beyond the horizon"
        }
    }
}
