//! The encodings of exports.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Decodes a file: by its byte order mark; as UTF-16 if nearly every other byte is zero; as UTF-8
/// if it is valid UTF-8; else as Windows-1252, which has a character for every byte.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, &bytes[length..]),
        None => (guess(bytes), bytes),
    };
    encoding.decode_without_bom_handling(bytes).0
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    // A header consists of letters, so that UTF-16 shows in its first bytes.
    let pairs = || bytes.chunks_exact(2).take(32);
    let zeros = |at: usize| pairs().filter(|pair| pair[at] == 0).count();
    let most = pairs().count() * 3 / 4;
    match (zeros(0), zeros(1)) {
        (0, low) if low > most => UTF_16LE,
        (high, 0) if high > most => UTF_16BE,
        _ if std::str::from_utf8(bytes).is_ok() => UTF_8,
        _ => WINDOWS_1252,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_decoded() {
        let text = "loan_id,name\nL1,Müller – Söhne\n";
        let utf16 = |big: bool| -> Vec<u8> {
            let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            text.encode_utf16().flat_map(bytes).collect()
        };
        let windows = WINDOWS_1252.encode(text).0.into_owned();
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [&b"\xff\xfe"[..], &utf16(false)].concat(),
            [&b"\xfe\xff"[..], &utf16(true)].concat(),
            utf16(false),
            utf16(true),
            windows,
        ] {
            assert_eq!(decode(&bytes), text);
        }
        assert_eq!(decode(b""), "");
    }
}
