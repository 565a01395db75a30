//! What a run comes to, and what moves from one run to another on changed input (specification
//! 8.3).

use std::collections::HashMap;

use powerfill_events::run::event::{FillStatus, PoolAction, RunFailed};
use powerfill_events::run::{RecordedEvent, RunId};
use powerfill_events::values::{Money, fold};
use powerfill_tables::named_row::named_rows;
use powerfill_tables::summary::RunSummary;
use powerfill_tables::table::RowBatch;
use powerfill_tables::tables::{Projector, powerfill_guide, value_summary};
use serde::Serialize;

/// The numbers of a run that a try is judged by. Amounts are in dollars (7.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RunOutcome {
    /// Why preflight or the checks refuse the run; NULL where they do not. All numbers are 0 then.
    pub failure: Option<RunFailed>,
    /// Proceeds of all loans in included trades, pay-ups included.
    pub proceeds: Money,
    /// Their carry.
    pub carry: Money,
    /// Proceeds and carry.
    pub value: Money,
    /// The pick-up against the trades that the loans are in now.
    pub pick_up: Money,
    /// Loans that a pass placed.
    pub placed: u64,
    /// Kicked-out loans.
    pub kicked_out: u64,
    /// Included trades that are filled.
    pub filled: u64,
    /// Included trades below their minimum.
    pub under: u64,
    /// Loans that change from one pool to another.
    pub switches: u64,
    #[serde(skip)]
    places: HashMap<String, LoanWorth>,
}

/// Where a loan is, and what it is worth there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LoanWorth {
    /// The loan as its table spells it.
    loan_id: String,
    trade_id: String,
    amount: Money,
    /// Price and carry; zero without a price.
    value: Money,
}

/// A loan that is in another trade, or in none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mover {
    /// The loan.
    pub loan_id: String,
    /// Its trade before; NULL for none.
    pub from_trade_id: Option<String>,
    /// Its trade after; NULL for none.
    pub to_trade_id: Option<String>,
    /// Its amount.
    pub loan_amount: Money,
    /// Its proceeds and carry after, less those before; a loan in no trade has none.
    pub value_change: Money,
}

impl RunOutcome {
    /// The outcome of a run from all its events.
    pub fn of_events<'e>(run: RunId, events: impl Iterator<Item = RecordedEvent<'e>>) -> Self {
        let mut summary = RunSummary::new(run);
        let (mut value, mut guide) = (value_summary::projector(), powerfill_guide::projector());
        for event in events {
            summary.apply(&event);
            value.apply(&event);
            guide.apply(&event);
        }
        let count = |status| summary.fill_statuses.get(&status).copied().unwrap_or_default();
        let switches = summary.pool_actions.get(&PoolAction::Switching);
        let mut outcome = Self {
            placed: summary.loans.allocated.values().sum(),
            kicked_out: summary.loans.kicked_out,
            filled: count(FillStatus::Filled),
            under: count(FillStatus::Under),
            switches: switches.copied().unwrap_or_default(),
            failure: summary.failure,
            ..Self::default()
        };
        outcome.take_value(&rows_of(&value));
        outcome.take_places(&rows_of(&guide));
        outcome
    }

    /// Takes the row of the whole run.
    fn take_value(&mut self, rows: &RowBatch) {
        let Some(row) = named_rows(rows).find(|row| row.str("grouping") == "run") else { return };
        self.proceeds = row.amount("proceeds_amount");
        self.carry = row.amount("carry_amount");
        self.value = row.amount("value_amount");
        self.pick_up = row.amount("pick_up_amount");
    }

    fn take_places(&mut self, rows: &RowBatch) {
        for row in named_rows(rows).filter(|row| !row.str("trade_id").is_empty()) {
            let amount: Money = row.amount("loan_amount");
            let dollars = |column| amount.at_points(row.amount(column));
            let value = dollars("price") + dollars("carry_cost");
            let [loan_id, trade_id] = ["loan_id", "trade_id"].map(|id| row.str(id).to_owned());
            self.places.insert(fold(&loan_id), LoanWorth { loan_id, trade_id, amount, value });
        }
    }

    /// The loans that are in another trade in a later outcome, the largest change of value first,
    /// then by loan.
    pub fn movers(&self, later: &Self) -> Vec<Mover> {
        let mover = |before: Option<&LoanWorth>, after: Option<&LoanWorth>| {
            let either = after.or(before)?;
            let trade = |place: Option<&LoanWorth>| place.map(|place| place.trade_id.clone());
            let value = |place: Option<&LoanWorth>| place.map_or(Money::ZERO, |place| place.value);
            Some(Mover {
                loan_id: either.loan_id.clone(),
                from_trade_id: trade(before),
                to_trade_id: trade(after),
                loan_amount: either.amount,
                value_change: value(after) - value(before),
            })
        };
        let is_same = |place: &LoanWorth, other: Option<&LoanWorth>| {
            other.is_some_and(|other| fold(&other.trade_id) == fold(&place.trade_id))
        };
        let gone_or_moved = self.places.iter().filter_map(|(loan, before)| {
            let after = later.places.get(loan);
            if is_same(before, after) { None } else { mover(Some(before), after) }
        });
        let new = later.places.iter().filter(|(loan, _)| !self.places.contains_key(*loan));
        let mut movers: Vec<Mover> =
            gone_or_moved.chain(new.filter_map(|(_, after)| mover(None, Some(after)))).collect();
        movers.sort_by_cached_key(|mover| {
            let size = mover.value_change.units().unsigned_abs();
            (std::cmp::Reverse(size), fold(&mover.loan_id))
        });
        movers
    }
}

fn rows_of(projector: &impl Projector) -> RowBatch {
    let mut rows = RowBatch::new(projector.table());
    projector.rows(&mut rows);
    rows
}
