//! Which instruments there are: one list in the order of their importance, cut to size, once for
//! each desk.

use crate::dice::Dice;
use crate::rules::{CAPS, desk_name};
use crate::shapes::{Agency, Shape, Story};
use crate::sizes::Sizes;
use crate::traits::{Product, Traits};

/// A row of `pscat_instruments`. Rates in thousandths of a per cent.
#[derive(Debug, Clone)]
pub(crate) struct Instrument {
    pub(crate) desk: u32,
    pub(crate) shape: Shape,
    pub(crate) coupon: i64,
    pub(crate) name: String,
    pub(crate) min_note_rate: Option<i64>,
    pub(crate) max_note_rate: Option<i64>,
}

impl Instrument {
    /// Whether the loan matches its node of the constraint tree (2.4).
    pub(crate) fn takes(&self, loan: &Traits) -> bool {
        self.desk == loan.desk
            && self.min_note_rate.is_none_or(|least| loan.note_rate >= least)
            && self.max_note_rate.is_none_or(|greatest| loan.note_rate <= greatest)
            && self.shape.takes(loan)
    }

    /// See [`Shape::appeal`].
    pub(crate) fn appeal(&self, loan: &Traits) -> u64 {
        self.shape.appeal(loan, loan.note_rate - self.coupon)
    }

    /// The coupon that nobody trades any more: its loans find no open trade (2.8).
    pub(crate) fn is_off_the_run(&self) -> bool {
        self.coupon == OFF_THE_RUN
    }
}

/// Coupons in thousandths of a per cent, with their share of the loans. Rates rose over the year of
/// the pipeline, so the middle is broad.
pub(crate) const COUPONS_30: [(i64, u64); 7] =
    [(5_500, 27), (6_000, 24), (5_000, 19), (6_500, 13), (4_500, 8), (7_000, 5), (4_000, 4)];
pub(crate) const COUPONS_15: [(i64, u64); 4] = [(5_000, 35), (4_500, 30), (5_500, 20), (4_000, 15)];
pub(crate) const COUPONS_20: [(i64, u64); 3] = [(5_500, 50), (5_000, 30), (6_000, 20)];
/// See [`Instrument::is_off_the_run`].
pub(crate) const OFF_THE_RUN: i64 = 7_500;

/// Open trades of one desk for which a loan has some 60 candidates: a loan meets one trade in five,
/// whatever the size of its desk, so it is desks that keep candidates per loan bounded as a book
/// grows.
const OPEN_TRADES_PER_DESK: u32 = 300;
/// The first lines of the list, which every desk has, and without which it could not sell every
/// product.
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
            // A longer list than the market has needs more desks.
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

    /// The coupons of a product that the desk has a plain instrument for, most important first,
    /// with their shares of the product's loans.
    pub(crate) fn coupons(&self, desk: u32, product: Product) -> Vec<(i64, u64)> {
        let shares: &[(i64, u64)] = match product {
            Product::Conv30 | Product::Gov30 => &COUPONS_30,
            Product::Conv15 => &COUPONS_15,
            // A 20-year loan fits a 30-year pool too, so it never lacks a market.
            Product::Conv20 => &COUPONS_20,
        };
        let is_plain = |shape| {
            matches!(
                (product, shape),
                (Product::Conv30 | Product::Conv20, Shape::Plain30(_))
                    | (Product::Gov30, Shape::Gov30)
                    | (Product::Conv15, Shape::Plain15(_))
            )
        };
        let sold = |coupon| {
            self.instruments
                .iter()
                .any(|it| it.desk == desk && it.coupon == coupon && is_plain(it.shape))
        };
        shares.iter().copied().filter(|share| sold(share.0)).collect()
    }
}

type Line = (Shape, i64);

/// As many lines as a desk has: the core, and of the others those from a place of its own, so that
/// desks differ.
fn lines_of(lines: &[Line], desk: u32, share: usize) -> Vec<Line> {
    const APART: usize = 7;
    let (core, others) = lines.split_at(CORE);
    let place = desk as usize * APART % others.len();
    let others = others[place..].iter().chain(&others[..place]);
    core.iter().chain(others).copied().take(share).collect()
}

