//! Random numbers from a seed: xorshift64*.

use crate::fixed_point::{LN_2, ln};

/// The state of the generator.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        // The state must not be 0.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `n`, which has at most 32 bits.
    #[inline]
    pub(super) fn below(&mut self, n: usize) -> usize {
        (((self.next() >> 32) * n as u64) >> 32) as usize
    }

    /// A number below `n`; small ones are likelier: the square of a uniform number, times `n`.
    #[inline]
    pub(super) fn low_below(&mut self, n: usize) -> usize {
        let uniform = self.next() >> 32;
        ((((uniform * uniform) >> 32) * n as u64) >> 32) as usize
    }

    /// −ln(u) of a uniform u, with 24 binary digits.
    #[inline]
    pub(super) fn exponential(&mut self) -> i64 {
        // 32 binary digits are 32 × ln 2.
        32 * LN_2 - ln((self.next() >> 32) + 1)
    }
}
