//! Prices: the curve of 5.1 by coupon, kind, settlement, and note rate, in units of 0.00000001.

use crate::catalog::Instrument;
use crate::figures::{POINT, THIRTY_SECOND, TICK};

/// The price by coupon in 1/32 points, from `3.0` in steps of 0.5. It is concave: about two points
/// per step below par, less above.
const CURVE: [i64; 11] = [
    88 * 32,
    90 * 32 + 16,
    92 * 32 + 30,
    95 * 32 + 6,
    97 * 32 + 12,
    99 * 32 + 14,
    101 * 32 + 6,
    102 * 32 + 18,
    103 * 32 + 18,
    104 * 32 + 8,
    104 * 32 + 24,
];
const LOWEST_COUPON: i64 = 3_000;

/// The pay-up in 1/32 points for each cap of [`crate::rules::CAPS`]. Smaller loans earn more.
pub(crate) const CAP_PAYUPS: [i64; 6] = [72, 56, 44, 32, 22, 14];

/// The price of an instrument on its first settlement for a loan 0.25 above its coupon.
fn base(instrument: &Instrument) -> i64 {
    let step = ((instrument.coupon - LOWEST_COUPON) / 500).clamp(0, CURVE.len() as i64 - 1);
    // An index into a curve of eleven points.
    (CURVE[step as usize] + instrument.kind.spread) * THIRTY_SECOND
}

/// The cost of a later settlement: 5/32 per month; some instruments gain instead.
fn drop(instrument: &Instrument, settlement: usize) -> i64 {
    let is_special = (instrument.coupon / 500 + instrument.kind.code.len() as i64) % 9 == 0;
    let month = if is_special { -THIRTY_SECOND } else { 5 * THIRTY_SECOND };
    // At most three settlements.
    month * settlement as i64
}

/// The grid's price (2.3) of an instrument on its settlement of that position, at a note rate.
pub(crate) fn grid_price(instrument: &Instrument, settlement: usize, note_rate: i64) -> i64 {
    let over = note_rate - (instrument.coupon + 250);
    let level = base(instrument) - drop(instrument, settlement);
    if over < 0 {
        // Only the lowest window has such rates: about three points per percent of rate.
        return level + over * 3 * POINT / 1_000;
    }
    let ticks_for_an_eighth = if instrument.kind.family.is_window() { 8 } else { 4 };
    // Each eighth is worth a little less than the one before.
    let eighths = over / 125;
    level + (ticks_for_an_eighth * eighths - eighths * (eighths - 1) / 2) * TICK
}

/// The market price of a forward trade: that of the grid in the middle of the note rates.
pub(crate) fn forward_price(instrument: &Instrument, settlement: usize) -> i64 {
    grid_price(instrument, settlement, instrument.coupon + 625)
}

#[cfg(test)]
mod tests {
    use super::CURVE;

    #[test]
    fn the_curve_rises_more_and_more_slowly() {
        for pair in CURVE.windows(3) {
            assert!(pair[2] > pair[1] && pair[1] > pair[0]);
            assert!(pair[2] - pair[1] <= pair[1] - pair[0]);
        }
    }
}
