//! The events before the allocation: who takes part, the bx steps, the constraint tree, and the
//! candidates.

use super::book::{LoanIdx, RunBook, TradeIdx};
use super::candidates::{Candidates, PairRejection, Scorer};
use super::context::RunContext;
use super::index::count;
use super::matching::Matches;
use super::participation::{Inclusion, Participation};
use super::recorder::{Cancelled, EventRecorder};
use powerfill_events::run::event::{
    CandidateScored, CandidatesRejected, CashGridBuilt, ConstraintMatched, LoanPinned, Rejection,
    RunEvent, RunStarted, TradeAssessed, TradeSettlementSet,
};
use powerfill_events::values::{InstrumentName, InvestorId, LoanId, PoolName, TradeId};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::tables::TradeType;

/// The engine's version, as `RunStarted` carries it.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn run_started(participation: &Participation) -> RunEvent {
    RunEvent::RunStarted(Box::new(RunStarted {
        engine_version: ENGINE_VERSION.to_owned(),
        loans: participation.loan_counts(),
        trades: participation.trade_counts(),
    }))
}

/// `bx_cash_grids` (2.3): the grid of each instrument of a bx trade.
pub(super) fn record_cash_grids(
    context: &RunContext<'_>,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, grids, participation, .. } = context;
    let trades = participation.trades.indices().iter();
    let bx = trades.filter(|trade| book.trade(*trade).trade_type == TradeType::Bx);
    let mut instruments: Vec<_> = bx.map(|trade| book.trade_instrument[trade]).collect();
    instruments.sort_unstable();
    instruments.dedup();
    for instrument in instruments {
        let slots = grids.slots(instrument);
        let name = &book.instrument(instrument).investor_instrument_name;
        recorder.record(RunEvent::CashGridBuilt(Box::new(CashGridBuilt {
            investor_instrument_name: InstrumentName::from(name),
            rows: slots.iter().map(|slot| count(grids.points(slot).len())).sum(),
            settlement_dates: slots.iter().map(|slot| slot.settles_on).collect(),
        })))?;
    }
    Ok(())
}

/// `bx_settle_and_price` (2.3), then the assessment of every trade (2.1), both by id.
pub(super) fn record_assessments(
    context: &RunContext<'_>,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, participation, .. } = context;
    for (idx, assessment) in participation.trades.enumerate() {
        let trade = book.trade(idx);
        if trade.trade_type == TradeType::Bx && trade.settlement_date.is_none() {
            recorder.record(RunEvent::TradeSettlementSet(TradeSettlementSet {
                trade_id: TradeId::from(&trade.trade_id),
                settlement_date: assessment.settles_on,
            }))?;
        }
    }
    for trade in participation.trades.indices().iter() {
        let assessed = trade_assessed(book, participation, trade);
        recorder.record(RunEvent::TradeAssessed(Box::new(assessed)))?;
    }
    Ok(())
}

/// The assessment of a trade as events carry it.
pub(super) fn trade_assessed(
    book: &RunBook<'_>,
    participation: &Participation,
    idx: TradeIdx,
) -> TradeAssessed {
    let (trade, assessment) = (book.trade(idx), &participation.trades[idx]);
    let instrument = book.instrument(book.trade_instrument[idx]);
    let (exclusion_reason, band) = match assessment.inclusion {
        Inclusion::Included(band) => (None, Some(band)),
        Inclusion::Excluded(reason) => (Some(reason), None),
    };
    TradeAssessed {
        trade_id: TradeId::from(&trade.trade_id),
        investor_id: InvestorId::from(&instrument.investor_id),
        investor_instrument_name: InstrumentName::from(&instrument.investor_instrument_name),
        trade_type: trade.trade_type,
        settlement_date: assessment.settles_on,
        exclusion_reason,
        open_amount: assessment.open,
        band,
    }
}

/// The locked and held loans, by id, with their pricing in their present trade (1.5, notes on the
/// guide).
pub(super) fn record_pinned(
    scorer: &Scorer<'_>,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, participation, .. } = scorer.context;
    for (idx, held_reason) in participation.pinned() {
        let pool = book.loan_pool[idx].expect("a locked or held loan is in a pool");
        let trade = participation.present_trade(book, idx);
        let included = participation.present_included_trade(book, idx);
        let all_in = included.and_then(|trade| scorer.price_in(idx, trade));
        let pricing = all_in.zip(included).zip(book.eligible_on[idx]);
        let pricing = pricing.map(|((all_in, trade), eligible_on)| {
            let instrument = book.trade_instrument[trade];
            scorer.pricing(all_in, eligible_on, participation.settles_on(trade), instrument)
        });
        let price = all_in.map(|all_in| all_in.price);
        recorder.record(RunEvent::LoanPinned(Box::new(LoanPinned {
            loan_id: LoanId::from(&book.loan(idx).loan_id),
            pool_name: PoolName::from(&book.pool(pool).pool_name),
            trade_id: trade.map(|trade| TradeId::from(&book.trade(trade).trade_id)),
            settlement_date: trade.and_then(|trade| participation.trades[trade].settles_on),
            loan_amount: book.amounts[idx],
            held_reason,
            price,
            payup: all_in.map(|all_in| all_in.payup),
            carry_cost: pricing.map(|pricing| pricing.carry_cost),
            prx_plus_carry: pricing.map(|pricing| pricing.prx_plus_carry),
            score: match book.options.price_mode {
                PriceMode::Po => price,
                PriceMode::Pc => pricing.map(|pricing| pricing.prx_plus_carry),
            },
        })))?;
    }
    Ok(())
}

/// The walkable nodes, in walk order (2.4).
pub(super) fn record_constraints(
    context: &RunContext<'_>,
    matches: &Matches,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, participation, tree, .. } = context;
    for (idx, node) in tree.nodes.enumerate() {
        let instrument = book.constraint_instrument[node.constraint];
        let trades = instrument.map_or(0, |idx| count(participation.included_of[idx].len()));
        recorder.record(RunEvent::ConstraintMatched(Box::new(ConstraintMatched {
            node: node.node.clone(),
            turn: node.turn,
            loans_matched: matches.loans_of_node[idx],
            trades,
            lo_limit: node.lo_limit,
            hi_limit: node.hi_limit,
        })))?;
    }
    Ok(())
}

/// The candidates by turn and rank, then the rejected pairs by loan (2.6).
pub(super) fn record_candidates(
    context: &RunContext<'_>,
    candidates: &Candidates,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, tree, .. } = context;
    let loan_id = |loan: LoanIdx| LoanId::from(&book.loan(loan).loan_id);
    let trade_id = |trade: TradeIdx| TradeId::from(&book.trade(trade).trade_id);
    for (turn, range) in candidates.turns() {
        for (candidate, candidate_rank) in candidates.all[range].iter().zip(1..) {
            recorder.record(RunEvent::CandidateScored(CandidateScored {
                turn,
                candidate_rank,
                node: tree.nodes[candidate.node].node.clone(),
                loan_id: loan_id(candidate.loan),
                trade_id: trade_id(candidate.trade),
                pricing: candidate.pricing,
            }))?;
        }
    }
    for pairs in candidates.rejected.chunk_by(|a, b| a.loan == b.loan) {
        let rejection = |pair: &PairRejection| Rejection {
            trade_id: trade_id(pair.trade),
            reason: pair.reason,
        };
        recorder.record(RunEvent::CandidatesRejected(CandidatesRejected {
            loan_id: loan_id(pairs[0].loan),
            rejections: pairs.iter().map(rejection).collect(),
        }))?;
    }
    Ok(())
}
