//! The HTTP service over SQLite stores with runs of conformance cases: authorization, refusals,
//! reports, events, runs, and the configuration (specification 4.3, 5.5).

mod challenges;
mod configuration;
mod console;
mod console_data;
mod conventions;
mod isolation;
mod jobs;
mod limits;
mod matrix;
mod metrics;
mod openapi;
mod overview;
mod problems;
mod questions;
mod reports;
mod runs;
mod service;
mod sessions;
mod stalled_streams;
mod streams;
mod telemetry;
mod tries;
