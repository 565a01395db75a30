//! The rows of groups of loans, of kickouts, and of trades that are short.

use std::collections::BTreeMap;

use powerfill_events::run::event::{FillStatus, KickoutReason, PoolAction, TradeAssessed};
use powerfill_events::values::{Money, Price, Rate, TradeId, fold};

use super::ValueSummary;
use super::loans::{Place, PlacedBy};
use super::totals::{Row, Totals};
use crate::table::{Cell, RowBatch};

/// A group of loans: its place in the order, and its name.
type Group = (String, Cell);

/// How loans are grouped. `None` leaves a loan out.
type Grouping = (&'static str, fn(&Place, &TradeAssessed) -> Option<Group>);

/// The groupings, in the order of their rows.
const GROUPINGS: [Grouping; 6] = [
    ("investor", |_, trade| Some(named(trade.investor_id.as_str(), (&trade.investor_id).into()))),
    ("instrument", |_, trade| {
        let name = &trade.investor_instrument_name;
        Some(named(name.as_str(), name.into()))
    }),
    ("settlement_date", |_, trade| {
        let date = trade.settlement_date?.to_string();
        Some((date.clone(), date.into()))
    }),
    ("trade", |_, trade| Some(named(trade.trade_id.as_str(), (&trade.trade_id).into()))),
    ("pass", |place, _| {
        let order = match place.placed_by {
            PlacedBy::Pass(pass) => pass as u8,
            PlacedBy::Locked => u8::MAX - 1,
            PlacedBy::Held => u8::MAX,
        };
        Some((format!("{order:03}"), Cell::Name(place.placed_by.name())))
    }),
    ("pool_action", |place, _| {
        let action: PoolAction = place.action?;
        Some((action.key().to_string(), action.into()))
    }),
];

/// A group in the order of names (1.1).
fn named(name: &str, cell: Cell) -> Group {
    (fold(name), cell)
}

impl ValueSummary {
    /// The loans in included trades, with their trades, and by them: a group is spelled as its
    /// first trade spells it. The last part is the score at the present trade.
    fn loans(&self) -> Vec<(&Place, &TradeAssessed, Option<Price>)> {
        let placed = self.places.iter().filter_map(|(loan, place)| {
            let trade = self.included(&place.trade_id)?;
            let present = place.is_placed().then_some(place.prior_trade_id.as_ref()).flatten();
            let present = self.candidate(loan, present).map(|candidate| candidate.score);
            Some((place, trade, present))
        });
        let mut loans: Vec<_> = placed.collect();
        loans.sort_by_cached_key(|(_, trade, _)| fold(trade.trade_id.as_str()));
        loans
    }

    /// A trade of the run.
    pub(super) fn included(&self, trade: &TradeId) -> Option<&TradeAssessed> {
        self.trades.get(trade).map(|trade| &**trade).filter(|t| t.exclusion_reason.is_none())
    }

    pub(super) fn push_groups(&self, out: &mut RowBatch) {
        let (mut all, mut placed) = (Totals::default(), Totals::default());
        let mut groups: Vec<BTreeMap<String, (Cell, Totals)>> = Vec::new();
        groups.resize_with(GROUPINGS.len(), BTreeMap::new);
        for (place, trade, present) in self.loans() {
            all.add(place, present);
            if place.is_placed() {
                placed.add(place, present);
            }
            for ((_, group_of), groups) in GROUPINGS.iter().zip(&mut groups) {
                if let Some((order, name)) = group_of(place, trade) {
                    let group = groups.entry(order).or_insert_with(|| (name, Totals::default()));
                    group.1.add(place, present);
                }
            }
        }
        all.push("run", Cell::Name("all"), out);
        placed.push("run", Cell::Name("placed"), out);
        for ((grouping, _), groups) in GROUPINGS.iter().zip(groups) {
            for (name, totals) in groups.into_values() {
                totals.push(grouping, name, out);
            }
        }
    }

    /// Kicked-out loans by reason, and what they are worth at their best synthetic price.
    pub(super) fn push_kickouts(&self, out: &mut RowBatch) {
        let mut reasons: BTreeMap<KickoutReason, [(u64, Money); 2]> = BTreeMap::new();
        for kickout in self.kickouts.values() {
            let [all, synthetic] = reasons.entry(kickout.reason).or_default();
            *all = (all.0 + 1, all.1 + kickout.amount);
            if let Some(price) = kickout.synthetic_price {
                *synthetic = (synthetic.0 + 1, synthetic.1 + kickout.amount.at_points(price));
            }
        }
        for (reason, [(loans, amount), (synthetic_loans, synthetic)]) in reasons {
            let mut row = Row::new("kickout_reason", reason.into(), out);
            (row.loans, row.loan_amount) = (loans.into(), amount.into());
            row.synthetic = [synthetic_loans.into(), synthetic.into()];
            row.push(out);
        }
    }

    /// The trades that end `Under`: what they lack, what that is worth today, and the kicked-out
    /// loans that are candidates there.
    pub(super) fn push_short_trades(&self, out: &mut RowBatch) {
        let mut short: Vec<_> =
            self.fills.iter().filter(|fill| fill.fill_status == FillStatus::Under).collect();
        short.sort_by_cached_key(|fill| fold(fill.trade_id.as_str()));
        for fill in short {
            let lacking = fill.shortfall_amount;
            let market = self.market_price(&fill.trade_id, fill.wavg_note_rate);
            let (mut loans, mut amount) = (0_u64, Money::default());
            for (loan, kickout) in &self.kickouts {
                if self.candidate(loan, Some(&fill.trade_id)).is_some() {
                    (loans, amount) = (loans + 1, amount + kickout.amount);
                }
            }
            let mut row = Row::new("under_trade", (&fill.trade_id).into(), out);
            row.loans = fill.loan_count.into();
            row.loan_amount = fill.filled_amount.into();
            row.shortfall =
                [lacking.into(), market.map(|price| lacking.at_points(price)).into()];
            row.fill = [loans.into(), amount.into()];
            row.push(out);
        }
    }

    /// Today's price of a trade's instrument on its settlement date, for the greatest note rate of
    /// the grid that is not above that of the trade's loans.
    fn market_price(&self, trade: &TradeId, note_rate: Option<Rate>) -> Option<Price> {
        let trade = self.included(trade)?;
        let slot = (trade.investor_instrument_name.clone(), trade.settlement_date?);
        let rate = note_rate?;
        let at_or_below = self.grids.get(&slot)?.iter().filter(|point| point.note_rate <= rate);
        at_or_below.max_by_key(|point| point.note_rate).map(|point| point.price)
    }
}
