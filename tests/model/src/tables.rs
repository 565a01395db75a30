//! 1.5 Output tables: rows of canonical text, NULL as the empty text, in the order of 1.5, without
//! `run_id`.

use powerfill_events::run::event::PoolAction;
use powerfill_events::values::Day;
use powerfill_snapshot::tables::{InstrumentKind, TradeType};

use crate::market::{Market, ModelCandidate, ModelPricing};
use crate::number::{CENTS, POINTS, SIX, of_units, round, text};
use crate::participation::LoanResult;
use crate::passes::ModelAllocation;
use crate::results::{self, destination, guide_pricing, kickouts, postings, present_pool};
use crate::{ModelTable, preflight, ue};

/// `trade_id_origin` of 1.5.
const ORIGIN: &str = "pfill_syn_powerfill_guide";

pub(crate) fn table(
    name: &'static str,
    columns: &'static str,
    rows: Vec<Vec<String>>,
) -> ModelTable {
    let columns: Vec<&'static str> = columns.split(", ").collect();
    assert!(rows.iter().all(|row| row.len() == columns.len()), "{name}");
    ModelTable { name, columns, rows }
}

pub(crate) fn money(cents: i128) -> String {
    text(cents, CENTS)
}

fn points(units: i128) -> String {
    text(units, POINTS)
}

pub(crate) fn or_null<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map(show).unwrap_or_default()
}

fn day(date: Option<Day>) -> String {
    or_null(date, |date| date.to_string())
}

fn yes(holds: bool) -> String {
    if holds { "Y" } else { "N" }.to_owned()
}

/// `pool_action` of 1.5.
fn action_text(action: PoolAction) -> &'static str {
    match action {
        PoolAction::Remaining => "Remaining",
        PoolAction::Joining => "Joining",
        PoolAction::Leaving => "Leaving",
        PoolAction::Switching => "Switching",
        PoolAction::SwappedIn => "Swapped In",
    }
}

fn loan_id(market: &Market<'_>, loan: usize) -> String {
    market.input.snapshot.loans[loan].loan_id.to_string()
}

pub(crate) fn trade_id(market: &Market<'_>, trade: usize) -> String {
    market.input.snapshot.trades[trade].trade_id.to_string()
}

fn settles(market: &Market<'_>, trade: Option<usize>) -> String {
    day(trade.and_then(|t| market.input.trades[t].settlement_date))
}

/// *key* of 1.5, as `pfill_constraints` spells it.
pub(crate) fn node_key(market: &Market<'_>, node: usize) -> [String; 3] {
    let key = market.nodes[node].row;
    [
        key.investor_id.to_string(),
        key.investor_instrument_name.to_string(),
        key.constraint_name.to_string(),
    ]
}

fn priority(market: &Market<'_>, node: usize) -> String {
    market.nodes[node].row.constraint_priority.to_string()
}

/// price, payup, carry_cost, prx_plus_carry, score.
fn pricing_cells(pricing: Option<ModelPricing>) -> [String; 5] {
    [
        or_null(pricing.map(|w| w.price), points),
        or_null(pricing.map(|w| w.payup), points),
        or_null(pricing.and_then(|w| w.carry_cost), points),
        or_null(pricing.and_then(|w| w.prx_plus_carry), points),
        or_null(pricing.and_then(|w| w.score), points),
    ]
}

pub(crate) fn preflight_findings(market: &Market<'_>) -> ModelTable {
    let rows = preflight::findings(market)
        .into_iter()
        // The specification leaves the message open.
        .map(|(code, severity, subject)| {
            vec![code.to_owned(), severity.to_owned(), subject, String::new()]
        })
        .collect();
    table("pfill_preflight_findings", "code, severity, subject, message", rows)
}

