//! `serve`: the HTTP service with its workers, until the process is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use powerfill_app::SystemClock;
use powerfill_http::{Api, Limits, Tenant};
use powerfill_ports::Store;
use powerfill_snapshot::{FaultReport, GivenOptions, Validated};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use super::run::process_name;
use super::token;
use super::work::{Observers, with_targets, work_for};
use crate::args::{ServeArgs, TenantArgs};
use crate::commands::options;
use crate::failure::Failure;
use crate::output::say;
use crate::settings::Settings;
use crate::tenancy::{Input, Place};
use crate::{log, shutdown};

pub(crate) async fn run(args: ServeArgs, settings: &Settings) -> Result<(), Failure> {
    let settings = Arc::new(settings.clone());
    let places: Vec<Place> = settings
        .tenants
        .keys()
        .map(|id| Place::of_tenant(id, &settings))
        .collect::<Result<_, Failure>>()?;
    if places.is_empty() {
        let message = "powerfill.toml has no tenants; write [tenants.ID] with a store and a source";
        return Err(Failure::Environment(message.to_owned()));
    }
    log::begin(args.log_format);
    let shutdown = shutdown::on_signal()?;
    let served = settings.tenants.keys().zip(&places).map(|(id, place)| {
        Arc::new(Served::new(id, place.clone(), Arc::clone(&settings))) as Arc<dyn Tenant>
    });
    let served: Vec<_> = served.collect();
    let api = Api::new(served.clone(), token::file(), Arc::new(SystemClock), shutdown.clone())?;
    let api = api.with_limits(Limits { rate: args.requests_per_second, ..Limits::default() });
    let api = Arc::new(if args.no_workers { api } else { api.with_workers() });
    if !api.may_listen_on(args.listen) {
        let message = "without a token it answers on this machine only: listen on 127.0.0.1, or make a token first \
                       with `powerfill token create`";
        return Err(Failure::Environment(format!("--listen {}: {message}", args.listen)));
    }
    for tenant in &served {
        // One that is away may come back; until then it is not ready.
        if let Err(error) = tenant.store().await {
            tracing::warn!(tenant = tenant.id(), error, "the store cannot be opened yet");
        }
    }
    let (listener, address) = listen(args.listen).await?;
    say(format!("listening on http://{address}, for {} tenants\n", served.len()))?;
    let monitored = match args.metrics {
        None => None,
        Some(address) => {
            let (listener, address) = listen(address).await?;
            say(format!("figures on http://{address}/metrics\n"))?;
            Some(powerfill_http::serve_figures(listener, Arc::clone(&api)))
        }
    };
    let name = args.name.unwrap_or_else(process_name);
    let working = async {
        if args.no_workers {
            return Ok(());
        }
        let figures = api.figures();
        let observers: Observers =
            Arc::new(move |tenant| figures.step_timer(tenant.map_or("", |tenant| tenant.as_str())));
        work_for(with_targets(places, &settings)?, &name, &shutdown, false, observers).await
    };
    let monitored = async {
        if let Some(monitored) = monitored {
            monitored.await;
        }
    };
    let serving = powerfill_http::serve(listener, Arc::clone(&api));
    let ((), (), worked) = tokio::join!(serving, monitored, working);
    worked
}

/// Listens; where, with the port that was free.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let cannot = |error| Failure::Environment(format!("cannot listen on {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    Ok((listener, address))
}

/// A tenant of powerfill.toml, as the service needs it.
struct Served {
    id: String,
    place: Place,
    settings: Arc<Settings>,
    store: OnceCell<Arc<dyn Store>>,
}

impl Served {
    fn new(id: &str, place: Place, settings: Arc<Settings>) -> Self {
        Self { id: id.to_owned(), place, settings, store: OnceCell::new() }
    }

    fn source(&self) -> Result<Input, Failure> {
        let tenant = TenantArgs { tenant: Some(self.id.clone()) };
        Input::resolve(None, &tenant, &self.settings)
    }
}

/// A failure as the log of the service has it.
fn told(failure: Failure) -> String {
    match failure {
        Failure::Environment(message) | Failure::Refused(message) => message,
        Failure::Faults { what, report } => format!("{what}: {report}"),
        Failure::Answered => String::new(),
    }
}

#[async_trait]
impl Tenant for Served {
    fn id(&self) -> &str {
        &self.id
    }

    async fn store(&self) -> Result<Arc<dyn Store>, String> {
        let opened = self.store.get_or_try_init(|| self.place.open()).await;
        opened.map(Arc::clone).map_err(told)
    }

    fn input(&self) -> Result<Result<Validated, FaultReport>, String> {
        let open = self.store.get().cloned();
        self.source().and_then(|source| source.through(open).validated()).map_err(told)
    }

    fn options(&self) -> Result<GivenOptions, String> {
        let file = self.settings.of_tenant(&self.id).map_err(told)?.options.as_deref();
        file.map_or_else(|| Ok(GivenOptions::default()), options::in_file).map_err(told)
    }
}
