//! Mutations of valid input.

use powerfill_tests::seeded::SeededRng;

/// An item of the corpus with up to six changes.
pub(crate) fn mutated(corpus: &[Vec<u8>], words: &[&str], rng: &mut SeededRng) -> Vec<u8> {
    let mut bytes = rng.pick(corpus).clone();
    for _ in 0..rng.below(7) {
        change(&mut bytes, corpus, words, rng);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str], rng: &mut SeededRng) {
    let from = rng.below(bytes.len() + 1);
    let to = (from + rng.below(12)).min(bytes.len());
    match rng.below(9) {
        // Flip a bit.
        0 => {
            if let Some(byte) = bytes.get_mut(from) {
                *byte ^= 1 << rng.below(8);
            }
        }
        // Insert a byte.
        1 => bytes.insert(from, rng.below(256) as u8),
        // Insert a word, or replace something by a word.
        2 => drop(bytes.splice(from..from, rng.pick(words).bytes())),
        3 => drop(bytes.splice(from..to, rng.pick(words).bytes())),
        // Replace a value between separators, which keeps the rest readable.
        4 | 5 => replace_value(bytes, words, rng),
        // Remove or repeat something.
        6 => drop(bytes.drain(from..to)),
        7 => {
            let twice = bytes[from..to].to_vec();
            drop(bytes.splice(to..to, twice));
        }
        // Replace the end by that of another item, or by nothing.
        _ => {
            bytes.truncate(from);
            let other = rng.pick(corpus);
            bytes.extend_from_slice(&other[rng.below(other.len() + 1)..]);
        }
    }
}

fn replace_value(bytes: &mut Vec<u8>, words: &[&str], rng: &mut SeededRng) {
    let starts: Vec<usize> =
        (0..bytes.len()).filter(|at| matches!(bytes[*at], b':' | b',' | b'\n' | b'[')).collect();
    if starts.is_empty() {
        return;
    }
    let from = *rng.pick(&starts) + 1;
    let rest = &bytes[from..];
    let length = rest.iter().position(|b| matches!(b, b',' | b'}' | b']' | b'\n'));
    let to = from + length.unwrap_or(rest.len());
    drop(bytes.splice(from..to, rng.pick(words).bytes()));
}
