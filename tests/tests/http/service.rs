//! A service of two tenants without a listener, for the tests.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use futures::future::LocalBoxFuture;
use powerfill_app::{Clock, FinishedRun, RunControl, RunRequest, Runner};
use powerfill_diff::mapping::{ComparisonMapping, draft, export_side};
use powerfill_diff::{Interner, Side};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_evidence::ExportRequest;
use powerfill_fixtures::cases::case;
use powerfill_http::tokens::{TokenFile, TokenRole};
use powerfill_http::{Api, Limits, RequestObserver, RunFile, TenantError, TenantHandle};
use powerfill_ports::Store;
use powerfill_ports::copying::CopyStore;
use powerfill_snapshot::{GivenOptions, Validated, validate};
use powerfill_sqlite::SqliteStore;
use powerfill_tests::requests::plain_request;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

pub(crate) const NOW: i64 = 1_768_471_200_000_000;
pub(crate) const HOUR: i64 = 3_600_000_000;

/// A clock that a test advances.
pub(crate) struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// A tenant with its own store. Its source is a conformance case.
pub(crate) struct CaseTenant {
    id: &'static str,
    store: Arc<dyn CopyStore>,
    case: Mutex<PathBuf>,
    /// How often the source was read.
    pub(crate) readings: watch::Sender<usize>,
    /// Whether the source accepts readers and never answers.
    pub(crate) is_source_silent: AtomicBool,
    /// The same for the store.
    pub(crate) is_store_silent: AtomicBool,
    pub(crate) manages_configuration: AtomicBool,
    pub(crate) allows_adoption: AtomicBool,
    /// Delays the next reading of an export until its sender is dropped.
    pub(crate) export_gate: Mutex<Option<Receiver<()>>>,
}

fn tokens_of(folder: &TempDir) -> TokenFile {
    TokenFile::new(folder.path().join("tokens.toml"))
}

#[async_trait]
impl TenantHandle for CaseTenant {
    fn id(&self) -> &str {
        self.id
    }

    async fn store(&self) -> Result<Arc<dyn CopyStore>, TenantError> {
        if self.is_store_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        Ok(Arc::clone(&self.store))
    }

    async fn input(&self) -> Result<Validated, TenantError> {
        self.readings.send_modify(|readings| *readings += 1);
        if self.is_source_silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let folder = self.case.lock().unwrap().join("snapshot");
        let raw = powerfill_csv::read_folder(&folder)
            .map_err(|error| TenantError::Unavailable(error.to_string().into()))?;
        let mut validated = validate(raw).map_err(TenantError::Refused)?;
        validated.snapshot.header.tenant_id = self.id.into();
        Ok(validated)
    }

    fn manages_configuration(&self) -> bool {
        self.manages_configuration.load(Ordering::Relaxed)
    }

    fn allows_adoption(&self) -> bool {
        self.allows_adoption.load(Ordering::Relaxed)
    }

    fn options(&self) -> Result<GivenOptions, TenantError> {
        let file = self.case.lock().unwrap().join("options.json");
        let text = std::fs::read_to_string(file)
            .map_err(|error| TenantError::Unavailable(error.into()))?;
        Ok(GivenOptions::from_json(&text))
    }

    fn write_file<'a>(
        &'a self,
        run: RunId,
        kind: RunFile,
        path: &'a Path,
    ) -> LocalBoxFuture<'a, Result<(), Box<dyn Error + Send + Sync>>> {
        Box::pin(async move {
            let request = ExportRequest { run, seal: None, program: "test", replaces: false };
            match kind {
                RunFile::Evidence => {
                    powerfill_evidence::export(self.store.as_ref(), request, path).await?;
                }
                // The guide about HTTP has one of the program.
                RunFile::Workbook => std::fs::write(path, "a workbook")?,
                RunFile::Report | RunFile::Certificate => std::fs::write(path, "a page")?,
            }
            Ok(())
        })
    }

    fn read_export(
        &self,
        folder: &Path,
        mapping: &ComparisonMapping,
        names: &mut Interner,
    ) -> Result<Side, Box<dyn Error + Send + Sync>> {
        let gate = self.export_gate.lock().unwrap().take();
        if let Some(gate) = gate {
            let _ = gate.recv();
        }
        let read = powerfill_csv::tolerant::read_folder(folder, mapping.mapping(), |_, _| true)?;
        Ok(export_side("the uploaded files", &read.tables, mapping, names)?)
    }

    fn draft_mapping(
        &self,
        folder: &Path,
        here: &Side,
        names: &mut Interner,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        let mapping = ComparisonMapping::default();
        let read = powerfill_csv::tolerant::read_folder(folder, mapping.mapping(), |_, _| true)?;
        Ok(draft(here, &read.tables, names))
    }
}

