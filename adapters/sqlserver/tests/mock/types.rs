//! Column types and values in the byte format of the protocol.

use crate::server::{Column, text};

const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];

fn sized(value: Option<Vec<u8>>) -> Vec<u8> {
    let value = value.unwrap_or_default();
    let mut bytes = vec![u8::try_from(value.len()).expect("a short value")];
    bytes.extend(value);
    bytes
}

pub(crate) fn nvarchar(name: &'static str) -> Column {
    let mut column_type = vec![0xE7];
    column_type.extend(400_u16.to_le_bytes());
    column_type.extend(COLLATION);
    Column(name, column_type)
}

/// NCHAR, whose values are sent with their padding.
pub(crate) fn nchar(name: &'static str) -> Column {
    let Column(name, mut column_type) = nvarchar(name);
    column_type[0] = 0xEF;
    Column(name, column_type)
}

pub(crate) fn text_value(value: Option<&str>) -> Vec<u8> {
    let Some(value) = value else { return vec![0xFF, 0xFF] };
    let text = text(value);
    let mut bytes = u16::try_from(text.len()).expect("a short text").to_le_bytes().to_vec();
    bytes.extend(text);
    bytes
}

/// NVARCHAR(MAX), whose values are sent in parts without a total length.
pub(crate) fn nvarchar_max(name: &'static str) -> Column {
    let mut column_type = vec![0xE7, 0xFF, 0xFF];
    column_type.extend(COLLATION);
    Column(name, column_type)
}

pub(crate) fn text_parts(value: &[&str]) -> Vec<u8> {
    let mut bytes = 0xFFFF_FFFF_FFFF_FFFE_u64.to_le_bytes().to_vec();
    for part in value {
        let text = text(part);
        bytes.extend(u32::try_from(text.len()).expect("a short part").to_le_bytes());
        bytes.extend(text);
    }
    bytes.extend([0; 4]);
    bytes
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

pub(crate) fn raw_value(value: Option<&[u8]>) -> Vec<u8> {
    sized(value.map(<[u8]>::to_vec))
}

/// NUMERIC with its precision and scale.
pub(crate) fn numeric(name: &'static str, precision: u8, scale: u8) -> Column {
    Column(name, vec![0x6C, 17, precision, scale])
}

pub(crate) fn numeric_value(value: Option<i128>) -> Vec<u8> {
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
pub(crate) fn date_value(value: Option<u32>) -> Vec<u8> {
    sized(value.map(|days| days.to_le_bytes()[..3].to_vec()))
}

pub(crate) fn datetime(name: &'static str) -> Column {
    Column(name, vec![0x6F, 8])
}

/// Days from 1900-01-01, and 300ths of a second.
pub(crate) fn datetime_value(days: i32, parts: u32) -> Vec<u8> {
    let mut bytes = days.to_le_bytes().to_vec();
    bytes.extend(parts.to_le_bytes());
    sized(Some(bytes))
}

pub(crate) fn datetime2(name: &'static str) -> Column {
    Column(name, vec![0x2A, 7])
}

/// 100 nanoseconds from midnight, and days from 0001-01-01.
pub(crate) fn datetime2_value(increments: u64, days: u32) -> Vec<u8> {
    let mut bytes = increments.to_le_bytes()[..5].to_vec();
    bytes.extend(&days.to_le_bytes()[..3]);
    sized(Some(bytes))
}

pub(crate) fn uuid(name: &'static str) -> Column {
    Column(name, vec![0x24, 16])
}
