//! `relay`: sends events to NATS JetStream until the process is stopped (specification 4.5).

use std::sync::Arc;
use std::time::Duration;

use powerfill_app::relay::{Relay, RelayMode, RelayNotice};
use powerfill_nats::{NatsAccess, NatsBroker};
use powerfill_ports::Store;
use powerfill_ports::broker::{BrokerError, EventBroker};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{join_all, tenant_of};
use crate::args::RelayArgs;
use crate::error::{CliError, CliResult};
use crate::output::print_text;
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;
use crate::{log, shutdown};

/// The pause between attempts to connect.
const CONNECT_PAUSE: Duration = Duration::from_secs(2);

pub(crate) async fn run(args: RelayArgs, settings: &ProgramSettings) -> CliResult<()> {
    let stores = TenantStore::resolve_all(args.all_tenants, &args.store, settings)?;
    let url = args.nats.clone().or_else(|| settings.nats.clone()).ok_or_else(|| {
        CliError::environment(
            "where is NATS? Name it with --nats nats://HOST:PORT or POWERFILL_NATS, or set nats = \
             \"…\" in powerfill.toml",
        )
    })?;
    let access = NatsAccess {
        url,
        credentials_file: args.nats_credentials.clone(),
        authority_file: args.nats_ca.clone(),
    };
    log::start(args.log.log_format);
    let shutdown = shutdown::on_signal()?;
    let Some(broker) = connect(&access, &shutdown, args.once).await? else { return Ok(()) };
    let mut relays = JoinSet::new();
    for store in stores {
        let (broker, shutdown) = (Arc::clone(&broker), shutdown.clone());
        relays.spawn(relay(store, broker, shutdown, args.once, args.from));
    }
    shutdown::bounded(&shutdown, join_all(relays, "a relay")).await
}

/// Connects to the broker. Without `once`, tries again while it is unavailable; returns `None` if
/// the process is stopped meanwhile.
async fn connect(
    access: &NatsAccess,
    shutdown: &CancellationToken,
    once: bool,
) -> CliResult<Option<Arc<NatsBroker>>> {
    let mut is_logged = false;
    loop {
        match NatsBroker::connect(access).await {
            Ok(broker) => return Ok(Some(Arc::new(broker))),
            Err(error @ BrokerError::Transient { .. }) if !once => {
                if !std::mem::replace(&mut is_logged, true) {
                    tracing::warn!("{error}; trying again until it is available");
                }
            }
            Err(error) => return Err(CliError::environment(error)),
        }
        if shutdown.run_until_cancelled(sleep(CONNECT_PAUSE)).await.is_none() {
            return Ok(None);
        }
    }
}

async fn relay(
    store: TenantStore,
    broker: Arc<NatsBroker>,
    shutdown: CancellationToken,
    once: bool,
    from: Option<u64>,
) -> CliResult<()> {
    let opened: Arc<dyn Store> = store.open_existing().await?;
    let tenant = tenant_of(&store, opened.as_ref()).await?;
    let address = broker.address().to_owned();
    let relay = Relay::new(Arc::clone(&opened), tenant.clone(), broker, shutdown).begin_at(from);
    let mode = if once { RelayMode::CatchUp } else { RelayMode::Follow };
    let reached = relay
        .run(mode, |notice| match notice {
            RelayNotice::Waiting(error) => {
                tracing::warn!("{tenant}: {error}; the relay tries again until it succeeds");
            }
            RelayNotice::StandingBy => tracing::info!(
                "{tenant}: another relay is at work; this one stands by and takes over if that one \
                 ends"
            ),
            RelayNotice::TakingOver => {
                tracing::warn!("{tenant}: the other relay sends nothing; this one goes on");
            }
            RelayNotice::BrokerIsEmpty(position) => tracing::warn!(
                "{tenant}: the stream at {address} is new or was emptied: it has none of the \
                 events up to {position}, which were sent before, and begins at {}; to send \
                 earlier ones again, empty it and start `powerfill relay --from 1`",
                position + 1
            ),
        })
        .await;
    let end = reached.map_err(|error| CliError::context(tenant.to_string(), error))?;
    let has = match end.position {
        Some(position) => format!("{tenant}: {address} has the events up to {position}"),
        None => format!("{tenant}: {address} did not say which events it has"),
    };
    if end.is_complete || !once {
        return print_text(format!("{has}\n"));
    }
    let head = opened.head().await?.position;
    print_text(format!("{has}; stopped before the end of the log, event {head}\n"))?;
    Err(CliError::NegativeAnswer)
}
