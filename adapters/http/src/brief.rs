//! The morning brief (specification part 9). It runs the engine, so one brief or audit is made at a
//! time.

use axum::Json;
use powerfill_app::brief::{BriefError, brief, latest_two};
use powerfill_events::run::RunId;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::audit::audit;
use crate::caller::Viewer;
use crate::extract::Query;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BriefQuery {
    /// The earlier run. Absent: the official run before `now` that is Complete.
    then: Option<Uuid>,
    /// The later run. Absent: the latest official run that is Complete.
    now: Option<Uuid>,
}

impl From<BriefError> for Problem {
    fn from(error: BriefError) -> Self {
        match error {
            BriefError::NotComplete { .. } | BriefError::TooFewRuns(_) => {
                Self::new(ProblemKind::RunNotComplete, format!("{error}."))
            }
            BriefError::App(error) => error.into(),
        }
    }
}

/// What changed between two runs: loans, trades, what they were given, the bridge from one value to
/// the other, and what to look at first. The earlier run comes first, whichever is named as `then`.
#[utoipa::path(get, operation_id = "brief", path = "/api/powerfill/brief", tag = "runs",
    params(BriefQuery),
    responses((status = 200, body = Object,
        description = "The brief, as `powerfill brief --json` has it"), (status = 404), (status = 409)))]
pub(crate) async fn show(
    Viewer { caller, api }: Viewer,
    Query(query): Query<BriefQuery>,
) -> ApiResult<Json<Value>> {
    let given: Vec<RunId> = [query.then, query.now].into_iter().flatten().map(RunId).collect();
    audit(&api, &caller, &given, async move |store| {
        let runs = match (query.then, query.now) {
            (Some(then), Some(now)) => [RunId(then), RunId(now)],
            (then, now) => {
                let [before, latest] = latest_two(store.as_ref()).await?;
                [then.map_or(before, RunId), now.map_or(latest, RunId)]
            }
        };
        let brief = brief(store.as_ref(), runs).await?;
        serde_json::to_value(&brief).map(Json).map_err(|error| internal(&error))
    })
    .await
}
