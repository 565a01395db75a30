//! Texts that are valid and likely wrong (specification 1.2): words for NULL, invisible characters,
//! ids that a spreadsheet rewrote, labels of totals.

use powerfill_events::input::CellDisplay;
use powerfill_events::values::is_invisible;

/// What is suspect about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// A word that stands for NULL and for nothing else.
    NullWord,
    /// A word that may stand for NULL.
    MaybeNull,
    /// A character that is not seen.
    Invisible,
    /// A number that a spreadsheet or a program wrote with an exponent or a decimal.
    Rewritten,
    /// A text behind the sign by which a spreadsheet keeps it a text.
    Escaped,
    /// The label of a totals row.
    Total,
    /// An amount whose decimal point is likely one between thousands.
    Points,
    /// Displayed as something else.
    Shown(CellDisplay),
}

/// What may be suspect about a text; `is_name` if it names a row.
pub(super) fn suspicion(text: &str, is_name: bool, is_plain: bool) -> Option<Suspicion> {
    if !is_plain && text.chars().any(|c| is_unseen(c, is_name)) {
        return Some(Suspicion::Invisible);
    }
    if text.len() <= MAX_WORD {
        let is_any = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if is_any(&NULL_WORDS) {
            return Some(Suspicion::NullWord);
        }
        if is_any(&MAYBE_NULL) {
            return Some(Suspicion::MaybeNull);
        }
    }
    match text.as_bytes() {
        [b'0'..=b'9', ..] if is_name && is_rewritten(text) => Some(Suspicion::Rewritten),
        [b'=', b'"', ..] => Some(Suspicion::Escaped),
        [b'\'', b'0'..=b'9', ..] if is_name => Some(Suspicion::Escaped),
        [b'T' | b't' | b'G' | b'g' | b'S' | b's', ..] if is_name && is_total(text) => {
            Some(Suspicion::Total)
        }
        _ => None,
    }
}

const MAX_WORD: usize = 7;

/// No tape means these as a value.
const NULL_WORDS: [&str; 18] = [
    "NULL", "<NULL>", "(NULL)", "[NULL]", "#N/A", "#NULL!", "\\N", "NAN", "NAT", "<NA>", "(BLANK)",
    "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NUM!", "#CALC!", "#SPILL!",
];

/// A tape may mean these as a value.
const MAYBE_NULL: [&str; 10] = ["N/A", "NA", "NONE", "NIL", "-", "--", "---", "N.A.", ".", "?"];

/// Whether a text is a word for NULL, or may be one.
pub fn is_null_word(text: &str) -> bool {
    matches!(suspicion(text, false, true), Some(Suspicion::NullWord | Suspicion::MaybeNull))
}

/// Whether a character is not seen where it stands: a blank that is not U+0020, a mark, or a
/// control. A text other than a name may have lines.
fn is_unseen(c: char, is_name: bool) -> bool {
    match c {
        ' ' => false,
        '\n' | '\r' => is_name,
        c => c.is_whitespace() || is_invisible(c),
    }
}

/// The name of the first invisible character.
pub(super) fn invisible(text: &str) -> String {
    let name = |c: char| match c {
        '\t' => "a tab".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        '\u{1b}' => "an escape, which a terminal obeys".to_owned(),
        '\u{a0}' => "a no-break space, U+00A0".to_owned(),
        '\u{200b}' => "a zero-width space, U+200B".to_owned(),
        '\u{feff}' => "a byte order mark, U+FEFF".to_owned(),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            format!("a mark of the writing direction, U+{:04X}", u32::from(c))
        }
        '\u{fffd}' => "a replacement character, U+FFFD: its text was lost".to_owned(),
        c => format!("the character U+{:04X}", u32::from(c)),
    };
    // In a text with lines, another character is to blame.
    let unseen = |is_name| text.chars().find(|c| is_unseen(*c, is_name));
    unseen(false).or_else(|| unseen(true)).map_or_else(String::new, name)
}

/// Whether it is a number such as `1.2E+11` or `1000101.0`.
fn is_rewritten(text: &str) -> bool {
    if let Some(digits) = text.strip_suffix(".0") {
        return digits.len() > 4 && digits.bytes().all(|b| b.is_ascii_digit());
    }
    let Some((digits, exponent)) = text.split_once(['E', 'e']) else { return false };
    let Some(exponent) = exponent.strip_prefix('+') else { return false };
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    !exponent.is_empty() && is_number(digits) && is_number(exponent)
}

fn is_total(text: &str) -> bool {
    let text = text.trim_end_matches(':').trim_end();
    ["total", "totals", "grand total", "subtotal", "sub-total", "sub total", "sum"]
        .iter()
        .any(|label| label.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_suspect_by_their_kind() {
        for (text, is_name, expected) in [
            ("NULL", false, Some(Suspicion::NullWord)),
            ("<null>", false, Some(Suspicion::NullWord)),
            ("\\N", false, Some(Suspicion::NullWord)),
            ("nan", true, Some(Suspicion::NullWord)),
            ("None", false, Some(Suspicion::MaybeNull)),
            ("CA\u{a0}", false, Some(Suspicion::Invisible)),
            ("\tCA", false, Some(Suspicion::Invisible)),
            ("C\u{200b}A", false, Some(Suspicion::Invisible)),
            ("1.2E+11", true, Some(Suspicion::Rewritten)),
            ("1000101.0", true, Some(Suspicion::Rewritten)),
            ("6.0", true, None),
            ("=\"0042\"", false, Some(Suspicion::Escaped)),
            ("'0042", true, Some(Suspicion::Escaped)),
            ("#REF!", false, Some(Suspicion::NullWord)),
            ("1.2E+11", false, None),
            ("5E2", true, None),
            ("Grand Total:", true, Some(Suspicion::Total)),
            ("Total", false, None),
            ("T1", true, None),
            ("two\nlines", false, None),
            ("Primary", false, None),
        ] {
            assert_eq!(suspicion(text, is_name, false), expected, "{text:?}");
        }
    }
}
