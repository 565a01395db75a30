//! The parts that loans play in a book, and the days that go with them.

use crate::calendar::{ELIGIBLE_WITHIN, iso};
use crate::dice::Dice;
use crate::figures::or_empty;

/// Why a loan is where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// In a pool of a settled trade: most of the pipeline.
    Settled,
    /// In a locked pool of an open trade: it uses that trade up (2.1).
    Locked,
    /// In a pool of a trade that is past or beyond the horizon.
    Stranded,
    /// Below the status that takes part, in a pool of an open trade all the same.
    Held,
    /// In an unlocked pool of an open trade.
    Pooled,
    /// In an open pool that is designated to no trade.
    Loose,
    /// New: closed, in no pool.
    New,
    /// New, with a fate of its own in the run.
    Odd(Oddity),
    /// Not closed yet, in no pool.
    Pipeline,
}

/// Loans that nothing is meant for, so that each kickout reason of 2.8 comes up. Exhausted capacity
/// comes up by itself; `BelowPriceFloor` needs a `bx_price_floor` too, and then strikes those with
/// a low rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// A note rate that no instrument takes.
    HighRate,
    /// A note rate that only the coupon without trades takes.
    OffTheRun,
    /// Deliverable after the only settlement of its coupon.
    Late,
    /// A jumbo without a price of its own.
    Unpriced,
    /// A note rate that only the lowest cash window takes, far below par.
    LowRate,
    /// A small loan on a manufactured home, where the only instrument of its coupon wants none.
    Barred,
}

const ODDITIES: [Oddity; 6] = [
    Oddity::HighRate,
    Oddity::OffTheRun,
    Oddity::Late,
    Oddity::Unpriced,
    Oddity::LowRate,
    Oddity::Barred,
];
/// One in so many eligible loans is odd.
const ODD_EVERY: u64 = 110;

/// Parts per thousand, as in a real tenant: mostly settled, a few thousand free, a few hundred new.
const ROLES: [(Role, u64); 8] = [
    (Role::Settled, 503),
    (Role::Locked, 72),
    (Role::Stranded, 14),
    (Role::Held, 10),
    (Role::Pooled, 320),
    (Role::Loose, 9),
    (Role::New, 34),
    (Role::Pipeline, 38),
];

/// Hands out the roles. Odd loans come by count, not by chance, so that a book of any size has them
/// in turn.
pub(crate) struct Casting {
    eligible: u64,
}

impl Casting {
    pub(crate) const fn new() -> Self {
        Self { eligible: 0 }
    }

    pub(crate) fn draw(&mut self, dice: &mut Dice) -> Role {
        let role = dice.weighted(&ROLES);
        if !matches!(role, Role::Pooled | Role::Loose | Role::New) {
            return role;
        }
        self.eligible += 1;
        if self.eligible % ODD_EVERY != ODD_EVERY / 2 {
            return role;
        }
        let turn = self.eligible / ODD_EVERY % ODDITIES.len() as u64;
        // A position in that short list.
        Role::Odd(ODDITIES[turn as usize])
    }
}

/// The status ladder, table `pscat_loan_stages`: name and rank.
pub(crate) const STAGES: [(&str, Option<u32>); 9] = [
    ("Application", Some(10)),
    ("Processing", Some(20)),
    ("Approved", Some(30)),
    ("Locked", Some(40)),
    ("Docs Out", Some(50)),
    ("Closed", Some(60)),
    ("Funded", Some(70)),
    ("Purchased", Some(80)),
    ("Suspended", None),
];

/// Status and days of a loan, in days after `as_of`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) status: &'static str,
    closes_in: Option<i64>,
    lock_expires_in: Option<i64>,
}

impl Progress {
    /// Eligible, and deliverable `within` days.
    pub(crate) fn eligible(dice: &mut Dice, within: i64) -> Self {
        let status = dice.weighted(&[("Closed", 62), ("Funded", 33), ("Purchased", 5)]);
        let within = within.min(ELIGIBLE_WITHIN);
        match dice.below(100) {
            // Closed, and the day is not in the book yet.
            0..7 if within > 0 => {
                Self { status, closes_in: None, lock_expires_in: Some(dice.between(0, within)) }
            }
            // Signed: it disburses on the day.
            7..12 if within > 0 => {
                let closes = dice.between(1, within);
                Self { status, closes_in: Some(closes), lock_expires_in: Some(closes + 7) }
            }
            _ => Self::closed(dice, status, 70),
        }
    }

    /// Eligible, but deliverable late only.
    pub(crate) fn late(dice: &mut Dice) -> Self {
        let expires = dice.between(ELIGIBLE_WITHIN - 15, ELIGIBLE_WITHIN);
        Self { status: "Closed", closes_in: None, lock_expires_in: Some(expires) }
    }

    /// Delivered, or about to be.
    pub(crate) fn delivered(dice: &mut Dice) -> Self {
        let status = dice.weighted(&[("Purchased", 70), ("Funded", 25), ("Closed", 5)]);
        Self::closed(dice, status, 400)
    }

    /// On its way: by its status, its days or the lack of them, it does not take part.
    pub(crate) fn pending(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..4 => Self { status: "Closed", closes_in: None, lock_expires_in: None },
            4..16 => {
                let closes = ELIGIBLE_WITHIN + dice.between(1, 45);
                Self { status: "Closed", closes_in: Some(closes), lock_expires_in: Some(closes) }
            }
            _ => {
                let status = dice.weighted(&[
                    ("Application", 8),
                    ("Processing", 14),
                    ("Approved", 18),
                    ("Locked", 32),
                    ("Docs Out", 24),
                    ("Suspended", 4),
                ]);
                Self { status, closes_in: None, lock_expires_in: Some(dice.between(3, 60)) }
            }
        }
    }

    fn closed(dice: &mut Dice, status: &'static str, within: i64) -> Self {
        // More of them lately: the lesser of two draws.
        let days = dice.between(0, within).min(dice.between(0, within));
        let lock = dice.permille(930).then(|| dice.between(-4, 25) - days);
        Self { status, closes_in: Some(-days), lock_expires_in: lock }
    }

    pub(crate) fn close_date(self) -> String {
        or_empty(self.closes_in, iso)
    }

    pub(crate) fn lock_expiration_date(self) -> String {
        or_empty(self.lock_expires_in, iso)
    }

    /// The first of the second month after closing.
    pub(crate) fn first_payment_date(self) -> String {
        or_empty(self.closes_in, |days| {
            use chrono::{Datelike, Months};
            let due = crate::calendar::day(days) + Months::new(2);
            format!("{:04}-{:02}-01", due.year(), due.month())
        })
    }
}
