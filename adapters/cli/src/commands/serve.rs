//! `serve`: the HTTP service with its workers, until the process is told to stop.

use std::sync::Arc;

use async_trait::async_trait;
use powerfill_domain::snapshot::{FaultReport, GivenOptions, Validated};
use powerfill_http::{Api, Tenant};
use powerfill_ports::Store;
use powerfill_runner::SystemClock;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use super::run::process_name;
use super::token;
use super::work::work_for;
use crate::args::{ServeArgs, TenantArgs};
use crate::commands::options;
use crate::failure::Failure;
use crate::output::say;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::tenancy::{Input, Place};

pub(crate) async fn run(args: ServeArgs, settings: Settings) -> Result<(), Failure> {
    let settings = Arc::new(settings);
    let places: Vec<Place> = settings
        .tenants
        .keys()
        .map(|id| Place::of_tenant(id, &settings))
        .collect::<Result<_, Failure>>()?;
    if places.is_empty() {
        let message = "powerfill.toml has no tenants; write [tenants.ID] with a store and a source";
        return Err(Failure::Environment(message.to_owned()));
    }
    let stop = Stop::listen()?;
    let served = settings.tenants.keys().zip(&places).map(|(id, place)| {
        Arc::new(Served::new(id, place.clone(), Arc::clone(&settings))) as Arc<dyn Tenant>
    });
    let served: Vec<_> = served.collect();
    let api = Api::new(served.clone(), token::file(), Arc::new(SystemClock), stop.watched())?;
    let api = Arc::new(if args.no_workers { api } else { api.with_workers() });
    if !api.may_listen_on(args.listen) {
        let message = "without a token it answers on this machine only: listen on 127.0.0.1, or make a token first \
                       with `powerfill token create`";
        return Err(Failure::Environment(format!("--listen {}: {message}", args.listen)));
    }
    for tenant in &served {
        // One that is away may come back; until then it is not ready.
        if let Err(error) = tenant.store().await {
            eprintln!("note: {}: {error}", tenant.id());
        }
    }
    let cannot = |error| Failure::Environment(format!("cannot listen on {}: {error}", args.listen));
    let listener = TcpListener::bind(args.listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    say(format!("listening on http://{address}, for {} tenants\n", served.len()))?;
    let name = args.name.unwrap_or_else(process_name);
    let working = async {
        if args.no_workers { Ok(()) } else { work_for(places, &name, &stop, false).await }
    };
    let (served, worked) = tokio::join!(powerfill_http::serve(listener, api), working);
    served.map_err(cannot)?;
    worked
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
