//! What a run says before it allocates: who takes part, the bx steps, the constraint tree, the candidates.

use super::book::{Book, Ix};
use super::candidates::{Candidates, Scorer};
use super::participation::{Inclusion, Participation};
use super::prices::Grids;
use super::tree::{Matches, Tree};
use super::{Cancelled, ENGINE_VERSION, Recorder};
use powerfill_events::run::event::{
    CandidateScored, CandidatesRejected, CashGridBuilt, ConstraintMatched, LoanPinned, Rejection,
    RunEvent, RunStarted, TradeAssessed, TradeSettlementSet,
};
use powerfill_events::values::{InstrumentName, InvestorId, LoanId, PoolName, TradeId};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::tables::TradeType;

pub(super) fn started(participation: &Participation) -> RunEvent {
    RunEvent::RunStarted(Box::new(RunStarted {
        engine_version: ENGINE_VERSION.to_owned(),
        loans: participation.loan_counts(),
        trades: participation.trade_counts(),
    }))
}

/// `bx_cash_grids` (2.3): for each instrument of a bx trade, its grid.
pub(super) fn cash_grids(
    book: &Book<'_>,
    grids: &Grids,
    recorder: &mut Recorder<'_>,
) -> Result<(), Cancelled> {
    let bx = book.snapshot.trades.iter().zip(&book.trade_instrument);
    let bx = bx.filter(|(trade, _)| trade.trade_type == TradeType::Bx);
    let mut instruments: Vec<Ix> = bx.map(|(_, instrument)| *instrument).collect();
    instruments.sort_unstable();
    instruments.dedup();
    for instrument in instruments {
        let slots = grids.slots(instrument);
        let name = &book.instrument(instrument).investor_instrument_name;
        recorder.record(RunEvent::CashGridBuilt(Box::new(CashGridBuilt {
            investor_instrument_name: InstrumentName::from(name),
            rows: slots.iter().map(|slot| grids.points(slot).len() as u64).sum(),
            settlement_dates: slots.iter().map(|slot| slot.settles_on).collect(),
        })))?;
    }
    Ok(())
}

/// `bx_settle_and_price` (2.3), and then every trade as 2.1 assesses it, by id.
pub(super) fn settlements(
    book: &Book<'_>,
    participation: &Participation,
    recorder: &mut Recorder<'_>,
) -> Result<(), Cancelled> {
    for (trade, standing) in book.snapshot.trades.iter().zip(&participation.trades) {
        if trade.trade_type == TradeType::Bx && trade.settlement_date.is_none() {
            recorder.record(RunEvent::TradeSettlementSet(TradeSettlementSet {
                trade_id: TradeId::from(&trade.trade_id),
                settlement_date: standing.settles_on,
            }))?;
        }
    }
    for ix in 0..book.snapshot.trades.len() as Ix {
        recorder.record(RunEvent::TradeAssessed(Box::new(assessed(book, participation, ix))))?;
    }
    Ok(())
}

/// A trade as 2.1 assesses it.
pub(super) fn assessed(book: &Book<'_>, participation: &Participation, ix: Ix) -> TradeAssessed {
    let standing = &participation.trades[ix as usize];
    let trade = book.trade(ix);
    let instrument = book.instrument(book.trade_instrument[ix as usize]);
    let (exclusion_reason, band) = match standing.inclusion {
        Inclusion::Included(band) => (None, Some(band)),
        Inclusion::Excluded(reason) => (Some(reason), None),
    };
    TradeAssessed {
        trade_id: TradeId::from(&trade.trade_id),
        investor_id: InvestorId::from(&instrument.investor_id),
        investor_instrument_name: InstrumentName::from(&instrument.investor_instrument_name),
        trade_type: trade.trade_type,
        settlement_date: standing.settles_on,
        exclusion_reason,
        open_amount: standing.open,
        band,
    }
}

/// The locked and held loans, by id, with what they are worth where they are (1.5, notes on the guide).
pub(super) fn pinned(scorer: &Scorer<'_>, recorder: &mut Recorder<'_>) -> Result<(), Cancelled> {
    let (book, participation) = (scorer.book, scorer.participation);
    for (ix, held_reason) in participation.pinned() {
        let loan = book.loan(ix);
        let pool = book.loan_pool[ix as usize].expect("a locked or held loan is in a pool");
        let trade = participation.present_trade(book, ix);
        let standing = trade.map(|trade| &participation.trades[trade as usize]);
        let included = participation.included_trade(book, ix);
        let all_in = included.and_then(|trade| scorer.price_in(ix, trade));
        let pricing = all_in.zip(included).zip(book.eligible_on[ix as usize]);
        let pricing = pricing.map(|((all_in, trade), eligible_on)| {
            let instrument = book.trade_instrument[trade as usize];
            scorer.pricing(all_in, eligible_on, participation.settles_on(trade), instrument)
        });
        let price = all_in.map(|all_in| all_in.price);
        recorder.record(RunEvent::LoanPinned(Box::new(LoanPinned {
            loan_id: LoanId::from(&loan.loan_id),
            pool_name: PoolName::from(&book.pool(pool).pool_name),
            trade_id: trade.map(|trade| TradeId::from(&book.trade(trade).trade_id)),
            settlement_date: standing.and_then(|standing| standing.settles_on),
            loan_amount: loan.loan_amount,
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
pub(super) fn constraints(
    book: &Book<'_>,
    tree: &Tree,
    matches: &Matches,
    trades_of_instrument: &[Vec<Ix>],
    recorder: &mut Recorder<'_>,
) -> Result<(), Cancelled> {
    for (node, loans_matched) in tree.nodes.iter().zip(&matches.loans_of_node) {
        let instrument = book.constraint_instrument[node.constraint as usize];
        let trades = instrument.map_or(0, |ix| trades_of_instrument[ix as usize].len() as u64);
        recorder.record(RunEvent::ConstraintMatched(Box::new(ConstraintMatched {
            node: node.shown.clone(),
            turn: node.turn,
            loans_matched: *loans_matched,
            trades,
            lo_limit: node.lo_limit,
            hi_limit: node.hi_limit,
        })))?;
    }
    Ok(())
}

/// The candidates in the order of turn and rank, then the pairs that are none, by loan (2.6).
pub(super) fn candidates(
    book: &Book<'_>,
    tree: &Tree,
    candidates: &Candidates,
    recorder: &mut Recorder<'_>,
) -> Result<(), Cancelled> {
    let loan_id = |ix: Ix| LoanId::from(&book.loan(ix).loan_id);
    let trade_id = |ix: Ix| TradeId::from(&book.trade(ix).trade_id);
    for (turn, positions) in candidates.turns() {
        for ix in positions.start as Ix..positions.end as Ix {
            let candidate = candidates.get(ix);
            recorder.record(RunEvent::CandidateScored(CandidateScored {
                turn,
                candidate_rank: candidates.rank(turn, ix),
                node: tree.node(candidate.node).shown.clone(),
                loan_id: loan_id(candidate.loan),
                trade_id: trade_id(candidate.trade),
                pricing: candidate.pricing,
            }))?;
        }
    }
    for pairs in candidates.rejected.chunk_by(|a, b| a.loan == b.loan) {
        let rejection = |pair: &super::candidates::Rejected| Rejection {
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
