//! The HTTP service over SQLite stores with runs of conformance cases: who is let in, what is
//! refused and how, reports, events, runs (specification 4.3, 5.5).

mod configuration;
mod desk;
mod figures;
mod limits;
mod matrix;
mod page;
mod problems;
mod reports;
mod runs;
mod streams;
