//! 2.3 Prices: the price grid, and the settlement dates that it gives to `bx` trades.

use super::book::{InstrumentIdx, RunBook};
use super::index::{IdxRange, IdxVec};
use powerfill_events::run::event::GridPoint;
use powerfill_events::values::{Day, Price, Rate};
use powerfill_snapshot::tables::{GridPrice, Instrument};

/// The grid of one instrument for one settlement date.
#[derive(Clone)]
pub(crate) struct GridSlot {
    pub(crate) settles_on: Day,
    points: IdxRange<GridPoint>,
}

/// `rmcat_todays_prices` by instrument and settlement date. Rows of unknown instruments are left
/// out.
pub(crate) struct PriceGrids {
    points: IdxVec<GridPoint>,
    /// By settlement date.
    slots: IdxVec<Instrument, Vec<GridSlot>>,
}

impl PriceGrids {
    pub(crate) fn new(book: &RunBook<'_>) -> Self {
        let mut points = Vec::with_capacity(book.snapshot.prices.len());
        let mut slots = IdxVec::per_row(&book.snapshot.instruments, Vec::new());
        for rows in book.snapshot.prices.chunk_by(|a, b| {
            (&a.investor_instrument_name, a.settlement_date)
                == (&b.investor_instrument_name, b.settlement_date)
        }) {
            let settles_on = rows[0].settlement_date;
            let Some(instrument) = book.instruments.find(&rows[0].investor_instrument_name) else {
                continue;
            };
            let start = points.len();
            let point = |row: &GridPrice| GridPoint { note_rate: row.note_rate, price: row.price };
            points.extend(rows.iter().map(point));
            let points = IdxRange::new(start..points.len());
            slots[instrument].push(GridSlot { settles_on, points });
        }
        Self { points: points.into(), slots }
    }

    /// The settlement dates of an instrument's grid, in order.
    pub(crate) fn slots(&self, instrument: InstrumentIdx) -> &[GridSlot] {
        &self.slots[instrument]
    }

    /// The rows of a slot, by note rate.
    pub(crate) fn points(&self, slot: &GridSlot) -> &[GridPoint] {
        &self.points[slot.points]
    }

    /// `bx_settle_and_price`: the earliest date of the grid at or after as_of + buffer.
    pub(crate) fn settlement(&self, book: &RunBook<'_>, instrument: InstrumentIdx) -> Option<Day> {
        let earliest = book.as_of.plus(book.options.eligible_settle_buffer_days);
        self.slots(instrument).iter().map(|slot| slot.settles_on).find(|day| *day >= earliest)
    }

    pub(crate) fn slot(&self, instrument: InstrumentIdx, settles_on: Day) -> Option<&GridSlot> {
        let slots = self.slots(instrument);
        slots.binary_search_by_key(&settles_on, |slot| slot.settles_on).ok().map(|at| &slots[at])
    }

    /// `grid_price`: the price of the greatest note rate that is not above the loan's.
    pub(crate) fn price(&self, slot: &GridSlot, note_rate: Rate) -> Option<Price> {
        let points = self.points(slot);
        let above = points.partition_point(|point| point.note_rate <= note_rate);
        above.checked_sub(1).map(|at| points[at].price)
    }
}
