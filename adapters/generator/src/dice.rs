//! Random numbers from a counter-based stream cipher, as whole numbers only, so that a seed gives
//! the same book on any machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The key after the seed. A change of this text changes every book.
const KEY_TAIL: &[u8; 24] = b"powerfill-generator v1.0";

/// Each topic has a stream of random numbers, so that more rows of one table change no other table.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(crate) enum Topic {
    Pilot = 1,
    OpenTrades,
    OpenPools,
    Loans,
    OpenTradeRows,
    ClosedTradeRows,
    PoolRows,
    LockdownRows,
    Constraints,
    PastTrades,
    Carry,
}

/// The random numbers of one topic.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64, topic: Topic) -> Self {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..].copy_from_slice(KEY_TAIL);
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(topic as u64);
        Self(rng)
    }

    /// A number below `bound`; 0 if the bound is 0. The bias of the multiplication is far below one
    /// in a billion.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(bound);
        // The high half of a 128-bit product of two 64-bit numbers fits in 64 bits.
        (product >> 64) as u64
    }

    /// A position in a list of `length`.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low) + 1;
        low + self.below(span) as i64
    }

    /// True `share` times per thousand.
    pub(crate) fn permille(&mut self, share: u64) -> bool {
        self.below(1_000) < share
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// An entry by its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(T, u64)]) -> T {
        let total = choices.iter().map(|choice| choice.1).sum();
        let mut left = self.below(total);
        for &(choice, weight) in choices {
            if left < weight {
                return choice;
            }
            left -= weight;
        }
        choices[choices.len() - 1].0
    }

    /// A value of an inverse distribution, linear between the points.
    pub(crate) fn along(&mut self, curve: &[(i64, i64)]) -> i64 {
        const FINE: i64 = 1_000;
        let at = self.below(10_000 * FINE as u64) as i64;
        let upper = curve.partition_point(|point| point.0 * FINE <= at).clamp(1, curve.len() - 1);
        let (share_0, value_0) = curve[upper - 1];
        let (share_1, value_1) = curve[upper];
        value_0 + (value_1 - value_0) * (at - share_0 * FINE) / ((share_1 - share_0) * FINE)
    }
}

#[cfg(test)]
mod tests {
    use super::{Dice, Topic};

    #[test]
    fn a_seed_and_a_topic_fix_the_draws() {
        let draw = |seed, topic| {
            let mut dice = Dice::new(seed, topic);
            [dice.below(1_000_000), dice.below(1_000_000), dice.below(1_000_000)]
        };
        assert_eq!(draw(7, Topic::Loans), draw(7, Topic::Loans));
        assert_ne!(draw(7, Topic::Loans), draw(8, Topic::Loans));
        assert_ne!(draw(7, Topic::Loans), draw(7, Topic::Carry));
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut dice = Dice::new(1, Topic::Pilot);
        let curve = [(0, 10), (5_000, 100), (10_000, 1_000)];
        let mut below_median = 0;
        for _ in 0..10_000 {
            assert!((-3..=4).contains(&dice.between(-3, 4)));
            let value = dice.along(&curve);
            assert!((10..1_000).contains(&value));
            below_median += u32::from(value < 100);
            assert_eq!(dice.weighted(&[('a', 0), ('b', 3), ('c', 0)]), 'b');
        }
        assert!((4_700..5_300).contains(&below_median));
        assert_eq!(dice.below(0), 0);
    }
}
