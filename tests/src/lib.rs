//! The suite that runs against any store, and the servers, files, and helpers that tests share.

pub mod all_runs;
pub mod event_blocks;
mod forwarding;
pub mod nats;
pub mod postgres;
pub mod proxy;
pub mod repository;
pub mod requests;
pub mod seeded;
pub mod sqlite_file;
pub mod store_suite;
pub mod tampering;
pub mod waiting;
