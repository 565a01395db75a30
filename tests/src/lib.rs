//! Suites that run against any store, and what the tests of real files share.

pub mod chance;
pub mod editor;
pub mod nats;
pub mod postgres;
pub mod repository;
pub mod store_suite;
pub mod wire;
