//! What kinds of instruments there are: who buys them, which loans they take, what they pay.

use crate::calendar::SettlementClass;
use crate::rules::{
    CAP_RULES, CAPS, CONFORMING, CONFORMING_LIMIT, CONVENTIONAL, FICO_FROM_680, GOVERNMENT,
    HIGH_LTV, INVESTOR_HOME, JUMBO, LOW_FICO, NEW_YORK,
};
use crate::traits::{Occupancy, Product, Traits};

/// One of the two agencies that buy conventional loans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agency {
    Fannie,
    Freddie,
}

impl Agency {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Fannie => Self::Freddie,
            Self::Freddie => Self::Fannie,
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Fannie => "FN",
            Self::Freddie => "FH",
        }
    }

    const fn investor(self) -> &'static str {
        match self {
            Self::Fannie => "FNMA",
            Self::Freddie => "FHLMC",
        }
    }
}

/// A story that a specified pool tells, other than a small balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    NewYork,
    InvestorHome,
    LowFico,
    HighLtv,
}

impl Story {
    pub(crate) const ALL: [Self; 4] =
        [Self::NewYork, Self::InvestorHome, Self::LowFico, Self::HighLtv];

    const fn code(self) -> &'static str {
        match self {
            Self::NewYork => "NY",
            Self::InvestorHome => "INV",
            Self::LowFico => "LFICO",
            Self::HighLtv => "HLTV",
        }
    }

    const fn rule(self) -> &'static str {
        match self {
            Self::NewYork => NEW_YORK,
            Self::InvestorHome => INVESTOR_HOME,
            Self::LowFico => LOW_FICO,
            Self::HighLtv => HIGH_LTV,
        }
    }

    fn is_told_by(self, loan: &Traits) -> bool {
        match self {
            Self::NewYork => loan.state == "NY",
            Self::InvestorHome => loan.occupancy == Occupancy::Investor,
            Self::LowFico => loan.fico.is_some_and(|fico| fico < 700),
            Self::HighLtv => loan.ltv.is_some_and(|ltv| ltv > 95_000),
        }
    }
}

/// The shape of an instrument; with a coupon and a desk it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Plain30(Agency),
    Plain20(Agency),
    Plain15(Agency),
    Window30(Agency),
    Window15(Agency),
    /// Capped at a loan size: a position in [`CAPS`].
    Small(Agency, usize),
    Told(Agency, Story),
    Gov30,
    GovBank,
    Bank,
    SecondBank,
    Jumbo,
}

impl Shape {
    pub(crate) fn code(self) -> String {
        match self {
            Self::Plain30(agency) => format!("{}30", agency.prefix()),
            Self::Plain20(agency) => format!("{}20", agency.prefix()),
            Self::Plain15(agency) => format!("{}15", agency.prefix()),
            Self::Window30(agency) => format!("{} CASH 30", agency.prefix()),
            Self::Window15(agency) => format!("{} CASH 15", agency.prefix()),
            Self::Small(agency, cap) => format!("{}30 {}K", agency.prefix(), CAPS[cap] / 1_000),
            Self::Told(agency, story) => format!("{}30 {}", agency.prefix(), story.code()),
            Self::Gov30 => "G2 30".to_owned(),
            Self::GovBank => "LAKESHORE GOV".to_owned(),
            Self::Bank => "HARBOR WL".to_owned(),
            Self::SecondBank => "MERIDIAN WL".to_owned(),
            Self::Jumbo => "HARBOR JUMBO".to_owned(),
        }
    }

