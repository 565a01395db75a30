//! 2.3 Prices: the grid, settlement of bx trades, pay-ups, buy-ups, the price of a loan in a trade.

use std::ops::Range;

use super::book::{Book, Ix};
use super::tree::Matches;
use powerfill_events::run::event::GridPoint;
use powerfill_events::values::{Day, Price, Rate, round_div};
use powerfill_snapshot::tables::{Instrument, Loan, TradeType};

/// The grid of one instrument and settlement date: its rows, by note rate.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) settles_on: Day,
    rows: Range<usize>,
}

/// `rmcat_todays_prices` by instrument and date; rows of unknown instruments are left out.
pub(crate) struct Grids {
    points: Vec<GridPoint>,
    /// Of each instrument, by date.
    slots: Vec<Vec<Slot>>,
}

impl Grids {
    pub(crate) fn new(book: &Book<'_>) -> Self {
        let mut points = Vec::with_capacity(book.snapshot.prices.len());
        let mut slots: Vec<Vec<Slot>> = vec![Vec::new(); book.snapshot.instruments.len()];
        for row in &book.snapshot.prices {
            let Some(instrument) = book.find_instrument(&row.investor_instrument_name) else {
                continue;
            };
            let at = points.len();
            points.push(GridPoint { note_rate: row.note_rate, price: row.price });
            let slots = &mut slots[instrument as usize];
            match slots.last_mut() {
                Some(slot) if slot.settles_on == row.settlement_date => slot.rows.end = at + 1,
                _ => slots.push(Slot { settles_on: row.settlement_date, rows: at..at + 1 }),
            }
        }
        Self { points, slots }
    }

    /// The dates of an instrument's grid, in order.
    pub(crate) fn slots(&self, instrument: Ix) -> &[Slot] {
        &self.slots[instrument as usize]
    }

    /// The grid rows of a slot, by note rate.
    pub(crate) fn points(&self, slot: &Slot) -> &[GridPoint] {
        &self.points[slot.rows.clone()]
    }

    /// `bx_settle_and_price`: the earliest date of the grid at or after as_of + buffer.
    pub(crate) fn settlement(&self, book: &Book<'_>, instrument: Ix) -> Option<Day> {
        let earliest = book.as_of.plus(book.options.eligible_settle_buffer_days);
        self.slots(instrument).iter().map(|slot| slot.settles_on).find(|day| *day >= earliest)
    }

    /// The slot of an instrument and a date.
    pub(crate) fn slot(&self, instrument: Ix, settles_on: Day) -> Option<&Slot> {
        let slots = self.slots(instrument);
        slots.binary_search_by_key(&settles_on, |slot| slot.settles_on).ok().map(|at| &slots[at])
    }

    /// `grid_price`: that of the greatest note rate up to the loan's.
    pub(crate) fn price(&self, slot: &Slot, note_rate: Rate) -> Option<Price> {
        let points = self.points(slot);
        let above = points.partition_point(|point| point.note_rate <= note_rate);
        above.checked_sub(1).map(|at| points[at].price)
    }
}

/// Pay-ups of each instrument: rule and points. Rows of unknown instruments are left out.
pub(crate) struct Payups {
    tiers: Vec<Vec<(Ix, Price)>>,
}

impl Payups {
    pub(crate) fn new(book: &Book<'_>) -> Self {
        let mut tiers = vec![Vec::new(); book.snapshot.instruments.len()];
        for row in &book.snapshot.payups {
            let Some(instrument) = book.find_instrument(&row.investor_instrument_name) else {
                continue;
            };
            let rule = book.find_rule(&row.rule_name);
            let rule = rule.expect("validation refuses an unknown rule of a pay-up");
            tiers[instrument as usize].push((rule, row.payup));
        }
        Self { tiers }
    }

    /// `payup(l, i)`: the best tier that the loan qualifies for, 0 where there is none.
    pub(crate) fn payup(&self, matches: &Matches, loan: Ix, instrument: Ix) -> Price {
        let tiers = self.tiers[instrument as usize].iter();
        let earned = tiers.filter(|(rule, _)| matches.satisfies(loan, *rule)).map(|(_, p)| *p);
        earned.max().unwrap_or(Price::ZERO)
    }
}

