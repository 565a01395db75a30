//! How the fields of a text file are divided: by a delimiter, or by fixed widths.

use csv::ReaderBuilder;

/// The delimiters that are recognized.
const DELIMITERS: [u8; 6] = [b',', b';', b'\t', b'|', b'~', b'^'];

/// The number of records that are read to find the delimiter.
const SAMPLED_RECORDS: usize = 20;

/// How fields are divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldLayout {
    Delimited(u8),
    /// The first character of each field and of the blank after it, as the line of dashes under a
    /// header shows them.
    Fixed(Vec<(usize, usize)>),
}

impl FieldLayout {
    /// Its description; none for commas.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Delimited(b',') => None,
            Self::Delimited(b'\t') => Some("separated by tabs".to_owned()),
            Self::Delimited(delimiter) => Some(format!("separated by {}", char::from(*delimiter))),
            Self::Fixed(_) => Some("columns of fixed width".to_owned()),
        }
    }
}

/// Finds the layout: the delimiter of a first line `sep=;`; fixed widths if the second line has
/// dashes between blanks; else the delimiter with which the first records have the most fields, and
/// equally many; a comma if there is none. Returns it with the number of bytes of such a first
/// line.
pub(crate) fn find_layout(text: &str, named: Option<char>) -> (FieldLayout, usize) {
    let first = text.lines().next().unwrap_or_default();
    let (mut delimiter, mut start) = (named.and_then(|c| u8::try_from(c).ok()), 0);
    let separator = first.trim_end().strip_prefix("sep=");
    if let Some([said]) = separator.map(str::as_bytes) {
        delimiter = delimiter.or(Some(*said));
        start = text.len() - text[first.len()..].trim_start_matches(['\r', '\n']).len();
    }
    let text = &text[start..];
    match delimiter.map(FieldLayout::Delimited).or_else(|| fixed_widths(text)) {
        Some(layout) => (layout, start),
        None => (FieldLayout::Delimited(find_delimiter(text)), start),
    }
}

fn find_delimiter(text: &str) -> u8 {
    let fields = |delimiter: u8| {
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let widths: Vec<usize> = reader
            .records()
            .take(SAMPLED_RECORDS)
            .filter_map(Result::ok)
            .map(|record| record.len())
            .collect();
        // The widest record is one of the table; titles above it are narrower.
        let widest = widths.iter().copied().max().unwrap_or_default();
        let alike = widths.iter().filter(|width| **width == widest).count();
        (widest > 1).then_some((alike * widest, widest))
    };
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| fields(*delimiter)).unwrap_or(b',')
}

/// The fields over the dashes of the second line that is not blank, as SQL Server's tools print
/// them.
fn fixed_widths(text: &str) -> Option<FieldLayout> {
    let rule = text.lines().filter(|line| !line.trim().is_empty()).nth(1)?.trim_end();
    let is_rule = rule.contains("- -") && rule.chars().all(|c| matches!(c, '-' | ' '));
    if !is_rule {
        return None;
    }
    let (mut fields, mut start) = (Vec::new(), 0);
    for dashes in rule.split(' ') {
        if !dashes.is_empty() {
            fields.push((start, start + dashes.len()));
        }
        start += dashes.len() + 1;
    }
    Some(FieldLayout::Fixed(fields))
}

/// The line of the first quote that is never closed, from 1: it would swallow every row below it.
pub(crate) fn open_quote(text: &str, delimiter: u8) -> Option<usize> {
    let (mut line, mut opened, mut at_start, mut quoted) = (1, 0, true, false);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        line += usize::from(byte == b'\n');
        match (quoted, byte) {
            (true, b'"') if bytes.get(at + 1) == Some(&b'"') => at += 1,
            (true, b'"') => quoted = false,
            (true, _) => {}
            (false, b'"') if at_start => (quoted, opened) = (true, line),
            (false, _) => at_start = byte == delimiter || matches!(byte, b'\n' | b'\r'),
        }
        if quoted {
            at_start = false;
        }
        at += 1;
    }
    quoted.then_some(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_found() {
        for (text, layout) in [
            ("id,price\nA,\"1,000\"\nB,2\n", FieldLayout::Delimited(b',')),
            ("Pipeline\n\nid;price\nA;1,000\nB;2\n", FieldLayout::Delimited(b';')),
            ("id|price\n-- -----\n", FieldLayout::Fixed(vec![(0, 2), (3, 8)])),
            ("id   price\n---- -----\nA    1\n", FieldLayout::Fixed(vec![(0, 4), (5, 10)])),
            ("id^price\nA^1,000\n", FieldLayout::Delimited(b'^')),
            ("id\n", FieldLayout::Delimited(b',')),
        ] {
            assert_eq!(find_layout(text, None), (layout, 0), "{text}");
        }
        let (layout, start) = find_layout("sep=;\r\nid;price\n", None);
        assert_eq!((layout, start), (FieldLayout::Delimited(b';'), 7));
        assert_eq!(find_layout("a;b|c", Some('|')).0, FieldLayout::Delimited(b'|'));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found() {
        for (text, line) in [
            ("a,b\n\"x\",\"y \"\"z\"\"\"\n", None),
            ("a,b\n1,5\" pipe\n", None),
            ("a,b\n1,\"x\n2,3\n", Some(2)),
            ("\"a\nb\",c\n1,\"", Some(3)),
        ] {
            assert_eq!(open_quote(text, b','), line, "{text}");
        }
    }
}
