//! The configuration that the tenant manages (specification 4.3): constraints with their rules,
//! securitization rules, the carry curve, the lockdown guide, the settings of preflight. Every
//! change is an event with its actor.
//!
//! * [`constraints`], [`rules`], [`carry`], [`lockdown`], [`settings`]: a file for each
//! * [`history`]: the whole of it, as of any version, and what changed
//!
//! A row's ETag is the version at which it last changed: another one when, and only when, the row
//! is another one.

pub(crate) mod carry;
pub(crate) mod constraints;
pub(crate) mod history;
pub(crate) mod lockdown;
pub(crate) mod rules;
pub(crate) mod settings;

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use powerfill_app::configure::{
    ConfigAsOf, ConfigRequest, ConfigureError, configure, read_configuration,
};
use powerfill_events::values::TenantId;
use powerfill_snapshot::config::{
    ConfigChange, ConfigCommand, ConfigRejection, ConfigState, ConfigTable, GivenRow, LeftOut,
    Precondition, RowKey,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::Api;
use crate::caller::Caller;
use crate::problem::{Answer, Kind, Problem};

/// Why something is changed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Why {
    /// Why, for the history; up to 500 characters.
    #[param(max_length = 500)]
    reason: Option<String>,
}

impl Why {
    fn reason(self) -> Answer<Option<String>> {
        match self.reason {
            Some(reason) if reason.chars().count() > 500 => {
                Err(Problem::bad("reason has more than 500 characters."))
            }
            reason => Ok(reason.filter(|reason| !reason.trim().is_empty())),
        }
    }
}

/// A part of a constraint's path; `-` stands for an empty one.
fn part(text: &str) -> &str {
    if text == "-" { "" } else { text }
}

/// The configuration as it is.
async fn current(caller: &Caller) -> Answer<ConfigState> {
    let store = caller.store().await?;
    read_configuration(store.as_ref(), ConfigAsOf::Now).await.map_err(Into::into)
}

/// Changes it; what it is after that.
async fn change(caller: &Caller, api: &Api, what: ConfigChange, why: Why) -> Answer<ConfigState> {
    let command = ConfigCommand { what, reason: why.reason()? };
    let store = caller.store().await?;
    let tenant = TenantId::from(caller.tenant.id());
    let ask = ConfigRequest {
        command_id: Uuid::now_v7(),
        tenant: &tenant,
        command: &command,
        requested_by: &caller.actor,
    };
    Ok(configure(store.as_ref(), api.clock.as_ref(), &ask).await?.state)
}

/// What a request says must hold: `If-Match` names the ETag that the row has, or `*` for any;
/// `If-None-Match: *` wants it not to be there.
fn precondition(headers: &HeaderMap, otherwise: Precondition) -> Answer<Precondition> {
    let text =
        |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").trim());
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (None, None) => Ok(otherwise),
        (Some("*"), None) => Ok(Precondition::Present),
        (Some(tag), None) => {
            let token = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let token = token.and_then(|token| token.parse().ok());
            let wrong = || Problem::bad("If-Match is the ETag of this row, in quotes, or *.");
            token.map(Precondition::Token).ok_or_else(wrong)
        }
        (None, Some("*")) => Ok(Precondition::Absent),
        _ => {
            Err(Problem::bad("Of If-Match and If-None-Match there may be one, the latter with *."))
        }
    }
}

/// A row that is given whole.
fn written(table: ConfigTable, row: GivenRow, precondition: Precondition) -> ConfigChange {
    ConfigChange::Write { table, rows: vec![row], left_out: LeftOut::Empty, precondition }
}

/// The cells of a row: what is left out is NULL.
fn cells<const N: usize>(cells: [(&str, Option<String>); N]) -> GivenRow {
    cells.map(|(column, text)| (column.to_owned(), text.unwrap_or_default())).into()
}

/// The answer to a write of a row: 201 where it was not there.
fn answer<T: Serialize>(before: bool, (view, token): (T, u64)) -> Response {
    let status = if before { StatusCode::OK } else { StatusCode::CREATED };
    (status, [tag(token)], Json(view)).into_response()
}

fn tag(token: u64) -> (HeaderName, HeaderValue) {
    let value = HeaderValue::from_str(&format!("\"{token}\""));
    // Digits in quotes are a header's.
    (header::ETAG, value.unwrap_or_else(|_| HeaderValue::from_static("\"0\"")))
}

fn not_there(table: ConfigTable, key: &RowKey) -> Problem {
    let rejection = ConfigRejection::NotThere { table, key: key.clone() };
    Problem::new(Kind::NotFound, format!("{rejection}."))
}

/// A decimal or a name that may be left out.
fn given<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// A list that is one version's.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    rows: Vec<T>,
    /// The token of the table: the version at which any of its rows last changed, came or went.
    token: u64,
}

fn listed<T: Serialize>(state: &ConfigState, table: ConfigTable, rows: Vec<T>) -> Response {
    let token = state.token(table);
    ([tag(token)], Json(Listed { rows, token })).into_response()
}

impl From<ConfigureError> for Problem {
    fn from(error: ConfigureError) -> Self {
        match error {
            ConfigureError::Rejected(rejection) => rejection.into(),
            ConfigureError::NoSuchVersion { .. } => Self::new(Kind::NotFound, format!("{error}.")),
            ConfigureError::App(error) => error.into(),
        }
    }
}

impl From<ConfigRejection> for Problem {
    fn from(rejection: ConfigRejection) -> Self {
        let detail = format!("{rejection}.");
        match rejection {
            ConfigRejection::AlreadyThere { .. } => Self::new(Kind::AlreadyThere, detail),
            ConfigRejection::NotThere { .. } => Self::new(Kind::NotFound, detail),
            ConfigRejection::Stale { present, .. } => {
                let problem = Self::new(Kind::Stale, detail);
                match present {
                    Some(token) => problem.with("token", token),
                    None => problem,
                }
            }
            ConfigRejection::RulesLinked { rules, .. } => {
                let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
                Self::new(Kind::InUse, detail).with("rules", rules)
            }
            ConfigRejection::RuleInUse { nodes, .. } => {
                let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
                Self::new(Kind::InUse, detail).with("constraints", nodes)
            }
            ConfigRejection::OrderNotWhole { .. } => Self::new(Kind::Refused, detail),
            ConfigRejection::Faulty(report) => Self::refused("The change is refused", &report),
            ConfigRejection::HistoryBroken { .. } => Self::new(Kind::Damaged, detail),
        }
    }
}
