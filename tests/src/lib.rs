//! Suites that run against any store.

pub mod store_suite;
