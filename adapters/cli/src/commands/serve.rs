//! `serve`: the HTTP service with its workers, until the process is stopped.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::{LocalBoxFuture, join_all};
use parking_lot::Mutex;
use powerfill_app::SystemClock;
use powerfill_app::overview::overview;
use powerfill_diff::mapping::{ComparisonMapping, draft};
use powerfill_diff::{Interner, Side};
use powerfill_events::run::RunId;
use powerfill_evidence::ExportRequest;
use powerfill_http::tokens::TokenFile;
use powerfill_http::{Api, Limits, RunFile, TenantError, TenantHandle};
use powerfill_ports::Store;
use powerfill_ports::copying::CopyStore;
use powerfill_snapshot::{GivenOptions, TableLimit, Validated};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::diff::export;
use super::evidence::PROGRAM;
use super::run::process_name;
use super::work::{Observers, with_targets, work_on};
use super::{options, report, token};
use crate::args::ServeArgs;
use crate::error::{CliError, CliResult};
use crate::output::print_text;
use crate::settings::{ProgramSettings, TenantSettings};
use crate::telemetry::ProcessTelemetry;
use crate::tenancy::{SnapshotInput, TenantStore};
use crate::{log, shutdown, workbook};

/// How long the service waits for the stores before it listens.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause between two attempts to open a store.
const REOPEN_PAUSE: Duration = Duration::from_secs(2);

pub(crate) async fn run(args: ServeArgs, settings: &ProgramSettings) -> CliResult<()> {
    if settings.tenants.is_empty() {
        return Err(CliError::environment(
            "powerfill.toml has no tenants; write [tenants.ID] with a store and a source",
        ));
    }
    log::start(args.log.log_format);
    serve(args, settings.tenants.values(), token::file(), |_| Ok(())).await
}

/// Serves a tenant on this machine, works on its runs, and shows the console in the browser, until
/// the process is stopped.
pub(super) async fn serve_in_browser(tenant: TenantSettings, tokens: TokenFile) -> CliResult<()> {
    let mut args = ServeArgs::without_flags().map_err(CliError::environment)?;
    if TcpListener::bind(args.listen).await.is_err() {
        // The usual port is in use.
        args.listen.set_port(0);
    }
    serve(args, std::iter::once(&Arc::new(tenant)), tokens, |console| {
        print_text("Ctrl-C ends the service.\n")?;
        if let Err(error) = open::that_detached(console) {
            print_text(format!("no browser can be opened ({error}): open {console} yourself\n"))?;
        }
        Ok(())
    })
    .await
}

/// Serves tenants until the process is stopped. `ready` gets the URL of the console.
async fn serve<'t>(
    args: ServeArgs,
    of: impl Iterator<Item = &'t Arc<TenantSettings>>,
    tokens: TokenFile,
    ready: impl FnOnce(&str) -> CliResult<()>,
) -> CliResult<()> {
    let (mut stores, mut tenants) = (Vec::new(), Vec::new());
    for tenant in of {
        let store = TenantStore::of_tenant(tenant)?
            .with_large_tables(args.large_tables.value())
            .with_certificate(args.certificate.value());
        stores.push(store.clone());
        let served = ServedTenant {
            settings: Arc::clone(tenant),
            store,
            open: OnceCell::new(),
            failure: Mutex::default(),
            limit: TableLimit { rows: args.max_rows, bytes: args.max_table_bytes },
        };
        tenants.push(Arc::new(served) as Arc<dyn TenantHandle>);
    }
    let shutdown = shutdown::on_signal()?;
    let api = Api::new(tenants.clone(), tokens, Arc::new(SystemClock), shutdown.clone())?;
    let api = api.with_limits(Limits { rate: args.requests_per_second, ..Limits::default() });
    let telemetry = ProcessTelemetry::start()?;
    let api = if args.no_workers { api } else { api.with_workers() };
    let api = Arc::new(telemetry.observe_requests(api));
    telemetry.observe_stores(&api);
    ensure_may_listen(&api, args.listen)?;
    shutdown.run_until_cancelled(join_all(tenants.iter().map(open_store))).await;
    let (listener, address) = listen(args.listen).await?;
    print_text(format!("listening on http://{address}, for {} tenants\n", tenants.len()))?;
    let metrics_listener = listen_for_metrics(args.metrics).await?;
    let console = console_url(address);
    print_text(format!("the console is at {console}\n"))?;
    ready(&console)?;
    let metrics = async {
        if let Some(listener) = metrics_listener {
            powerfill_http::serve_metrics(listener, Arc::clone(&api)).await;
        }
    };
    let name = args.name.unwrap_or_else(process_name);
    let working = async {
        if args.no_workers {
            return Ok(());
        }
        let observers = observers(&api, telemetry.clone());
        work_on(with_targets(stores)?, &name, &shutdown, false, observers).await
    };
    let serving = async {
        let serving = powerfill_http::serve(listener, Arc::clone(&api));
        let worked = tokio::join!(serving, metrics, working).2;
        telemetry.clone().shut_down().await;
        worked
    };
    shutdown::bounded(&shutdown, serving).await
}

/// The observers of the runs that a service works on.
fn observers(api: &Api, telemetry: ProcessTelemetry) -> Observers {
    let metrics = api.metrics();
    Arc::new(move |tenant| {
        let tenant = tenant.map_or("", |tenant| tenant.as_str());
        telemetry.run_observer(tenant, metrics.step_timer(tenant))
    })
}

