//! The kinds of instruments: their investors, the loans that they take, and how they trade.

use std::sync::LazyLock;

use crate::calendar::SettlementClass;
use crate::data::{lines, number};
use crate::rules::{CAPS, CONFORMING_LIMIT, CONVENTIONAL};
use crate::traits::{LoanTraits, Product};

/// What instruments with the same rules and prices have in common. Only the balance that a small
/// balance is capped at, the story, and the agency differ within a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Plain30,
    Plain20,
    Plain15,
    Window30,
    Window15,
    SmallBalance,
    Story,
    Government,
    GovBank,
    Bank,
    SecondBank,
    Jumbo,
}

impl Family {
    fn from_name(name: &str) -> Self {
        match name {
            "Plain30" => Self::Plain30,
            "Plain20" => Self::Plain20,
            "Plain15" => Self::Plain15,
            "Window30" => Self::Window30,
            "Window15" => Self::Window15,
            "SmallBalance" => Self::SmallBalance,
            "Story" => Self::Story,
            "Government" => Self::Government,
            "GovBank" => Self::GovBank,
            "Bank" => Self::Bank,
            "SecondBank" => Self::SecondBank,
            "Jumbo" => Self::Jumbo,
            other => panic!("kinds.txt has a family {other}"),
        }
    }

    /// Whether it is a cash window of an agency.
    pub(crate) const fn is_window(self) -> bool {
        matches!(self, Self::Window30 | Self::Window15)
    }
}

/// A kind of instrument, a row of `kinds.txt`. With a coupon and a desk it is an instrument.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InstrumentKind {
    pub(crate) family: Family,
    pub(crate) code: String,
    pub(crate) investor: &'static str,
    pub(crate) class: SettlementClass,
    /// Least and greatest term in months.
    pub(crate) terms: (i64, i64),
    /// The priority of its node (2.4).
    pub(crate) priority: u32,
    /// Its trades for as many loans, against the other kinds.
    pub(crate) lots: u64,
    /// The distance from the price curve, in 1/32 points.
    pub(crate) spread: i64,
    /// Trades per thousand that are priced by the grid.
    pub(crate) bx_share: u64,
    /// Trades per thousand that accept only loans with a price of their own.
    pub(crate) priced_only_share: u64,
    /// The change of a trade's size, in thousandths.
    pub(crate) tilt: i64,
    /// How readily a desk sells a loan to this kind; `None` if it depends on the loan.
    appeal: Option<u64>,
    /// The balance cap of a small balance, as a position in [`CAPS`].
    cap: Option<usize>,
    /// The rules of its node in the constraint tree, without those of its investor.
    pub(crate) rules: Vec<&'static str>,
}

static KINDS: LazyLock<Vec<InstrumentKind>> = LazyLock::new(|| {
    let rows = lines(include_str!("data/kinds.txt"));
    rows.flat_map(|row| {
        let twins = if row.contains("FN") { 2 } else { 1 };
        (0..twins).map(move |twin| InstrumentKind::parse(row, twin))
    })
    .collect()
});