/// round((note_rate − base_note_rate) × rate_multiple, 8); 0 where the instrument has none.
pub(crate) fn buy_up(instrument: &Instrument, note_rate: Rate) -> Price {
    instrument.buy_up.map_or(Price::ZERO, |terms| {
        let above = i128::from((note_rate - terms.base_note_rate).units());
        Price::from_wide(round_div(above * i128::from(terms.rate_multiple.units()), 1_000_000))
    })
}

/// All-in prices from an outside engine; rows of unknown loans or trades are left out.
pub(crate) struct LoanPrices {
    rows: Vec<(Ix, Price)>,
    /// Where the rows of each loan begin.
    from: Vec<Ix>,
}

impl LoanPrices {
    pub(crate) fn new(book: &Book<'_>) -> Self {
        let mut rows = Vec::with_capacity(book.snapshot.loan_prices.len());
        let loans = &book.snapshot.loans;
        let mut from = Vec::with_capacity(loans.len() + 1);
        from.push(0);
        let mut loan = 0;
        // Both tables are sorted by loan id: one walk through both.
        for row in &book.snapshot.loan_prices {
            while loan < loans.len() && loans[loan].loan_id < row.loan_id {
                loan += 1;
                from.push(rows.len() as Ix);
            }
            let known = loans.get(loan).is_some_and(|l| l.loan_id == row.loan_id);
            let Some(trade) = book.find_trade(&row.trade_id).filter(|_| known) else { continue };
            rows.push((trade, row.price));
        }
        from.resize(loans.len() + 1, rows.len() as Ix);
        Self { rows, from }
    }

    /// The rows of a loan, by trade.
    pub(crate) fn of(&self, loan: Ix) -> &[(Ix, Price)] {
        let (from, to) = (self.from[loan as usize], self.from[loan as usize + 1]);
        &self.rows[from as usize..to as usize]
    }
}

/// A price with the pay-up in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AllIn {
    pub(crate) price: Price,
    pub(crate) payup: Price,
}

/// What prices a loan in the trades of one instrument: what does not depend on the trade, worked out once.
pub(crate) struct Pricer<'a> {
    book: &'a Book<'a>,
    grids: &'a Grids,
    own_prices: &'a [(Ix, Price)],
    instrument: Ix,
    note_rate: Rate,
    payup: Price,
    buy_up: Price,
}

/// The tables that prices come from.
pub(crate) struct PriceSources<'a> {
    pub(crate) book: &'a Book<'a>,
    pub(crate) grids: &'a Grids,
    pub(crate) payups: Payups,
    pub(crate) loan_prices: LoanPrices,
}

impl<'a> PriceSources<'a> {
    pub(crate) fn new(book: &'a Book<'a>, grids: &'a Grids) -> Self {
        Self { book, grids, payups: Payups::new(book), loan_prices: LoanPrices::new(book) }
    }

    pub(crate) fn pricer(&'a self, matches: &Matches, loan: Ix, instrument: Ix) -> Pricer<'a> {
        let row: &Loan = self.book.loan(loan);
        Pricer {
            book: self.book,
            grids: self.grids,
            own_prices: self.loan_prices.of(loan),
            instrument,
            note_rate: row.note_rate,
            payup: self.payups.payup(matches, loan, instrument),
            buy_up: buy_up(self.book.instrument(instrument), row.note_rate),
        }
    }
}

impl Pricer<'_> {
    /// `price(l, t)`: the first of the four lines of 2.3 that holds; `None` where nothing prices the pair.
    pub(crate) fn price(&self, trade: Ix, settles_on: Day) -> Option<AllIn> {
        let own = self.own_prices.binary_search_by_key(&trade, |(trade, _)| *trade);
        if let Ok(at) = own {
            return Some(AllIn { price: self.own_prices[at].1, payup: Price::ZERO });
        }
        let row = self.book.trade(trade);
        let base = match row.trade_type {
            _ if row.priced_only => None,
            TradeType::Forward => row.trade_price.map(|price| price + self.buy_up),
            TradeType::Bx => self.grid_price(self.grids.slot(self.instrument, settles_on)?),
        };
        base.map(|base| self.with_payup(base))
    }

    /// The price in a slot of the grid, for bx trades and synthetic ones.
    pub(crate) fn in_slot(&self, slot: &Slot) -> Option<AllIn> {
        self.grid_price(slot).map(|base| self.with_payup(base))
    }

    fn grid_price(&self, slot: &Slot) -> Option<Price> {
        self.grids.price(slot, self.note_rate)
    }

    fn with_payup(&self, base: Price) -> AllIn {
        AllIn { price: base + self.payup, payup: self.payup }
    }
}
