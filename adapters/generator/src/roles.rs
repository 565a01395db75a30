//! The roles of loans in a book, and the dates that follow from them.

use crate::calendar::{ELIGIBLE_WITHIN, iso};
use crate::data::MARGINALS;
use crate::dice::Dice;
use crate::figures::or_empty;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoanRole {
    /// In a pool of a settled trade: most of the pipeline.
    Settled,
    /// In a locked pool of an open trade, whose amount it uses up (2.1).
    Locked,
    /// In a pool of a trade that is past or beyond the horizon.
    Stranded,
    /// In a pool of an open trade, with a status that does not take part.
    Held,
    /// In an unlocked pool of an open trade.
    Pooled,
    /// In an open pool that is designated to no trade.
    Loose,
    /// Closed, in no pool.
    New,
    Odd(OddCase),
    /// Not closed yet, in no pool.
    Pipeline,
}

/// Loans without an intended trade, so that each kickout reason of 2.8 occurs. `CapacityExhausted`
/// occurs without them; `BelowPriceFloor` needs a `bx_price_floor`, and then concerns those with a
/// low rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OddCase {
    /// A note rate that no instrument takes.
    HighRate,
    /// A note rate that only the coupon without trades takes.
    OffTheRun,
    /// Deliverable after the only settlement of its coupon.
    Late,
    /// A jumbo without an own price.
    Unpriced,
    /// A note rate that only the lowest cash window takes, far below par.
    LowRate,
    /// A small loan on a manufactured home, which the only instrument of its coupon excludes.
    Barred,
}

const ODD_CASES: [OddCase; 6] = [
    OddCase::HighRate,
    OddCase::OffTheRun,
    OddCase::Late,
    OddCase::Unpriced,
    OddCase::LowRate,
    OddCase::Barred,
];
/// One of this many eligible loans is odd.
const ODD_EVERY: u64 = 110;

/// Shares per thousand, as of a real tenant: mostly settled, few new.
const ROLES: [(LoanRole, u64); 8] = [
    (LoanRole::Settled, 503),
    (LoanRole::Locked, 72),
    (LoanRole::Stranded, 14),
    (LoanRole::Held, 10),
    (LoanRole::Pooled, 320),
    (LoanRole::Loose, 9),
    (LoanRole::New, 34),
    (LoanRole::Pipeline, 38),
];

/// Draws the roles of loans. Odd cases come by count, so that a book of any size has them in turn.
pub(crate) struct RoleSequence {
    eligible: u64,
}

impl RoleSequence {
    pub(crate) const fn new() -> Self {
        Self { eligible: 0 }
    }

    pub(crate) fn draw(&mut self, dice: &mut Dice) -> LoanRole {
        let role = dice.weighted(&ROLES);
        if !matches!(role, LoanRole::Pooled | LoanRole::Loose | LoanRole::New) {
            return role;
        }
        self.eligible += 1;
        if self.eligible % ODD_EVERY != ODD_EVERY / 2 {
            return role;
        }
        let turn = self.eligible / ODD_EVERY % ODD_CASES.len() as u64;
        LoanRole::Odd(ODD_CASES[turn as usize])
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

/// The status and the dates of a loan, in days after `as_of`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) status: &'static str,
    closes_in: Option<i64>,
    lock_expires_in: Option<i64>,
}

impl Progress {
    /// An eligible loan that is deliverable within `within` days.
    pub(crate) fn eligible(dice: &mut Dice, within: i64) -> Self {
        let status = dice.weighted(&MARGINALS.eligible_status);
        let within = within.min(ELIGIBLE_WITHIN);
        match dice.below(100) {
            // Closed; the closing date is not in the book yet.
            0..7 if within > 0 => {
                Self { status, closes_in: None, lock_expires_in: Some(dice.between(0, within)) }
            }
            // Signed; it disburses on the closing date.
            7..12 if within > 0 => {
                let closes = dice.between(1, within);
                Self { status, closes_in: Some(closes), lock_expires_in: Some(closes + 7) }
            }
            _ => Self::closed(dice, status, 70),
        }
    }

    /// An eligible loan that is deliverable late.
    pub(crate) fn late(dice: &mut Dice) -> Self {
        let expires = dice.between(ELIGIBLE_WITHIN - 15, ELIGIBLE_WITHIN);
        Self { status: "Closed", closes_in: None, lock_expires_in: Some(expires) }
    }

    /// A loan that is delivered, or soon will be.
    pub(crate) fn delivered(dice: &mut Dice) -> Self {
        let status = dice.weighted(&MARGINALS.delivered_status);
        Self::closed(dice, status, 400)
    }

    /// A loan that does not take part because of its status or its dates.
    pub(crate) fn pending(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..4 => Self { status: "Closed", closes_in: None, lock_expires_in: None },
            4..16 => {
                let closes = ELIGIBLE_WITHIN + dice.between(1, 45);
                Self { status: "Closed", closes_in: Some(closes), lock_expires_in: Some(closes) }
            }
            _ => {
                let status = dice.weighted(&MARGINALS.pending_status);
                Self { status, closes_in: None, lock_expires_in: Some(dice.between(3, 60)) }
            }
        }
    }

    fn closed(dice: &mut Dice, status: &'static str, within: i64) -> Self {
        // The lesser of two draws, because more loans closed lately.
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
