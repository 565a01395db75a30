//! 2.11 The UE pass: where else each loan could have gone today, at today's prices.

use std::cmp::Reverse;
use std::sync::Arc;

use rayon::prelude::*;

use super::book::{InstrumentIdx, LoanIdx};
use super::candidates::{Candidates, Scorer};
use super::context::RunContext;
use super::grid::GridSlot;
use super::index::{IdxRange, IdxVec};
use super::passes::AllocationOutcome;
use super::recorder::{Cancelled, EventRecorder};
use powerfill_events::run::event::{
    CashMarketMapped, Pricing, RunEvent, SyntheticOption, SyntheticOptionsRanked, SyntheticSlot,
    SyntheticTradePriced,
};
use powerfill_events::values::{Day, InstrumentName, InvestorId, LoanId, SynTradeId, TradeId};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::tables::{Instrument, InstrumentKind};

/// `pfill_syn_trade_base`: the grid slots from as_of to the horizon, by date, each with the
/// synthetic trade that events share.
type SyntheticBase = IdxVec<Instrument, Vec<(GridSlot, Arc<SyntheticSlot>)>>;

pub(super) fn record(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    outcome: &AllocationOutcome,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, grids, participation, .. } = scorer.context;
    let base = synthetic_base(scorer.context);
    for (idx, slots) in base.enumerate() {
        let instrument = book.instrument(idx);
        for (slot, synthetic) in slots {
            let event = SyntheticTradePriced {
                syn_trade_id: synthetic.syn_trade_id.clone(),
                investor_id: InvestorId::from(&instrument.investor_id),
                investor_instrument_name: synthetic.investor_instrument_name.clone(),
                kind: instrument.kind,
                settlement_date: synthetic.settlement_date,
                grid: grids.points(slot).to_vec(),
            };
            recorder.record(RunEvent::SyntheticTradePriced(Box::new(event)))?;
        }
    }
    let eligible: Vec<LoanIdx> = participation.eligible().collect();
    // Blocks bound the memory of the events that wait for the ones before them.
    for block in eligible.chunks(1 << 12) {
        let ranked = block
            .par_iter()
            .filter_map(|loan| rank_options(scorer, candidates, outcome, &base, *loan));
        for (ranked, mapped) in ranked.collect::<Vec<_>>() {
            recorder.record(RunEvent::SyntheticOptionsRanked(Box::new(ranked)))?;
            if let Some(mapped) = mapped {
                recorder.record(RunEvent::CashMarketMapped(Box::new(mapped)))?;
            }
        }
    }
    Ok(())
}

fn synthetic_base(context: &RunContext<'_>) -> SyntheticBase {
    let RunContext { book, grids, .. } = context;
    let in_run = |slot: &&GridSlot| (book.as_of..=book.horizon()).contains(&slot.settles_on);
    let instruments = IdxRange::all(&book.snapshot.instruments).iter();
    let base = instruments.map(|idx| {
        let name = &book.instrument(idx).investor_instrument_name;
        let synthetic = |slot: &GridSlot| SyntheticSlot {
            syn_trade_id: SynTradeId::from(format!("SYN-{name}-{}", slot.settles_on)),
            investor_instrument_name: InstrumentName::from(name),
            settlement_date: slot.settles_on,
        };
        let slots = grids.slots(idx).iter().filter(in_run);
        slots.map(|slot| (slot.clone(), Arc::new(synthetic(slot)))).collect()
    });
    base.collect()
}

/// An option while the options of its loan are ranked.
struct UnrankedOption {
    instrument: InstrumentIdx,
    pricing: Pricing,
    option: SyntheticOption,
}

impl UnrankedOption {
    /// Order of options with equal prices: the earlier settlement, then the instrument by name.
    fn tie_key(&self) -> (Day, InstrumentIdx) {
        (self.option.slot.settlement_date, self.instrument)
    }
}

/// All options of a loan with both ranks, and the best one for cash; `None` without options.
fn rank_options(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    outcome: &AllocationOutcome,
    base: &SyntheticBase,
    loan: LoanIdx,
) -> Option<(SyntheticOptionsRanked, Option<CashMarketMapped>)> {
    let book = &scorer.context.book;
    let mut options = options_of(scorer, base, loan);
    options.sort_unstable_by_key(|o| (Reverse(o.pricing.prx_plus_carry), o.tie_key()));
    for (option, rank) in options.iter_mut().zip(1..) {
        option.option.rank_pc = rank;
    }
    options.sort_unstable_by_key(|o| (Reverse(o.pricing.price), o.tie_key()));
    for (option, rank) in options.iter_mut().zip(1..) {
        option.option.rank_po = rank;
    }
    let rank = |option: &&UnrankedOption| match book.options.price_mode {
        PriceMode::Po => option.option.rank_po,
        PriceMode::Pc => option.option.rank_pc,
    };
    let best = options.iter().min_by_key(rank)?;
    let loan_id = LoanId::from(&book.loan(loan).loan_id);
    let is_cash = |o: &&UnrankedOption| book.instrument(o.instrument).kind == InstrumentKind::Cash;
    let mapped = options
        .iter()
        .filter(is_cash)
        .min_by_key(rank)
        .map(|best| CashMarketMapped { loan_id: loan_id.clone(), option: best.option.clone() });
    let allocated = outcome.placements.of(loan).map(|idx| &candidates.all[idx]);
    let allocated_score = allocated.map(|candidate| candidate.pricing.score);
    let ranked = SyntheticOptionsRanked {
        loan_id,
        best_syn_trade_id: best.option.slot.syn_trade_id.clone(),
        allocated_trade_id: allocated.map(|c| TradeId::from(&book.trade(c.trade).trade_id)),
        allocated_score,
        give_up: allocated_score.map(|score| best.pricing.score - score),
        options: options.into_iter().map(|option| option.option).collect(),
    };
    Some((ranked, mapped))
}

fn options_of(scorer: &Scorer<'_>, base: &SyntheticBase, loan: LoanIdx) -> Vec<UnrankedOption> {
    let buffer = scorer.context.book.options.eligible_settle_buffer_days;
    let earliest = scorer.eligible_on(loan).plus(buffer);
    let mut options = Vec::new();
    for matched in scorer.matches.of_loan(loan) {
        let instrument = matched.instrument;
        let slots = &base[instrument];
        let slots = &slots[slots.partition_point(|(slot, _)| slot.settles_on < earliest)..];
        if slots.is_empty() {
            continue;
        }
        let pricings = scorer.price_in_slots(loan, instrument, slots.iter().map(|(slot, _)| slot));
        for ((_, synthetic), pricing) in slots.iter().zip(pricings) {
            let Some(pricing) = pricing else { continue };
            let option = SyntheticOption {
                slot: Arc::clone(synthetic),
                interest_earning_days: pricing.interest_earning_days,
                price: pricing.price,
                payup: pricing.payup,
                carry_cost: pricing.carry_cost,
                prx_plus_carry: pricing.prx_plus_carry,
                rank_po: 0,
                rank_pc: 0,
            };
            options.push(UnrankedOption { instrument, pricing, option });
        }
    }
    options
}
