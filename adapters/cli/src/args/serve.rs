//! `serve` and `token`.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use clap::{Args, Subcommand, ValueEnum};
use powerfill_http::tokens::Role;

use super::PrintArgs;
use crate::log::LogFormat;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill serve
  powerfill serve --listen 0.0.0.0:8080 --no-workers

Answers under /api/powerfill, with a page to try it at /api/powerfill/docs, for each [tenants.ID] of powerfill.toml, and
carries their runs through. Without a token (`powerfill token create`) it answers on this machine only. It speaks plain
HTTP: put a proxy that speaks TLS before it. SIGTERM or Ctrl-C finishes what is being answered, hands a run over to the
next worker, and ends with 0.")]
pub(crate) struct ServeArgs {
    /// Address and port; port 0 takes a free one, which the first line says
    #[arg(
        long,
        env = "POWERFILL_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:7878"
    )]
    pub(crate) listen: SocketAddr,
    /// Only answer: a `powerfill work` carries the runs through
    #[arg(long)]
    pub(crate) no_workers: bool,
    /// Where /metrics of all tenants is answered without a token: an address of the monitoring's
    /// own
    #[arg(long, env = "POWERFILL_METRICS", value_name = "ADDRESS")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Requests a second that are answered for each token; twice as many at once
    #[arg(long, env = "POWERFILL_REQUESTS_PER_SECOND", value_name = "N", default_value = "500")]
    pub(crate) requests_per_second: NonZeroU32,
    /// How the log on standard error is written; every request is a line of it
    #[arg(long, env = "POWERFILL_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// The worker's name, as for `work` [default: powerfill-PID]
    #[arg(long, env = "POWERFILL_WORKER", value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, this once
    #[command(after_help = "Example:
  powerfill token create --tenant acme --role operator --name desk-screen --expires-in 30

Keeps its hash in powerfill-tokens.toml in the working folder. A `powerfill serve` that goes on takes it at once.")]
    Create(TokenCreateArgs),
    /// List the tokens, expired ones too
    List(PrintArgs),
    /// Revoke a token; a `powerfill serve` that goes on refuses it at once
    Revoke(TokenRevokeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TokenCreateArgs {
    /// A tenant of powerfill.toml
    #[arg(long, env = "POWERFILL_TENANT", value_name = "ID")]
    pub(crate) tenant: String,
    /// viewer reads; operator also runs and cancels; admin may whatever the service offers
    #[arg(long, value_enum)]
    pub(crate) role: GivenRole,
    /// Who uses it: runs and cancels are recorded by this name
    #[arg(long)]
    pub(crate) name: String,
    /// Days until it is none any more
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) expires_in: u16,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TokenRevokeArgs {
    /// The token's id, as `token list` shows it
    pub(crate) id: String,
}

/// A role as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum GivenRole {
    Viewer,
    Operator,
    Admin,
}

impl From<GivenRole> for Role {
    fn from(role: GivenRole) -> Self {
        match role {
            GivenRole::Viewer => Self::Viewer,
            GivenRole::Operator => Self::Operator,
            GivenRole::Admin => Self::Admin,
        }
    }
}
