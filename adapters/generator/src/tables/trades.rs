//! Table `pscat_trades`. It is written after the loans, because the amount of an open trade follows
//! from them.

use crate::book::{OpenTrade, TradeBook, TradeStatus};
use crate::calendar::iso;
use crate::catalog::{Catalog, Instrument};
use crate::data::MARGINALS;
use crate::dice::{Dice, Topic};
use crate::error::GenerateError;
use crate::figures::{TICK, money, price};
use crate::folder::{Folder, Table};
use crate::kinds::Family;
use crate::market::forward_price;
use crate::settled::{PastStatus, PastTrades, trade_id};

/// The unit of trade amounts: 1,000 dollars, in cents.
const LOT: i64 = 100_000;

pub(crate) fn write(
    folder: &mut Folder,
    catalog: &Catalog,
    book: &TradeBook,
    past: &PastTrades,
    seed: u64,
) -> Result<(), GenerateError> {
    let mut table = folder.table("pscat_trades")?;
    let mut dice = Dice::new(seed, Topic::ClosedTradeRows);
    for number in 0..past.trades {
        write_past(&mut table, &mut dice, catalog, past, number)?;
    }
    let mut dice = Dice::new(seed, Topic::OpenTradeRows);
    for (at, trade) in (0_u32..).zip(&book.open) {
        write_open(&mut table, &mut dice, catalog, trade, &past.open_trade_id(at))?;
    }
    folder.close(table)
}

/// The columns of a tolerance (1.2).
struct Tolerance {
    percent: &'static str,
    amount: &'static str,
    rule: &'static str,
    side: &'static str,
}

fn tolerance(dice: &mut Dice) -> Tolerance {
    let percent = dice.weighted(&MARGINALS.tolerance);
    let rule = dice.weighted(&MARGINALS.tolerance_rule);
    let amount = match rule {
        "greater_of" => "10000.00",
        "lesser_of" => "100000.00",
        _ => "",
    };
    let side = dice.weighted(&MARGINALS.tolerance_side);
    Tolerance { percent, amount, rule, side }
}

/// The change of a trade's size, in thousandths. Loans that fit two coupons are sold with the
/// higher one, which pays more, so that trades of high coupons must be a little larger and those of
/// low coupons smaller.
fn tilt(instrument: &Instrument) -> i64 {
    // The lowest government coupon stays a little open, so that only its limit keeps a loan out
    // (2.8).
    let is_low_government =
        instrument.kind.family == Family::Government && instrument.coupon <= 4_000;
    let by_kind = if is_low_government { 65 } else { instrument.kind.tilt };
    let by_coupon = match instrument.coupon {
        7_000.. => 8,
        6_500.. => 5,
        6_000.. => 2,
        5_000.. => 0,
        4_500.. => -6,
        _ => -40,
    };
    by_kind + by_coupon
}

/// The trade amount and the pair-off. The loans of the trade nearly fill it.
fn amounts(dice: &mut Dice, trade: &OpenTrade, instrument: &Instrument) -> (i64, i64) {
    let share = dice.between(966, 998) + tilt(instrument);
    let wanted = trade.held + trade.intended * share / 1_000;
    let needed = if wanted == 0 { dice.between(5, 30) * 100 * LOT } else { wanted };
    let open = (needed / LOT).max(1) * LOT;
    match trade.standing {
        TradeStatus::PairedOff => (open, open),
        _ if dice.permille(60) => {
            let paired_off = dice.between(1, 20) * 50 * LOT;
            (open + paired_off, paired_off)
        }
        _ => (open, 0),
    }
}

fn write_open(
    table: &mut Table,
    dice: &mut Dice,
    catalog: &Catalog,
    trade: &OpenTrade,
    trade_id: &str,
) -> Result<(), GenerateError> {
    let instrument = &catalog.instruments[trade.instrument as usize];
    let (amount, pair_off) = amounts(dice, trade, instrument);
    let band = tolerance(dice);
    table.row(&[
        trade_id,
        &instrument.name,
        if trade.is_bx { "bx" } else { "forward" },
        "open",
        &if trade.is_dated { iso(trade.settles_in) } else { String::new() },
        &money(amount),
        band.percent,
        band.amount,
        band.rule,
        band.side,
        &if trade.is_bx { String::new() } else { price(trade.price) },
        &money(pair_off),
        if trade.is_priced_only { "Y" } else { "N" },
    ])
}

/// Writes a trade of the last two years.
fn write_past(
    table: &mut Table,
    dice: &mut Dice,
    catalog: &Catalog,
    past: &PastTrades,
    number: u32,
) -> Result<(), GenerateError> {
    const YEARS: i64 = 730;
    let status = PastStatus::from_number(number);
    let instrument = &catalog.instruments[past.instrument(number) as usize];
    let age = YEARS - YEARS * i64::from(number) / i64::from(past.trades);
    let settled_in = match status {
        PastStatus::Settled => -age,
        PastStatus::Cancelled | PastStatus::Phantom => dice.between(-age, 30),
    };
    let is_bx = instrument.kind.kind() == "cash";
    let price_offset = 4 * TICK * dice.between(-64, 64);
    let band = tolerance(dice);
    table.row(&[
        trade_id(number).as_str(),
        &instrument.name,
        if is_bx { "bx" } else { "forward" },
        status.name(),
        &iso(settled_in),
        &money(dice.between(5, 120) * 100 * LOT),
        band.percent,
        band.amount,
        band.rule,
        band.side,
        &if is_bx { String::new() } else { price(forward_price(instrument, 0) + price_offset) },
        "0.00",
        "N",
    ])
}
