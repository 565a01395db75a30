//! The configuration that the tenant manages (specification 4.3): constraints with their rules,
//! securitization rules, the carry curve, the lockdown guide, and the settings of preflight. Every
//! change is an event with its actor.
//!
//! * [`resource`]: list, show, put, and remove, for every table
//! * [`given`], [`view`]: rows in requests and in answers
//! * [`constraints`], [`carry`], [`lockdown`]: the operations that one table has alone
//! * [`history`]: the whole configuration as of any version, and its changes
//!
//! The ETag of a row is the version at which it last changed. So it differs exactly if the row
//! differs.

pub(crate) mod carry;
pub(crate) mod constraints;
mod given;
pub(crate) mod history;
pub(crate) mod lockdown;
pub(crate) mod resource;
mod view;

use axum::http::{HeaderMap, HeaderName, header};
use powerfill_app::configure::{
    ConfigAsOf, ConfigRequest, ConfigureError, check_rules, configure, read_configuration,
};
use powerfill_events::values::TenantId;
use powerfill_snapshot::config::{
    ConfigChange, ConfigCommand, ConfigRejection, ConfigState, ConfigTable, GivenRow, LeftOut,
    Precondition,
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::api::Api;
use crate::caller::Caller;
use crate::problem::{ApiResult, Problem, ProblemKind};

/// Why a caller changes the configuration.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeReason {
    /// Why, for the history; up to 500 characters.
    #[param(max_length = 500)]
    reason: Option<String>,
}

impl ChangeReason {
    fn checked(self) -> ApiResult<Option<String>> {
        match self.reason {
            Some(reason) if reason.chars().count() > 500 => {
                Err(Problem::bad("reason has more than 500 characters."))
            }
            reason => Ok(reason.filter(|reason| !reason.trim().is_empty())),
        }
    }
}

/// The present configuration.
async fn current(caller: &Caller) -> ApiResult<ConfigState> {
    let store = caller.store().await?;
    read_configuration(store.as_ref(), ConfigAsOf::Now).await.map_err(Into::into)
}

/// Changes the configuration, and returns it.
async fn change(
    caller: &Caller,
    api: &Api,
    what: ConfigChange,
    reason: ChangeReason,
) -> ApiResult<ConfigState> {
    if !caller.tenant.manages_configuration() {
        let detail = "Runs of this tenant have the configuration of its source, and nothing was \
                      changed. Change it there, or set configuration = \"managed\" for the tenant in \
                      powerfill.toml.";
        return Err(Problem::new(ProblemKind::SourceConfiguration, detail));
    }
    let command = ConfigCommand { what, reason: reason.checked()? };
    let store = caller.store().await?;
    let tenant = TenantId::from(caller.tenant.id());
    check_rules(store.as_ref(), &command, None).await?;
    let request = ConfigRequest {
        command_id: Uuid::now_v7(),
        tenant: &tenant,
        command: &command,
        requested_by: &caller.actor,
    };
    Ok(configure(store.as_ref(), api.clock.as_ref(), &request).await?.state)
}

/// The condition of a change: `If-Match` has ETags, of which one is that of the row, or `*` for any
/// row; `If-None-Match: *` requires that there is no row. `present` is the token of the row now.
fn precondition(
    headers: &HeaderMap,
    present: Option<u64>,
    otherwise: Precondition,
) -> ApiResult<Precondition> {
    let text = |name: HeaderName| {
        let values: Vec<&str> =
            headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
        (!values.is_empty()).then(|| values.join(","))
    };
    let (matching, other) = (text(header::IF_MATCH), text(header::IF_NONE_MATCH));
    match (matching.as_deref().map(str::trim), other.as_deref().map(str::trim)) {
        (None, None) => Ok(otherwise),
        (Some("*"), None) => match present {
            Some(_) => Ok(Precondition::Present),
            None => {
                Err(Problem::new(ProblemKind::Stale, "If-Match is *, and there is no such row."))
            }
        },
        (Some(tags), None) => {
            // What an answer has besides its row is after a hyphen.
            let token = |tag: &str| {
                let tag = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
                tag.split('-').next()?.parse().ok()
            };
            let tokens: Option<Vec<u64>> = tags.split(',').map(token).collect();
            let wrong = || Problem::bad("If-Match has the ETag of this row, in quotes, or is *.");
            let tokens = tokens.ok_or_else(wrong)?;
            // The store compares it again when it changes the row.
            let of_row = tokens.iter().copied().find(|token| Some(*token) == present);
            of_row.or(tokens.first().copied()).map(Precondition::Token).ok_or_else(wrong)
        }
        (None, Some("*")) => Ok(Precondition::Absent),
        _ => {
            Err(Problem::bad("Send If-Match or If-None-Match, not both; the latter can only be *."))
        }
    }
}

/// Writes whole rows: absent cells are NULL or have their default.
fn write_rows(table: ConfigTable, rows: Vec<GivenRow>, precondition: Precondition) -> ConfigChange {
    ConfigChange::Write { table, rows, left_out: LeftOut::Empty, precondition }
}

impl From<ConfigureError> for Problem {
    fn from(error: ConfigureError) -> Self {
        match error {
            ConfigureError::Rejected(rejection) => rejection.into(),
            ConfigureError::NoSuchVersion { .. } => {
                Self::new(ProblemKind::NotFound, format!("{error}."))
            }
            ConfigureError::App(error) => error.into(),
        }
    }
}

impl From<ConfigRejection> for Problem {
    fn from(rejection: ConfigRejection) -> Self {
        let detail = format!("{rejection}.");
        let texts = |values: Vec<String>, name: &str| {
            Self::new(ProblemKind::InUse, &*detail).with(name, values)
        };
        match rejection {
            ConfigRejection::AlreadyThere { .. } => Self::new(ProblemKind::AlreadyThere, detail),
            ConfigRejection::NotThere { .. } => Self::new(ProblemKind::NotFound, detail),
            ConfigRejection::Stale { present, .. } => {
                let problem = Self::new(ProblemKind::Stale, detail);
                match present {
                    Some(token) => problem.with("token", token),
                    None => problem,
                }
            }
            ConfigRejection::RulesLinked { rules, .. } => {
                texts(rules.iter().map(ToString::to_string).collect(), "rules")
            }
            ConfigRejection::RuleInUse { nodes, .. } => {
                texts(nodes.iter().map(ToString::to_string).collect(), "constraints")
            }
            ConfigRejection::OrderNotWhole { .. } => Self::new(ProblemKind::Refused, detail),
            ConfigRejection::Faulty(report) => Self::refused("The change is refused", &report),
            ConfigRejection::HistoryBroken { .. } => Self::new(ProblemKind::Damaged, detail),
        }
    }
}
