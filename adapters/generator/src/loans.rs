//! Tables `loan` and `loan_price`, written in one stream: what is kept of a loan is its amount, in
//! the trade meant for it.

use crate::book::Book;
use crate::catalog::{Catalog, OFF_THE_RUN, draw_desk};
use crate::dice::{Dice, Topic};
use crate::error::GenerateError;
use crate::figures::{TICK, price};
use crate::folder::{Folder, Table};
use crate::placement::Markets;
use crate::pools::{Pools, pool_name};
use crate::roles::{Casting, Oddity, Progress, Role};
use crate::rules::{CONFORMING_LIMIT, MANUFACTURED, desk_name};
use crate::settled::Past;
use crate::traits::{Product, TRAIT_COLUMNS, Traits};

/// Share of the pooled loans, in a thousand, whose pool is of the trade that is meant for them:
/// "nearly right" (5.1).
const RIGHT_POOL: u64 = 910;
/// Share of those loans, in a thousand, whose trade is a fresh one; the pools of the others are
/// nearly full.
const FRESH_OF_RIGHT: u64 = 180;
/// The same of loans that are in no pool, or in another trade's.
const FRESH_OF_OTHERS: u64 = 850;
/// Share of the matching loans, in a thousand, that the outside engine has priced for a trade that
/// takes no others.
const PRICED: u64 = 300;
/// Share of the other loans, in a thousand, that have a price of their own for the trade meant for
/// them.
const PRICED_APART: u64 = 15;

/// A loan as it goes into the table.
struct Drawn {
    traits: Traits,
    progress: Progress,
    pool: Option<u32>,
    /// The trade that is meant for it, where it is eligible.
    intended: Option<u32>,
    /// Whether outside prices are looked up for it.
    is_priced: bool,
}

/// Writes the two tables and adds each loan to the trade that it is meant for or held by.
pub(crate) struct LoanWriter<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) markets: &'a Markets<'a>,
    pub(crate) pools: &'a Pools,
    pub(crate) past: &'a Past,
}

