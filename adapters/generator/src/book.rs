//! The open trades: who takes part, at what price and when, and how much is meant for each. A few
//! dozen bytes a trade; everything else about a trade is drawn as its row is written.

use crate::calendar::HORIZON;
use crate::catalog::{COUPONS_30, Catalog};
use crate::dice::{Dice, Topic};
use crate::figures::TICK;
use crate::market::forward_price;
use crate::placement::apportion;
use crate::shapes::Shape;
use crate::sizes::Sizes;

/// Why an open trade is in the run, or not (2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Included,
    Past,
    Beyond,
    PairedOff,
    NoSettlement,
}

impl Standing {
    /// A few of each, at fixed places: every book of a hundred open trades has them all.
    const fn at(position: u32) -> Self {
        match position % 100 {
            7 | 57 => Self::Past,
            19 | 69 => Self::Beyond,
            31 => Self::PairedOff,
            73 => Self::NoSettlement,
            _ => Self::Included,
        }
    }
}

/// An open trade.
#[derive(Debug, Clone)]
pub(crate) struct OpenTrade {
    pub(crate) instrument: u32,
    pub(crate) standing: Standing,
    /// Days after `as_of`.
    pub(crate) settles_in: i64,
    /// Priced by the grid, loan by loan.
    pub(crate) is_bx: bool,
    /// Its row has the settlement date; a `bx` trade may leave it to the run (2.3).
    pub(crate) is_dated: bool,
    pub(crate) is_priced_only: bool,
    /// In units of 0.00000001.
    pub(crate) price: i64,
    /// Sold lately, for loans that are still to come.
    is_fresh: bool,
    /// How large it is against the others of its instrument, 1 to 4.
    heft: u8,
    /// Cents of the eligible loans that are meant for it.
    pub(crate) intended: i64,
    /// Cents of the loans that it holds from the start.
    pub(crate) held: i64,
}

/// The open trades of a snapshot.
pub(crate) struct Book {
    pub(crate) open: Vec<OpenTrade>,
    /// Positions of the included trades of each instrument.
    of_instrument: Vec<Vec<u32>>,
    /// Positions of those of each desk that only take loans with a price of their own.
    priced_only: Vec<Vec<u32>>,
    /// Positions of the trades that hold their loans without taking part.
    pub(crate) stranded: Vec<u32>,
}

impl Book {
    pub(crate) fn new(catalog: &Catalog, sizes: &Sizes, counts: &[u64], seed: u64) -> Self {
        let mut dice = Dice::new(seed, Topic::OpenTrades);
        let off_the_run: Vec<u32> =
            positions(catalog, |at| catalog.instruments[at].is_off_the_run());
        let all: Vec<u32> = positions(catalog, |_| true);
        let standings: Vec<Standing> = (0..sizes.open_trades)
            .map(|at| match Standing::at(at) {
                // Only the coupon that nobody trades has no settlement ahead.
                Standing::NoSettlement if off_the_run.is_empty() => Standing::Included,
                standing => standing,
            })
            .collect();
        let mut included = instruments_by_demand(&mut dice, counts, &standings).into_iter();
        let open = standings
            .into_iter()
            .map(|standing| {
                let instrument = match standing {
                    Standing::Included => included.next().unwrap_or_default(),
                    Standing::NoSettlement => dice.pick(&off_the_run),
                    _ => dice.pick(&all),
                };
                open_trade(&mut dice, catalog, standing, instrument)
            })
            .collect();
        Self::indexed(catalog, open)
    }

    fn indexed(catalog: &Catalog, open: Vec<OpenTrade>) -> Self {
        let mut of_instrument = vec![Vec::new(); catalog.instruments.len()];
        let mut priced_only = vec![Vec::new(); catalog.desks as usize];
        let mut stranded = Vec::new();
        for (at, trade) in (0_u32..).zip(&open) {
            match trade.standing {
                Standing::Included => {
                    of_instrument[trade.instrument as usize].push(at);
                    if trade.is_priced_only {
                        let desk = catalog.instruments[trade.instrument as usize].desk;
                        priced_only[desk as usize].push(at);
                    }
                }
                Standing::Past | Standing::Beyond | Standing::NoSettlement => stranded.push(at),
                Standing::PairedOff => {}
            }
        }
        Self { open, of_instrument, priced_only, stranded }
    }

