//! Why pairs are no candidates (2.6), with the dates and prices that decided.

use powerfill_facts::{NoPrice, RejectedPair, WhyRejected};

use super::Facts;
use crate::book::Ix;
use crate::candidates::{Rejected, Scorer};
use crate::carry::CarryCurves;
use crate::prices::PriceSources;
use powerfill_events::run::event::RejectionReason;
use powerfill_events::values::TradeId;
use powerfill_snapshot::tables::TradeType;

impl Facts<'_> {
    /// The pairs of a loan that are no candidates, by trade.
    pub(super) fn rejections(&self, loan: Ix) -> Vec<RejectedPair> {
        if !self.participation.eligible().any(|ix| ix == loan) {
            return Vec::new();
        }
        let (prices, carry) =
            (PriceSources::new(&self.book, &self.grids), CarryCurves::new(&self.book));
        let scorer = Scorer {
            book: &self.book,
            participation: &self.participation,
            matches: self.matches(),
            prices: &prices,
            carry: &carry,
            trades_of_instrument: &self.trades_of_instrument,
        };
        let (_, rejected) = scorer.score(&[loan]);
        rejected.into_iter().map(|pair| self.rejected(&scorer, pair)).collect()
    }

    fn rejected(&self, scorer: &Scorer<'_>, pair: Rejected) -> RejectedPair {
        let Rejected { loan, trade, reason } = pair;
        let options = self.book.options;
        let why = match reason {
            RejectionReason::SettlesTooSoon => {
                let deliverable_on = scorer.deliverable_on(loan);
                let buffer_days = options.eligible_settle_buffer_days;
                let earliest = deliverable_on.plus(buffer_days);
                WhyRejected::SettlesTooSoon { deliverable_on, buffer_days, earliest }
            }
            RejectionReason::NoPrice => WhyRejected::NoPrice(self.no_price(loan, trade)),
            RejectionReason::BelowPriceFloor => WhyRejected::BelowPriceFloor {
                price: scorer.price_in(loan, trade).expect("a price is below the floor").price,
                price_floor: options.bx_price_floor.expect("a price is below a floor"),
            },
        };
        RejectedPair {
            trade_id: TradeId::from(&self.book.trade(trade).trade_id),
            settlement_date: self.participation.settles_on(trade),
            why,
        }
    }

    /// Which line of 2.3 came up with nothing; a forward trade that takes any loan always has a price.
    fn no_price(&self, loan: Ix, trade: Ix) -> NoPrice {
        let row = self.book.trade(trade);
        if row.priced_only || row.trade_type == TradeType::Forward {
            return NoPrice::PricedOnly;
        }
        let instrument = self.book.trade_instrument[trade as usize];
        let slot = self.grids.slot(instrument, self.participation.settles_on(trade));
        let lowest = slot.and_then(|slot| self.grids.points(slot).first());
        lowest.map_or(NoPrice::NoGridDate, |lowest| NoPrice::BelowGrid {
            note_rate: self.book.loan(loan).note_rate,
            lowest_note_rate: lowest.note_rate,
        })
    }
}
