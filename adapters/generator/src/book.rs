//! The open trades: status, price, settlement, and the amount that is intended for each. The other
//! columns of a trade are drawn when its row is written.

use crate::calendar::HORIZON;
use crate::catalog::Catalog;
use crate::data::MARGINALS;
use crate::dice::{Dice, Topic};
use crate::figures::TICK;
use crate::kinds::Family;
use crate::market::forward_price;
use crate::placement::apportion;
use crate::sizes::Sizes;

/// Whether an open trade is in the run, or why not (2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TradeStatus {
    Included,
    Past,
    Beyond,
    PairedOff,
    NoSettlement,
}

impl TradeStatus {
    /// A few of each, at fixed positions, so that every book of 100 open trades has them all.
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

#[derive(Debug, Clone)]
pub(crate) struct OpenTrade {
    pub(crate) instrument: u32,
    pub(crate) standing: TradeStatus,
    /// Days after `as_of`.
    pub(crate) settles_in: i64,
    /// Whether the grid prices it, per loan.
    pub(crate) is_bx: bool,
    /// Whether its row has the settlement date; a `bx` trade may lack it (2.3).
    pub(crate) is_dated: bool,
    pub(crate) is_priced_only: bool,
    /// In units of 0.00000001.
    pub(crate) price: i64,
    /// Whether it was sold lately, for loans that have no pool yet.
    is_fresh: bool,
    /// Its weight among the trades of its instrument, 1 to 4.
    weight: u8,
    /// The amount of the eligible loans that are intended for it, in cents.
    pub(crate) intended: i64,
    /// The amount of the loans that it holds from the start, in cents.
    pub(crate) held: i64,
}

/// The open trades of a snapshot.
pub(crate) struct TradeBook {
    pub(crate) open: Vec<OpenTrade>,
    /// The positions of the included trades, by instrument.
    of_instrument: Vec<Vec<u32>>,
    /// The positions of the trades that accept only loans with a price of their own, by desk.
    priced_only: Vec<Vec<u32>>,
    /// The positions of the trades that are not in the run and hold their loans.
    pub(crate) stranded: Vec<u32>,
}

impl TradeBook {
    pub(crate) fn new(catalog: &Catalog, sizes: &Sizes, counts: &[u64], seed: u64) -> Self {
        let mut dice = Dice::new(seed, Topic::OpenTrades);
        let off_the_run: Vec<u32> =
            positions(catalog, |at| catalog.instruments[at].is_off_the_run());
        let all: Vec<u32> = positions(catalog, |_| true);
        let standings: Vec<TradeStatus> = (0..sizes.open_trades)
            .map(|at| match TradeStatus::at(at) {
                // Only the coupon that is off the run has no settlement ahead.
                TradeStatus::NoSettlement if off_the_run.is_empty() => TradeStatus::Included,
                standing => standing,
            })
            .collect();
        let mut included = instruments_by_demand(&mut dice, counts, &standings).into_iter();
        let open = standings
            .into_iter()
            .map(|standing| {
                let instrument = match standing {
                    TradeStatus::Included => included.next().unwrap_or_default(),
                    TradeStatus::NoSettlement => dice.pick(&off_the_run),
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
                TradeStatus::Included => {
                    of_instrument[trade.instrument as usize].push(at);
                    if trade.is_priced_only {
                        let desk = catalog.instruments[trade.instrument as usize].desk;
                        priced_only[desk as usize].push(at);
                    }
                }
                TradeStatus::Past | TradeStatus::Beyond | TradeStatus::NoSettlement => {
                    stranded.push(at)
                }
                TradeStatus::PairedOff => {}
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

    /// Draws a trade of the instrument by weight. Where there is a choice, it is a fresh one
    /// `fresh` times per thousand.
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
                    .map(|(at, trade)| (at, u64::from(trade.weight))),
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

/// The instrument of each included trade, in random order.
fn instruments_by_demand(dice: &mut Dice, counts: &[u64], standings: &[TradeStatus]) -> Vec<u32> {
    let included = standings.iter().filter(|standing| **standing == TradeStatus::Included).count();
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

fn open_trade(dice: &mut Dice, catalog: &Catalog, standing: TradeStatus, at: u32) -> OpenTrade {
    let instrument = &catalog.instruments[at as usize];
    let kind = instrument.kind;
    let days = kind.class.days();
    // The lowest government coupon has only the first settlement, which late loans miss (2.8).
    let lowest = MARGINALS.coupon_30.iter().map(|coupon| coupon.0).min();
    let only_soon = kind.family == Family::Government && Some(instrument.coupon) == lowest;
    let settlement = usize::from(!only_soon && dice.permille(400));
    let is_bx = standing == TradeStatus::NoSettlement || dice.permille(kind.bx_share);
    let settles_in = match standing {
        TradeStatus::Past => -dice.between(1, 20),
        TradeStatus::Beyond => days[2].max(HORIZON + 1),
        _ => days[settlement],
    };
    // Most trades have the market price; some were agreed when it was a little lower or higher.
    let price_offset = 4 * TICK * dice.weighted(&[(0, 76), (-1, 8), (1, 8), (-2, 4), (2, 4)]);
    // Trades that settle next month are mostly fresh.
    let fresh_share = if settlement == 0 { 80 } else { 700 };
    // Without a date, it gets the first settlement of the grid.
    let may_be_undated = standing == TradeStatus::Included && settlement == 0;
    OpenTrade {
        instrument: at,
        standing,
        settles_in,
        is_bx,
        is_dated: !is_bx
            || (standing != TradeStatus::NoSettlement && !(may_be_undated && dice.permille(500))),
        is_priced_only: dice.permille(kind.priced_only_share),
        price: forward_price(instrument, settlement) + price_offset,
        is_fresh: dice.permille(fresh_share),
        weight: dice.pick(&[1, 2, 2, 3, 4]),
        intended: 0,
        held: 0,
    }
}