impl InstrumentKind {
    /// Parses a row. Twin 1 is the kind of the other agency.
    fn parse(row: &'static str, twin: usize) -> Self {
        let columns: Vec<&'static str> = row.split('|').map(str::trim).collect();
        let [
            family,
            code,
            investor,
            class,
            terms,
            priority,
            lots,
            spread,
            bx_share,
            priced_only_share,
            tilt,
            appeal,
            rules,
        ] = columns[..]
        else {
            panic!("kinds.txt: {row}")
        };
        let own = |text: &'static str| {
            let mut values = text.split('/');
            values.clone().nth(twin).or(values.next()).unwrap_or_default()
        };
        let (least, greatest) = terms.split_once('-').expect("a least and a greatest term");
        Self {
            family: Family::from_name(family),
            code: if twin == 1 { code.replacen("FN", "FH", 1) } else { code.to_owned() },
            investor: own(investor),
            class: SettlementClass::from_name(class),
            terms: (number(least), number(greatest)),
            priority: number(priority),
            lots: number(lots),
            spread: number(own(spread)),
            bx_share: number(bx_share),
            priced_only_share: number(priced_only_share),
            tilt: number(tilt),
            cap: CAPS.iter().position(|cap| code == format!("FN30 {}K", cap / 1_000)),
            appeal: (appeal != "-").then(|| number(own(appeal))),
            rules: rules.split(", ").filter(|rule| !rule.is_empty()).collect(),
        }
    }

    /// The kind with this code.
    pub(crate) fn from_code(code: &str) -> &'static Self {
        let kind = KINDS.iter().find(|kind| kind.code == code);
        kind.unwrap_or_else(|| panic!("kinds.txt has no kind {code}"))
    }

    /// The same kind of the other agency; itself if it is of no agency.
    pub(crate) fn twin(&'static self) -> &'static Self {
        match self.code.split_at(2) {
            ("FN", rest) => Self::from_code(&format!("FH{rest}")),
            ("FH", rest) => Self::from_code(&format!("FN{rest}")),
            _ => self,
        }
    }

    /// The text of the column `kind`.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.class {
            SettlementClass::Cash => "cash",
            SettlementClass::WholeLoan => "whole_loan",
            SettlementClass::A | SettlementClass::B | SettlementClass::C => "tba",
        }
    }

    /// Whether one instrument takes every coupon.
    pub(crate) const fn any_note_rate(&self) -> bool {
        matches!(self.family, Family::Jumbo)
    }

    /// Whether it takes the loan, apart from note rate and desk: what its rules, those of its
    /// investor, and its terms say together.
    pub(crate) fn takes(&self, loan: &LoanTraits) -> bool {
        let (least, greatest) = self.terms;
        if !(least..=greatest).contains(&loan.term_months) {
            return false;
        }
        let government = matches!(self.family, Family::Government | Family::GovBank);
        if government != (loan.product == Product::Gov30) {
            return false;
        }
        let conforming = loan.amount <= CONFORMING_LIMIT * 100;
        match self.family {
            Family::Government | Family::GovBank => true,
            Family::SmallBalance => self.cap.is_some_and(|cap| loan.amount <= CAPS[cap] * 100),
            Family::Story => conforming && has_story(loan, &self.code[5..]),
            Family::SecondBank => conforming && loan.fico.is_some_and(|fico| fico >= 680),
            Family::Jumbo => !conforming,
            _ => conforming,
        }
    }

    /// How readily a desk sells a loan to this kind, against its other choices. `over_coupon` is
    /// the note rate minus the coupon.
    pub(crate) fn appeal(&self, loan: &LoanTraits, over_coupon: i64) -> u64 {
        if let Some(appeal) = self.appeal {
            return appeal;
        }
        let tier = CAPS.partition_point(|cap| cap * 100 < loan.amount);
        if let Some(cap) = self.cap {
            // The tightest cap pays best; the next one gets a few.
            return match cap.checked_sub(tier) {
                Some(0) => 180,
                Some(1) => 30,
                _ => 1,
            };
        }
        // The price of a window grows with the note rate, and with a small balance.
        match over_coupon {
            _ if tier < CAPS.len() => 80,
            1_000.. => 40,
            740.. => 12,
            _ => 3,
        }
    }
}

/// Whether a loan has the story that a specified pool with this code needs.
fn has_story(loan: &LoanTraits, code: &str) -> bool {
    match code {
        "NY" => loan.state == "NY",
        "INV" => loan.occupancy == "Investor",
        "LFICO" => loan.fico.is_some_and(|fico| fico < 700),
        "HLTV" => loan.ltv.is_some_and(|ltv| ltv > 95_000),
        other => panic!("kinds.txt has a story {other}"),
    }
}

/// The rules of an investor's node, for each investor that has one.
pub(crate) const INVESTOR_RULES: &[(&str, &[&str])] = &[
    ("FNMA", &[CONVENTIONAL, "conforming"]),
    ("FHLMC", &[CONVENTIONAL, "conforming"]),
    ("GNMA", &["government"]),
    ("HARBOR BANK", &[CONVENTIONAL, "dti to 50"]),
    ("MERIDIAN BANK", &[CONVENTIONAL]),
];
