//! Arguments of `work`, `relay`, `cancel`, and `copy-store`.

use clap::Args;

use super::{
    CertificateArgs, LargeTablesArgs, LogArgs, PrintArgs, StoreArgs, StorePrintArgs, visible_name,
};
use crate::urls::UrlText;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill run dir:snapshot --no-wait && powerfill work --once
  powerfill work --store postgres://acme_worker@db.example/acme
  powerfill work --all-tenants

Claims runs that are queued, or whose worker died, one at a time, and works on them. Any number of
workers can share a store. SIGTERM or Ctrl-C hands the active run over to the next worker, with exit
status 0. While a store is unavailable, the worker tries again.")]
pub(crate) struct WorkArgs {
    /// End when the queue is empty, instead of waiting for more
    #[arg(long)]
    pub(crate) once: bool,
    /// Archive what the policy in powerfill.toml says, at the start and once a day, while no run
    /// waits
    #[arg(long)]
    pub(crate) archive: bool,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// Work for every tenant of powerfill.toml
    #[arg(long, conflicts_with_all = ["store", "tenant"])]
    pub(crate) all_tenants: bool,
    /// The worker's name in the queue, and the actor of its events; unique per worker [default:
    /// powerfill-PID]
    #[arg(long, env = "POWERFILL_WORKER", value_name = "NAME", value_parser = visible_name)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
    #[command(flatten)]
    pub(crate) large_tables: LargeTablesArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// `relay`, which a build without the feature `nats` does not have.
#[cfg(feature = "nats")]
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill relay --all-tenants --nats nats://nats.example:4222
  powerfill relay --nats tls://nats.example --nats-credentials relay.creds
  powerfill relay --once

Sends each tenant's events, in order and once each, as CloudEvents to the JetStream stream
POWERFILL, which it creates if necessary; the subjects are powerfill.TENANT.run.EVENT_TYPE. It
continues at the end of the stream, also after a crash. While NATS or a store is unavailable, it
tries again. A second relay stands by, and takes over within seconds if the first one ends. SIGTERM or Ctrl-C ends it with exit status 0; with --once, with 1 if the stream does
not have all events yet.

A stream that was deleted or purged goes on where the relay was. --from 1 sends all events again;
the stream must have none of the tenant.")]
pub(crate) struct RelayArgs {
    /// The URL of NATS: nats://HOST:PORT or tls://HOST:PORT; a user is USER:PASSWORD@ before the
    /// host
    #[arg(long, env = "POWERFILL_NATS", value_name = "URL", hide_env_values = true)]
    pub(crate) nats: Option<String>,
    /// A file with the credentials of a user
    #[arg(long, env = "POWERFILL_NATS_CREDENTIALS", value_name = "FILE")]
    pub(crate) nats_credentials: Option<std::path::PathBuf>,
    /// A file with the certificate of the server's authority, if the system does not trust it
    #[arg(long, env = "POWERFILL_NATS_CA", value_name = "FILE")]
    pub(crate) nats_ca: Option<std::path::PathBuf>,
    /// End when the stream has all present events of the log
    #[arg(long)]
    pub(crate) once: bool,
    /// Begin at this event; only if the stream has no event of the tenant
    #[arg(long, value_name = "EVENT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) from: Option<u64>,
    /// Relay for every tenant of powerfill.toml
    #[arg(long, conflicts_with_all = ["store", "tenant"])]
    pub(crate) all_tenants: bool,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill cancel latest
  powerfill cancel 0197 --requested-by ann

The decisions so far stay in the run's events; the output tables stay those of the previous run.
Exit status 0 if the run is cancelled, 1 if it had ended before.")]
pub(crate) struct CancelArgs {
    /// A run id, the beginning of one, or `latest`
    pub(crate) run: String,
    /// Who cancels [default: the user of this machine]
    #[arg(long, env = "POWERFILL_REQUESTED_BY", value_name = "NAME", value_parser = visible_name)]
    pub(crate) requested_by: Option<String>,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill copy-store sqlite:books.db postgres://owner@db.example/acme
  powerfill copy-store postgres://acme_audit@db.example/acme sqlite:acme-2026.db

Copies events byte for byte with hashes, positions, ids, actors, and times, so that every seal stays
the same; copies snapshots and the history of runs; makes indexes and output tables again; verifies
the copy. TO must be empty or an earlier copy of FROM, also an interrupted one: then only the
missing part is copied. No run may be active. Exit status 0 if the copy is complete, 1 if it
does not verify or FROM has new events: copy again.")]
pub(crate) struct CopyStoreArgs {
    /// sqlite:FILE or postgres://USER@HOST/DATABASE
    pub(crate) from: UrlText,
    /// As FROM; created if it does not exist
    pub(crate) to: UrlText,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
}