fn ensure_may_listen(api: &Api, address: SocketAddr) -> CliResult<()> {
    match api.may_listen_on(address) {
        true => Ok(()),
        false => Err(CliError::environment(format!(
            "--listen {address}: without a token, the service answers on this machine only: listen \
             on 127.0.0.1, or create a token first with `powerfill token create`"
        ))),
    }
}

/// Listens on the address of the metrics, if they have one.
async fn listen_for_metrics(address: Option<SocketAddr>) -> CliResult<Option<TcpListener>> {
    let Some(address) = address else { return Ok(None) };
    let (listener, address) = listen(address).await?;
    print_text(format!("metrics on http://{address}/metrics\n"))?;
    Ok(Some(listener))
}

/// The URL of the console for a browser on this machine.
fn console_url(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("http://localhost:{}/", address.port()),
        false => format!("http://{address}/"),
    }
}

/// Opens the store of a tenant. It may become available later; until then, the tenant is not ready.
async fn open_store(tenant: &Arc<dyn TenantHandle>) {
    match timeout(OPEN_TIMEOUT, tenant.store()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(tenant = tenant.id(), %error, "the store cannot be opened yet");
        }
        Err(_) => tracing::warn!(tenant = tenant.id(), "the store does not answer yet"),
    }
}

/// Listens on an address. Returns the actual address, because port 0 means any free port.
async fn listen(address: SocketAddr) -> CliResult<(TcpListener, SocketAddr)> {
    let failed = |error| CliError::context(format!("cannot listen on {address}"), error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// A tenant of powerfill.toml, for the service.
struct ServedTenant {
    settings: Arc<TenantSettings>,
    store: TenantStore,
    open: OnceCell<Arc<dyn CopyStore>>,
    /// Why the store could not be opened the last time, and when.
    failure: Mutex<Option<(Instant, String)>>,
    limit: TableLimit,
}

impl ServedTenant {
    /// Opens the store. Requests that come together, or soon after a failure, share one attempt: a
    /// silent server needs seconds for each.
    async fn open_store(&self) -> Result<Arc<dyn CopyStore>, TenantError> {
        if let Some((at, error)) = &*self.failure.lock()
            && at.elapsed() < REOPEN_PAUSE
        {
            return Err(TenantError::Unavailable(error.clone().into()));
        }
        let opened = self.store.open_whole().await;
        opened.map_err(|error| {
            let error = unavailable(error);
            *self.failure.lock() = Some((Instant::now(), error.to_string()));
            error
        })
    }
}

fn unavailable(error: CliError) -> TenantError {
    TenantError::Unavailable(error.into_source())
}

#[async_trait]
impl TenantHandle for ServedTenant {
    fn id(&self) -> &str {
        self.settings.id.as_str()
    }

    async fn store(&self) -> Result<Arc<dyn CopyStore>, TenantError> {
        self.open.get_or_try_init(|| self.open_store()).await.map(Arc::clone)
    }

    async fn input(&self) -> Result<Validated, TenantError> {
        let input = SnapshotInput::of_tenant(&self.settings).map_err(unavailable)?;
        let input = input.within(self.limit);
        let store = self.open.get().map(|store| Arc::clone(store) as Arc<dyn Store>);
        let validated = input.with_open_store(store).validated().await;
        validated.map_err(unavailable)?.map_err(TenantError::Refused)
    }

    fn manages_configuration(&self) -> bool {
        self.settings.manages_configuration
    }

    fn allows_adoption(&self) -> bool {
        self.settings.allows_adoption
    }

    fn options(&self) -> Result<GivenOptions, TenantError> {
        let options = self.settings.options.as_deref().map(options::in_file).transpose();
        options.map(Option::unwrap_or_default).map_err(unavailable)
    }

    fn write_file<'a>(
        &'a self,
        run: RunId,
        kind: RunFile,
        path: &'a Path,
    ) -> LocalBoxFuture<'a, Result<(), Box<dyn Error + Send + Sync>>> {
        Box::pin(async move {
            let store = self.store().await?;
            let store = store.as_ref();
            match kind {
                RunFile::Evidence => {
                    let seal = None;
                    let request = ExportRequest { run, seal, program: PROGRAM, replaces: false };
                    powerfill_evidence::export(store, request, path).await?;
                }
                RunFile::Workbook => {
                    let overview = overview(store, run).await?;
                    let (tables, overview) = (workbook::tables_of(false), overview.as_ref());
                    let (file, all) = (Some(path), u64::MAX);
                    let written =
                        workbook::write(store, run, all, &tables, overview, file, |_| true).await;
                    written.map_err(CliError::into_source)?;
                }
                RunFile::Report | RunFile::Certificate => {
                    let page = report::page_of(store, run, kind == RunFile::Certificate).await;
                    std::fs::write(path, page.map_err(CliError::into_source)?)?;
                }
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
        export::folder_side(folder, mapping, names)
    }

    fn draft_mapping(
        &self,
        folder: &Path,
        here: &Side,
        names: &mut Interner,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        let tables = export::folder_tables(folder, ComparisonMapping::default().mapping())?;
        Ok(draft(here, &tables, names))
    }
}
