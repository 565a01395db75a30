//! Tables `loan` and `loan_price`. Loans are written as they are drawn; only the amounts are kept,
//! as sums per trade.

use crate::book::TradeBook;
use crate::catalog::{Catalog, OFF_THE_RUN, draw_desk};
use crate::dice::{Dice, Topic};
use crate::error::GenerateError;
use crate::figures::{TICK, price};
use crate::folder::{Folder, Table};
use crate::placement::Markets;
use crate::pools::{Pools, pool_name};
use crate::roles::{LoanRole, OddCase, Progress, RoleSequence};
use crate::rules::{CONFORMING_LIMIT, MANUFACTURED, desk_name};
use crate::settled::PastTrades;
use crate::traits::{LoanTraits, Product};

/// Pooled loans per thousand that are in a pool of their intended trade: "nearly right" (5.1).
const RIGHT_POOL: u64 = 910;
/// Those of them per thousand whose trade is a fresh one; the pools of the other trades are nearly
/// full.
const FRESH_OF_RIGHT: u64 = 180;
/// Other eligible loans per thousand whose trade is a fresh one.
const FRESH_OF_OTHERS: u64 = 850;
/// Matching loans per thousand that have an own price for a trade that accepts no other loans.
const PRICED: u64 = 300;
/// Other loans per thousand that have an own price for their intended trade.
const PRICED_OTHERS: u64 = 15;

/// A loan before it is written.
struct LoanDraft {
    traits: LoanTraits,
    progress: Progress,
    pool: Option<u32>,
    /// The intended trade of an eligible loan.
    intended: Option<u32>,
    /// Whether it may have own prices.
    is_priced: bool,
}

/// Writes both tables, and adds the amount of each loan to the trade that it is intended for or
/// held by.
pub(crate) struct LoanWriter<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) markets: &'a Markets<'a>,
    pub(crate) pools: &'a Pools,
    pub(crate) past: &'a PastTrades,
}

