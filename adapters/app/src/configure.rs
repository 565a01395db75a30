//! Changes and reads a tenant's configuration (specification 1.2, 4.2, 4.3): load, decide, append.
//!
//! If two commands compete, the slower one is decided again on the new state. So a command without
//! a token applies to any state, and a command with a token is refused as stale if, and only if,
//! the rows that the token stands for have changed.

use futures::TryStreamExt;
use powerfill_events::log::{AppendMeta, EncodedBatch};
use powerfill_events::run::RunEvent;
use powerfill_events::values::{TenantId, Timestamp, derive_uuid};
use powerfill_ports::events::{Append, EventStore, StoredEvent};
use powerfill_ports::runs::{RunCursor, RunFilter};
use powerfill_ports::{Store, StoreError, StoreFault, StoreResult, ensure_tenant};
use powerfill_snapshot::config::{
    self, Config, ConfigCommand, ConfigEvent, ConfigRejection, ConfigState,
};
use powerfill_snapshot::tables::LoanColumn;
use powerfill_snapshot::{FaultReport, Severity, Snapshot, listed_columns};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::events::read_event;
use crate::retry::retry_with_backoff;
use crate::run::panicked;
use crate::{AppError, AppResult, Clock};

/// How often a command is decided again after a conflict. Each conflict is a change by another
/// command, so that this limit is not met in practice.
const MAX_CONFLICTS: u32 = 100;

/// A command with its envelope.
#[derive(Debug, Clone, Copy)]
pub struct ConfigRequest<'a> {
    /// The command's identity, chosen by the caller. Envelopes and append ids follow from it.
    pub command_id: Uuid,
    /// The tenant of the configuration.
    pub tenant: &'a TenantId,
    /// The change.
    pub command: &'a ConfigCommand,
    /// The actor of the events.
    pub requested_by: &'a str,
}

/// A changed configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigOutcome {
    /// The recorded events; none if the configuration was already as wanted.
    pub events: Vec<ConfigEvent>,
    /// The configuration after the command, with the tokens of its rows.
    pub state: ConfigState,
}

/// Why a configuration is not changed, or not read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// The command breaks a rule; nothing was written.
    #[error(transparent)]
    Rejected(#[from] ConfigRejection),
    /// The configuration has fewer versions.
    #[error("the configuration has {versions} versions, there is none with number {version}")]
    NoSuchVersion {
        /// The version that was given.
        version: u64,
        /// The latest version.
        versions: u64,
    },
    /// The log cannot be read or written.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StoreError> for ConfigureError {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// A point in the history of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigAsOf {
    /// The present.
    Now,
    /// After this number of events.
    Version(u64),
    /// After the events that were recorded at or before this moment.
    Moment(Timestamp),
}

/// An event of the configuration with its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigRecord {
    /// The event's version in the stream, from 1.
    pub version: u64,
    /// The moment of the append.
    pub recorded_at: Timestamp,
    /// The person or program that caused the change.
    pub actor: String,
    /// The command; equal for all events of one command.
    pub command_id: Option<Uuid>,
    /// The event.
    pub event: ConfigEvent,
}

