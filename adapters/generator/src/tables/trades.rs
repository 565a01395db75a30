//! Table `pscat_trades`, written after the loans: an open trade is as large as what is meant for
//! it.

use crate::book::{Book, OpenTrade, Standing};
use crate::calendar::iso;
use crate::catalog::{Catalog, Instrument};
use crate::dice::{Dice, Topic};
use crate::error::GenerateError;
use crate::figures::{TICK, money, price};
use crate::folder::{Folder, Table};
use crate::market::forward_price;
use crate::settled::{Fate, Past, trade_id};
use crate::shapes::Shape;

const HEADER: [&str; 13] = [
    "trade_id",
    "investor_instrument_name",
    "trade_type",
    "status",
    "settlement_date",
    "trade_amount",
    "tolerance",
    "tolerance_amount",
    "tolerance_rule",
    "tolerance_side",
    "trade_price",
    "pair_off_amount",
    "priced_only",
];

/// A thousand dollars, in cents: amounts are traded in these.
const LOT: i64 = 100_000;

pub(crate) fn write(
    folder: &mut Folder,
    catalog: &Catalog,
    book: &Book,
    past: &Past,
    seed: u64,
) -> Result<(), GenerateError> {
    let mut table = folder.table("pscat_trades", &HEADER)?;
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

/// A band around the open amount, in the words of 1.2.
struct Tolerance {
    per_cent: &'static str,
    amount: &'static str,
    rule: &'static str,
    side: &'static str,
}

fn tolerance(dice: &mut Dice) -> Tolerance {
    let per_cent = dice.weighted(&[
        ("0.01", 3),
        ("0.10", 3),
        ("0.25", 4),
        ("0.50", 5),
        ("1.00", 31),
        ("1.50", 10),
        ("2.00", 14),
        ("2.50", 30),
    ]);
    let (rule, amount) = dice.weighted(&[
        (("percent", ""), 55),
        (("", ""), 31),
        (("greater_of", "10000.00"), 7),
        (("lesser_of", "100000.00"), 7),
    ]);
    let side = dice.weighted(&[("both", 60), ("", 30), ("over", 4), ("under", 5), ("none", 1)]);
    Tolerance { per_cent, amount, rule, side }
}

/// Loans that fit two coupons go to the higher one, which pays more. What the high coupons take
/// from below is missing at the low end and left over at the high end, unless the high ones want a
/// little more and the low ones less.
fn tilt(instrument: &Instrument) -> i64 {
    let by_shape = match instrument.shape {
        // Banks take what is left.
        Shape::Bank | Shape::SecondBank | Shape::GovBank => -40,
        // So large are its loans that only a choice of them can come near its amount.
        Shape::Jumbo => -60,
        // Its lowest coupon stays a little open, so that nothing but its limit keeps a loan out
        // (2.8).
        Shape::Gov30 if instrument.coupon <= 4_000 => 65,
        _ => 0,
    };
    let by_coupon = match instrument.coupon {
        7_000.. => 8,
        6_500.. => 5,
        6_000.. => 2,
        5_000.. => 0,
        4_500.. => -6,
        _ => -40,
    };
    by_shape + by_coupon
}

/// What the trade has to take, and what was bought back of it. Its loans nearly fill it; a little
/// is left to compete for.
fn amounts(dice: &mut Dice, trade: &OpenTrade, instrument: &Instrument) -> (i64, i64) {
    let share = dice.between(966, 998) + tilt(instrument);
    let wanted = trade.held + trade.intended * share / 1_000;
    let needed = if wanted == 0 { dice.between(5, 30) * 100 * LOT } else { wanted };
    let open = (needed / LOT).max(1) * LOT;
    match trade.standing {
        Standing::PairedOff => (open, open),
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
        band.per_cent,
        band.amount,
        band.rule,
        band.side,
        &if trade.is_bx { String::new() } else { price(trade.price) },
        &money(pair_off),
        if trade.is_priced_only { "Y" } else { "N" },
    ])
}

/// A trade of the last two years.
fn write_past(
    table: &mut Table,
    dice: &mut Dice,
    catalog: &Catalog,
    past: &Past,
    number: u32,
) -> Result<(), GenerateError> {
    const YEARS: i64 = 730;
    let fate = Fate::of(number);
    let instrument = &catalog.instruments[past.instrument(number) as usize];
    let age = YEARS - YEARS * i64::from(number) / i64::from(past.trades);
    let settled_in = match fate {
        Fate::Settled => -age,
        Fate::Cancelled | Fate::Phantom => dice.between(-age, 30),
    };
    let is_bx = instrument.shape.kind() == "cash";
    let struck = 4 * TICK * dice.between(-64, 64);
    let band = tolerance(dice);
    table.row(&[
        trade_id(number).as_str(),
        &instrument.name,
        if is_bx { "bx" } else { "forward" },
        fate.name(),
        &iso(settled_in),
        &money(dice.between(5, 120) * 100 * LOT),
        band.per_cent,
        band.amount,
        band.rule,
        band.side,
        &if is_bx { String::new() } else { price(forward_price(instrument, 0) + struck) },
        "0.00",
        "N",
    ])
}