    pub(crate) const fn investor(self) -> &'static str {
        match self {
            Self::Plain30(agency)
            | Self::Plain20(agency)
            | Self::Plain15(agency)
            | Self::Window30(agency)
            | Self::Window15(agency)
            | Self::Small(agency, _)
            | Self::Told(agency, _) => agency.investor(),
            Self::Gov30 => "GNMA",
            Self::GovBank => "LAKESHORE BANK",
            Self::Bank | Self::Jumbo => "HARBOR BANK",
            Self::SecondBank => "MERIDIAN BANK",
        }
    }

    /// The text of `kind`.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Window30(_) | Self::Window15(_) => "cash",
            Self::GovBank | Self::Bank | Self::SecondBank | Self::Jumbo => "whole_loan",
            _ => "tba",
        }
    }

    /// The same on the other side of the street: odd desks sell mostly to the other agency.
    pub(crate) const fn twin(self) -> Self {
        match self {
            Self::Plain30(agency) => Self::Plain30(agency.other()),
            Self::Plain20(agency) => Self::Plain20(agency.other()),
            Self::Plain15(agency) => Self::Plain15(agency.other()),
            Self::Window30(agency) => Self::Window30(agency.other()),
            Self::Window15(agency) => Self::Window15(agency.other()),
            Self::Small(agency, cap) => Self::Small(agency.other(), cap),
            Self::Told(agency, story) => Self::Told(agency.other(), story),
            other => other,
        }
    }

    pub(crate) const fn settlement(self) -> SettlementClass {
        match self {
            Self::Plain30(_) | Self::Small(..) | Self::Told(..) => SettlementClass::A,
            Self::Plain20(_) | Self::Plain15(_) => SettlementClass::B,
            Self::Gov30 => SettlementClass::C,
            Self::Window30(_) | Self::Window15(_) => SettlementClass::Cash,
            _ => SettlementClass::WholeLoan,
        }
    }

    /// Least and greatest term.
    pub(crate) const fn terms(self) -> (i64, i64) {
        match self {
            Self::Plain15(_) | Self::Window15(_) => (85, 180),
            Self::Plain20(_) => (181, 240),
            _ => (181, 360),
        }
    }

    /// Whether one instrument takes every coupon.
    pub(crate) const fn any_note_rate(self) -> bool {
        matches!(self, Self::Jumbo)
    }

    /// Who comes first (2.4): specified pools before plain coupons, banks for what is left.
    pub(crate) const fn priority(self) -> u32 {
        match self {
            Self::Small(_, cap) if cap < 3 => 10,
            Self::Small(..) | Self::Told(..) => 20,
            Self::Gov30 | Self::GovBank => 30,
            Self::Bank | Self::SecondBank | Self::Jumbo => 50,
            _ => 40,
        }
    }

    /// How many trades it has for as many loans, against the others: small balances trade in small
    /// lots.
    pub(crate) const fn trades_for_loans(self) -> u64 {
        match self {
            Self::Small(..) => 20,
            Self::Told(..) => 13,
            _ => 10,
        }
    }

    /// The rules of its node in the constraint tree, its investor's aside.
    pub(crate) fn rules(self) -> Vec<&'static str> {
        match self {
            Self::Small(_, cap) => vec![CAP_RULES[cap]],
            Self::Told(_, story) => vec![story.rule()],
            Self::GovBank => vec![GOVERNMENT],
            Self::Bank => vec![CONFORMING],
            Self::SecondBank => vec![CONFORMING, FICO_FROM_680],
            Self::Jumbo => vec![JUMBO],
            _ => Vec::new(),
        }
    }

    /// Whether it takes the loan, note rate and desk aside: what [`rules`](Self::rules), those of
    /// its investor and its terms say together.
    pub(crate) fn takes(self, loan: &Traits) -> bool {
        let (least, greatest) = self.terms();
        if loan.term_months < least || loan.term_months > greatest {
            return false;
        }
        let government = matches!(self, Self::Gov30 | Self::GovBank);
        if government != (loan.product == Product::Gov30) {
            return false;
        }
        let conforming = loan.amount <= CONFORMING_LIMIT * 100;
        match self {
            Self::Gov30 | Self::GovBank => true,
            Self::Small(_, cap) => loan.amount <= CAPS[cap] * 100,
            Self::Told(_, story) => conforming && story.is_told_by(loan),
            Self::SecondBank => conforming && loan.fico.is_some_and(|fico| fico >= 680),
            Self::Jumbo => !conforming,
            _ => conforming,
        }
    }

    /// How readily a desk sells a loan that it takes here, against its other choices; the note rate
    /// is so much over the coupon.
    pub(crate) fn appeal(self, loan: &Traits, over_coupon: i64) -> u64 {
        let tier = CAPS.partition_point(|cap| cap * 100 < loan.amount);
        let is_small = tier < CAPS.len();
        match self {
            Self::Plain30(Agency::Fannie) => 30,
            Self::Plain30(Agency::Freddie) => 22,
            Self::Plain20(_) => 60,
            Self::Plain15(_) => 30,
            // Its price grows with the note rate, and with a small balance.
            Self::Window30(_) if is_small => 80,
            Self::Window30(_) if over_coupon >= 1_000 => 40,
            Self::Window30(_) if over_coupon >= 740 => 12,
            Self::Window30(_) => 3,
            Self::Window15(_) => 12,
            // The tightest cap pays best; the next one takes a few.
            Self::Small(_, cap) if cap == tier => 180,
            Self::Small(_, cap) if cap == tier + 1 => 30,
            Self::Small(..) => 1,
            Self::Told(..) => 30,
            Self::Gov30 => 30,
            Self::GovBank => 6,
            Self::Bank => 6,
            Self::SecondBank => 4,
            Self::Jumbo => 30,
        }
    }
}

/// The rules of an investor's node, for each investor that has one.
pub(crate) const INVESTOR_RULES: &[(&str, &[&str])] = &[
    ("FNMA", &[CONVENTIONAL, CONFORMING]),
    ("FHLMC", &[CONVENTIONAL, CONFORMING]),
    ("GNMA", &[GOVERNMENT]),
    ("HARBOR BANK", &[CONVENTIONAL, crate::rules::DTI_TO_50]),
    ("MERIDIAN BANK", &[CONVENTIONAL]),
];
