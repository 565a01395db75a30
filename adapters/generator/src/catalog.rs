//! The instruments: a prefix of one list in the order of importance, per desk.

use crate::data::{self, MARGINALS};
use crate::dice::Dice;
use crate::kinds::{Family, InstrumentKind};
use crate::rules::desk_name;
use crate::sizes::Sizes;
use crate::traits::{LoanTraits, Product};

/// A row of `pscat_instruments`. Rates are in thousandths of a percent.
#[derive(Debug, Clone)]
pub(crate) struct Instrument {
    pub(crate) desk: u32,
    pub(crate) kind: &'static InstrumentKind,
    pub(crate) coupon: i64,
    pub(crate) name: String,
    pub(crate) min_note_rate: Option<i64>,
    pub(crate) max_note_rate: Option<i64>,
}

impl Instrument {
    /// Whether the loan matches its node of the constraint tree (2.4).
    pub(crate) fn takes(&self, loan: &LoanTraits) -> bool {
        self.desk == loan.desk
            && self.min_note_rate.is_none_or(|least| loan.note_rate >= least)
            && self.max_note_rate.is_none_or(|greatest| loan.note_rate <= greatest)
            && self.kind.takes(loan)
    }

    /// See [`InstrumentKind::appeal`].
    pub(crate) fn appeal(&self, loan: &LoanTraits) -> u64 {
        self.kind.appeal(loan, loan.note_rate - self.coupon)
    }

    /// Whether it has the coupon that is not traded any more: its loans have no open trade (2.8).
    pub(crate) fn is_off_the_run(&self) -> bool {
        self.coupon == OFF_THE_RUN
    }
}

/// See [`Instrument::is_off_the_run`].
pub(crate) const OFF_THE_RUN: i64 = 7_500;

/// The number of open trades per desk for which a loan has about 60 candidates. A loan fits one
/// trade in five of its desk, so that more desks, and not larger ones, keep the candidates per loan
/// bounded as a book grows.
const OPEN_TRADES_PER_DESK: u32 = 300;
/// The number of lines that every desk has, because without them it could not sell every product.
const CORE: usize = 18;

/// The instruments of a book.
pub(crate) struct Catalog {
    pub(crate) desks: u32,
    pub(crate) instruments: Vec<Instrument>,
}

impl Catalog {
    pub(crate) fn new(sizes: &Sizes) -> Self {
        let lines = lines();
        let asked = sizes.instruments as usize;
        let for_trades = (sizes.open_trades / OPEN_TRADES_PER_DESK) as usize;
        let desks = for_trades
            .min(asked / CORE)
            // More instruments than the list has need more desks.
            .max(asked.div_ceil(lines.len()))
            .max(1);
        let mut instruments = Vec::with_capacity(asked);
        // Fewer desks than instruments, whose number is 32 bits wide.
        for desk in 0..desks as u32 {
            let share = asked / desks + usize::from((desk as usize) < asked % desks);
            let of_desk = lines_of(&lines, desk, share);
            instruments.extend(of_desk.iter().map(|line| instrument(desk, desks, *line, &of_desk)));
        }
        Self { desks: desks as u32, instruments }
    }

    /// The coupons of a product for which the desk has a plain instrument, most important first,
    /// with their shares of the product's loans.
    pub(crate) fn coupons(&self, desk: u32, product: Product) -> Vec<(i64, u64)> {
        let shares = match product {
            Product::Conv30 | Product::Gov30 => &MARGINALS.coupon_30,
            Product::Conv15 => &MARGINALS.coupon_15,
            // A 20-year loan fits a 30-year pool too, so it always has a market.
            Product::Conv20 => &MARGINALS.coupon_20,
        };
        let plain = match product {
            Product::Conv30 | Product::Conv20 => Family::Plain30,
            Product::Gov30 => Family::Government,
            Product::Conv15 => Family::Plain15,
        };
        let sold = |coupon| {
            self.instruments
                .iter()
                .any(|it| it.desk == desk && it.coupon == coupon && it.kind.family == plain)
        };
        shares.iter().copied().filter(|share| sold(share.0)).collect()
    }
}

/// A kind of instrument and its coupon.
type CatalogLine = (&'static InstrumentKind, i64);

/// The lines of a desk: the core, and the others from a position that depends on the desk, so that
/// desks differ.
fn lines_of(lines: &[CatalogLine], desk: u32, share: usize) -> Vec<CatalogLine> {
    const APART: usize = 7;
    let (core, others) = lines.split_at(CORE);
    let place = desk as usize * APART % others.len();
    let others = others[place..].iter().chain(&others[..place]);
    core.iter().chain(others).copied().take(share).collect()
}

fn instrument(desk: u32, desks: usize, line: CatalogLine, of_desk: &[CatalogLine]) -> Instrument {
    let (kind, coupon) = line;
    // The lowest cash window takes any lower note rate, at a lower price.
    let is_lowest_window = kind.family == Family::Window30
        && of_desk.iter().all(|(other, at)| *other != kind || *at >= coupon);
    // Desks with odd numbers sell mostly to the other agency.
    let kind = if desk % 2 == 1 { kind.twin() } else { kind };
    let place = if desks > 1 { format!(" {}", desk_name(desk)) } else { String::new() };
    let whole = coupon / 1_000;
    let tenth = coupon % 1_000 / 100;
    let any = kind.any_note_rate();
    Instrument {
        desk,
        kind,
        coupon,
        name: format!("{} {whole}.{tenth}{place}", kind.code),
        min_note_rate: (!any && !is_lowest_window).then_some(coupon + 250),
        max_note_rate: (!any).then_some(coupon + 1_125),
    }
}

/// Every instrument of a desk, the indispensable first.
fn lines() -> Vec<CatalogLine> {
    let mut lines = Vec::new();
    for entry in data::lines(include_str!("data/catalog.txt")).flat_map(|line| line.split("; ")) {
        let is_coupon = |word: &&str| word.len() == 4 && word.parse::<i64>().is_ok();
        let words: Vec<&str> = entry.split(' ').collect();
        let (code, coupons) = words.split_at(words.iter().position(is_coupon).unwrap_or_default());
        let kind = InstrumentKind::from_code(&code.join(" "));
        for coupon in coupons {
            let line = (kind, data::number(coupon));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

/// Draws the desk of a loan. Each desk has the same share.
pub(crate) fn draw_desk(dice: &mut Dice, desks: u32) -> u32 {
    // Below `desks`, which is 32 bits wide.
    dice.below(u64::from(desks)) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Catalog, lines};
    use crate::sizes::Scale;

    #[test]
    fn lines_and_names_are_unique_at_every_scale() {
        let lines = lines();
        for (at, line) in lines.iter().enumerate() {
            assert!(!lines[..at].contains(line), "{line:?}");
        }
        for scale in Scale::ALL {
            let sizes = scale.sizes();
            let catalog = Catalog::new(&sizes);
            let names: BTreeSet<_> = catalog.instruments.iter().map(|it| &it.name).collect();
            assert_eq!(names.len(), sizes.instruments as usize);
        }
    }
}