pub(crate) fn trade_base(market: &Market<'_>) -> ModelTable {
    let input = market.input;
    let rows = (0..input.trades.len())
        .map(|t| {
            let (row, assessed) = (&input.snapshot.trades[t], &input.trades[t]);
            let i = crate::market::instrument_row(input, &row.investor_instrument_name)
                .expect("the instrument of a trade");
            let band = |cents: i128| {
                if assessed.included() { money(cents) } else { String::new() }
            };
            vec![
                row.trade_id.to_string(),
                i.investor_id.to_string(),
                i.investor_instrument_name.to_string(),
                match row.trade_type {
                    TradeType::Forward => "forward",
                    TradeType::Bx => "bx",
                }
                .to_owned(),
                day(assessed.settlement_date),
                yes(assessed.included()),
                or_null(assessed.exclusion, |reason| format!("{reason:?}")),
                money(assessed.open),
                band(assessed.tolerance),
                band(assessed.min),
                band(assessed.max),
                band(input.held_amount(t)),
            ]
        })
        .collect();
    table(
        "pfill_trade_base",
        "trade_id, investor_id, investor_instrument_name, trade_type, settlement_date, included, \
         exclusion_reason, open_amount, tolerance_amount, min_amount, max_amount, held_amount",
        rows,
    )
}

pub(crate) fn candidates(market: &Market<'_>) -> ModelTable {
    let row = |c: &ModelCandidate| {
        let mut cells = vec![c.turn.to_string(), c.rank.to_string()];
        cells.extend(node_key(market, c.node));
        cells.extend([
            priority(market, c.node),
            loan_id(market, c.loan),
            trade_id(market, c.trade),
        ]);
        cells.push(or_null(c.pricing.interest_earning_days, |n| n.to_string()));
        cells.extend(pricing_cells(Some(c.pricing)));
        cells
    };
    table(
        "pfill_loan2trade_candy_level_01",
        "turn, candidate_rank, investor_id, investor_instrument_name, constraint_name, \
         constraint_priority, loan_id, trade_id, interest_earning_days, price, payup, carry_cost, \
         prx_plus_carry, score",
        market.turns.iter().flatten().map(row).collect(),
    )
}

/// Allocated, locked and held loans, by loan_id.
pub(crate) fn guide(market: &Market<'_>, end: &ModelAllocation<'_>) -> ModelTable {
    let input = market.input;
    let mut rows = vec![];
    for l in 0..input.loans.len() {
        let placed = end.placed[l].as_ref();
        let (trade, pool, pass) = match (placed, input.loans[l]) {
            (Some(placed), _) => {
                let t = placed.candidate.trade;
                (Some(t), Some(destination(market, l, t)), placed.pass)
            }
            (None, LoanResult::Locked) => (input.prior_trade[l], present_pool(market, l), "locked"),
            (None, LoanResult::Held(_)) => (input.prior_trade[l], present_pool(market, l), "held"),
            (None, _) => continue,
        };
        let node = placed.map(|placed| placed.candidate.node);
        let mut cells = vec![
            loan_id(market, l),
            or_null(trade, |t| trade_id(market, t)),
            pool.unwrap_or_default(),
        ];
        cells.extend(node.map(|k| node_key(market, k)).unwrap_or_default());
        cells.extend([
            or_null(node, |k| priority(market, k)),
            pass.to_owned(),
            or_null(placed, |placed| placed.seq.to_string()),
            or_null(input.loans[l].held_reason(), |reason| format!("{reason:?}")),
            money(input.amount(l)),
        ]);
        cells.extend(pricing_cells(guide_pricing(market, end, l)));
        cells.extend([
            settles(market, trade),
            present_pool(market, l).unwrap_or_default(),
            or_null(input.prior_trade[l], |t| trade_id(market, t)),
            action_text(postings(market, end, l)[0].action).to_owned(),
        ]);
        rows.push(cells);
    }
    table(
        "pfill_powerfill_guide",
        "loan_id, trade_id, pool_name, investor_id, investor_instrument_name, constraint_name, \
         constraint_priority, pass, allocation_seq, held_reason, loan_amount, price, payup, \
         carry_cost, prx_plus_carry, score, settlement_date, prior_pool_name, prior_trade_id, \
         pool_action",
        rows,
    )
}

