//! Refusals and failures as RFC 9457 `application/problem+json`: a stable `type`, a title, and what
//! to do.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use powerfill_app::AppError;
use powerfill_app::adopt::NotAdoptable;
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_snapshot::FaultReport;
use serde_json::{Map, Value};

use crate::rates::add_exhausted;

macro_rules! problem_kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $name:literal, $status:ident, $title:literal;)*) => {
        /// The kind of a problem, which decides its `type`, status, and title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The last part of its `type`, its status, and its title.
            pub const fn description(self) -> (&'static str, StatusCode, &'static str) {
                match self {
                    $(Self::$kind => ($name, StatusCode::$status, $title),)*
                }
            }
        }
    };
}

problem_kinds! {
    /// A parameter, header, or body cannot be read.
    BadRequest = "bad-request", BAD_REQUEST, "The request cannot be read";
    /// There is no token, or it is unknown or expired.
    Unauthorized = "unauthorized", UNAUTHORIZED, "A valid token is needed";
    /// The token belongs to another tenant, or its role is too low.
    Forbidden = "forbidden", FORBIDDEN, "The token does not allow this";
    /// A change by cookie has no CSRF token, or not that of its session.
    Csrf = "csrf", FORBIDDEN, "The change did not come from a page of the service";
    /// The path does not exist.
    NoSuchPath = "no-such-path", NOT_FOUND, "There is no such path";
    /// The path exists, but not what it names.
    NotFound = "not-found", NOT_FOUND, "There is no such resource";
    /// The path exists, but not with this method.
    MethodNotAllowed =
        "method-not-allowed", METHOD_NOT_ALLOWED, "The path has no such method";
    /// A run of the tenant is active (BR-8).
    RunActive = "run-active", CONFLICT, "A run is active";
    /// The run is over.
    RunOver = "run-over", CONFLICT, "The run is over";
    /// The run is not Complete, so it has no reports.
    RunNotComplete = "run-not-complete", CONFLICT, "The run has no reports";
    /// The job is over.
    JobOver = "job-over", CONFLICT, "The job is over";
    /// The job is not Complete, so it has no result.
    JobNotComplete = "job-not-complete", CONFLICT, "The job has no result";
    /// An added row exists.
    AlreadyThere = "already-there", CONFLICT, "It exists already";
    /// A row cannot be removed while something is linked to it.
    InUse = "in-use", CONFLICT, "Something is linked to it";
    /// The settings of the tenant do not allow that a challenge becomes a run.
    AdoptionForbidden = "adoption-forbidden", FORBIDDEN,
        "The settings do not allow an adoption";
    /// The challenge has no allocation that may become a run.
    NotAdoptable = "not-adoptable", CONFLICT, "The challenge cannot be adopted";
    /// The configuration of the tenant is that of its source.
    SourceConfiguration = "configuration-of-source", CONFLICT,
        "The configuration is that of the source";
    /// The position is after the last event of the log.
    PositionAhead = "position-ahead", CONFLICT, "The position is after the end of this log";
    /// The event at the position is not the one that the caller received.
    AnotherLog = "another-log", CONFLICT, "The position is of another log";
    /// The row has changed since the caller read it.
    Stale = "stale", PRECONDITION_FAILED, "It has changed since it was read";
    /// The idempotency key belongs to an earlier, different request.
    KeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY,
        "The idempotency key was used for another request";
    /// The body is longer than allowed.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body did not arrive in time.
    TooSlow = "too-slow", REQUEST_TIMEOUT, "The body did not arrive in time";
    /// The token exceeds its rate of requests.
    TooMany = "too-many", TOO_MANY_REQUESTS, "There are too many requests";
    /// The body has another media type.
    MediaType = "media-type", UNSUPPORTED_MEDIA_TYPE, "The body has another media type";
    /// The options or the snapshot are refused.
    Refused = "refused", UNPROCESSABLE_ENTITY, "The input is refused";
    /// Stored data is damaged, or another version wrote it.
    Damaged = "damaged", INTERNAL_SERVER_ERROR, "The store cannot be read";
    /// This program has a fault.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The service failed";
    /// The store, the source, or the service is not available now.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The service cannot answer now";
}

/// An answer that says what is wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: ProblemKind,
    detail: String,
    members: Map<String, Value>,
    /// Seconds after which a retry makes sense.
    retry_after: Option<u64>,
    /// What has no free permit, and how many permits it has.
    exhausted: Option<(&'static str, usize)>,
}

/// The result of a handler.
pub(crate) type ApiResult<T> = Result<T, Problem>;

