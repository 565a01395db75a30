//! Cells by the addresses that spreadsheets give them.

/// A cell, both positions from 0: column 2, row 16 is `C17`.
pub fn address(column: u32, row: u32) -> String {
    let mut letters = Vec::new();
    let mut left = u64::from(column) + 1;
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + u8::try_from(left % 26).unwrap_or_default()));
        left /= 26;
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("{letters}{}", u64::from(row) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_letters_and_rows_begin_with_1() {
        for (column, row, text) in [
            (0, 0, "A1"),
            (2, 16, "C17"),
            (25, 9, "Z10"),
            (26, 9, "AA10"),
            (701, 0, "ZZ1"),
            (702, 0, "AAA1"),
            (16_383, 1_048_575, "XFD1048576"),
        ] {
            assert_eq!(address(column, row), text);
        }
    }
}
