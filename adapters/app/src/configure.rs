//! Changing and reading a tenant's configuration (specification 1.2, 4.2, 4.3): load, decide, append.
//!
//! Of two who change it at once, one is first; the other's command is decided again against what is there then. So a
//! command without a token follows whatever came before it, and one with a token is refused as stale where, and only
//! where, what it looked at has changed.

use futures::TryStreamExt;
use powerfill_events::run::{AppendMeta, EncodedBatch};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::events::{Append, EventStore, StoredEvent};
use powerfill_ports::{StoreError, ensure_tenant};
use powerfill_snapshot::config::{
    self, Config, ConfigCommand, ConfigEvent, ConfigEventType, ConfigRejection, ConfigState,
};
use uuid::Uuid;

use crate::retry::retry_with_backoff;
use crate::{Clock, RunnerError};

/// How often a command is decided again because somebody else was first: each time one more change has been made by
/// another, so that this many in a row are not met in practice.
const TRIES: u32 = 100;

/// What the configuration is changed with.
#[derive(Debug, Clone, Copy)]
pub struct Configure<'a> {
    /// The command's identity, from whoever asks; what follows from it in the envelopes and the append's id.
    pub command_id: Uuid,
    /// Whose configuration it is.
    pub tenant: &'a TenantId,
    /// What is asked.
    pub command: &'a ConfigCommand,
    /// Who asks: the actor of the events.
    pub requested_by: &'a str,
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// What was recorded, or would be; nothing where the configuration was what was asked for.
    pub events: Vec<ConfigEvent>,
    /// The configuration after it, with the tokens of its rows.
    pub state: ConfigState,
}

/// Why a configuration was not changed, or not read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// The command would break a rule; nothing was written.
    #[error(transparent)]
    Rejected(#[from] ConfigRejection),
    /// There is no such version.
    #[error("the configuration has {versions} versions, there is none with number {version}")]
    NoSuchVersion {
        /// What was asked for.
        version: u64,
        /// How many there are.
        versions: u64,
    },
    /// Reading or writing.
    #[error(transparent)]
    Runner(#[from] RunnerError),
}

impl From<StoreError> for ConfigureError {
    fn from(error: StoreError) -> Self {
        Self::Runner(error.into())
    }
}

/// How far the configuration is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// All of it.
    Now,
    /// After this many events.
    Version(u64),
    /// Before the first event that was recorded after this moment.
    Moment(Timestamp),
}

/// An event of the configuration with its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRecord {
    /// Its place in the stream, from 1.
    pub version: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Who caused it.
    pub actor: String,
    /// The command that led to it: the same for everything that it changed.
    pub command_id: Option<Uuid>,
    /// The event.
    pub event: ConfigEvent,
}

