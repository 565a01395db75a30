//! Whose store and source a command works with: those of a tenant of `powerfill.toml`, or those
//! that are named.
//!
//! A tenant reaches its own store and no other: the store is refused where it holds another
//! tenant's events, a snapshot where it is of another tenant.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use powerfill_app::configure::{ConfigAsOf, read_configuration};
use powerfill_events::values::TenantId;
use powerfill_ports::{Store, ensure_tenant};
use powerfill_snapshot::config::ConfigTables;
use powerfill_snapshot::{FaultReport, RawSnapshot, Snapshot, Validated, validate};
use powerfill_sqlserver::MssqlUrl;
use tokio::runtime::Handle;

use crate::args::{PlaceArgs, TenantArgs};
use crate::failure::Failure;
use crate::places::{Source, StoreUrl};
use crate::settings::Settings;

/// A store, and the tenant that it must be of.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    url: StoreUrl,
    tenant: Option<TenantId>,
}

impl Place {
    /// The store of the tenant, or the one that is named. The file's own tenant counts only where
    /// nothing is named.
    pub(crate) fn resolve(args: &PlaceArgs, settings: &Settings) -> Result<Self, Failure> {
        let named = args.store.clone().map(|url| url.readable("--store")).transpose()?;
        let default = settings.tenant.as_deref().filter(|_| named.is_none());
        let Some(id) = args.tenant.tenant.as_deref().or(default) else {
            return Self::without_tenant(named, settings);
        };
        let own = settings.of_tenant(id)?;
        let url = match named {
            Some(url) if settings.owner_of(&url).is_some_and(|owner| owner != id) => {
                return Err(Failure::Environment(format!("{url} is not the store of tenant {id}")));
            }
            Some(url) => url,
            None => own.store()?,
        };
        Ok(Self { url, tenant: Some(TenantId::from(id)) })
    }

    fn without_tenant(named: Option<StoreUrl>, settings: &Settings) -> Result<Self, Failure> {
        if let Some(url) = named {
            let tenant = settings.owner_of(&url).map(TenantId::from);
            return Ok(Self { url, tenant });
        }
        if !settings.tenants.is_empty() {
            return Err(Failure::Environment(
                "which tenant? Choose one with --tenant ID or POWERFILL_TENANT, or set tenant = \"ID\" in powerfill.toml"
                    .to_owned(),
            ));
        }
        let url = match &settings.store {
            Some(text) => StoreUrl::with_password(text, None).readable("powerfill.toml, store")?,
            None => StoreUrl::Sqlite("powerfill.db".into()),
        };
        Ok(Self { url, tenant: None })
    }

    /// A tenant of the file by its id.
    pub(crate) fn of_tenant(id: &str, settings: &Settings) -> Result<Self, Failure> {
        let url = settings.of_tenant(id)?.store()?;
        Ok(Self { url, tenant: Some(TenantId::from(id)) })
    }

    /// The places of all tenants of the file, or the one that is named.
    pub(crate) fn chosen(
        all_tenants: bool,
        args: &PlaceArgs,
        settings: &Settings,
    ) -> Result<Vec<Self>, Failure> {
        if !all_tenants {
            return Self::resolve(args, settings).map(|place| vec![place]);
        }
        if settings.tenants.is_empty() {
            let message = "--all-tenants: powerfill.toml has none; write [tenants.ID] with a store";
            return Err(Failure::Environment(message.to_owned()));
        }
        settings.tenants.keys().map(|id| Self::of_tenant(id, settings)).collect()
    }

    /// Where it is.
    pub(crate) const fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// Whose it must be.
    pub(crate) const fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// Where the tenant's outputs are published, by the file.
    pub(crate) fn publishes_to(&self, settings: &Settings) -> Result<Option<MssqlUrl>, Failure> {
        let Some(tenant) = &self.tenant else { return Ok(None) };
        settings.of_tenant(tenant.as_str())?.publishes_to()
    }

    /// Opens the store, and makes it where there is none.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>, Failure> {
        self.admit(self.url.open().await?).await
    }

    /// Opens a store that is there.
    pub(crate) async fn open_existing(&self) -> Result<Arc<dyn Store>, Failure> {
        self.admit(self.url.open_existing().await?).await
    }

    async fn admit(&self, store: Arc<dyn Store>) -> Result<Arc<dyn Store>, Failure> {
        if let Some(tenant) = &self.tenant {
            let of = ensure_tenant(store.as_ref(), tenant).await;
            of.map_err(|error| Failure::Environment(format!("{}: {error}", self.url)))?;
        }
        Ok(store)
    }
}

/// A source, the tenant that its snapshot must be of, and the options that go with it.
pub(crate) struct Input {
    source: Source,
    tenant: Option<TenantId>,
    options: Option<PathBuf>,
    /// Where the configuration is managed that takes the place of the source's.
    managed: Option<Place>,
    /// Its store, where it is open already.
    store: Option<Arc<dyn Store>>,
}

