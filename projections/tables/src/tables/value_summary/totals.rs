//! Sums over the loans of a group, and their rows.

use powerfill_events::values::{Money, Price, round_div};

use super::loans::Place;
use crate::table::{Cell, RowBatch};

/// The sums over the loans of a group.
#[derive(Debug, Default)]
pub(super) struct Totals {
    loans: u64,
    unpriced_loans: u64,
    /// Of the loans with a price, as all sums below.
    amount: Money,
    proceeds: Money,
    /// Price times amount, in units of both.
    weighted_price: i128,
    payup: Money,
    carry: Money,
    pick_up_loans: u64,
    pick_up: Money,
    give_up_loans: u64,
    give_up: Money,
}

impl Totals {
    /// Adds a loan. `present_score` is its score at the trade of its present pool.
    pub(super) fn add(&mut self, place: &Place, present_score: Option<Price>) {
        self.loans += 1;
        let Some(worth) = place.worth else {
            self.unpriced_loans += 1;
            return;
        };
        let amount = place.amount;
        self.amount += amount;
        self.proceeds += amount.at_points(worth.price);
        self.weighted_price += i128::from(worth.price.units()) * i128::from(amount.units());
        self.payup += amount.at_points(worth.payup);
        self.carry += amount.at_points(worth.carry);
        if let (Some(score), Some(present)) = (worth.score, present_score) {
            self.pick_up_loans += 1;
            self.pick_up += amount.at_points(score - present);
        }
        if let Some(give_up) = place.give_up {
            self.give_up_loans += 1;
            self.give_up += amount.at_points(give_up);
        }
    }

    /// The average price, weighted by amount.
    fn average_price(&self) -> Option<Price> {
        let amount = i128::from(self.amount.units());
        (amount > 0).then(|| Price::from_wide(round_div(self.weighted_price, amount)))
    }

    /// Adds the row of the group.
    pub(super) fn push(&self, grouping: &'static str, name: Cell, out: &mut RowBatch) {
        let mut row = Row::new(grouping, name, out);
        row.loans = self.loans.into();
        row.unpriced_loans = self.unpriced_loans.into();
        row.loan_amount = self.amount.into();
        row.proceeds = self.proceeds.into();
        row.wavg_price = self.average_price().into();
        row.payup = self.payup.into();
        row.carry = self.carry.into();
        row.value = (self.proceeds + self.carry).into();
        row.pick_up = [self.pick_up_loans.into(), self.pick_up.into()];
        row.give_up = [self.give_up_loans.into(), self.give_up.into()];
        row.push(out);
    }
}

/// A row. What is not set is NULL.
pub(super) struct Row {
    position: usize,
    grouping: &'static str,
    name: Cell,
    pub(super) loans: Cell,
    unpriced_loans: Cell,
    pub(super) loan_amount: Cell,
    proceeds: Cell,
    wavg_price: Cell,
    payup: Cell,
    carry: Cell,
    pub(super) value: Cell,
    pick_up: [Cell; 2],
    give_up: [Cell; 2],
    /// Loans with a synthetic option, and their value there.
    pub(super) synthetic: [Cell; 2],
    /// What a trade lacks, and its value.
    pub(super) shortfall: [Cell; 2],
    /// The kicked-out loans that are candidates of a trade, and their amount.
    pub(super) fill: [Cell; 2],
}

impl Row {
    /// The next row.
    pub(super) fn new(grouping: &'static str, name: Cell, out: &RowBatch) -> Self {
        const NULL: Cell = Cell::Null;
        Self {
            position: out.len() + 1,
            grouping,
            name,
            loans: NULL,
            unpriced_loans: NULL,
            loan_amount: NULL,
            proceeds: NULL,
            wavg_price: NULL,
            payup: NULL,
            carry: NULL,
            value: NULL,
            pick_up: [NULL; 2],
            give_up: [NULL; 2],
            synthetic: [NULL; 2],
            shortfall: [NULL; 2],
            fill: [NULL; 2],
        }
    }

    pub(super) fn push(self, out: &mut RowBatch) {
        let ([pick_up_loans, pick_up], [give_up_loans, give_up]) = (self.pick_up, self.give_up);
        let [synthetic_loans, synthetic] = self.synthetic;
        let ([shortfall, shortfall_value], [fill_loans, fill]) = (self.shortfall, self.fill);
        out.push([
            Cell::from(self.position as u64),
            Cell::Name(self.grouping),
            self.name,
            self.loans,
            self.unpriced_loans,
            self.loan_amount,
            self.proceeds,
            self.wavg_price,
            self.payup,
            self.carry,
            self.value,
            pick_up_loans,
            pick_up,
            give_up_loans,
            give_up,
            synthetic_loans,
            synthetic,
            shortfall,
            shortfall_value,
            fill_loans,
            fill,
        ]);
    }
}
