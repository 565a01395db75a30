//! Exact decimals in PostgreSQL's binary form of NUMERIC: digits of base 10,000, the weight of the
//! first digit, a sign, and the number of decimals. PowerFill has its own codec because output
//! tables consist mostly of decimals, and because a reader must distinguish `1.50` from `1.5`.

use ::bytes::{BufMut, BytesMut};

const NEGATIVE: u16 = 0x4000;
const BASE: u128 = 10_000;

/// A decimal: `units` divided by 10 to the power of `scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numeric {
    pub(crate) units: i128,
    pub(crate) scale: u16,
}

/// Writes the bytes of a value, with all decimals of its scale.
pub(crate) fn write(number: Numeric, out: &mut BytesMut) {
    // Each digit has four decimal digits, aligned at the decimal point.
    let behind = number.scale.div_ceil(4);
    let pad = 10_u128.pow(u32::from(behind * 4 - number.scale));
    let magnitude = number.units.unsigned_abs();
    let mut groups = [0_u16; 16];
    let mut count = 0;
    let mut weight = -i32::from(behind);
    // The lowest digit is padded with zeros after the last decimal; the others are complete.
    let low = BASE / pad;
    let mut rest = magnitude / low;
    let lowest = (magnitude % low) * pad;
    let mut push = |group: u128| {
        // Zeros at the end are not part of the format.
        if count > 0 || group > 0 {
            groups[count] = group as u16;
            count += 1;
        } else {
            weight += 1;
        }
    };
    push(lowest);
    while rest > 0 {
        push(rest % BASE);
        rest /= BASE;
    }
    let groups = &groups[..count];
    // The weight of the first digit is that of the last one plus the number of digits before it.
    let first = if groups.is_empty() { 0 } else { weight + count as i32 - 1 };
    let negative = number.units < 0;
    out.put_u16(count as u16);
    out.put_i16(first as i16);
    out.put_u16(if negative { NEGATIVE } else { 0 });
    out.put_u16(number.scale);
    groups.iter().rev().for_each(|group| out.put_u16(*group));
}

/// Reads the bytes of a value. `None` if it is NaN, infinite, malformed, or exceeds 128 bits.
pub(crate) fn read(raw: &[u8]) -> Option<Numeric> {
    let short = |at: usize| Some(u16::from_be_bytes([*raw.get(at)?, *raw.get(at + 1)?]));
    let (count, weight, sign, scale) = (short(0)?, short(2)? as i16, short(4)?, short(6)?);
    if raw.len() != 8 + usize::from(count) * 2 || (sign != 0 && sign != NEGATIVE) {
        return None;
    }
    let mut units: i128 = 0;
    for at in 0..usize::from(count) {
        units = units.checked_mul(BASE as i128)?.checked_add(i128::from(short(8 + at * 2)?))?;
    }
    // `units` counts in the last digit; the scale may need more or fewer decimals.
    let last = i32::from(weight) - (i32::from(count) - 1);
    let shift = last * 4 + i32::from(scale);
    if units != 0 {
        let power = |digits: i32| 10_i128.checked_pow(u32::try_from(digits).ok()?);
        if shift >= 0 {
            units = units.checked_mul(power(shift)?)?;
        } else {
            let by = power(-shift)?;
            // A server sends no decimals beyond the scale.
            units = (units % by == 0).then_some(units / by)?;
        }
    }
    Some(Numeric { units: if sign == NEGATIVE { -units } else { units }, scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(units: i128, scale: u16) -> Vec<u8> {
        let mut out = BytesMut::new();
        write(Numeric { units, scale }, &mut out);
        out.to_vec()
    }

    /// The expected bytes are those of `SELECT numeric_send(…)`.
    #[test]
    fn numbers_are_written_as_the_server_writes_them() {
        for (units, scale, hex) in [
            (0, 2, "0000000000000002"),
            (150, 2, "00020000000000020001 1388"),
            (-5, 2, "0001ffff4000000201f4"),
            (1_234_567_891, 4, "0003000100000004000c0d801ed3"),
            (100_000_000, 0, "00010002000000000001"),
            (1, 8, "0001fffe000000080001"),
        ] {
            let hex: String = hex.split(' ').collect();
            let expected: Vec<u8> = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect();
            assert_eq!(bytes(units, scale), expected, "{units} {scale}");
        }
    }

    /// Also numbers beyond the 96 bits of a `Decimal`.
    #[test]
    fn numbers_come_back() {
        let mut units: i128 = 1;
        for step in 0_u32..100 {
            for scale in [0, 1, 2, 3, 4, 5, 6, 7, 8, 27, 28] {
                for sign in [-1, 1] {
                    let number = Numeric { units: sign * units, scale };
                    assert_eq!(read(&bytes(number.units, scale)), Some(number));
                }
            }
            units = units * 2 + i128::from(step % 3);
        }
        for (units, scale) in [(i128::from(i64::MIN), 8), (0, 0), (0, 28), (1 << 96, 28)] {
            assert_eq!(read(&bytes(units, scale)), Some(Numeric { units, scale }));
        }
    }

    #[test]
    fn a_value_that_is_no_finite_number_is_refused() {
        for special in [0xC000_u16, 0xD000, 0xF000] {
            let mut raw = vec![0; 8];
            raw[4..6].copy_from_slice(&special.to_be_bytes());
            assert_eq!(read(&raw), None);
        }
        assert_eq!(read(&[0; 7]), None);
        assert_eq!(read(&[0, 1, 0, 0, 0, 0, 0, 0]), None);
    }
}
