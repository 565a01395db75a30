//! 2.11 The UE pass: where else could a loan have gone today, at today's prices? It adds to a run, never takes away.

use std::cmp::Reverse;
use std::sync::Arc;

use rayon::prelude::*;

use super::book::{Book, Ix};
use super::candidates::{Candidates, Scorer};
use super::passes::Placed;
use super::prices::{Grids, Slot};
use super::{Cancelled, Recorder};
use powerfill_events::run::event::{
    CashMarketMapped, Pricing, RunEvent, SyntheticOption, SyntheticOptionsRanked, SyntheticSlot,
    SyntheticTradePriced,
};
use powerfill_events::values::{InstrumentName, InvestorId, LoanId, SynTradeId, TradeId};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::tables::InstrumentKind;

/// An instrument and a date of the base, as options show it.
type Base = Vec<Vec<(Slot, Arc<SyntheticSlot>)>>;

pub(super) fn record(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    placed: &Placed,
    recorder: &mut Recorder<'_>,
) -> Result<(), Cancelled> {
    let book = scorer.book;
    let grids = scorer.prices.grids;
    let base = base(book, grids);
    for (slots, instrument) in base.iter().zip(0..) {
        let row = book.instrument(instrument);
        for (slot, shown) in slots {
            let event = SyntheticTradePriced {
                syn_trade_id: shown.syn_trade_id.clone(),
                investor_id: InvestorId::from(&row.investor_id),
                investor_instrument_name: shown.investor_instrument_name.clone(),
                kind: row.kind,
                settlement_date: shown.settlement_date,
                grid: grids.points(slot).to_vec(),
            };
            recorder.record(RunEvent::SyntheticTradePriced(Box::new(event)))?;
        }
    }
    let eligible: Vec<Ix> = scorer.participation.eligible().collect();
    for block in eligible.chunks(1 << 12) {
        let options = |loan: &Ix| rank(scorer, candidates, placed, &base, *loan);
        let found: Vec<_> = block.par_iter().filter_map(options).collect();
        for (ranked, mapped) in found {
            recorder.record(RunEvent::SyntheticOptionsRanked(Box::new(ranked)))?;
            if let Some(mapped) = mapped {
                recorder.record(RunEvent::CashMarketMapped(Box::new(mapped)))?;
            }
        }
    }
    Ok(())
}

/// `pfill_syn_trade_base`: the slots of the grid from as_of to the horizon.
fn base(book: &Book<'_>, grids: &Grids) -> Base {
    let in_reach = |slot: &&Slot| (book.as_of..=book.horizon()).contains(&slot.settles_on);
    let instruments = book.snapshot.instruments.iter().zip(0..);
    let slots = instruments.map(|(instrument, ix)| {
        let name = &instrument.investor_instrument_name;
        let shown = |slot: &Slot| SyntheticSlot {
            syn_trade_id: SynTradeId::from(format!("SYN-{name}-{}", slot.settles_on)),
            investor_instrument_name: InstrumentName::from(name),
            settlement_date: slot.settles_on,
        };
        let slots = grids.slots(ix).iter().filter(in_reach);
        slots.map(|slot| (slot.clone(), Arc::new(shown(slot)))).collect()
    });
    slots.collect()
}

/// An option while it is being ranked.
struct Found {
    instrument: Ix,
    pricing: Pricing,
    option: SyntheticOption,
}

/// All options of a loan with both ranks, and its best cash option.
fn rank(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    placed: &Placed,
    base: &Base,
    loan: Ix,
) -> Option<(SyntheticOptionsRanked, Option<CashMarketMapped>)> {
    let book = scorer.book;
    let mut found = options(scorer, base, loan);
    found.sort_unstable_by_key(|f| (Reverse(f.pricing.prx_plus_carry), place(f)));
    for (found, rank) in found.iter_mut().zip(1..) {
        found.option.rank_pc = rank;
    }
    found.sort_unstable_by_key(|f| (Reverse(f.pricing.price), place(f)));
    for (found, rank) in found.iter_mut().zip(1..) {
        found.option.rank_po = rank;
    }
    let rank = |found: &&Found| match book.options.price_mode {
        PriceMode::Po => found.option.rank_po,
        PriceMode::Pc => found.option.rank_pc,
    };
    let best = found.iter().min_by_key(rank)?;
    let is_cash = |f: &&Found| book.instrument(f.instrument).kind == InstrumentKind::Cash;
    let loan_id = LoanId::from(&book.loan(loan).loan_id);
    let mapped = found.iter().filter(is_cash).min_by_key(rank);
    let mapped = mapped
        .map(|cash| CashMarketMapped { loan_id: loan_id.clone(), option: cash.option.clone() });
    let allocated = placed.of(loan).map(|ix| candidates.get(ix));
    let allocated_score = allocated.map(|candidate| candidate.pricing.score);
    let ranked = SyntheticOptionsRanked {
        loan_id,
        best_syn_trade_id: best.option.slot.syn_trade_id.clone(),
        allocated_trade_id: allocated.map(|c| TradeId::from(&book.trade(c.trade).trade_id)),
        allocated_score,
        give_up: allocated_score.map(|score| best.pricing.score - score),
        options: found.into_iter().map(|found| found.option).collect(),
    };
    Some((ranked, mapped))
}

/// Where scores tie: the earlier settlement, then the instrument by name.
fn place(found: &Found) -> (powerfill_events::values::Day, Ix) {
    (found.option.slot.settlement_date, found.instrument)
}

fn options(scorer: &Scorer<'_>, base: &Base, loan: Ix) -> Vec<Found> {
    let buffer = scorer.book.options.eligible_settle_buffer_days;
    let earliest = scorer.deliverable_on(loan).plus(buffer);
    let mut found = Vec::new();
    for matched in scorer.matches.of_loan(loan) {
        let slots = &base[matched.instrument as usize];
        let reachable = &slots[slots.partition_point(|(slot, _)| slot.settles_on < earliest)..];
        if reachable.is_empty() {
            continue;
        }
        let priced =
            scorer.in_slots(loan, matched.instrument, reachable.iter().map(|(slot, _)| slot));
        for (settles_on, pricing) in priced {
            let at = reachable.partition_point(|(slot, _)| slot.settles_on < settles_on);
            let option = SyntheticOption {
                slot: Arc::clone(&reachable[at].1),
                interest_earning_days: pricing.interest_earning_days,
                price: pricing.price,
                payup: pricing.payup,
                carry_cost: pricing.carry_cost,
                prx_plus_carry: pricing.prx_plus_carry,
                rank_po: 0,
                rank_pc: 0,
            };
            found.push(Found { instrument: matched.instrument, pricing, option });
        }
    }
    found
}
