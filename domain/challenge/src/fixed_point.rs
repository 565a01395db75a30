//! Exponential and logarithm in whole numbers, from tables that are computed at compile time.

/// Binary digits of a fraction such as the result of [`exp_neg`].
pub(crate) const EXP_BITS: u32 = 31;

/// Binary digits of the argument of [`exp_neg`].
pub(crate) const ARG_BITS: u32 = 16;

/// Binary digits of the result of [`ln`].
pub(crate) const LN_BITS: u32 = 24;

/// e^(−1/64), with 62 binary digits.
const COARSE_STEP: i128 = exp_neg_series(1 << (62 - 6));

/// e^(−1/65536), with 62 binary digits.
const FINE_STEP: i128 = exp_neg_series(1 << (62 - 16));

static COARSE: [u32; 64 * 21 + 1] = powers(COARSE_STEP);
static FINE: [u32; 1024] = powers(FINE_STEP);
static LOG2: [i64; 2049] = logarithms();

/// ln 2, with 24 binary digits.
pub(crate) const LN_2: i64 = 11_629_080;

/// e^(−x) for a small x with 62 binary digits.
const fn exp_neg_series(x: i128) -> i128 {
    let (mut term, mut sum, mut n) = (1_i128 << 62, 1_i128 << 62, 1);
    while n < 16 {
        term = -((term * x) >> 62) / n;
        sum += term;
        n += 1;
    }
    sum
}

/// The powers of a step, with 31 binary digits; the power 0, which is 1, is cut to fit 32 bits.
const fn powers<const N: usize>(step: i128) -> [u32; N] {
    let mut table = [0; N];
    let (mut power, mut at) = (1_i128 << 62, 0);
    while at < N {
        table[at] = (power >> (62 - EXP_BITS)) as u32;
        power = (power * step) >> 62;
        at += 1;
    }
    table
}

/// log2(1 + i/2048), with 24 binary digits, digit by digit.
const fn logarithms() -> [i64; 2049] {
    let mut table = [0; 2049];
    let mut at = 0;
    while at < 2048 {
        let (mut x, mut digits, mut n) = ((1_u64 << 31) + ((at as u64) << 20), 0_i64, 0);
        while n < LN_BITS {
            x = (x * x) >> 31;
            digits <<= 1;
            if x >= 1 << 32 {
                digits += 1;
                x >>= 1;
            }
            n += 1;
        }
        table[at] = digits;
        at += 1;
    }
    table[2048] = 1 << LN_BITS;
    table
}

/// e^(−x) with 31 binary digits, for an x ≥ 0 with 16 binary digits; 0 from 21 on.
#[inline]
pub(crate) fn exp_neg(x: u64) -> u64 {
    match COARSE.get((x >> 10) as usize) {
        None => 0,
        Some(coarse) => (u64::from(*coarse) * u64::from(FINE[(x & 1023) as usize])) >> EXP_BITS,
    }
}

/// The natural logarithm of a whole number, with 24 binary digits; that of 0 is taken as 0.
pub(crate) fn ln(x: u64) -> i64 {
    if x == 0 {
        return 0;
    }
    let exponent = 63 - x.leading_zeros();
    // 32 binary digits of the mantissa: 11 for the table, 21 to interpolate.
    let mantissa = ((x << (63 - exponent)) >> 31) as i64 - (1 << 32);
    let (at, rest) = ((mantissa >> 21) as usize, mantissa & ((1 << 21) - 1));
    let between = ((LOG2[at + 1] - LOG2[at]) * rest) >> 21;
    let log2 = (i64::from(exponent) << LN_BITS) + LOG2[at] + between;
    (log2 * LN_2) >> LN_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_six_digits() {
        // e^(−x) to nine decimals.
        for (x, billionths) in
            [(0_u64, 1_000_000_000), (1 << 15, 606_530_660), (1 << 16, 367_879_441)]
        {
            let found = (exp_neg(x) * 1_000_000_000) >> EXP_BITS;
            assert!(found.abs_diff(billionths) <= 400, "e^-{x}/65536: {found}");
        }
        assert!(exp_neg(20 << ARG_BITS) > 0);
        assert_eq!(exp_neg(22 << ARG_BITS), 0);
        assert_eq!(exp_neg(u64::MAX), 0);
    }

    #[test]
    fn exponentials_fall() {
        let values: Vec<u64> = (0..200_000).step_by(7).map(exp_neg).collect();
        assert!(values.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn logarithms_are_right_to_six_digits() {
        for (x, millionths) in [
            (1, 0),
            (2, 693_147),
            (10, 2_302_585),
            (1_000_000_007, 20_723_266),
            (u64::MAX, 44_361_420),
        ] {
            let found = (ln(x) * 1_000_000) >> LN_BITS;
            assert!((found - millionths).abs() <= 3, "ln {x}: {found}");
        }
    }
}