impl LoanWriter<'_> {
    pub(crate) fn write(
        &self,
        folder: &mut Folder,
        book: &mut TradeBook,
        loans: u32,
        seed: u64,
    ) -> Result<(), GenerateError> {
        let mut loan_table =
            folder.table_with("loan", &["channel", "mi_coverage", "first_payment_date", "desk"])?;
        let mut price_table = folder.table("loan_price")?;
        let mut dice = Dice::new(seed, Topic::Loans);
        let mut roles = RoleSequence::new();
        for number in 0..loans {
            let loan_id = format!("L{:08}", u64::from(number) + 1);
            let role = roles.draw(&mut dice);
            let drawn = self.draw(&mut dice, book, role);
            write_loan(&mut loan_table, &loan_id, &drawn)?;
            if drawn.is_priced {
                self.write_prices(&mut price_table, &mut dice, book, &loan_id, &drawn)?;
            }
        }
        folder.close(loan_table)?;
        folder.close(price_table)
    }

    fn draw(&self, dice: &mut Dice, book: &mut TradeBook, role: LoanRole) -> LoanDraft {
        match role {
            LoanRole::Odd(case) => self.draw_odd(dice, book, case),
            LoanRole::Pipeline => {
                let (traits, _) = self.markets.draw_loan(dice);
                let progress = Progress::pending(dice);
                LoanDraft { traits, progress, pool: None, intended: None, is_priced: false }
            }
            LoanRole::Pooled | LoanRole::Loose | LoanRole::New => {
                self.draw_eligible(dice, book, role)
            }
            LoanRole::Settled | LoanRole::Locked | LoanRole::Stranded | LoanRole::Held => {
                self.draw_pinned(dice, book, role)
            }
        }
    }

    /// Draws a loan that takes part, and its intended trade.
    fn draw_eligible(&self, dice: &mut Dice, book: &mut TradeBook, role: LoanRole) -> LoanDraft {
        let (traits, coupon) = self.markets.draw_loan(dice);
        let is_right = role == LoanRole::Pooled && dice.permille(RIGHT_POOL);
        let fresh = if is_right { FRESH_OF_RIGHT } else { FRESH_OF_OTHERS };
        let intended = self
            .markets
            .choose(dice, &traits, coupon)
            .map(|instrument| book.draw_trade(dice, instrument, fresh));
        if let Some(trade) = intended {
            book.open[trade as usize].intended += traits.amount;
        }
        let within = intended.map_or(0, |trade| book.trade(trade).settles_in);
        let progress = Progress::eligible(dice, within);
        let pool = match role {
            LoanRole::New => None,
            LoanRole::Loose => self.pools.draw_loose(dice),
            _ => intended
                .filter(|_| is_right)
                .and_then(|trade| self.pools.draw_pool_of(dice, trade, false))
                .or_else(|| self.draw_other_pool(dice, book, &traits)),
        };
        LoanDraft { traits, progress, pool, intended, is_priced: true }
    }

    /// Draws a pool of any trade that would take the loan.
    fn draw_other_pool(
        &self,
        dice: &mut Dice,
        book: &TradeBook,
        traits: &LoanTraits,
    ) -> Option<u32> {
        let elsewhere = self.markets.choose_where(dice, traits, |_| true)?;
        let trade = book.draw_trade(dice, elsewhere, FRESH_OF_OTHERS);
        self.pools.draw_pool_of(dice, trade, false)
    }

    /// Draws a loan that stays in its pool.
    fn draw_pinned(&self, dice: &mut Dice, book: &mut TradeBook, role: LoanRole) -> LoanDraft {
        let (traits, coupon) = self.markets.draw_loan(dice);
        let instrument = self.markets.choose(dice, &traits, coupon);
        let progress = if role == LoanRole::Held {
            Progress::pending(dice)
        } else {
            Progress::delivered(dice)
        };
        let open_pool = match role {
            LoanRole::Stranded if !book.stranded.is_empty() => {
                let trade = dice.pick(&book.stranded);
                self.pools.draw_pool_of(dice, trade, false)
            }
            LoanRole::Locked | LoanRole::Held => instrument
                .and_then(|at| self.draw_held_pool(dice, book, at, role == LoanRole::Locked))
                .map(|(trade, pool)| {
                    book.open[trade as usize].held += traits.amount;
                    pool
                }),
            _ => None,
        };
        let pool = open_pool.or_else(|| match role {
            // A loan that is not deliverable yet is in no settled pool.
            LoanRole::Held => None,
            _ => self.past.draw_pool(dice, instrument),
        });
        LoanDraft { traits, progress, pool, intended: None, is_priced: false }
    }

    /// Draws a pool of one of the instrument's trades, in a few attempts.
    fn draw_held_pool(
        &self,
        dice: &mut Dice,
        book: &TradeBook,
        instrument: u32,
        is_locked: bool,
    ) -> Option<(u32, u32)> {
        (0..4).find_map(|_| {
            let trade = book.draw_trade(dice, instrument, FRESH_OF_RIGHT);
            self.pools.draw_pool_of(dice, trade, is_locked).map(|pool| (trade, pool))
        })
    }

    fn draw_odd(&self, dice: &mut Dice, book: &TradeBook, case: OddCase) -> LoanDraft {
        let product = match case {
            OddCase::Late | OddCase::Barred => Product::Gov30,
            _ => Product::Conv30,
        };
        let desk = draw_desk(dice, self.catalog.desks);
        let (mut traits, coupon) = self.markets.draw_loan_of(dice, desk, product);
        traits.amount = match case {
            OddCase::Unpriced => CONFORMING_LIMIT * 100 + dice.between(1, 300) * 100_000,
            // Small enough for the rest of a trade, so that only the limit keeps it out.
            OddCase::Barred => dice.between(20, 40) * 100_000,
            _ => traits.amount.min(CONFORMING_LIMIT * 100),
        };
        if case == OddCase::Barred {
            traits.property_type = MANUFACTURED;
        }
        traits.note_rate = match case {
            OddCase::HighRate => OFF_THE_RUN + 1_250 + 125 * dice.between(0, 3),
            OddCase::OffTheRun => OFF_THE_RUN + 750 + 125 * dice.between(0, 3),
            OddCase::LowRate => 3_250 + 125 * dice.between(0, 4),
            OddCase::Unpriced => traits.note_rate,
            OddCase::Late | OddCase::Barred => {
                let lowest = self.markets.lowest_coupon(desk, product).unwrap_or(coupon);
                lowest + 250 + 125 * dice.between(0, 3)
            }
        };
        let progress = match case {
            OddCase::Late => Progress::late(dice),
            _ => Progress::eligible(dice, 0),
        };
        // Some are in a pool that they must leave.
        let pool = if book.open.is_empty() || dice.permille(600) {
            None
        } else {
            let trade = dice.index(book.open.len()) as u32;
            (!book.stranded.contains(&trade))
                .then(|| self.pools.draw_pool_of(dice, trade, false))
                .flatten()
        };
        LoanDraft { traits, progress, pool, intended: None, is_priced: false }
    }

    fn write_prices(
        &self,
        table: &mut Table,
        dice: &mut Dice,
        book: &TradeBook,
        loan_id: &str,
        loan: &LoanDraft,
    ) -> Result<(), GenerateError> {
        let mut row = |dice: &mut Dice, trade: u32, spread: i64| {
            let level = book.trade(trade).price + spread + TICK * dice.between(-64, 64);
            // Own prices have five decimals.
            let quoted = price(level - level % 1_000);
            table.row(&[loan_id, &self.past.open_trade_id(trade), &quoted])
        };
        let intended = loan.intended;
        if let Some(trade) = intended {
            if book.trade(trade).is_priced_only {
                row(dice, trade, 24 * TICK)?;
            } else if dice.permille(PRICED_OTHERS) {
                row(dice, trade, 0)?;
            }
        }
        for &trade in book.priced_only(loan.traits.desk) {
            let instrument = &self.catalog.instruments[book.trade(trade).instrument as usize];
            let is_other = Some(trade) != intended && instrument.takes(&loan.traits);
            if is_other && dice.permille(PRICED) {
                row(dice, trade, 0)?;
            }
        }
        Ok(())
    }
}

fn write_loan(table: &mut Table, loan_id: &str, loan: &LoanDraft) -> Result<(), GenerateError> {
    let mut cells = vec![
        loan_id.to_owned(),
        loan.progress.status.to_owned(),
        loan.traits.amount_text(),
        loan.traits.note_rate_text(),
        loan.progress.close_date(),
        loan.progress.lock_expiration_date(),
        loan.pool.map(pool_name).unwrap_or_default(),
    ];
    cells.extend(loan.traits.cells());
    cells.push(loan.progress.first_payment_date());
    cells.push(desk_name(loan.traits.desk));
    table.row(&cells)
}