    pub(crate) fn trade(&self, at: u32) -> &OpenTrade {
        &self.open[at as usize]
    }

    pub(crate) fn has_trades(&self, instrument: usize) -> bool {
        !self.of_instrument[instrument].is_empty()
    }

    pub(crate) fn priced_only(&self, desk: u32) -> &[u32] {
        &self.priced_only[desk as usize]
    }

    /// A trade of the instrument, the larger the likelier: a fresh one so many times in a thousand,
    /// where there is a choice.
    pub(crate) fn draw_trade(&self, dice: &mut Dice, instrument: u32, fresh: u64) -> u32 {
        let trades = &self.of_instrument[instrument as usize];
        let is_fresh = dice.permille(fresh);
        let mut choices: Vec<(u32, u64)> = Vec::with_capacity(trades.len());
        for only_those in [true, false] {
            choices.extend(
                trades
                    .iter()
                    .map(|at| (*at, self.trade(*at)))
                    .filter(|(_, trade)| !only_those || trade.is_fresh == is_fresh)
                    .map(|(at, trade)| (at, u64::from(trade.heft))),
            );
            if !choices.is_empty() {
                break;
            }
        }
        dice.weighted(&choices)
    }
}

fn positions(catalog: &Catalog, is_meant: impl Fn(usize) -> bool) -> Vec<u32> {
    (0..catalog.instruments.len()).filter(|at| is_meant(*at)).map(|at| at as u32).collect()
}

/// The instrument of each included trade, in an order that tells nothing.
fn instruments_by_demand(dice: &mut Dice, counts: &[u64], standings: &[Standing]) -> Vec<u32> {
    let included = standings.iter().filter(|standing| **standing == Standing::Included).count();
    let mut instruments: Vec<u32> = (0_u32..)
        .zip(apportion(counts, included as u64))
        .flat_map(|(at, trades)| std::iter::repeat_n(at, trades as usize))
        .collect();
    for at in (1..instruments.len()).rev() {
        let other = dice.index(at + 1);
        instruments.swap(at, other);
    }
    instruments
}

fn open_trade(dice: &mut Dice, catalog: &Catalog, standing: Standing, at: u32) -> OpenTrade {
    let instrument = &catalog.instruments[at as usize];
    let shape = instrument.shape;
    let days = shape.settlement().days();
    // Government loans of the lowest coupon have one settlement, soon: late loans miss it (2.8).
    let lowest = COUPONS_30.iter().map(|coupon| coupon.0).min();
    let only_soon = shape == Shape::Gov30 && Some(instrument.coupon) == lowest;
    let settlement = usize::from(!only_soon && dice.permille(400));
    let bx_share = match shape {
        Shape::Window30(_) | Shape::Window15(_) => 1_000,
        Shape::Jumbo => 0,
        Shape::Bank | Shape::SecondBank | Shape::GovBank => 150,
        _ => 70,
    };
    let priced_only_share = match shape {
        Shape::Jumbo => 1_000,
        Shape::Bank | Shape::SecondBank => 350,
        Shape::Window30(_) | Shape::Window15(_) => 0,
        _ => 15,
    };
    let is_bx = standing == Standing::NoSettlement || dice.permille(bx_share);
    let settles_in = match standing {
        Standing::Past => -dice.between(1, 20),
        Standing::Beyond => days[2].max(HORIZON + 1),
        _ => days[settlement],
    };
    // Most trades stand at the market; some were struck when it was a little lower or higher.
    let struck = 4 * TICK * dice.weighted(&[(0, 76), (-1, 8), (1, 8), (-2, 4), (2, 4)]);
    // What settles next month is still being filled.
    let fresh_share = if settlement == 0 { 80 } else { 700 };
    // Undated, it takes the grid's first settlement.
    let may_be_undated = standing == Standing::Included && settlement == 0;
    OpenTrade {
        instrument: at,
        standing,
        settles_in,
        is_bx,
        is_dated: !is_bx
            || (standing != Standing::NoSettlement && !(may_be_undated && dice.permille(500))),
        is_priced_only: dice.permille(priced_only_share),
        price: forward_price(instrument, settlement) + struck,
        is_fresh: dice.permille(fresh_share),
        heft: dice.pick(&[1, 2, 2, 3, 4]),
        intended: 0,
        held: 0,
    }
}