impl Input {
    /// The source that is named, or that of the tenant.
    pub(crate) fn resolve(
        given: Option<&Source>,
        tenant: &TenantArgs,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let default = settings.tenant.as_deref().filter(|_| given.is_none());
        let id = tenant.tenant.as_deref().or(default);
        let own = id.map(|id| settings.of_tenant(id)).transpose()?;
        let source = given.cloned().or_else(|| own.and_then(|own| own.source.clone()));
        let source = source.ok_or_else(|| {
            Failure::Environment(match id {
                Some(id) => format!(
                    "tenant {id} has no source; name one (dir:FOLDER, …), or set source under [tenants.{id}] in \
                     powerfill.toml"
                ),
                None => "which source? Name one (dir:FOLDER, xlsx:FILE, sqlite:FILE, postgres://… or mssql://…), or a tenant that \
                         has one with --tenant ID"
                    .to_owned(),
            })
        })?;
        let options = own.and_then(|own| own.options.clone());
        let managed = id.map(|id| managed_by(id, settings)).transpose()?.flatten();
        Ok(Self { source, tenant: id.map(TenantId::from), options, managed, store: None })
    }

    /// The options of the tenant.
    pub(crate) fn options(&self) -> Option<&Path> {
        self.options.as_deref()
    }

    /// For the store that the snapshot goes to: its tenant's configuration is the one that counts.
    pub(crate) fn for_store(mut self, place: &Place, settings: &Settings) -> Result<Self, Failure> {
        if let Some(tenant) = &place.tenant {
            self.tenant = Some(tenant.clone());
            self.managed = managed_by(tenant.as_str(), settings)?;
        }
        Ok(self)
    }

    /// With the tenant's store, which is open already.
    #[must_use]
    pub(crate) fn through(self, store: Option<Arc<dyn Store>>) -> Self {
        Self { store, ..self }
    }

    /// The tables of the source, those of the managed configuration in the place of its own.
    fn raw(&self) -> Result<RawSnapshot, Failure> {
        let raw = self.source.read_and_note()?;
        let Some(place) = &self.managed else { return Ok(raw) };
        // Commands that only read wait for it.
        let reading = managed_tables(place, self.store.clone());
        let tables = tokio::task::block_in_place(|| Handle::current().block_on(reading))?;
        let too_large = |fault| Failure::Environment(format!("the configuration: {fault}"));
        tables.in_place_of_the_sources(raw).map_err(too_large)
    }

    /// Reads and validates the snapshot; the report where it is refused.
    pub(crate) fn validated(&self) -> Result<Result<Validated, FaultReport>, Failure> {
        let validated = validate(self.raw()?);
        if let Ok(validated) = &validated {
            self.must_be_the_tenants(&validated.snapshot)?;
        }
        Ok(validated)
    }

    /// The validated snapshot; warnings go to standard error.
    pub(crate) fn snapshot(&self) -> Result<Validated, Failure> {
        let validated = self.source.accepted(validate(self.raw()?))?;
        self.must_be_the_tenants(&validated.snapshot)?;
        Ok(validated)
    }

    fn must_be_the_tenants(&self, snapshot: &Snapshot) -> Result<(), Failure> {
        let found = TenantId::from(&snapshot.header.tenant_id);
        match &self.tenant {
            Some(tenant) if *tenant != found => Err(Failure::Environment(format!(
                "{} is a snapshot of tenant {found}, not of {tenant}; nothing was done",
                self.source
            ))),
            _ => Ok(()),
        }
    }
}

/// The store of a tenant that manages its configuration there.
fn managed_by(id: &str, settings: &Settings) -> Result<Option<Place>, Failure> {
    match settings.of_tenant(id)?.manages_configuration {
        true => Place::of_tenant(id, settings).map(Some),
        false => Ok(None),
    }
}

/// The configuration as it is now, which must not be empty.
async fn managed_tables(
    place: &Place,
    open: Option<Arc<dyn Store>>,
) -> Result<ConfigTables, Failure> {
    let store = match open {
        Some(store) => Some(store),
        None if place.url.is_there() => Some(place.open_existing().await?),
        None => None,
    };
    let tables = match store {
        Some(store) => read_configuration(store.as_ref(), ConfigAsOf::Now).await?.tables(),
        None => ConfigTables::default(),
    };
    if tables.is_empty() {
        let tenant = place.tenant.as_ref().map_or("", TenantId::as_str);
        return Err(Failure::Environment(format!(
            "tenant {tenant} manages its configuration in PowerFill, and it is empty; begin with `powerfill config \
             import SOURCE --tenant {tenant}`, or set configuration = \"source\" in powerfill.toml"
        )));
    }
    Ok(tables)
}
