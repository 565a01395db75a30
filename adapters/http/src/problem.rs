//! What goes wrong, as RFC 9457 `application/problem+json`: a stable `type`, a title, what to do.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use powerfill_app::AppError;
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_snapshot::FaultReport;
use serde_json::{Map, Value, json};

/// The kind of a problem: what its `type`, status and title are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// A parameter, header or body that cannot be read.
    BadRequest,
    /// No token, or none that is known and not expired.
    Unauthorized,
    /// The token is another tenant's, or its role does not reach.
    Forbidden,
    /// No such path.
    NoSuchPath,
    /// No such thing.
    NotFound,
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// A run of the tenant is active (BR-8).
    RunActive,
    /// The run is over.
    RunOver,
    /// The run has no reports: it is not over yet, failed, or was cancelled.
    RunNotComplete,
    /// What is added is there already.
    AlreadyThere,
    /// What is removed is linked to something.
    InUse,
    /// Somebody else has changed it meanwhile.
    Stale,
    /// The idempotency key was used before, for something else.
    KeyReused,
    /// The body is longer than allowed.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// More requests than the token has a right to.
    TooMany,
    /// The body is of another media type.
    MediaType,
    /// The options, or the snapshot, are refused.
    Refused,
    /// What is stored is damaged, or was made by another version.
    Damaged,
    /// A fault of this program.
    Internal,
    /// The store, the source or the service itself cannot be had now.
    Unavailable,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 21] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NoSuchPath,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RunActive,
        Self::RunOver,
        Self::RunNotComplete,
        Self::AlreadyThere,
        Self::InUse,
        Self::Stale,
        Self::KeyReused,
        Self::TooLarge,
        Self::TooSlow,
        Self::TooMany,
        Self::MediaType,
        Self::Refused,
        Self::Damaged,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The last part of its `type`, its status and its title.
    pub const fn said(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::BadRequest => {
                ("bad-request", StatusCode::BAD_REQUEST, "The request cannot be read")
            }
            Self::Unauthorized => {
                ("unauthorized", StatusCode::UNAUTHORIZED, "A valid token is needed")
            }
            Self::Forbidden => {
                ("forbidden", StatusCode::FORBIDDEN, "The token does not allow this")
            }
            Self::NoSuchPath => ("no-such-path", StatusCode::NOT_FOUND, "There is no such path"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is no such thing"),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "The path has no such method",
            ),
            Self::RunActive => ("run-active", StatusCode::CONFLICT, "A run is active"),
            Self::RunOver => ("run-over", StatusCode::CONFLICT, "The run is over"),
            Self::RunNotComplete => {
                ("run-not-complete", StatusCode::CONFLICT, "The run has no reports")
            }
            Self::AlreadyThere => ("already-there", StatusCode::CONFLICT, "It is there already"),
            Self::InUse => ("in-use", StatusCode::CONFLICT, "Something is linked to it"),
            Self::Stale => {
                ("stale", StatusCode::PRECONDITION_FAILED, "It has been changed meanwhile")
            }
            Self::KeyReused => (
                "idempotency-key-reused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The idempotency key was used for another request",
            ),
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::TooSlow => ("too-slow", StatusCode::REQUEST_TIMEOUT, "The body did not come"),
            Self::TooMany => {
                ("too-many", StatusCode::TOO_MANY_REQUESTS, "There are too many requests")
            }
            Self::MediaType => (
                "media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is of another media type",
            ),
            Self::Refused => ("refused", StatusCode::UNPROCESSABLE_ENTITY, "The input is refused"),
            Self::Damaged => {
                ("damaged", StatusCode::INTERNAL_SERVER_ERROR, "The store cannot be read")
            }
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "The service failed"),
            Self::Unavailable => {
                ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "The service cannot answer now")
            }
        }
    }
}

/// A problem that is an answer.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: ProblemKind,
    detail: String,
    more: Map<String, Value>,
    /// Seconds after which it may go well.
    after: Option<u64>,
}

/// What a handler gives.
pub(crate) type Answer<T> = Result<T, Problem>;

impl Problem {
    /// A problem with what to do about it.
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), more: Map::new(), after: None }
    }

    /// With a member more.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Says after how many seconds to ask again.
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.after = Some(seconds);
        self
    }

    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::BadRequest, detail)
    }

    /// The run is not in this store.
    pub(crate) fn no_run(run: impl std::fmt::Display) -> Self {
        Self::new(
            ProblemKind::NotFound,
            format!("No run {run}; GET /api/powerfill/runs lists them."),
        )
    }

    /// Faults of options or of a snapshot.
    pub(crate) fn refused(what: &str, report: &FaultReport) -> Self {
        let errors = report.errors();
        let faults = serde_json::to_value(report).unwrap_or_default();
        let detail = format!("{what}: {errors} errors. Correct what `faults` names and ask again.");
        Self::new(ProblemKind::Refused, detail).with("faults", faults)
    }

    /// As JSON; with the request's id, where it is known.
    pub(crate) fn body(&self, request_id: Option<&str>) -> Vec<u8> {
        let (name, status, title) = self.kind.said();
        let mut body = json!({
            "type": format!("urn:powerfill:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        if let Some(body) = body.as_object_mut() {
            body.extend(self.more.clone());
            if let Some(id) = request_id {
                body.insert("request_id".to_owned(), id.into());
            }
        }
        body.to_string().into_bytes()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (_, status, _) = self.kind.said();
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if self.kind == ProblemKind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let after = self.after.or((self.kind == ProblemKind::Unavailable).then_some(2));
        if let Some(seconds) = after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        let mut response = (status, headers, self.body(None)).into_response();
        // Whoever knows the id of the request writes it in.
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
                Self::new(ProblemKind::Forbidden, "The input is not this tenant's.")
            }
            StoreError::Unavailable(_) => {
                Self::new(ProblemKind::Unavailable, "The store is away or busy; try again.")
            }
            StoreError::Corrupt(fault) => {
                Self::new(ProblemKind::Damaged, format!("{fault}. `powerfill verify` tells more."))
            }
            StoreError::Schema(fault) => Self::new(ProblemKind::Damaged, fault.to_string()),
            StoreError::Conflict { .. }
            | StoreError::AppendIdReused { .. }
            | StoreError::LeaseLost(_)
            | StoreError::Failed(_) => internal(&error),
        }
    }
}

impl Problem {
    /// BR-8.
    pub(crate) fn run_active(run: RunId) -> Self {
        let detail = format!("Run {run} is active; wait for it, or cancel it.");
        Self::new(ProblemKind::RunActive, detail).with("run_id", run.to_string())
    }
}

/// What happened goes to the log of the service, not to whoever asks: it may name files and
/// servers.
pub(crate) fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "the service failed");
    Problem::new(
        ProblemKind::Internal,
        "It is in the log of the service, with the id of this request.",
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
            AppError::NoSuchEvent { .. } => Self::new(ProblemKind::NotFound, error.to_string()),
            AppError::Rejected(_)
            | AppError::Publish(_)
            | AppError::HandedOver(_)
            | AppError::Panicked(_) => internal(&error),
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

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad(rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad(rejection.body_text())
    }
}
