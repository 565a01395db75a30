//! `relay`: events to NATS JetStream, until the process is told to stop (specification 4.5).

use std::sync::Arc;

use powerfill_events::values::TenantId;
use powerfill_nats::{Access, Broker, BrokerError, Relay, Until};
use powerfill_ports::Store;
use powerfill_ports::events::EventStore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::all_ended;
use crate::args::RelayArgs;
use crate::failure::Failure;
use crate::output::say;
use crate::settings::Settings;
use crate::tenancy::Place;
use crate::{log, shutdown};

/// How soon a broker that is away is asked again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(2);

pub(crate) async fn run(args: RelayArgs, settings: &Settings) -> Result<(), Failure> {
    let places = Place::chosen(args.all_tenants, &args.place, settings)?;
    let url = args.nats.clone().or_else(|| settings.nats.clone()).ok_or_else(|| {
        let message = "where is NATS? Name it with --nats nats://HOST:PORT or POWERFILL_NATS, or set nats = \"…\" in \
                       powerfill.toml";
        Failure::Environment(message.to_owned())
    })?;
    let access = Access {
        url,
        credentials_file: args.nats_credentials.clone(),
        authority_file: args.nats_ca.clone(),
    };
    log::begin(args.log_format);
    let shutdown = shutdown::on_signal()?;
    let Some(broker) = connected(&access, &shutdown, args.once).await? else { return Ok(()) };
    let mut relays = JoinSet::new();
    for place in places {
        let (broker, shutdown, once) = (Arc::clone(&broker), shutdown.clone(), args.once);
        relays.spawn(async move { relay(place, broker, shutdown, once).await });
    }
    all_ended(relays, "a relay").await
}

/// The broker, waited for where it is away; none where the process is to end meanwhile.
async fn connected(
    access: &Access,
    shutdown: &CancellationToken,
    once: bool,
) -> Result<Option<Arc<Broker>>, Failure> {
    let mut told = false;
    loop {
        match Broker::connect(access).await {
            Ok(broker) => return Ok(Some(Arc::new(broker))),
            Err(error @ BrokerError::Passing { .. }) if !once => {
                if !told {
                    tracing::warn!("{error}; trying again until it is there");
                    told = true;
                }
            }
            Err(error) => return Err(Failure::Environment(error.to_string())),
        }
        if shutdown.run_until_cancelled(sleep(AGAIN)).await.is_none() {
            return Ok(None);
        }
    }
}

async fn relay(
    place: Place,
    broker: Arc<Broker>,
    shutdown: CancellationToken,
    once: bool,
) -> Result<(), Failure> {
    let store = place.open_existing().await?;
    let tenant = match place.tenant() {
        Some(tenant) => tenant.clone(),
        None => tenant_of(store.as_ref()).await?,
    };
    let at = broker.place().to_owned();
    let relay = Relay::new(store, tenant.clone(), broker, shutdown);
    let until = if once { Until::TheEnd } else { Until::Stopped };
    let reached = relay.run(until).await;
    let reached = reached.map_err(|error| Failure::Environment(format!("{tenant}: {error}")))?;
    say(format!("{tenant}: {at} has the events up to {reached}\n"))
}

/// Whose store it is, where nobody says it.
async fn tenant_of(store: &dyn Store) -> Result<TenantId, Failure> {
    EventStore::tenant(store).await?.ok_or_else(|| {
        let message =
            "the store has no events yet, so that it is nobody's; name the tenant with --tenant";
        Failure::Environment(message.to_owned())
    })
}