/// Postings by trade_id (NULL first), loan_id, pa_key.
pub(crate) fn pool_guide(market: &Market<'_>, end: &ModelAllocation<'_>) -> ModelTable {
    let mut keyed = vec![];
    for l in 0..market.input.loans.len() {
        for posting in postings(market, end, l) {
            let price = match posting.action {
                PoolAction::Leaving => None,
                _ => guide_pricing(market, end, l).map(|w| w.price),
            };
            let pa_key = results::pa_key(posting.action);
            let cells = vec![
                or_null(posting.trade, |t| trade_id(market, t)),
                loan_id(market, l),
                action_text(posting.action).to_owned(),
                pa_key.to_string(),
                settles(market, posting.trade),
                posting.pool,
                posting.from.unwrap_or_default(),
                posting.to.unwrap_or_default(),
                money(market.input.amount(l)),
                or_null(price, points),
            ];
            keyed.push(((posting.trade, l, pa_key), cells));
        }
    }
    keyed.sort();
    table(
        "pfill_pool_guide",
        "trade_id, loan_id, pool_action, pa_key, settlement_date, pool_name, from_pool_name, \
         to_pool_name, loan_amount, price",
        keyed.into_iter().map(|(_, cells)| cells).collect(),
    )
}

pub(crate) fn kickout_guide(market: &Market<'_>, end: &ModelAllocation<'_>) -> ModelTable {
    let rows = kickouts(market, end)
        .into_iter()
        .map(|kickout| {
            vec![
                loan_id(market, kickout.loan),
                format!("{:?}", kickout.reason),
                kickout.constraints_matched.to_string(),
                kickout.candidates.to_string(),
                or_null(kickout.best, |c| trade_id(market, c.trade)),
                or_null(kickout.best, |c| points(c.score)),
                present_pool(market, kickout.loan).unwrap_or_default(),
                money(market.input.amount(kickout.loan)),
            ]
        })
        .collect();
    table(
        "pfill_kickout_guide_01",
        "loan_id, reason, constraints_matched, candidates, best_trade_id, best_score, pool_name, \
         loan_amount",
        rows,
    )
}

pub(crate) fn trade_recap(market: &Market<'_>, end: &ModelAllocation<'_>) -> ModelTable {
    let rows = market
        .input
        .included()
        .map(|t| {
            let (assessed, fill) = (&market.input.trades[t], results::fill(market, end, t));
            let [price, note_rate, fico, ltv] = fill.averages;
            vec![
                trade_id(market, t),
                money(assessed.open),
                money(assessed.min),
                money(assessed.max),
                money(fill.filled),
                fill.loans.len().to_string(),
                fill.status.to_owned(),
                money(fill.shortfall),
                or_null(price, points),
                or_null(note_rate, |x| text(x, SIX)),
                or_null(fico, |x| text(x, SIX)),
                or_null(ltv, |x| text(x, SIX)),
            ]
        })
        .collect();
    table(
        "pfill_trade_recap",
        "trade_id, open_amount, min_amount, max_amount, filled_amount, loan_count, fill_status, \
         shortfall_amount, wavg_price, wavg_note_rate, wavg_fico, wavg_ltv",
        rows,
    )
}

/// Blocks in walk order of the nodes, then by trade_id.
pub(crate) fn constraint_pool(market: &Market<'_>, end: &ModelAllocation<'_>) -> ModelTable {
    let mut rows = vec![];
    for k in 0..market.nodes.len() {
        let row = market.nodes[k].row;
        if row.lo_limit.is_none() && row.hi_limit.is_none() {
            continue;
        }
        let of_its_instrument =
            |t: &usize| *market.instrument_of(*t) == row.investor_instrument_name;
        for t in market.input.included().filter(of_its_instrument) {
            let (lo, used, filled) = (market.lo(k, t), end.used(k, t), end.filled[t]);
            let share = (filled != 0)
                .then(|| round(&(of_units(used, CENTS) / of_units(filled, CENTS)), SIX));
            let mut cells = node_key(market, k).to_vec();
            cells.extend([
                trade_id(market, t),
                or_null(lo, money),
                or_null(market.hi(k, t), money),
                money(used),
                or_null(share, |x| text(x, SIX)),
                or_null(lo, |lo| yes(used >= lo)),
            ]);
            rows.push(cells);
        }
    }
    table(
        "pfill_loan_constraint_pool",
        "investor_id, investor_instrument_name, constraint_name, trade_id, lo_amount, hi_amount, \
         used_amount, used_share, lo_met",
        rows,
    )
}

