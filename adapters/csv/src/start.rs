//! What the first bytes of a file tell: another encoding, format, or delimiter than that of a table
//! of a snapshot. Without this, every further fault would be a consequence.

use encoding_rs::UTF_16LE;

use crate::error::CsvError;
use crate::tolerant::utf16_without_mark;

/// The characters of a header that an error shows.
const SHOWN_CHARACTERS: usize = 40;

/// Checks the first bytes of a file.
///
/// # Errors
/// [`CsvError::OtherFormat`] or [`CsvError::OtherDelimiter`].
pub(crate) fn check(bytes: &[u8]) -> Result<(), CsvError> {
    if let Some(format) = other_format(bytes) {
        return Err(CsvError::OtherFormat(format));
    }
    let text = String::from_utf8_lossy(bytes);
    let lines = text.trim_start_matches('\u{feff}').lines();
    let header = lines.map(str::trim_end).find(|line| !line.is_empty()).unwrap_or_default();
    match delimiter(header) {
        None => Ok(()),
        Some(delimiter) => {
            let mut shown: String = header.chars().take(SHOWN_CHARACTERS).collect();
            if shown.len() < header.len() {
                shown.push('…');
            }
            Err(CsvError::OtherDelimiter { header: shown, delimiter })
        }
    }
}

fn other_format(bytes: &[u8]) -> Option<&'static str> {
    if let Some(format) = no_delimited_text(bytes) {
        return Some(format);
    }
    match bytes {
        [0xff, 0xfe, ..] => Some("UTF-16 (byte order mark FF FE); save it as CSV UTF-8"),
        [0xfe, 0xff, ..] => Some("UTF-16 (byte order mark FE FF); save it as CSV UTF-8"),
        _ => utf16_without_mark(bytes).map(|encoding| match encoding == UTF_16LE {
            true => "UTF-16 (little-endian, without a byte order mark); save it as CSV UTF-8",
            false => "UTF-16 (big-endian, without a byte order mark); save it as CSV UTF-8",
        }),
    }
}

/// The format of a file that no delimiter and no encoding makes a table.
pub(crate) fn no_delimited_text(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32; save it as CSV UTF-8"),
        [b'P', b'K', 3, 4, ..] => {
            Some("a workbook or another zip file; save its sheet as CSV UTF-8")
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Some("a workbook of the old format; save it as CSV UTF-8"),
        [0x1f, 0x8b, ..] => Some("compressed with gzip; rename it to end in .csv.gz"),
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF; export the table as CSV UTF-8"),
        _ => match text {
            [b'<', b'?' | b'!' | b'h' | b'H' | b't' | b'T', ..] => {
                Some("HTML or XML; save the table as CSV UTF-8")
            }
            [b'{', rest @ ..] | [b'[', rest @ ..]
                if matches!(rest.trim_ascii_start(), [b'"' | b'{' | b'[', ..]) =>
            {
                Some("JSON; save the table as CSV UTF-8")
            }
            _ => None,
        },
    }
}

/// The delimiter of a header that has more of it than of commas.
fn delimiter(header: &str) -> Option<&'static str> {
    let header = header.strip_prefix("sep=").filter(|sign| sign.len() == 1).unwrap_or(header);
    let commas = header.matches(',').count();
    let found = [('|', "|"), ('\t', "tabs"), (';', ";"), ('~', "~"), ('^', "^")]
        .into_iter()
        .map(|(sign, name)| (header.matches(sign).count(), name));
    let (count, name) = found.max_by_key(|(count, _)| *count)?;
    if count > commas {
        return Some(name);
    }
    let is_wide = header.split("  ").filter(|part| !part.trim().is_empty()).count() > 2;
    (commas == 0 && is_wide).then_some("blanks, as the columns of a report")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> Option<String> {
        check(bytes).err().map(|error| error.to_string())
    }

    #[test]
    fn other_encodings_and_formats_are_named() {
        let utf16 = |big: bool| -> Vec<u8> {
            let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            "loan_id,curr_status\n1,Closed\n".encode_utf16().flat_map(bytes).collect()
        };
        for (bytes, expected) in [
            ([&b"\xff\xfe"[..], &utf16(false)].concat(), "UTF-16 (byte order mark FF FE)"),
            ([&b"\xfe\xff"[..], &utf16(true)].concat(), "UTF-16 (byte order mark FE FF)"),
            (utf16(false), "UTF-16 (little-endian"),
            (utf16(true), "UTF-16 (big-endian"),
            (b"PK\x03\x04rest".to_vec(), "a workbook"),
            (b"\x1f\x8b\x08".to_vec(), "compressed with gzip"),
            (b"<html>".to_vec(), "HTML"),
            (b"\xef\xbb\xbf <table>".to_vec(), "HTML"),
            (b"[\n {\"loan_id\": 1}]".to_vec(), "JSON"),
            (b"\xff\xfe\0\0l\0\0\0".to_vec(), "UTF-32"),
            (b"\xd0\xcf\x11\xe0\xa1".to_vec(), "a workbook of the old format"),
        ] {
            let error = error(&bytes).unwrap();
            assert!(error.starts_with(&format!("it is {expected}")), "{error}");
        }
    }

    #[test]
    fn a_header_with_another_delimiter_is_one_field() {
        for (text, expected) in [
            ("loan_id|curr_status\n1|Closed\n", "separated by |,"),
            ("\u{feff}loan_id;note_rate\n1;6,5\n", "separated by ;,"),
            ("\nloan_id\tnote_rate\n", "separated by tabs,"),
            ("sep=;\nloan_id;note_rate\n", "separated by ;,"),
            ("1|300,000|6.5|CA\n", "separated by |,"),
            ("loan_id   curr_status  note_rate\n", "separated by blanks"),
        ] {
            let error = error(text.as_bytes()).unwrap();
            assert!(error.contains(expected), "{error}");
        }
        for text in ["loan_id,a|b\n", "loan_id\n", "", "Loan ID,\"a;b\"\n", "lockdown days\n"] {
            assert_eq!(error(text.as_bytes()), None, "{text}");
        }
    }
}
