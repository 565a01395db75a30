//! Suites that run against any store.
