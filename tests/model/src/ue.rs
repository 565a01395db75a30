//! 2.11 The UE pass.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use powerfill_events::values::Day;
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::tables::{GridPrice, Instrument, InstrumentKind};

use crate::market::{Market, ModelPricing, instrument_row};
use crate::participation::eligibility_date;

/// A row of `pfill_syn_trade_base`.
pub(crate) struct SyntheticRow<'a> {
    pub(crate) instrument: &'a Instrument,
    pub(crate) row: &'a GridPrice,
}

/// `SYN-<investor_instrument_name>-<settlement_date>`.
pub(crate) fn syn_trade_id(instrument: &Instrument, date: Day) -> String {
    format!("SYN-{}-{date}", instrument.investor_instrument_name)
}

/// "every row of rmcat_todays_prices with as_of ≤ settlement_date ≤ as_of + max_trade_settle_days".
/// Rows of unknown instruments are ignored (1.2).
pub(crate) fn base<'a>(market: &Market<'a>) -> Vec<SyntheticRow<'a>> {
    let input = market.input;
    let last = input.as_of.plus(input.options.max_trade_settle_days);
    let mut rows: Vec<SyntheticRow<'a>> = input
        .snapshot
        .prices
        .iter()
        .filter(|row| input.as_of <= row.settlement_date && row.settlement_date <= last)
        .filter_map(|row| {
            let instrument = instrument_row(input, &row.investor_instrument_name)?;
            Some(SyntheticRow { instrument, row })
        })
        .collect();
    rows.sort_by(|a, b| {
        let key = |r: &SyntheticRow<'a>| {
            (&r.instrument.investor_instrument_name, r.row.settlement_date, r.row.note_rate)
        };
        key(a).cmp(&key(b))
    });
    rows
}

/// A loan's option at (instrument, date).
pub(crate) struct ModelOption<'a> {
    pub(crate) instrument: &'a Instrument,
    pub(crate) date: Day,
    pub(crate) pricing: ModelPricing,
    pub(crate) rank_po: usize,
    pub(crate) rank_pc: usize,
}

impl ModelOption<'_> {
    pub(crate) fn rank(&self, mode: PriceMode) -> usize {
        match mode {
            PriceMode::Po => self.rank_po,
            PriceMode::Pc => self.rank_pc,
        }
    }

    pub(crate) fn is_cash(&self) -> bool {
        self.instrument.kind == InstrumentKind::Cash
    }
}

/// All options of an Eligible loan in the (instrument, date) pairs of the base, by rank_po.
pub(crate) fn options<'a>(
    market: &Market<'a>,
    base: &[SyntheticRow<'a>],
    loan: usize,
) -> Vec<ModelOption<'a>> {
    let input = market.input;
    let row = &input.snapshot.loans[loan];
    let e = eligibility_date(row).expect("an Eligible loan has an eligibility date");
    let earliest = e.plus(input.options.eligible_settle_buffer_days);
    let slots: BTreeSet<_> = base
        .iter()
        .map(|r| (&r.instrument.investor_instrument_name, r.row.settlement_date))
        .collect();
    let mut options = vec![];
    for (i, d) in slots {
        let matches = market.nodes_of(i).any(|k| market.matches[k][loan]);
        if !matches || d < earliest {
            continue;
        }
        let Some(grid_price) = market.grid_price(i, d, row) else { continue };
        let payup = market.payup(row, i);
        let pricing = market.with_carry(row, i, d, grid_price + payup, payup);
        let instrument = instrument_row(input, i).expect("an instrument of the base exists");
        options.push(ModelOption { instrument, date: d, pricing, rank_po: 0, rank_pc: 0 });
    }
    // "both descending, ties by settlement_date, then investor_instrument_name"
    let ties = |o: &ModelOption<'a>| (o.date, o.instrument.investor_instrument_name.clone());
    options.sort_by_key(|o| (Reverse(o.pricing.prx_plus_carry), ties(o)));
    (1..).zip(&mut options).for_each(|(rank, option)| option.rank_pc = rank);
    options.sort_by_key(|o| (Reverse(o.pricing.price), ties(o)));
    (1..).zip(&mut options).for_each(|(rank, option)| option.rank_po = rank);
    options
}
