//! 2.9 Trade results: the fill of each included trade, and the use of each block.

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};
use rust_decimal::Decimal;

use super::book::{LoanIdx, RunBook};
use super::candidates::{Candidates, Scorer};
use super::context::RunContext;
use super::index::IdxVec;
use super::passes::AllocationOutcome;
use super::recorder::{Cancelled, EventRecorder};
use powerfill_events::run::event::{
    ConstraintBlockEvaluated, FillStatus, RunEvent, TradeFillEvaluated,
};
use powerfill_events::values::{Fixed, Money, Price, Rate, Share, TradeId, Unit, round_div};

/// The blocks, by node in walk order, then trade.
pub(super) fn record_blocks(
    context: &RunContext<'_>,
    outcome: &AllocationOutcome,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, tree, .. } = context;
    for block in outcome.capacity.blocks() {
        let filled = outcome.capacity.fill(block.trade).filled;
        let used_share = (filled != Money::ZERO).then(|| {
            let used = i128::from(block.used.units()) * i128::from(Share::ONE_UNITS);
            Share::from_wide(round_div(used, i128::from(filled.units())))
        });
        let evaluated = ConstraintBlockEvaluated {
            node: tree.nodes[block.node].node.clone(),
            trade_id: TradeId::from(&book.trade(block.trade).trade_id),
            lo_amount: block.lo,
            hi_amount: block.hi,
            used_amount: block.used,
            used_share,
            lo_met: block.lo.map(|lo| block.used >= lo),
        };
        recorder.record(RunEvent::ConstraintBlockEvaluated(Box::new(evaluated)))?;
    }
    Ok(())
}

/// The fills of the included trades, by id.
pub(super) fn record_fills(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    outcome: &AllocationOutcome,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, participation, .. } = scorer.context;
    let mut pinned_in = IdxVec::per_row(&book.snapshot.trades, Vec::new());
    for (loan, _) in participation.pinned() {
        if let Some(trade) = participation.present_included_trade(book, loan) {
            pinned_in[trade].push(loan);
        }
    }
    for trade in participation.included.iter().copied() {
        let mut totals = Totals::default();
        for loan in &pinned_in[trade] {
            let price = scorer.price_in(*loan, trade).map(|all_in| all_in.price);
            totals.add(book, *loan, price);
        }
        for loan in &outcome.placements.loans_in[trade] {
            let placement = outcome.placements.of(*loan).expect("a loan of a trade is placed");
            totals.add(book, *loan, Some(candidates.all[placement].pricing.price));
        }
        let fill = outcome.capacity.fill(trade);
        let fill_status = match fill.filled {
            filled if filled < fill.min => FillStatus::Under,
            filled if filled > fill.max => FillStatus::Over,
            _ => FillStatus::Filled,
        };
        recorder.record(RunEvent::TradeFillEvaluated(Box::new(TradeFillEvaluated {
            trade_id: TradeId::from(&book.trade(trade).trade_id),
            open_amount: fill.open,
            min_amount: fill.min,
            max_amount: fill.max,
            filled_amount: fill.filled,
            loan_count: totals.loans,
            fill_status,
            shortfall_amount: (fill.min - fill.filled).max(Money::ZERO),
            wavg_price: totals.price.mean(),
            wavg_note_rate: totals.note_rate.mean(),
            wavg_fico: totals.fico.mean(),
            wavg_ltv: totals.ltv.mean(),
        })))?;
    }
    Ok(())
}

/// Sums over the loans of a trade.
#[derive(Default)]
struct Totals {
    loans: u64,
    price: WeightedMean<Price>,
    note_rate: WeightedMean<Rate>,
    fico: WeightedAttributeMean,
    ltv: WeightedAttributeMean,
}

impl Totals {
    fn add(&mut self, book: &RunBook<'_>, loan: LoanIdx, price: Option<Price>) {
        let row = book.loan(loan);
        self.loans += 1;
        self.price.add(price, row.loan_amount);
        self.note_rate.add(Some(row.note_rate), row.loan_amount);
        self.fico.add(row.fico, row.loan_amount);
        self.ltv.add(row.ltv, row.loan_amount);
    }
}

/// A mean weighted by loan amount, over the loans that have the value.
#[derive(Default)]
struct WeightedMean<T> {
    sum: i128,
    weight: i128,
    value: std::marker::PhantomData<T>,
}

impl<K: Unit> WeightedMean<Fixed<K>> {
    fn add(&mut self, value: Option<Fixed<K>>, amount: Money) {
        if let Some(value) = value {
            self.sum += i128::from(value.units()) * i128::from(amount.units());
            self.weight += i128::from(amount.units());
        }
    }

    fn mean(&self) -> Option<Fixed<K>> {
        (self.weight > 0).then(|| Fixed::from_wide(round_div(self.sum, self.weight)))
    }
}

/// A [`WeightedMean`] of an attribute of any scale: the sum is exact at the largest scale seen.
#[derive(Default)]
struct WeightedAttributeMean {
    sum: BigInt,
    scale: u32,
    weight: i128,
}

impl WeightedAttributeMean {
    fn add(&mut self, value: Option<Decimal>, amount: Money) {
        let Some(value) = value else { return };
        let mut term = BigInt::from(value.mantissa()) * amount.units();
        match value.scale().checked_sub(self.scale) {
            Some(finer) => {
                self.sum *= power_of_ten(finer);
                self.scale = value.scale();
            }
            None => term *= power_of_ten(self.scale - value.scale()),
        }
        self.sum += term;
        self.weight += i128::from(amount.units());
    }

    /// Rounded half away from zero at 6 decimals.
    fn mean(&self) -> Option<Decimal> {
        if self.weight == 0 {
            return None;
        }
        let numerator = &self.sum * power_of_ten(6);
        let denominator = BigInt::from(self.weight) * power_of_ten(self.scale);
        let twice: BigInt = numerator.abs() * 2 + &denominator;
        let magnitude: BigInt = twice / (denominator * 2);
        let units = if self.sum < BigInt::zero() { -magnitude } else { magnitude };
        let units = units.to_i128().expect("validation bounds the attributes of a loan");
        Some(Decimal::from_i128_with_scale(units, 6))
    }
}

fn power_of_ten(exponent: u32) -> BigInt {
    if exponent == 0 { BigInt::one() } else { BigInt::from(10).pow(exponent) }
}