impl LoanWriter<'_> {
    pub(crate) fn write(
        &self,
        folder: &mut Folder,
        book: &mut Book,
        loans: u32,
        seed: u64,
    ) -> Result<(), GenerateError> {
        let mut header = vec![
            "loan_id",
            "curr_status",
            "loan_amount",
            "note_rate",
            "close_date",
            "lock_expiration_date",
            "pool_name",
        ];
        header.extend(TRAIT_COLUMNS);
        header.extend(["first_payment_date", "desk"]);
        let mut loan_table = folder.table("loan", &header)?;
        let mut price_table = folder.table("loan_price", &["loan_id", "trade_id", "price"])?;
        let mut dice = Dice::new(seed, Topic::Loans);
        let mut casting = Casting::new();
        for number in 0..loans {
            let loan_id = format!("L{:08}", u64::from(number) + 1);
            let role = casting.draw(&mut dice);
            let drawn = self.draw(&mut dice, book, role);
            write_loan(&mut loan_table, &loan_id, &drawn)?;
            if drawn.is_priced {
                self.write_prices(&mut price_table, &mut dice, book, &loan_id, &drawn)?;
            }
        }
        folder.close(loan_table)?;
        folder.close(price_table)
    }

    fn draw(&self, dice: &mut Dice, book: &mut Book, role: Role) -> Drawn {
        match role {
            Role::Odd(oddity) => self.odd(dice, book, oddity),
            Role::Pipeline => {
                let (traits, _) = self.markets.draw_loan(dice);
                let progress = Progress::pending(dice);
                Drawn { traits, progress, pool: None, intended: None, is_priced: false }
            }
            Role::Pooled | Role::Loose | Role::New => self.eligible(dice, book, role),
            Role::Settled | Role::Locked | Role::Stranded | Role::Held => {
                self.pinned(dice, book, role)
            }
        }
    }

    /// A loan that takes part, and is meant for a trade.
    fn eligible(&self, dice: &mut Dice, book: &mut Book, role: Role) -> Drawn {
        let (traits, coupon) = self.markets.draw_loan(dice);
        let is_right = role == Role::Pooled && dice.permille(RIGHT_POOL);
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
            Role::New => None,
            Role::Loose => self.pools.draw_loose(dice),
            _ => intended
                .filter(|_| is_right)
                .and_then(|trade| self.pools.draw_of(dice, trade, false))
                .or_else(|| self.pool_elsewhere(dice, book, &traits)),
        };
        Drawn { traits, progress, pool, intended, is_priced: true }
    }

    /// A pool of some trade that would take the loan.
    fn pool_elsewhere(&self, dice: &mut Dice, book: &Book, traits: &Traits) -> Option<u32> {
        let elsewhere = self.markets.choose_where(dice, traits, |_| true)?;
        let trade = book.draw_trade(dice, elsewhere, FRESH_OF_OTHERS);
        self.pools.draw_of(dice, trade, false)
    }

    /// A loan that stays in its pool.
    fn pinned(&self, dice: &mut Dice, book: &mut Book, role: Role) -> Drawn {
        let (traits, coupon) = self.markets.draw_loan(dice);
        let instrument = self.markets.choose(dice, &traits, coupon);
        let progress =
            if role == Role::Held { Progress::pending(dice) } else { Progress::delivered(dice) };
        let open_pool = match role {
            Role::Stranded if !book.stranded.is_empty() => {
                let trade = dice.pick(&book.stranded);
                self.pools.draw_of(dice, trade, false)
            }
            Role::Locked | Role::Held => instrument
                .and_then(|at| self.held_pool(dice, book, at, role == Role::Locked))
                .map(|(trade, pool)| {
                    book.open[trade as usize].held += traits.amount;
                    pool
                }),
            _ => None,
        };
        let pool = open_pool.or_else(|| match role {
            // One that is not deliverable yet is in no settled pool.
            Role::Held => None,
            _ => self.past.draw_pool(dice, instrument),
        });
        Drawn { traits, progress, pool, intended: None, is_priced: false }
    }

    /// A pool of one of the instrument's trades, of a few that are tried.
    fn held_pool(
        &self,
        dice: &mut Dice,
        book: &Book,
        instrument: u32,
        is_locked: bool,
    ) -> Option<(u32, u32)> {
        (0..4).find_map(|_| {
            let trade = book.draw_trade(dice, instrument, FRESH_OF_RIGHT);
            self.pools.draw_of(dice, trade, is_locked).map(|pool| (trade, pool))
        })
    }

    fn odd(&self, dice: &mut Dice, book: &Book, oddity: Oddity) -> Drawn {
        let product = match oddity {
            Oddity::Late | Oddity::Barred => Product::Gov30,
            _ => Product::Conv30,
        };
        let desk = draw_desk(dice, self.catalog.desks);
        let (mut traits, coupon) = self.markets.loan_of(dice, desk, product);
        traits.amount = match oddity {
            Oddity::Unpriced => CONFORMING_LIMIT * 100 + dice.between(1, 300) * 100_000,
            // Small enough for what is left of a trade, so that nothing but the limit keeps it out.
            Oddity::Barred => dice.between(20, 40) * 100_000,
            _ => traits.amount.min(CONFORMING_LIMIT * 100),
        };
        if oddity == Oddity::Barred {
            traits.property_type = MANUFACTURED;
        }
        traits.note_rate = match oddity {
            Oddity::HighRate => OFF_THE_RUN + 1_250 + 125 * dice.between(0, 3),
            Oddity::OffTheRun => OFF_THE_RUN + 750 + 125 * dice.between(0, 3),
            Oddity::LowRate => 3_250 + 125 * dice.between(0, 4),
            Oddity::Unpriced => traits.note_rate,
            Oddity::Late | Oddity::Barred => {
                let lowest = self.markets.lowest_coupon(desk, product).unwrap_or(coupon);
                lowest + 250 + 125 * dice.between(0, 3)
            }
        };
        let progress = match oddity {
            Oddity::Late => Progress::late(dice),
            _ => Progress::eligible(dice, 0),
        };
        // Some have been put into a pool, and will have to leave it.
        let pool = if book.open.is_empty() || dice.permille(600) {
            None
        } else {
            let trade = dice.index(book.open.len()) as u32;
            (!book.stranded.contains(&trade))
                .then(|| self.pools.draw_of(dice, trade, false))
                .flatten()
        };
        Drawn { traits, progress, pool, intended: None, is_priced: false }
    }

    fn write_prices(
        &self,
        table: &mut Table,
        dice: &mut Dice,
        book: &Book,
        loan_id: &str,
        loan: &Drawn,
    ) -> Result<(), GenerateError> {
        let mut row = |dice: &mut Dice, trade: u32, spread: i64| {
            let level = book.trade(trade).price + spread + TICK * dice.between(-64, 64);
            // The outside engine answers with five decimals.
            let quoted = price(level - level % 1_000);
            table.row(&[loan_id, &self.past.open_trade_id(trade), &quoted])
        };
        let intended = loan.intended;
        if let Some(trade) = intended {
            if book.trade(trade).is_priced_only {
                row(dice, trade, 24 * TICK)?;
            } else if dice.permille(PRICED_APART) {
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

fn write_loan(table: &mut Table, loan_id: &str, loan: &Drawn) -> Result<(), GenerateError> {
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
