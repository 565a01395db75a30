//! The events of a run as a table.

use powerfill_events::log::StoredEvent;
use powerfill_tables::table::{Cell, Column, RowBatch, TableSpec};

/// One row per event of a run, by version. Hashes are in hexadecimal digits; the payload is JSON,
/// byte for byte as it was hashed.
pub static EVENTS: TableSpec = TableSpec::bare(
    "events",
    &[
        Column::int("stream_version"),
        Column::int("global_position"),
        Column::timestamp("recorded_at"),
        Column::text("actor"),
        Column::text("event_type"),
        Column::int("schema_version"),
        Column::json("payload"),
        Column::text("hash"),
    ],
);

/// The rows of events.
pub fn event_rows(events: Vec<StoredEvent>) -> RowBatch {
    let mut rows = RowBatch::new(&EVENTS);
    for event in events {
        rows.push([
            Cell::from(event.stream_version),
            Cell::from(event.global_position),
            Cell::from(event.recorded_at),
            Cell::from(event.actor),
            Cell::from(event.event_type),
            Cell::from(u32::from(event.schema_version)),
            Cell::from(&*String::from_utf8_lossy(&event.payload)),
            Cell::from(event.hash.to_string()),
        ]);
    }
    rows
}