impl Problem {
    /// A problem. The detail says what to do.
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            members: Map::new(),
            retry_after: None,
            exhausted: None,
        }
    }

    /// Adds a member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds the seconds after which a retry makes sense.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Adds what has no free permit, and how many permits it has.
    pub(crate) fn exhausted(self, what: &'static str, permits: usize) -> Self {
        Self { exhausted: Some((what, permits)), ..self }
    }

    /// The seconds to wait, if the rate of requests is exceeded.
    pub(crate) fn rate_wait(&self) -> Option<u64> {
        self.retry_after.filter(|_| self.kind == ProblemKind::TooMany)
    }

    /// Adds the headers of what has no free permit.
    pub(crate) fn add_exhausted(&self, headers: &mut HeaderMap) {
        if let Some((what, permits)) = self.exhausted {
            add_exhausted(headers, what, permits, self.retry_after.unwrap_or_default());
        }
    }

    /// The last part of its `type`, and its detail.
    pub(crate) fn words(&self) -> (&'static str, &str) {
        (self.kind.description().0, &self.detail)
    }

    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::BadRequest, detail)
    }

    /// The run is not in this store.
    pub(crate) fn no_run(run: impl std::fmt::Display) -> Self {
        let detail = format!("No run {run}; GET /api/powerfill/runs lists them.");
        Self::new(ProblemKind::NotFound, detail)
    }

    /// A run of the tenant is active (BR-8).
    pub(crate) fn run_active(run: RunId) -> Self {
        let detail = format!("Run {run} is active; wait for it, or cancel it.");
        Self::new(ProblemKind::RunActive, detail).with("run_id", run.to_string())
    }

    /// Faults of options or of a snapshot.
    pub(crate) fn refused(what: &str, report: &FaultReport) -> Self {
        let errors = report.errors();
        let faults = serde_json::to_value(report).unwrap_or_default();
        let detail =
            format!("{what}: {errors} errors. Correct what `faults` names and send it again.");
        Self::new(ProblemKind::Refused, detail).with("faults", faults)
    }

    /// The JSON text, with the id of the request if it is known.
    pub(crate) fn body(&self, request_id: Option<&str>) -> Vec<u8> {
        let (name, status, title) = self.kind.description();
        let mut body = self.members.clone();
        body.insert("type".to_owned(), format!("urn:powerfill:problem:{name}").into());
        body.insert("title".to_owned(), title.into());
        body.insert("status".to_owned(), status.as_u16().into());
        body.insert("detail".to_owned(), self.detail.as_str().into());
        body.extend(request_id.map(|id| ("request_id".to_owned(), id.into())));
        Value::Object(body).to_string().into_bytes()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (_, status, _) = self.kind.description();
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if self.kind == ProblemKind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let after = self.retry_after.or((self.kind == ProblemKind::Unavailable).then_some(2));
        if let Some(seconds) = after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        let mut response = (status, headers, self.body(None)).into_response();
        // `access` knows the id of the request and adds it.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::RunActive(run) => Self::run_active(run),
            StoreError::NotFound { what: "run", name } => Self::no_run(name),
            StoreError::NotFound { what, name } => {
                Self::new(ProblemKind::NotFound, format!("No {what} {name} in this store."))
            }
            StoreError::AnotherTenant(_) => {
                Self::new(ProblemKind::Forbidden, "The input belongs to another tenant.")
            }
            StoreError::Archived(_) => Self::new(ProblemKind::NotFound, error.to_string()),
            StoreError::Unavailable(_) => Self::new(
                ProblemKind::Unavailable,
                "The store is not available or busy; try again.",
            ),
            StoreError::Corrupt(fault) => {
                Self::new(ProblemKind::Damaged, format!("{fault}. `powerfill verify` says more."))
            }
            StoreError::Schema(fault) => Self::new(ProblemKind::Damaged, fault.to_string()),
            StoreError::Conflict { .. }
            | StoreError::AppendIdReused { .. }
            | StoreError::LeaseLost(_)
            | StoreError::ReadOnly(_)
            | StoreError::Failed(_) => internal(&error),
        }
    }
}

/// Logs an error. The answer does not have it, because it can name files and servers.
pub(crate) fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "the service failed");
    Problem::new(
        ProblemKind::Internal,
        "The cause is in the log of the service, under the id of this request.",
    )
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Store(error) => error.into(),
            AppError::Decode { .. }
            | AppError::UnknownTable(_)
            | AppError::Snapshot(_)
            | AppError::NotReproduced { .. } => Self::new(ProblemKind::Damaged, error.to_string()),
            AppError::NotChallengeable(_) => {
                Self::new(ProblemKind::RunNotComplete, error.to_string())
            }
            AppError::NotAdoptable(why) => why.into(),
            AppError::NoSuchEvent { .. } => Self::new(ProblemKind::NotFound, error.to_string()),
            AppError::Rejected(_)
            | AppError::Publish(_)
            | AppError::HandedOver(_)
            | AppError::ChallengeFault(_)
            | AppError::Panicked(_) => internal(&error),
        }
    }
}

impl From<NotAdoptable> for Problem {
    fn from(why: NotAdoptable) -> Self {
        match why {
            NotAdoptable::Certificate(challenge) => Self::new(
                ProblemKind::NotAdoptable,
                format!(
                    "{challenge} has a bound and no allocation; search for one with POST \
                     /api/powerfill/runs/{}/challenges.",
                    challenge.run
                ),
            ),
            NotAdoptable::Scenario(challenge) => Self::new(
                ProblemKind::NotAdoptable,
                format!(
                    "{challenge} challenges a scenario, which is never official; challenge an \
                     official run."
                ),
            ),
            NotAdoptable::Fault(..) | NotAdoptable::Unknown(_) => {
                Self::new(ProblemKind::Damaged, why.to_string())
            }
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ProblemKind::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemKind::MediaType,
            _ => ProblemKind::BadRequest,
        };
        Self::new(kind, rejection.body_text())
    }
}

macro_rules! bad_requests {
    ($($rejection:ty)*) => {$(
        impl From<$rejection> for Problem {
            fn from(rejection: $rejection) -> Self {
                Self::bad(rejection.body_text())
            }
        }
    )*};
}

bad_requests! { PathRejection QueryRejection }
