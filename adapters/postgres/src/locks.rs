//! The keys of the advisory locks. All of them end with their transaction.

/// Taken by a process that changes the schema.
pub(crate) const SCHEMA: i64 = 8_101_262_203_462_340;

/// Taken by an append that begins a stream. Streams begin one after the other, so that their
/// numbers are dense and in the order in which they begin.
pub(crate) const NEW_STREAM: i64 = 8_101_262_203_462_341;

/// Taken by a writer of output tables or indexes.
pub(crate) const OUTPUTS: i64 = 8_101_262_203_462_342;

/// The statement that waits for a lock and takes it.
pub(crate) fn take(key: i64) -> String {
    format!("SELECT pg_advisory_xact_lock({key})")
}
