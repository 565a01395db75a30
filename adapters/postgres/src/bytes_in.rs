//! Values as the server sends and takes them, without a copy or a conversion in between.

use std::error::Error;

use ::bytes::{BufMut, BytesMut};
use powerfill_events::run::envelope::Hash;
use powerfill_events::values::Timestamp;
use powerfill_ports::StoreError;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::fault::misread;

/// The bytes of a value of any type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Text that is known to be UTF-8.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextBytes<'a>(pub(crate) &'a [u8]);

impl ToSql for TextBytes<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TEXT
    }

    to_sql_checked!();
}

/// The server counts from 2000.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// A moment as the server counts it; `None` beyond its range, whose ends mean infinity.
pub(crate) fn server_micros(moment: Timestamp) -> Option<i64> {
    moment.micros().checked_sub(EPOCH_MICROS).filter(|micros| *micros != i64::MIN)
}

/// A moment as the server sends it; `None` for infinity.
pub(crate) fn moment(raw: &[u8]) -> Option<Timestamp> {
    let micros = i64::from_be_bytes(raw.try_into().ok()?);
    let finite = micros != i64::MAX && micros != i64::MIN;
    micros.checked_add(EPOCH_MICROS).filter(|_| finite).map(Timestamp::from_micros)
}

/// A moment to bind or to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl ToSql for Moment {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i64(server_micros(self.0).ok_or("a moment beyond what PostgreSQL can hold")?);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Moment {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        moment(raw).map(Self).ok_or_else(|| "a moment without end".into())
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }
}

/// A value of a row.
pub(crate) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column).map_err(misread)
}

/// A count, number or position.
pub(crate) fn number(row: &Row, column: usize) -> Result<u64, StoreError> {
    let number: i64 = get(row, column)?;
    u64::try_from(number)
        .map_err(|_| StoreError::Corrupt(format!("{} is {number}", row.columns()[column].name())))
}

/// The version of a payload's schema, which is a smaller number in the database.
pub(crate) fn schema_version(row: &Row, column: usize) -> Result<u64, StoreError> {
    let version: i32 = get(row, column)?;
    u64::try_from(version).map_err(|_| StoreError::Corrupt(format!("schema version {version}")))
}

/// A hash, as stored.
pub(crate) fn hash(row: &Row, column: usize) -> Result<Hash, StoreError> {
    let bytes: &[u8] = get(row, column)?;
    Hash::from_slice(bytes)
        .map_err(|_| StoreError::Corrupt(format!("a hash of {} bytes", bytes.len())))
}

/// A count to bind. Numbers beyond 63 bits are bound as the largest, which no log reaches.
pub(crate) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
