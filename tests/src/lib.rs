//! Suites that run against any store, and what the tests of real files share.

pub mod nats;
pub mod postgres;
pub mod proxy;
pub mod repository;
pub mod seeded;
pub mod sqlite_file;
pub mod store_suite;
pub mod waiting;