/// The service, and tokens for it.
pub(crate) struct Service {
    folder: Arc<TempDir>,
    pub(crate) tenant: Arc<CaseTenant>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) api: Arc<Api>,
    pub(crate) router: Router,
    pub(crate) stop: CancellationToken,
    /// Tokens of the tenant `one`.
    pub(crate) viewer: String,
    pub(crate) operator: String,
    /// The token of an administrator of the tenant `other`.
    pub(crate) other_tenant: String,
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of a body that is stored compressed.
    pub(crate) fn decompressed(&self) -> String {
        assert_eq!(self.headers["content-encoding"], "gzip");
        std::io::read_to_string(flate2::read::GzDecoder::new(&self.body[..])).unwrap()
    }

    /// Expects success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text());
        self
    }

    /// Expects a complete problem of this status and kind. Returns its body.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let body = self.json();
        assert_eq!(body["type"], format!("urn:powerfill:problem:{kind}"), "{body}");
        assert_eq!(body["status"], status);
        assert!(!body["title"].as_str().unwrap().is_empty());
        assert!(!body["detail"].as_str().unwrap().is_empty());
        assert_eq!(body["request_id"].as_str(), self.headers["x-request-id"].to_str().ok());
        body
    }
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    /// A service, and the run of a case that the tenant `one` has.
    pub(crate) async fn with_run(case: &str) -> (Self, RunId) {
        let service = Self::new();
        let run = service.run_case(case).await;
        (service, run)
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::with_tokens(limits, None)
    }

    pub(crate) fn observed_by(observer: Arc<dyn RequestObserver>) -> Self {
        Self::with_tokens(Limits::default(), Some(observer))
    }

    fn with_tokens(limits: Limits, observer: Option<Arc<dyn RequestObserver>>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let token = |tenant, role, name| {
            let (now, until) = (Timestamp::from_micros(NOW), Timestamp::from_micros(NOW + HOUR));
            tokens_of(&folder).create(tenant, role, name, now, until).unwrap().1
        };
        let viewer = token("one", TokenRole::Viewer, "vera");
        let operator = token("one", TokenRole::Operator, "otto");
        let other_tenant = token("other", TokenRole::Admin, "eve");
        Self { viewer, operator, other_tenant, ..Self::open(&folder, limits, observer) }
    }

    /// A service that has no tokens.
    pub(crate) fn without_tokens() -> Self {
        Self::open(&Arc::new(tempfile::tempdir().unwrap()), Limits::default(), None)
    }

    /// Another process over the same folder, without the tokens' texts.
    pub(crate) fn restarted(&self) -> Self {
        Self::open(&self.folder, Limits::default(), None)
    }

    fn open(
        folder: &Arc<TempDir>,
        limits: Limits,
        observer: Option<Arc<dyn RequestObserver>>,
    ) -> Self {
        let tenant = |id: &'static str| {
            let store = SqliteStore::open(folder.path().join(format!("{id}.db"))).unwrap();
            let case = Mutex::new(case("12-kickout-reasons"));
            Arc::new(CaseTenant {
                id,
                store: Arc::new(store),
                case,
                readings: watch::Sender::new(0),
                is_source_silent: AtomicBool::new(false),
                is_store_silent: AtomicBool::new(false),
                manages_configuration: AtomicBool::new(true),
                allows_adoption: AtomicBool::new(true),
                export_gate: Mutex::default(),
            })
        };
        let clock = Arc::new(ManualClock(AtomicI64::new(NOW)));
        let stop = CancellationToken::new();
        let (one, other) = (tenant("one"), tenant("other"));
        let tenants = [Arc::clone(&one) as Arc<dyn TenantHandle>, other];
        let tokens = tokens_of(folder);
        let api = Api::new(tenants, tokens, Arc::clone(&clock) as _, stop.clone()).unwrap();
        let api = api.with_limits(limits);
        let api = Arc::new(match observer {
            Some(observer) => api.observed_by(observer),
            None => api,
        });
        let router = powerfill_http::router(Arc::clone(&api));
        let [viewer, operator, other_tenant] = [const { String::new() }; 3];
        let folder = Arc::clone(folder);
        Self { folder, tenant: one, clock, api, router, stop, viewer, operator, other_tenant }
    }

    /// A file beside the tokens.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn tokens(&self) -> TokenFile {
        tokens_of(&self.folder)
    }

    /// Creates another token of the tenant `one`.
    pub(crate) fn token(&self, role: TokenRole, name: &str) -> String {
        let (now, until) = (Timestamp::from_micros(NOW), Timestamp::from_micros(NOW + HOUR));
        self.tokens().create("one", role, name, now, until).unwrap().1
    }

    pub(crate) fn advance_clock(&self, micros: i64) {
        self.clock.0.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::<dyn CopyStore>::clone(&self.tenant.store)
    }

    /// Makes another case the source of the tenant `one`.
    pub(crate) fn set_source(&self, name: &str) {
        *self.tenant.case.lock().unwrap() = case(name);
    }

    /// Delays the next reading of an export until the sender is dropped.
    pub(crate) fn hold_export(&self) -> Sender<()> {
        let (held, gate) = channel();
        *self.tenant.export_gate.lock().unwrap() = Some(gate);
        held
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// A request of the tenant `one`. The path is relative to `/api/powerfill`.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&str>,
    ) -> Request<Body> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/powerfill{path}"))
            .header("x-tenant-id", "one")
            .header("authorization", format!("Bearer {token}"));
        match body {
            None => request.body(Body::empty()),
            Some(body) => {
                request.header("content-type", "application/json").body(body.to_owned().into())
            }
        }
        .unwrap()
    }

    /// Sends a request of the tenant `one` with these headers.
    pub(crate) async fn send_with(
        &self,
        (method, path, token): (&str, &str, &str),
        headers: &[(&'static str, &str)],
        body: Option<&str>,
    ) -> Answer {
        let mut request = self.request(method, path, token, body);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        self.send(request).await
    }

    /// Sends a request of the tenant `other`.
    pub(crate) async fn send_of_other(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Answer {
        let request = (method, path, &*self.other_tenant);
        self.send_with(request, &[("x-tenant-id", "other")], body).await
    }

    /// Sends a GET of the viewer.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    /// Sends a GET of the viewer with these headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        self.send_with(("GET", path, &self.viewer), headers, None).await
    }

    /// Sends a POST of the operator.
    pub(crate) async fn post(&self, path: &str, body: Option<&str>) -> Answer {
        self.post_with(path, &[], body).await
    }

    /// Sends a POST of the operator with these headers.
    pub(crate) async fn post_with(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Option<&str>,
    ) -> Answer {
        self.send_with(("POST", path, &self.operator), headers, body).await
    }

    pub(crate) fn runner(&self) -> Runner {
        let (clock, lease) = (Arc::clone(&self.clock) as _, Duration::from_secs(30));
        Runner::new(self.store(), clock, "worker".to_owned(), lease)
    }

    /// Runs a case to its end.
    pub(crate) async fn run_case(&self, case: &str) -> RunId {
        self.set_source(case);
        let validated = self.tenant.input().await.unwrap();
        let options = self.tenant.options().unwrap().resolve().unwrap();
        let run_id = RunId(Uuid::now_v7());
        let plain = plain_request(run_id, &validated.snapshot, &options);
        self.advance_clock(1_000_000);
        let requested_by_vera = RunRequest { requested_by: "vera", ..plain };
        self.runner().request(&requested_by_vera).await.unwrap();
        self.work().await;
        run_id
    }

    /// Works on the queued run until it ends.
    pub(crate) async fn work(&self) -> FinishedRun {
        self.runner()
            .work(None, RunControl::default(), self.api.metrics().step_timer("one"))
            .await
            .unwrap()
            .unwrap()
    }
}
