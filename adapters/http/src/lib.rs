//! The HTTP service (specification 4.3): runs, reports, events, and stories of each tenant, behind
//! tokens.
//!
//! * [`Api`], [`TenantHandle`]: the service and its tenants; the command line puts them together
//! * [`tokens`]: the tokens of the callers
//! * [`router`]: every route. With the feature `document`, `openapi` makes the document of the
//!   routes
//! * [`serve`]: answers requests until the service must stop
//! * [`metrics`]: what Prometheus reads
//! * [`problem`]: refusals and failures, as RFC 9457
//!
//! The handlers have one file per kind of resource: `health`, `runs`, `latest`, `input`,
//! `candidates`, `reports`, `files`, `overview`, `events`, `stream`, `explain`, `audit`, `jobs`,
//! `config`, `session`, `console`, `track`, `lookup`, `rules`, `options`, `constraint_use`,
//! `operate`.
//! The first argument of a handler is the caller, with the role that it needs. Around each request
//! are `caller` (with `credentials`), `rates`, and `access`.

#![cfg_attr(
    not(feature = "document"),
    allow(
        dead_code,
        unused_imports,
        reason = "the document is made of declarations beside routes"
    )
)]

mod accepted;
mod access;
mod adoption;
mod annotations;
mod answer;
mod api;
mod audit;
mod blocking;
mod bounded_cache;
mod brief;
mod caller;
mod candidates;
mod challenges;
mod config;
mod console;
mod constraint_use;
mod credentials;
#[cfg(feature = "document")]
mod document;
mod documentation;
mod events;
mod explain;
mod extract;
mod files;
mod health;
mod input;
mod jobs;
mod latest;
mod lookup;
pub mod metrics;
mod observer;
mod operate;
mod options;
mod overview;
mod paging;
mod peers;
mod permits;
mod position;
mod private_file;
pub mod problem;
mod rates;
mod report_cache;
mod reports;
mod routes;
mod routing;
mod row_starts;
mod rules;
mod run_view;
mod runs;
mod schema;
mod serve;
mod session;
mod session_file;
mod stalled_streams;
mod static_file;
mod stream;
mod tenant;
mod tickets;
pub mod tokens;
mod track;
mod tries;

pub use api::{Api, Limits};
pub use observer::{AnsweredRequest, RequestObserver};
#[cfg(feature = "document")]
pub use routes::openapi;
pub use routes::router;
pub use serve::{serve, serve_metrics};
pub use tenant::{RunFile, TenantError, TenantHandle};