/// Applies a command to a tenant's configuration, as a whole.
///
/// # Errors
/// [`ConfigureError::Rejected`] with the broken rule; [`StoreError::AnotherTenant`] if the store is
/// not the tenant's; the store fails.
pub async fn configure(
    store: &dyn EventStore,
    clock: &dyn Clock,
    request: &ConfigRequest<'_>,
) -> Result<ConfigOutcome, ConfigureError> {
    let mut state = ConfigState::default();
    let mut conflicts = 0;
    loop {
        retry_with_backoff(|| ensure_tenant(store, request.tenant)).await?;
        catch_up(store, &mut state).await?;
        let events = Config::decide(&state, request.command)?;
        if events.is_empty() {
            return Ok(ConfigOutcome { events, state });
        }
        let append = append(&state, request, clock.now(), &events);
        match retry_with_backoff(|| store.append(append.clone())).await {
            Ok(_) => return outcome(state, events),
            Err(StoreError::Conflict { .. }) if conflicts < MAX_CONFLICTS => conflicts += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Checks the rules of a command against the columns of the last run's book, which a command alone
/// cannot do: a rule that names another column would refuse the next run. Without a run, what could
/// be wrong is returned as warnings, by the columns of the source that the rules come from, if it
/// has loans.
///
/// # Errors
/// [`ConfigureError::Rejected`] with the faults of the rules; the store fails.
pub async fn check_rules(
    store: &dyn Store,
    command: &ConfigCommand,
    of_source: Option<&[LoanColumn]>,
) -> Result<FaultReport, ConfigureError> {
    if !command.writes_rules() {
        return Ok(FaultReport::default());
    }
    let Some(columns) = last_loan_columns(store).await? else {
        let columns = of_source.map_or_else(listed_columns, <[LoanColumn]>::to_vec);
        return Ok(command.rule_faults(&columns, Severity::Warning));
    };
    let faults = command.rule_faults(&columns, Severity::Error);
    match faults.errors() {
        0 => Ok(faults),
        _ => Err(ConfigRejection::Faulty(faults).into()),
    }
}

/// The columns of `loan` in the captured snapshot of the latest run whose payloads are there.
async fn last_loan_columns(store: &dyn Store) -> AppResult<Option<Vec<LoanColumn>>> {
    let latest = store.runs_after(RunCursor::START, 1, RunFilter::Official).await?.pop();
    let Some(latest) = latest else { return Ok(None) };
    if !store.archived_blocks(latest.run_id).await?.is_empty() {
        return Ok(None);
    }
    let first = read_event(store, latest.run_id, 1).await?.map(|first| first.event);
    let Some(RunEvent::RunRequested(requested)) = first else { return Ok(None) };
    let canonical = store.captured(&requested.snapshot_digest).await?;
    let excerpt = move || Snapshot::excerpt(&canonical, []).map(|excerpt| excerpt.loan_columns);
    let columns = spawn_blocking(excerpt).await.map_err(|error| panicked(&error))?;
    Ok(Some(columns?))
}

/// The outcome of a command, which is not recorded.
///
/// # Errors
/// As for [`configure`].
pub async fn preview_change(
    store: &dyn EventStore,
    tenant: &TenantId,
    command: &ConfigCommand,
) -> Result<ConfigOutcome, ConfigureError> {
    retry_with_backoff(|| ensure_tenant(store, tenant)).await?;
    let mut state = ConfigState::default();
    catch_up(store, &mut state).await?;
    let events = Config::decide(&state, command)?;
    outcome(state, events)
}

/// The configuration at a point of its history.
///
/// # Errors
/// [`ConfigureError::NoSuchVersion`]; an event cannot be read or contradicts the events before it;
/// the store fails.
pub async fn read_configuration(
    store: &dyn EventStore,
    as_of: ConfigAsOf,
) -> Result<ConfigState, ConfigureError> {
    let mut state = ConfigState::default();
    if as_of == ConfigAsOf::Now {
        catch_up(store, &mut state).await?;
        return Ok(state);
    }
    for record in read_config_history(store).await? {
        let is_later = match as_of {
            ConfigAsOf::Now => false,
            ConfigAsOf::Version(version) => record.version > version,
            ConfigAsOf::Moment(moment) => record.recorded_at > moment,
        };
        if is_later {
            return Ok(state);
        }
        accept(&mut state, &record.event)?;
    }
    match as_of {
        ConfigAsOf::Version(version) if version > state.version() => {
            Err(ConfigureError::NoSuchVersion { version, versions: state.version() })
        }
        _ => Ok(state),
    }
}

/// Every change of the configuration, in order.
///
/// # Errors
/// An event cannot be read; the store fails.
pub async fn read_config_history(
    store: &dyn EventStore,
) -> Result<Vec<ConfigRecord>, ConfigureError> {
    let stored = retry_with_backoff(|| read_after(store, 0)).await?;
    let records = stored.into_iter().map(|stored| {
        Ok(ConfigRecord {
            version: stored.stream_version,
            recorded_at: stored.recorded_at,
            event: decode(&stored)?,
            actor: stored.actor,
            command_id: stored.causation_id,
        })
    });
    records.collect()
}

/// Applies the events of the stream that a state does not have yet.
async fn catch_up(store: &dyn EventStore, state: &mut ConfigState) -> Result<(), ConfigureError> {
    for stored in retry_with_backoff(|| read_after(store, state.version())).await? {
        accept(state, &decode(&stored)?)?;
    }
    Ok(())
}

/// All events after a version at once: a configuration is small.
async fn read_after(store: &dyn EventStore, version: u64) -> StoreResult<Vec<StoredEvent>> {
    store.read(config::STREAM, version + 1).try_concat().await
}

fn decode(stored: &StoredEvent) -> AppResult<ConfigEvent> {
    ConfigEvent::decode_stored(stored).map_err(|source| AppError::undecodable(stored, source))
}

/// Applies a stored event. PowerFill never wrote one that contradicts the events before it.
fn accept(state: &mut ConfigState, event: &ConfigEvent) -> Result<(), ConfigureError> {
    let version = state.version() + 1;
    state.accept(event).map_err(|rejection| {
        let fault = StoreFault::caused_by(rejection);
        let fault = fault.context(format!("event {version} of {}", config::STREAM));
        ConfigureError::from(StoreError::Corrupt(fault))
    })
}

fn outcome(
    mut state: ConfigState,
    events: Vec<ConfigEvent>,
) -> Result<ConfigOutcome, ConfigureError> {
    events.iter().try_for_each(|event| state.accept(event))?;
    Ok(ConfigOutcome { events, state })
}

fn append(
    state: &ConfigState,
    request: &ConfigRequest<'_>,
    recorded_at: Timestamp,
    events: &[ConfigEvent],
) -> Append {
    let expected_version = state.version();
    Append {
        append_id: append_id(request.command_id, expected_version),
        stream: config::STREAM.to_owned(),
        expected_version,
        meta: AppendMeta {
            tenant_id: request.tenant.clone(),
            actor: request.requested_by.to_owned(),
            recorded_at,
            causation_id: Some(request.command_id),
            correlation_id: Some(request.command_id),
        },
        events: EncodedBatch::encode(events),
        lease: None,
    }
}

/// The id of a command's append onto a version: equal for each attempt at the same append,
/// different after the command was decided again.
fn append_id(command_id: Uuid, expected_version: u64) -> Uuid {
    let version = expected_version.to_le_bytes();
    derive_uuid("powerfill 2026 configuration append id", &[command_id.as_bytes(), &version])
}
