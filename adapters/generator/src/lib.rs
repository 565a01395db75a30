//! Writes realistic snapshots of any size, seeded and streaming.
