//! Types and values as a server sends them.

use crate::server::{Column, text};

const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];

fn sized(value: Option<Vec<u8>>) -> Vec<u8> {
    let value = value.unwrap_or_default();
    let mut bytes = vec![u8::try_from(value.len()).expect("a short value")];
    bytes.extend(value);
    bytes
}

pub(crate) fn nvarchar(name: &'static str) -> Column {
    let mut of = vec![0xE7];
    of.extend(400_u16.to_le_bytes());
    of.extend(COLLATION);
    Column(name, of)
}

/// NCHAR, whose values come with their blanks.
pub(crate) fn nchar(name: &'static str) -> Column {
    let Column(name, mut of) = nvarchar(name);
    of[0] = 0xEF;
    Column(name, of)
}

pub(crate) fn words(value: Option<&str>) -> Vec<u8> {
    let Some(value) = value else { return vec![0xFF, 0xFF] };
    let bytes = text(value);
    let mut sent = u16::try_from(bytes.len()).expect("a short text").to_le_bytes().to_vec();
    sent.extend(bytes);
    sent
}

/// NVARCHAR(MAX), in parts of unknown length.
pub(crate) fn nvarchar_max(name: &'static str) -> Column {
    let mut of = vec![0xE7, 0xFF, 0xFF];
    of.extend(COLLATION);
    Column(name, of)
}

pub(crate) fn parts(value: &[&str]) -> Vec<u8> {
    let mut sent = 0xFFFF_FFFF_FFFF_FFFE_u64.to_le_bytes().to_vec();
    for part in value {
        let bytes = text(part);
        sent.extend(u32::try_from(bytes.len()).expect("a short part").to_le_bytes());
        sent.extend(bytes);
    }
    sent.extend([0; 4]);
    sent
}

pub(crate) fn int(name: &'static str, bytes: u8) -> Column {
    Column(name, vec![0x26, bytes])
}

pub(crate) fn bit(name: &'static str) -> Column {
    Column(name, vec![0x68, 1])
}

pub(crate) fn float(name: &'static str) -> Column {
    Column(name, vec![0x6D, 8])
}

pub(crate) fn whole(value: Option<&[u8]>) -> Vec<u8> {
    sized(value.map(<[u8]>::to_vec))
}

/// NUMERIC with its precision and scale.
pub(crate) fn numeric(name: &'static str, precision: u8, scale: u8) -> Column {
    Column(name, vec![0x6C, 17, precision, scale])
}

pub(crate) fn units(value: Option<i128>) -> Vec<u8> {
    sized(value.map(|units| {
        let mut bytes = vec![u8::from(units >= 0)];
        bytes.extend(units.unsigned_abs().to_le_bytes());
        bytes
    }))
}

pub(crate) fn date(name: &'static str) -> Column {
    Column(name, vec![0x28])
}

/// Days from 0001-01-01.
pub(crate) fn days(value: Option<u32>) -> Vec<u8> {
    sized(value.map(|days| days.to_le_bytes()[..3].to_vec()))
}

pub(crate) fn datetime(name: &'static str) -> Column {
    Column(name, vec![0x6F, 8])
}

/// Days from 1900-01-01, and 300ths of a second.
pub(crate) fn moment(days: i32, parts: u32) -> Vec<u8> {
    let mut bytes = days.to_le_bytes().to_vec();
    bytes.extend(parts.to_le_bytes());
    sized(Some(bytes))
}

pub(crate) fn datetime2(name: &'static str) -> Column {
    Column(name, vec![0x2A, 7])
}

/// 100 nanoseconds from midnight, and days from 0001-01-01.
pub(crate) fn fine(increments: u64, days: u32) -> Vec<u8> {
    let mut bytes = increments.to_le_bytes()[..5].to_vec();
    bytes.extend(&days.to_le_bytes()[..3]);
    sized(Some(bytes))
}

pub(crate) fn uuid(name: &'static str) -> Column {
    Column(name, vec![0x24, 16])
}