/// Changes a tenant's configuration: everything that the command asks for, or nothing. A store that is away for a moment
/// is asked again.
///
/// # Errors
/// [`ConfigureError::Rejected`] with the rule that it would break; [`StoreError::AnotherTenant`] where the store is not
/// the tenant's; or the store fails.
pub async fn configure<S: EventStore + ?Sized>(
    store: &S,
    clock: &dyn Clock,
    ask: &Configure<'_>,
) -> Result<Configured, ConfigureError> {
    let mut state = ConfigState::default();
    let mut tries = TRIES;
    loop {
        retry_with_backoff(|| ensure_tenant(store, ask.tenant)).await?;
        catch_up(store, &mut state).await?;
        let events = Config::decide(&state, ask.command)?;
        if events.is_empty() {
            return Ok(Configured { events, state });
        }
        let append = append(&state, ask, clock.now(), &events);
        match retry_with_backoff(|| store.append(append.clone())).await {
            Ok(_) => return after(state, events),
            Err(StoreError::Conflict { .. }) if tries > 0 => tries -= 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a command would change, without anything being recorded.
///
/// # Errors
/// As [`configure`].
pub async fn preview<S: EventStore + ?Sized>(
    store: &S,
    tenant: &TenantId,
    command: &ConfigCommand,
) -> Result<Configured, ConfigureError> {
    retry_with_backoff(|| ensure_tenant(store, tenant)).await?;
    let mut state = ConfigState::default();
    catch_up(store, &mut state).await?;
    let events = Config::decide(&state, command)?;
    after(state, events)
}

/// The configuration as it is, or as it was.
///
/// # Errors
/// [`ConfigureError::NoSuchVersion`]; or the store fails, or holds what is no configuration.
pub async fn configuration<S: EventStore + ?Sized>(
    store: &S,
    as_of: AsOf,
) -> Result<ConfigState, ConfigureError> {
    let mut state = ConfigState::default();
    if as_of == AsOf::Now {
        catch_up(store, &mut state).await?;
        return Ok(state);
    }
    for record in config_history(store).await? {
        let beyond = match as_of {
            AsOf::Now => false,
            AsOf::Version(version) => record.version > version,
            AsOf::Moment(moment) => record.recorded_at > moment,
        };
        if beyond {
            return Ok(state);
        }
        accept(&mut state, &record.event)?;
    }
    match as_of {
        AsOf::Version(version) if version > state.version() => {
            Err(ConfigureError::NoSuchVersion { version, versions: state.version() })
        }
        _ => Ok(state),
    }
}

/// Every change of the configuration, in order.
///
/// # Errors
/// Where the store fails, or holds what is no configuration.
pub async fn config_history<S: EventStore + ?Sized>(
    store: &S,
) -> Result<Vec<ConfigRecord>, ConfigureError> {
    let stored = retry_with_backoff(|| stored_after(store, 0)).await?;
    let records = stored.into_iter().map(|stored| {
        Ok(ConfigRecord {
            version: stored.stream_version,
            recorded_at: stored.recorded_at,
            event: decoded(&stored)?,
            actor: stored.actor,
            command_id: stored.causation_id,
        })
    });
    records.collect()
}

/// Folds in what the stream has beyond a state.
async fn catch_up<S: EventStore + ?Sized>(
    store: &S,
    state: &mut ConfigState,
) -> Result<(), ConfigureError> {
    for stored in retry_with_backoff(|| stored_after(store, state.version())).await? {
        accept(state, &decoded(&stored)?)?;
    }
    Ok(())
}

/// The events beyond a version: all at once, for a configuration is small.
async fn stored_after<S: EventStore + ?Sized>(
    store: &S,
    version: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    store.read(config::STREAM, version + 1).try_concat().await
}

fn decoded(stored: &StoredEvent) -> Result<ConfigEvent, RunnerError> {
    let event = ConfigEventType::from_name(&stored.event_type).and_then(|event_type| {
        ConfigEvent::decode(event_type, stored.schema_version, &stored.payload)
    });
    event.map_err(|source| RunnerError::Decode {
        stream: stored.stream.clone(),
        version: stored.stream_version,
        source,
    })
}

/// Folds in a stored event: one that contradicts those before it was never written by PowerFill.
fn accept(state: &mut ConfigState, event: &ConfigEvent) -> Result<(), ConfigureError> {
    let version = state.version() + 1;
    state.accept(event).map_err(|rejection| {
        let what = format!("event {version} of {}: {rejection}", config::STREAM);
        ConfigureError::from(StoreError::Corrupt(what))
    })
}

fn after(mut state: ConfigState, events: Vec<ConfigEvent>) -> Result<Configured, ConfigureError> {
    events.iter().try_for_each(|event| state.accept(event))?;
    Ok(Configured { events, state })
}

fn append(
    state: &ConfigState,
    ask: &Configure<'_>,
    recorded_at: Timestamp,
    events: &[ConfigEvent],
) -> Append {
    let expected_version = state.version();
    Append {
        append_id: append_id(ask.command_id, expected_version),
        stream: config::STREAM.to_owned(),
        expected_version,
        meta: AppendMeta {
            tenant_id: ask.tenant.clone(),
            actor: ask.requested_by.to_owned(),
            recorded_at,
            causation_id: Some(ask.command_id),
            correlation_id: Some(ask.command_id),
        },
        events: EncodedBatch::encode(events),
        lease: None,
    }
}

/// The id of a command's append onto a version: the same however often it is tried, another one where the command is
/// decided again.
fn append_id(command_id: Uuid, expected_version: u64) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("powerfill 2026 configuration append id");
    hasher.update(command_id.as_bytes());
    hasher.update(&expected_version.to_le_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
