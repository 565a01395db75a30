//! What can be typed to operate stores and workers.

use clap::Args;

use super::{PlaceArgs, PrintArgs, StoreArgs};
use crate::log::LogFormat;
use crate::places::StoreUrl;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill run dir:snapshot --no-wait && powerfill work --once
  powerfill work --store postgres://acme_worker@db.example/acme
  powerfill work --all-tenants

Claims runs that are queued, or whose worker is gone, one at a time, and carries them through. Any number of workers may
share a store. SIGTERM or Ctrl-C hands the run that goes on over to the next worker and ends with 0. A store that is away
is asked again until it is back.")]
pub(crate) struct WorkArgs {
    /// End when there is nothing to do, instead of waiting for more
    #[arg(long)]
    pub(crate) once: bool,
    /// How the log on standard error is written
    #[arg(long, env = "POWERFILL_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Work for every tenant of powerfill.toml
    #[arg(long, conflicts_with_all = ["store", "tenant"])]
    pub(crate) all_tenants: bool,
    /// The worker's name, in the queue and as the actor of events; of each worker its own [default:
    /// powerfill-PID]
    #[arg(long, env = "POWERFILL_WORKER", value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `relay`, which a build without the feature `nats` does not have.
#[cfg(feature = "nats")]
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill relay --all-tenants --nats nats://nats.example:4222
  powerfill relay --nats tls://nats.example --nats-credentials relay.creds
  powerfill relay --once

Sends each tenant's events, in order and once each, as CloudEvents to the JetStream stream POWERFILL, which it makes where
there is none; the subjects are powerfill.TENANT.run.EVENT_TYPE. It goes on where the stream ends, also after a crash. NATS
or a store that is away is asked again until it is back. SIGTERM or Ctrl-C ends it with 0.")]
pub(crate) struct RelayArgs {
    /// Where NATS is: nats://HOST:PORT, or tls://HOST:PORT; a user is USER:PASSWORD@ before the
    /// host
    #[arg(long, env = "POWERFILL_NATS", value_name = "URL", hide_env_values = true)]
    pub(crate) nats: Option<String>,
    /// A file with a user's credentials
    #[arg(long, env = "POWERFILL_NATS_CREDENTIALS", value_name = "FILE")]
    pub(crate) nats_credentials: Option<std::path::PathBuf>,
    /// A file with the certificate of the authority behind the server's, where the system does not
    /// know it
    #[arg(long, env = "POWERFILL_NATS_CA", value_name = "FILE")]
    pub(crate) nats_ca: Option<std::path::PathBuf>,
    /// End when the stream has what the log has now
    #[arg(long)]
    pub(crate) once: bool,
    /// Relay for every tenant of powerfill.toml
    #[arg(long, conflicts_with_all = ["store", "tenant"])]
    pub(crate) all_tenants: bool,
    /// How the log on standard error is written
    #[arg(long, env = "POWERFILL_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill cancel latest
  powerfill cancel 0197 --requested-by ann

What was decided until then stays in the run's events; the output tables stay those of the run before.
Exit status 0 where the run is cancelled, 1 where it is over already.")]
pub(crate) struct CancelArgs {
    /// A run id, the beginning of one, or `latest`
    pub(crate) run: String,
    /// Who cancels [default: the user of this machine]
    #[arg(long, env = "POWERFILL_REQUESTED_BY", value_name = "NAME")]
    pub(crate) requested_by: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill copy-store sqlite:books.db postgres://owner@db.example/acme
  powerfill copy-store postgres://acme_audit@db.example/acme sqlite:acme-2026.db

Copies events byte for byte with their hashes, positions, ids, actors and times, so that every seal stays what it was;
snapshots; the history of runs; and makes indexes and output tables anew. Then the copy is verified. TO is empty, or has
been copied from FROM before: then what is missing is added, also after a copy that broke off. No run may be active.
Exit status 0 where the copy is whole, 1 where it does not verify or FROM has gone on meanwhile: copy once more.")]
pub(crate) struct CopyStoreArgs {
    /// sqlite:FILE or postgres://USER@HOST/DATABASE
    pub(crate) from: StoreUrl,
    /// Likewise; made where there is none
    pub(crate) to: StoreUrl,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
}