pub(crate) fn syn_trade_base(market: &Market<'_>) -> ModelTable {
    let rows = ue::base(market)
        .into_iter()
        .map(|syn| {
            let kind = match syn.instrument.kind {
                InstrumentKind::Tba => "tba",
                InstrumentKind::Cash => "cash",
                InstrumentKind::WholeLoan => "whole_loan",
            };
            vec![
                ue::syn_trade_id(syn.instrument, syn.row.settlement_date),
                syn.instrument.investor_id.to_string(),
                syn.instrument.investor_instrument_name.to_string(),
                kind.to_owned(),
                day(Some(syn.row.settlement_date)),
                text(syn.row.note_rate.units().into(), SIX),
                points(syn.row.price.units().into()),
                ORIGIN.to_owned(),
            ]
        })
        .collect();
    table(
        "pfill_syn_trade_base",
        "syn_trade_id, investor_id, investor_instrument_name, kind, settlement_date, note_rate, \
         price, trade_id_origin",
        rows,
    )
}

/// The three tables of synthetic options: all of them, the best per loan, and the best for cash.
pub(crate) fn syn_guides(market: &Market<'_>, end: &ModelAllocation<'_>) -> [ModelTable; 3] {
    let mode = market.input.options.price_mode;
    let base = ue::base(market);
    let (mut all_rank, mut guide, mut cash_map) = (vec![], vec![], vec![]);
    for l in market.input.eligible() {
        let options = ue::options(market, &base, l);
        for option in &options {
            let cells = option_cells(market, l, option);
            if option.rank(mode) == 1 {
                let placed = end.placed[l].as_ref().map(|placed| &placed.candidate);
                let score = option.pricing.score.expect("an Eligible loan has an eligibility date");
                let mut best = cells.clone();
                best.extend([
                    or_null(placed, |c| trade_id(market, c.trade)),
                    or_null(placed, |c| points(c.score)),
                    or_null(placed, |c| points(score - c.score)),
                ]);
                guide.push(best);
            }
            all_rank.push(cells);
        }
        let cash = options.iter().filter(|o| o.is_cash()).min_by_key(|o| o.rank(mode));
        if let Some(option) = cash {
            let mut cells = vec![
                loan_id(market, l),
                option.instrument.investor_instrument_name.to_string(),
                day(Some(option.date)),
            ];
            cells.extend_from_slice(&pricing_cells(Some(option.pricing))[..4]);
            cash_map.push(cells);
        }
    }
    [
        table(
            "pfill_syn_powerfill_guide_all_rank",
            "loan_id, syn_trade_id, investor_instrument_name, settlement_date, \
             interest_earning_days, price, payup, carry_cost, prx_plus_carry, rank_po, rank_pc, \
             trade_id_origin",
            all_rank,
        ),
        table(
            "pfill_syn_powerfill_guide",
            "loan_id, syn_trade_id, investor_instrument_name, settlement_date, \
             interest_earning_days, price, payup, carry_cost, prx_plus_carry, rank_po, rank_pc, \
             trade_id_origin, allocated_trade_id, allocated_score, give_up",
            guide,
        ),
        table(
            "pfill_cash_market_map",
            "loan_id, investor_instrument_name, settlement_date, price, payup, carry_cost, \
             prx_plus_carry",
            cash_map,
        ),
    ]
}

fn option_cells(market: &Market<'_>, loan: usize, option: &ue::ModelOption<'_>) -> Vec<String> {
    let mut cells = vec![
        loan_id(market, loan),
        ue::syn_trade_id(option.instrument, option.date),
        option.instrument.investor_instrument_name.to_string(),
        day(Some(option.date)),
        or_null(option.pricing.interest_earning_days, |n| n.to_string()),
    ];
    cells.extend_from_slice(&pricing_cells(Some(option.pricing))[..4]);
    cells.extend([option.rank_po.to_string(), option.rank_pc.to_string(), ORIGIN.to_owned()]);
    cells
}
