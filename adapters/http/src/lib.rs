//! The HTTP service (specification 4.3): runs, reports, events and stories of each tenant, behind
//! tokens.
//!
//! * [`Api`], [`Tenant`]: what it is made of; the command line puts it together
//! * [`tokens`]: who is let in
//! * [`router`], [`openapi`]: every route, and the document that is generated from them
//! * [`serve`]: answers until it is told to stop
//! * [`figures`]: what is counted, for Prometheus
//! * [`problem`]: what goes wrong, as RFC 9457
//!
//! Inside, a file for each kind of thing that is asked for: `health`, `runs`, `input`, `reports`,
//! `events`, `stream`, `explain`, `audit`; and what is around each request: `caller`, `rates`,
//! `access`. Each handler's first argument says who may ask.

mod access;
mod api;
mod audit;
mod caller;
mod candidates;
mod config;
mod document;
mod events;
mod explain;
mod extract;
pub mod figures;
mod health;
mod input;
mod position;
pub mod problem;
mod rates;
mod reports;
mod routes;
mod runs;
mod schema;
mod serve;
mod stream;
pub mod tokens;

pub use api::{Api, Limits, Tenant};
pub use routes::{openapi, router};
pub use serve::{serve, serve_figures};

/// The lease of whoever asks for runs here; claims nothing.
const LEASE: std::time::Duration = std::time::Duration::from_secs(30);
