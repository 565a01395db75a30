//! Arguments of `serve` and `token`.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use clap::{Args, FromArgMatches, Subcommand, ValueEnum};
use powerfill_http::tokens::TokenRole;

use super::{CertificateArgs, LargeTablesArgs, LogArgs, PrintArgs, visible_name};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill serve
  powerfill serve --listen 0.0.0.0:8080 --no-workers

Serves each [tenants.ID] of powerfill.toml under /api/powerfill, with documentation to try it at
/api/powerfill/docs, and works on their runs. Without a token (`powerfill token create`), it answers
on this machine only. It uses plain HTTP: put a proxy with TLS in front of it. SIGTERM or Ctrl-C
finishes open requests, hands the active run over to the next worker, and exits with status 0.")]
pub(crate) struct ServeArgs {
    /// Address and port; port 0 means a free port, which the first line of the output names
    #[arg(
        long,
        env = "POWERFILL_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:7878"
    )]
    pub(crate) listen: SocketAddr,
    /// Do not work on runs: a `powerfill work` does
    #[arg(long)]
    pub(crate) no_workers: bool,
    /// Serve /metrics of all tenants without a token on this address, which only the monitoring
    /// should reach
    #[arg(long, env = "POWERFILL_METRICS", value_name = "ADDRESS")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Allowed requests per second and token; bursts may have twice as many
    #[arg(long, env = "POWERFILL_REQUESTS_PER_SECOND", value_name = "N", default_value = "500")]
    pub(crate) requests_per_second: NonZeroU32,
    /// The most rows of a table that the service reads from a source
    #[arg(long, env = "POWERFILL_MAX_ROWS", value_name = "N", default_value_t = 2_000_000)]
    pub(crate) max_rows: usize,
    /// The most bytes of text in the cells of such a table
    #[arg(long, env = "POWERFILL_MAX_TABLE_BYTES", value_name = "N", default_value_t = 1 << 30)]
    pub(crate) max_table_bytes: usize,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// The worker's name, as for `work` [default: powerfill-PID]
    #[arg(long, env = "POWERFILL_WORKER", value_name = "NAME", value_parser = visible_name)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
    #[command(flatten)]
    pub(crate) large_tables: LargeTablesArgs,
}

impl ServeArgs {
    /// The arguments of `serve` without any flag.
    pub(crate) fn without_flags() -> Result<Self, clap::Error> {
        let command = Self::augment_args(clap::Command::new("serve"));
        Self::from_arg_matches(&command.try_get_matches_from(["serve"])?)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token, and print it this one time
    #[command(after_help = "Example:
  powerfill token create --tenant acme --role operator --name desk-screen \\
      --expires-in 30

Stores its hash in powerfill-tokens.toml in the working folder. A running `powerfill serve` accepts
it at once.")]
    Create(TokenCreateArgs),
    /// List all tokens, also expired ones
    List(PrintArgs),
    /// Revoke a token; a running `powerfill serve` rejects it at once
    Revoke(TokenRevokeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TokenCreateArgs {
    /// A tenant of powerfill.toml
    #[arg(long, env = "POWERFILL_TENANT", value_name = "ID")]
    pub(crate) tenant: String,
    /// viewer reads; operator also runs and cancels; admin can do everything
    #[arg(long, value_enum)]
    pub(crate) role: RoleArg,
    /// The user, recorded with runs and cancels
    #[arg(long)]
    pub(crate) name: String,
    /// Days until the token expires
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 90,
        value_parser = clap::value_parser!(u16).range(1..=3650)
    )]
    pub(crate) expires_in: u16,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TokenRevokeArgs {
    /// The token's id, as `token list` prints it
    pub(crate) id: String,
}

/// A role, as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RoleArg {
    Viewer,
    Operator,
    Admin,
}

impl From<RoleArg> for TokenRole {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Viewer => Self::Viewer,
            RoleArg::Operator => Self::Operator,
            RoleArg::Admin => Self::Admin,
        }
    }
}
