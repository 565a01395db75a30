//! The encodings of text files.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::CsvError;
use crate::start::no_delimited_text;

/// Decodes a file in the named encoding, or else: by its byte order mark; as UTF-16 if nearly every
/// other byte is zero; as UTF-8 if it is valid UTF-8; else as Windows-1252, which has a character
/// for nearly every byte. Says which; nothing for UTF-8.
///
/// # Errors
/// An encoding that does not exist, or a text that is not in the encoding; a file that is no text
/// of a table.
pub(crate) fn decode<'b>(
    bytes: &'b [u8],
    named: Option<&str>,
) -> Result<(Cow<'b, str>, Option<String>), CsvError> {
    if let Some(format) = no_delimited_text(bytes).filter(|_| named.is_none()) {
        return Err(CsvError::OtherFormat(format));
    }
    let marked = Encoding::for_bom(bytes);
    let after_mark = &bytes[marked.map_or(0, |(_, length)| length)..];
    let (encoding, how, bytes) = match (named, marked) {
        (Some(name), _) => {
            let encoding = Encoding::for_label(name.as_bytes())
                .ok_or_else(|| CsvError::UnknownEncoding(name.to_owned()))?;
            let is_marked = marked.is_some_and(|(marked, _)| marked == encoding);
            (encoding, "as the mapping says", if is_marked { after_mark } else { bytes })
        }
        (None, Some((encoding, _))) => (encoding, "byte order mark", after_mark),
        (None, None) => (guess(bytes), "detected", bytes),
    };
    let (text, has_errors) = encoding.decode_without_bom_handling(bytes);
    if has_errors {
        return Err(CsvError::NotInEncoding(encoding.name()));
    }
    let said = (encoding != UTF_8).then(|| format!("{} ({how})", encoding.name()));
    Ok((text, said))
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    match utf16_without_mark(bytes) {
        Some(encoding) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => WINDOWS_1252,
    }
}

/// The form of UTF-16 in which nearly every other byte is zero.
pub(crate) fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    // A header consists of letters, so that UTF-16 shows in its first bytes.
    let pairs = || bytes.chunks_exact(2).take(32);
    let zeros = |at: usize| pairs().filter(|pair| pair[at] == 0).count();
    let most = pairs().count() * 3 / 4;
    match (zeros(0), zeros(1)) {
        (0, low) if low > most => Some(UTF_16LE),
        (high, 0) if high > most => Some(UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_decoded_and_said() {
        let text = "loan_id,name\nL1,Müller – Söhne\n";
        let utf16 = |big: bool| -> Vec<u8> {
            let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            text.encode_utf16().flat_map(bytes).collect()
        };
        let windows = WINDOWS_1252.encode(text).0.into_owned();
        for (bytes, said) in [
            (text.as_bytes().to_vec(), None),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), None),
            ([&b"\xff\xfe"[..], &utf16(false)].concat(), Some("UTF-16LE (byte order mark)")),
            ([&b"\xfe\xff"[..], &utf16(true)].concat(), Some("UTF-16BE (byte order mark)")),
            (utf16(false), Some("UTF-16LE (detected)")),
            (utf16(true), Some("UTF-16BE (detected)")),
            (windows.clone(), Some("windows-1252 (detected)")),
        ] {
            let (decoded, how) = decode(&bytes, None).unwrap();
            assert_eq!((decoded.as_ref(), how.as_deref()), (text, said));
        }
        assert_eq!(decode(b"", None).unwrap().0, "");
        let named = decode(&windows, Some("Windows-1252")).unwrap();
        assert_eq!(named.1.as_deref(), Some("windows-1252 (as the mapping says)"));
        let error = decode(&windows, Some("utf-8")).unwrap_err().to_string();
        assert!(error.contains("not in UTF-8"), "{error}");
        let workbook = decode(b"\xd0\xcf\x11\xe0\xa1\xb1", None).unwrap_err().to_string();
        assert!(workbook.starts_with("it is a workbook of the old format"), "{workbook}");
        assert!(decode(b"x", Some("utf-9")).unwrap_err().to_string().contains("utf-9"));
    }
}
