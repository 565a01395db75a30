//! Values in the server's binary form, read and written without a copy. A value that has another
//! type than the program writes is [`StoreError::Corrupt`].

use std::error::Error;

use ::bytes::{BufMut, BytesMut};
use powerfill_events::log::{AppendMeta, AppendRecord, Hash};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::{StoreError, StoreResult};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::errors::decode_error;

/// The bytes of a value of any type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawBytes<'a>(pub(crate) &'a [u8]);

impl<'a> FromSql<'a> for RawBytes<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The server counts microseconds from 2000-01-01, and a [`Timestamp`] from 1970-01-01.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// A timestamp as the server counts. `None` outside of the server's range, whose ends mean
/// infinity.
pub(crate) fn server_micros(timestamp: Timestamp) -> Option<i64> {
    timestamp.micros().checked_sub(EPOCH_MICROS).filter(|micros| *micros != i64::MIN)
}

/// A timestamp as the server sends it. `None` for infinity.
pub(crate) fn timestamp_from(raw: &[u8]) -> Option<Timestamp> {
    let micros = i64::from_be_bytes(raw.try_into().ok()?);
    let is_finite = micros != i64::MAX && micros != i64::MIN;
    micros.checked_add(EPOCH_MICROS).filter(|_| is_finite).map(Timestamp::from_micros)
}

/// A timestamp to bind or to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerTimestamp(pub(crate) Timestamp);

impl ToSql for ServerTimestamp {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i64(server_micros(self.0).ok_or("a timestamp outside of PostgreSQL's range")?);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for ServerTimestamp {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        timestamp_from(raw).map(Self).ok_or_else(|| "an infinite timestamp".into())
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }
}

/// A value of any type that the client converts by itself.
pub(crate) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> StoreResult<T> {
    row.try_get(column).map_err(decode_error)
}

/// A count, a version, or a position.
pub(crate) fn unsigned(row: &Row, column: usize) -> StoreResult<u64> {
    let number: i64 = get(row, column)?;
    u64::try_from(number).map_err(|_| {
        StoreError::Corrupt(format!("{} is {number}", row.columns()[column].name()).into())
    })
}

/// The version of a payload's schema, which is an INTEGER and no BIGINT.
pub(crate) fn schema_version(row: &Row, column: usize) -> StoreResult<u64> {
    let version: i32 = get(row, column)?;
    u64::try_from(version)
        .map_err(|_| StoreError::Corrupt(format!("schema version {version}").into()))
}

/// A BLAKE3 hash.
pub(crate) fn hash(row: &Row, column: usize) -> StoreResult<Hash> {
    let bytes: &[u8] = get(row, column)?;
    Hash::from_slice(bytes)
        .map_err(|_| StoreError::Corrupt(format!("a hash of {} bytes", bytes.len()).into()))
}

/// A count, a version, or a position to bind. Numbers above 63 bits are bound as the largest
/// BIGINT, which no log reaches.
pub(crate) fn to_bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The columns that every query of appends begins with.
pub(crate) fn append_record(row: &Row) -> StoreResult<AppendRecord> {
    Ok(AppendRecord {
        seq: unsigned(row, 0)?,
        first_position: unsigned(row, 1)?,
        stream_id: unsigned(row, 2)?,
        first_version: unsigned(row, 3)?,
        event_count: unsigned(row, 4)?,
        append_id: get(row, 5)?,
        meta: AppendMeta {
            tenant_id: TenantId::from(get::<&str>(row, 6)?),
            actor: get(row, 7)?,
            recorded_at: get::<ServerTimestamp>(row, 8)?.0,
            causation_id: get(row, 9)?,
            correlation_id: get(row, 10)?,
        },
    })
}
