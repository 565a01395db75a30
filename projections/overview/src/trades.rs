//! The included trades: their bands, what fills them, and what is missing.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use powerfill_events::run::event::{FillStatus, Pass};
use powerfill_events::values::{Day, Money, fold};
use powerfill_tables::named_row::NamedRow;

use crate::document::{NameText, OverviewTrade, OverviewTradeGroup, PassFill};

/// A trade of the base.
struct AssessedTrade {
    investor_id: NameText,
    instrument: NameText,
    row: Option<OverviewTrade>,
    passes: BTreeMap<Pass, (u64, Money)>,
}

/// The trades so far, by id.
#[derive(Default)]
pub(crate) struct Trades(BTreeMap<NameText, AssessedTrade>);

impl Trades {
    /// Takes a row of `pfill_trade_base`.
    pub(crate) fn assess(&mut self, row: NamedRow<'_>) {
        let trade_id = row.name("trade_id");
        let (investor_id, instrument) =
            (row.name("investor_id"), row.name("investor_instrument_name"));
        let included = (row.str("included") == "Y").then(|| OverviewTrade {
            trade_id: trade_id.clone(),
            investor_id: investor_id.clone(),
            investor_instrument_name: instrument.clone(),
            trade_type: row.choice("trade_type"),
            settlement_date: row.day("settlement_date"),
            fill_status: FillStatus::Under,
            min_amount: row.amount("min_amount"),
            open_amount: row.amount("open_amount"),
            max_amount: row.amount("max_amount"),
            filled_amount: Money::ZERO,
            held_amount: row.amount("held_amount"),
            passes: Vec::new(),
            loans: 0,
            wavg_price: None,
            value_amount: None,
            shortfall_amount: Money::ZERO,
            shortfall_value_amount: None,
            fill_loans: None,
            fill_amount: None,
        });
        let trade =
            AssessedTrade { investor_id, instrument, row: included, passes: BTreeMap::new() };
        self.0.insert(trade_id, trade);
    }

    fn included(&mut self, trade_id: &str) -> Option<&mut OverviewTrade> {
        self.0.get_mut(trade_id)?.row.as_mut()
    }

    /// Takes a row of `pfill_trade_recap`.
    pub(crate) fn fill(&mut self, row: NamedRow<'_>) {
        let Some(trade) = self.included(row.str("trade_id")) else { return };
        trade.filled_amount = row.amount("filled_amount");
        trade.loans = row.count("loan_count").unwrap_or_default();
        trade.wavg_price = row.fixed("wavg_price");
        trade.shortfall_amount = row.amount("shortfall_amount");
        if let Some(status) = row.choice("fill_status") {
            trade.fill_status = status;
        }
    }

    /// Takes a row of the grouping `trade` of `pfill_value_summary`.
    pub(crate) fn set_value(&mut self, row: NamedRow<'_>) {
        if let Some(trade) = self.included(row.str("group_name")) {
            trade.value_amount = row.fixed("value_amount");
        }
    }

    /// Takes a row of the grouping `under_trade` of `pfill_value_summary`.
    pub(crate) fn set_cost(&mut self, row: NamedRow<'_>) {
        if let Some(trade) = self.included(row.str("group_name")) {
            trade.shortfall_value_amount = row.fixed("shortfall_value_amount");
            trade.fill_loans = row.count("fill_loans");
            trade.fill_amount = row.fixed("fill_amount");
        }
    }

    /// Takes a row of `pfill_powerfill_guide`.
    pub(crate) fn place(&mut self, row: NamedRow<'_>) {
        let (Some(trade), Some(pass)) = (row.text("trade_id"), row.choice::<Pass>("pass")) else {
            return;
        };
        if let Some(trade) = self.0.get_mut(&trade) {
            let (loans, amount) = trade.passes.entry(pass).or_default();
            *loans += 1;
            *amount += row.amount("loan_amount");
        }
    }

    /// The instrument of a trade.
    pub(crate) fn instrument(&self, trade_id: &str) -> Option<NameText> {
        self.0.get(trade_id).map(|trade| trade.instrument.clone())
    }

    /// Whether a trade is in the run.
    pub(crate) fn includes(&self, trade_id: &str) -> bool {
        self.0.get(trade_id).is_some_and(|trade| trade.row.is_some())
    }

    /// What is left in an included trade, up to max.
    pub(crate) fn room(&self, trade_id: &str) -> Money {
        let trade = self.0.get(trade_id).and_then(|trade| trade.row.as_ref());
        trade.map_or(Money::ZERO, |trade| (trade.max_amount - trade.filled_amount).max(Money::ZERO))
    }

    /// The trades and their groups, in the order of the document.
    pub(crate) fn finish(self) -> (Vec<OverviewTrade>, Vec<OverviewTradeGroup>) {
        let mut groups: BTreeMap<(String, String, Option<Day>), OverviewTradeGroup> =
            BTreeMap::new();
        let mut trades = Vec::new();
        for AssessedTrade { investor_id, instrument, row, passes } in self.0.into_values() {
            let Some(mut trade) = row else { continue };
            let fill = |(pass, (loans, amount))| PassFill { pass, loans, amount };
            trade.passes = passes.into_iter().map(fill).collect();
            let key = (fold(&investor_id), fold(&instrument), trade.settlement_date);
            let group = groups.entry(key).or_insert_with(|| empty_group(&trade));
            add(group, &trade);
            trades.push(trade);
        }
        trades.sort_by_cached_key(|trade| {
            let id = fold(&trade.trade_id);
            (rank(trade.fill_status), Reverse(trade.shortfall_amount), trade.settlement_date, id)
        });
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|group| Reverse(group.shortfall_amount));
        (trades, groups)
    }
}

/// The order of statuses: what needs attention first.
const fn rank(status: FillStatus) -> u8 {
    match status {
        FillStatus::Under => 0,
        FillStatus::Over => 1,
        FillStatus::Filled => 2,
    }
}

fn empty_group(trade: &OverviewTrade) -> OverviewTradeGroup {
    OverviewTradeGroup {
        investor_id: trade.investor_id.clone(),
        investor_instrument_name: trade.investor_instrument_name.clone(),
        settlement_date: trade.settlement_date,
        ..OverviewTradeGroup::default()
    }
}

fn add(group: &mut OverviewTradeGroup, trade: &OverviewTrade) {
    group.trades += 1;
    group.under += u64::from(trade.fill_status == FillStatus::Under);
    group.over += u64::from(trade.fill_status == FillStatus::Over);
    group.min_amount += trade.min_amount;
    group.open_amount += trade.open_amount;
    group.max_amount += trade.max_amount;
    group.filled_amount += trade.filled_amount;
    group.held_amount += trade.held_amount;
    group.shortfall_amount += trade.shortfall_amount;
    group.shortfall_value_amount += trade.shortfall_value_amount.unwrap_or_default();
}