fn instrument(desk: u32, desks: usize, line: Line, of_desk: &[Line]) -> Instrument {
    let (shape, coupon) = line;
    // The lowest cash window takes any lower note rate at a price to match.
    let is_lowest_window = matches!(shape, Shape::Window30(_))
        && of_desk.iter().all(|(other, at)| *other != shape || *at >= coupon);
    // Every other desk sells mostly to the other agency.
    let shape = if desk % 2 == 1 { shape.twin() } else { shape };
    let place = if desks > 1 { format!(" {}", desk_name(desk)) } else { String::new() };
    let whole = coupon / 1_000;
    let tenth = coupon % 1_000 / 100;
    let any = shape.any_note_rate();
    Instrument {
        desk,
        shape,
        coupon,
        name: format!("{} {whole}.{tenth}{place}", shape.code()),
        min_note_rate: (!any && !is_lowest_window).then_some(coupon + 250),
        max_note_rate: (!any).then_some(coupon + 1_125),
    }
}

/// The first lines of the list: the [`CORE`], then one of every other kind that a small book should
/// show.
const FIRST: [Line; 24] = {
    use Agency::Fannie;
    [
        (Shape::Plain30(Fannie), 5_500),
        (Shape::Plain30(Fannie), 6_000),
        (Shape::Gov30, 5_500),
        (Shape::Plain15(Fannie), 5_000),
        (Shape::Window30(Fannie), 5_500),
        (Shape::Plain30(Fannie), 5_000),
        (Shape::Plain30(Fannie), 6_500),
        (Shape::Jumbo, 6_000),
        (Shape::Small(Fannie, 5), 5_500),
        (Shape::Plain30(Fannie), 4_500),
        (Shape::Plain30(Fannie), 7_000),
        (Shape::Gov30, 6_000),
        (Shape::Plain30(Fannie), 4_000),
        (Shape::Window30(Fannie), 4_000),
        (Shape::Plain15(Fannie), 4_500),
        (Shape::Gov30, 5_000),
        (Shape::Gov30, 4_000),
        (Shape::Plain30(Fannie), OFF_THE_RUN),
        (Shape::Small(Fannie, 2), 5_500),
        (Shape::Window30(Fannie), 6_000),
        (Shape::Small(Fannie, 3), 6_000),
        (Shape::Bank, 5_500),
        (Shape::Small(Fannie, 0), 6_000),
        (Shape::Small(Fannie, 1), 5_000),
    ]
};

/// Every instrument of a desk, the indispensable first: whatever a prefix leaves out, each product
/// keeps a market.
fn lines() -> Vec<Line> {
    use Agency::{Fannie, Freddie};
    let mut lines = FIRST.to_vec();
    let mut add = |shape, coupons: &[i64]| {
        for coupon in coupons {
            if !lines.contains(&(shape, *coupon)) {
                lines.push((shape, *coupon));
            }
        }
    };
    let all: Vec<i64> = COUPONS_30.iter().map(|coupon| coupon.0).collect();
    add(Shape::Plain30(Freddie), &all);
    add(Shape::Window30(Fannie), &all[..5]);
    add(Shape::Gov30, &all);
    add(Shape::Bank, &all[..4]);
    for cap in 0..CAPS.len() {
        add(Shape::Small(Fannie, cap), &all[..2]);
    }
    add(Shape::Window30(Freddie), &all[..5]);
    add(Shape::Plain20(Fannie), &COUPONS_20.map(|coupon| coupon.0));
    add(Shape::Plain15(Freddie), &COUPONS_15.map(|coupon| coupon.0)[..3]);
    add(Shape::Plain15(Fannie), &COUPONS_15.map(|coupon| coupon.0));
    for cap in (0..CAPS.len()).rev() {
        add(Shape::Small(Freddie, cap), &all[..3]);
    }
    for story in Story::ALL {
        add(Shape::Told(Fannie, story), &all[..2]);
    }
    for cap in (0..CAPS.len()).rev() {
        add(Shape::Small(Fannie, cap), &all[..5]);
    }
    add(Shape::SecondBank, &all[..4]);
    add(Shape::Window15(Fannie), &COUPONS_15.map(|coupon| coupon.0)[..3]);
    add(Shape::GovBank, &all[..3]);
    for cap in (0..CAPS.len()).rev() {
        add(Shape::Small(Freddie, cap), &all[..5]);
    }
    for story in Story::ALL {
        add(Shape::Told(Freddie, story), &all[..2]);
    }
    lines
}

/// The desk of a loan: each desk has the same share.
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
    fn no_line_stands_twice_and_names_are_unique_at_every_scale() {
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
