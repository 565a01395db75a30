//! Good input made bad.

use powerfill_tests::seeded::SeededRng;

/// One of the corpus, with up to six changes.
pub(crate) fn mutated(corpus: &[Vec<u8>], words: &[&str], chance: &mut SeededRng) -> Vec<u8> {
    let mut bytes = chance.pick(corpus).clone();
    for _ in 0..chance.below(7) {
        change(&mut bytes, corpus, words, chance);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str], chance: &mut SeededRng) {
    let from = chance.below(bytes.len() + 1);
    let to = (from + chance.below(12)).min(bytes.len());
    match chance.below(9) {
        // A bit.
        0 => {
            if let Some(byte) = bytes.get_mut(from) {
                *byte ^= 1 << chance.below(8);
            }
        }
        // A byte.
        1 => bytes.insert(from, chance.below(256) as u8),
        // A word, put in or put in place of something.
        2 => drop(bytes.splice(from..from, chance.pick(words).bytes())),
        3 => drop(bytes.splice(from..to, chance.pick(words).bytes())),
        // A value between separators: what keeps the rest readable.
        4 | 5 => replace_value(bytes, words, chance),
        // Something gone, something twice.
        6 => drop(bytes.drain(from..to)),
        7 => {
            let twice = bytes[from..to].to_vec();
            drop(bytes.splice(to..to, twice));
        }
        // The end of another, or none.
        _ => {
            bytes.truncate(from);
            let other = chance.pick(corpus);
            bytes.extend_from_slice(&other[chance.below(other.len() + 1)..]);
        }
    }
}

fn replace_value(bytes: &mut Vec<u8>, words: &[&str], chance: &mut SeededRng) {
    let starts: Vec<usize> =
        (0..bytes.len()).filter(|at| matches!(bytes[*at], b':' | b',' | b'\n' | b'[')).collect();
    if starts.is_empty() {
        return;
    }
    let from = *chance.pick(&starts) + 1;
    let rest = &bytes[from..];
    let length = rest.iter().position(|b| matches!(b, b',' | b'}' | b']' | b'\n'));
    let to = from + length.unwrap_or(rest.len());
    drop(bytes.splice(from..to, chance.pick(words).bytes()));
}
