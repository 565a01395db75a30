//! 2.3 Prices: pay-ups, buy-ups, and the price of a loan in a trade.

use super::book::{InstrumentIdx, LoanIdx, RuleIdx, RunBook, TradeIdx};
use super::grid::{GridSlot, PriceGrids};
use super::index::{Groups, IdxVec};
use super::matching::Matches;
use powerfill_events::values::{Day, Price, Rate, round_div};
use powerfill_snapshot::tables::{Instrument, Loan, TradeType};

/// The pay-ups of each instrument. Rows of unknown instruments are left out.
struct Payups {
    tiers: IdxVec<Instrument, Vec<(RuleIdx, Price)>>,
}

impl Payups {
    fn new(book: &RunBook<'_>) -> Self {
        let mut tiers = IdxVec::per_row(&book.snapshot.instruments, Vec::new());
        for row in &book.snapshot.payups {
            let Some(instrument) = book.instruments.find(&row.investor_instrument_name) else {
                continue;
            };
            let rule = book.rules.find(&row.rule_name);
            let rule = rule.expect("validation refuses an unknown rule of a pay-up");
            tiers[instrument].push((rule, row.payup));
        }
        Self { tiers }
    }

    /// `payup(l, i)`: the best tier that the loan qualifies for, 0 where there is none.
    fn payup(&self, matches: &Matches, loan: LoanIdx, instrument: InstrumentIdx) -> Price {
        let tiers = self.tiers[instrument].iter();
        let earned = tiers.filter(|(rule, _)| matches.satisfies(loan, *rule)).map(|(_, p)| *p);
        earned.max().unwrap_or(Price::ZERO)
    }
}

/// round((note_rate − base_note_rate) × rate_multiple, 8); 0 where the instrument has none.
fn buy_up(instrument: &Instrument, note_rate: Rate) -> Price {
    instrument.buy_up().map_or(Price::ZERO, |terms| {
        let above = i128::from((note_rate - terms.base_note_rate).units());
        let exact = above * i128::from(terms.rate_multiple.units());
        Price::from_wide(round_div(exact, i128::from(Rate::ONE_UNITS)))
    })
}

/// The rows of `loan_price` by loan, then trade. Rows of unknown loans or trades are left out.
fn loan_prices(book: &RunBook<'_>) -> Groups<Loan, (TradeIdx, Price)> {
    let mut prices = Groups::with_capacity(book.snapshot.loans.len());
    // Both tables are sorted by loan id: one walk through both.
    let mut rows = book.snapshot.loan_prices.iter().peekable();
    for loan in &book.snapshot.loans {
        while rows.next_if(|row| row.loan_id < loan.loan_id).is_some() {}
        while let Some(row) = rows.next_if(|row| row.loan_id == loan.loan_id) {
            if let Some(trade) = book.trades.find(&row.trade_id) {
                prices.push((trade, row.price));
            }
        }
        prices.end_group();
    }
    prices
}

/// A price that includes the pay-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AllInPrice {
    pub(crate) price: Price,
    pub(crate) payup: Price,
}

/// The tables that prices come from.
pub(crate) struct PriceSources<'a> {
    book: &'a RunBook<'a>,
    pub(crate) grids: &'a PriceGrids,
    payups: Payups,
    loan_prices: Groups<Loan, (TradeIdx, Price)>,
}

impl<'a> PriceSources<'a> {
    pub(crate) fn new(book: &'a RunBook<'a>, grids: &'a PriceGrids) -> Self {
        Self { book, grids, payups: Payups::new(book), loan_prices: loan_prices(book) }
    }

    pub(crate) fn pricer(
        &'a self,
        matches: &Matches,
        loan: LoanIdx,
        instrument: InstrumentIdx,
    ) -> LoanPricer<'a> {
        let note_rate = self.book.loan(loan).note_rate;
        LoanPricer {
            book: self.book,
            grids: self.grids,
            own_prices: self.loan_prices.group(loan),
            instrument,
            note_rate,
            payup: self.payups.payup(matches, loan, instrument),
            buy_up: buy_up(self.book.instrument(instrument), note_rate),
        }
    }
}

/// Prices one loan in the trades of one instrument. It holds the parts of a price that are the
/// same for all these trades.
pub(crate) struct LoanPricer<'a> {
    book: &'a RunBook<'a>,
    grids: &'a PriceGrids,
    own_prices: &'a [(TradeIdx, Price)],
    instrument: InstrumentIdx,
    note_rate: Rate,
    payup: Price,
    buy_up: Price,
}

impl LoanPricer<'_> {
    /// `price(l, t)`: the first of the four lines of 2.3 that applies; `None` for no price.
    pub(crate) fn price(&self, trade: TradeIdx, settles_on: Day) -> Option<AllInPrice> {
        let own = self.own_prices.binary_search_by_key(&trade, |(trade, _)| *trade);
        if let Ok(at) = own {
            return Some(AllInPrice { price: self.own_prices[at].1, payup: Price::ZERO });
        }
        let row = self.book.trade(trade);
        let base = match row.trade_type {
            _ if row.priced_only => None,
            TradeType::Forward => row.trade_price.map(|price| price + self.buy_up),
            TradeType::Bx => self.grid_price(self.grids.slot(self.instrument, settles_on)?),
        };
        base.map(|base| self.with_payup(base))
    }

    /// The price in a slot of the grid, for synthetic trades.
    pub(crate) fn price_in_slot(&self, slot: &GridSlot) -> Option<AllInPrice> {
        self.grid_price(slot).map(|base| self.with_payup(base))
    }

    fn grid_price(&self, slot: &GridSlot) -> Option<Price> {
        self.grids.price(slot, self.note_rate)
    }

    fn with_payup(&self, base: Price) -> AllInPrice {
        AllInPrice { price: base + self.payup, payup: self.payup }
    }
}
