//! The store and the source of a command: those of a tenant of `powerfill.toml`, or those of the
//! command line.
//!
//! A tenant's command never uses another tenant's data: a store with another tenant's events is
//! refused, and so is a snapshot of another tenant.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use powerfill_app::configure::{ConfigAsOf, read_configuration};
use powerfill_events::run::event::SourceProvenance;
use powerfill_events::values::TenantId;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::{Store, ensure_tenant};
use powerfill_snapshot::config::{ConfigTable, ConfigTables};
use powerfill_snapshot::{
    Fault, FaultReport, RawSnapshot, Severity, Snapshot, TableLimit, Validated, validate,
};
use powerfill_sqlserver::MssqlUrl;
use powerfill_tables::table::LargeTables;

use crate::args::{SourceArgs, StoreArgs, TenantArgs};
use crate::error::{CliError, CliResult};
use crate::output::print_note;
use crate::provenance;
use crate::report;
use crate::retention_policy::RetentionPolicy;
use crate::settings::{ProgramSettings, TenantSettings};
use crate::urls::{SourceUrl, StoreUrl};

/// A store, and the tenant to which it must belong, if that is known.
#[derive(Debug, Clone)]
pub(crate) struct TenantStore {
    url: StoreUrl,
    tenant: Option<Arc<TenantSettings>>,
    large_tables: LargeTables,
    certificate: bool,
    /// The policy that a worker carries out.
    archiving: Option<RetentionPolicy>,
}

impl TenantStore {
    /// The store of the command line, else that of the tenant. The default tenant of the file
    /// applies only if the command line names no store.
    pub(crate) fn resolve(args: &StoreArgs, settings: &ProgramSettings) -> CliResult<Self> {
        let url = args.store.as_ref().map(|url| url.parse::<StoreUrl>("--store")).transpose()?;
        let tenant = settings.select_tenant(args.tenant.tenant.as_deref(), url.is_none())?;
        let Some(url) = url else {
            return match tenant {
                Some(tenant) => Self::of_tenant(tenant),
                None => Self::without_tenant(settings),
            };
        };
        let owner = settings.owner_of(&url);
        match (tenant, owner) {
            (Some(tenant), Some(owner)) if tenant.id != owner.id => Err(CliError::environment(
                format!("{url} is not the store of tenant {}", tenant.id),
            )),
            _ => {
                let tenant = tenant.or(owner).cloned();
                let of_all = (settings.large_tables, settings.certificate);
                let (large_tables, certificate) =
                    tenant.as_ref().map_or(of_all, |own| (own.large_tables, own.certificate));
                Ok(Self { url, tenant, large_tables, certificate, archiving: None })
            }
        }
    }

    fn without_tenant(settings: &ProgramSettings) -> CliResult<Self> {
        if !settings.tenants.is_empty() {
            return Err(CliError::environment(
                "which tenant? Choose one with --tenant ID or POWERFILL_TENANT, or set tenant = \
                 \"ID\" in powerfill.toml",
            ));
        }
        let default = || StoreUrl::Sqlite("powerfill.db".into());
        let url = settings.store.clone().unwrap_or_else(default);
        let ProgramSettings { large_tables, certificate, .. } = *settings;
        Ok(Self { url, tenant: None, large_tables, certificate, archiving: None })
    }

    /// The store of a tenant.
    pub(crate) fn of_tenant(tenant: &Arc<TenantSettings>) -> CliResult<Self> {
        let TenantSettings { large_tables, certificate, .. } = **tenant;
        let (url, tenant) = (tenant.store_url()?, Some(Arc::clone(tenant)));
        Ok(Self { url, tenant, large_tables, certificate, archiving: None })
    }

    /// The stores of all tenants, or the one that [`TenantStore::resolve`] finds.
    pub(crate) fn resolve_all(
        all_tenants: bool,
        args: &StoreArgs,
        settings: &ProgramSettings,
    ) -> CliResult<Vec<Self>> {
        if !all_tenants {
            return Self::resolve(args, settings).map(|store| vec![store]);
        }
        if settings.tenants.is_empty() {
            return Err(CliError::environment(
                "--all-tenants: powerfill.toml has no tenants; write [tenants.ID] with a store",
            ));
        }
        settings.tenants.values().map(Self::of_tenant).collect()
    }

    /// With the large tables of the command line, if it says anything about them.
    pub(crate) fn with_large_tables(self, given: Option<LargeTables>) -> Self {
        Self { large_tables: given.unwrap_or(self.large_tables), ..self }
    }

    /// What the store gets of large tables.
    pub(crate) const fn large_tables(&self) -> LargeTables {
        self.large_tables
    }

    /// With what the command line says about certificates, if it says anything.
    pub(crate) fn with_certificate(self, given: Option<bool>) -> Self {
        Self { certificate: given.unwrap_or(self.certificate), ..self }
    }

    /// Whether runs get certificates.
    pub(crate) const fn certificate(&self) -> bool {
        self.certificate
    }

    pub(crate) const fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// The settings of the tenant.
    pub(crate) fn tenant(&self) -> Option<&TenantSettings> {
        self.tenant.as_deref()
    }

    /// The tenant to which the store must belong.
    pub(crate) fn tenant_id(&self) -> Option<&TenantId> {
        self.tenant().map(|tenant| &tenant.id)
    }

    /// How long runs stay in the store.
    pub(crate) fn retention<'a>(&'a self, settings: &'a ProgramSettings) -> &'a RetentionPolicy {
        self.tenant().map_or(&settings.retention, |tenant| &tenant.retention)
    }

    /// With the policy of the settings for a worker to carry out, if they have one.
    pub(crate) fn with_archiving(self, settings: &ProgramSettings) -> CliResult<Self> {
        let archiving = self.retention(settings).carried_out(self.tenant_id())?;
        Ok(Self { archiving, ..self })
    }

    /// The policy that a worker carries out.
    pub(crate) const fn archiving(&self) -> Option<&RetentionPolicy> {
        self.archiving.as_ref()
    }

    /// The database to which the tenant's outputs are published.
    pub(crate) fn publish_url(&self) -> CliResult<Option<MssqlUrl>> {
        self.tenant().map_or(Ok(None), TenantSettings::publish_url)
    }

    /// Opens the store, and creates it if it does not exist.
    pub(crate) async fn open(&self) -> CliResult<Arc<dyn Store>> {
        Ok(self.open_whole().await?)
    }

    /// As [`TenantStore::open`], to verify parts of it and to write evidence too.
    pub(crate) async fn open_whole(&self) -> CliResult<Arc<dyn CopyStore>> {
        self.checked(self.url.open().await?).await
    }

    /// Opens a store that exists.
    pub(crate) async fn open_existing(&self) -> CliResult<Arc<dyn CopyStore>> {
        self.checked(self.url.open_existing().await?).await
    }

    /// Opens a store that exists for a command that only reads.
    pub(crate) async fn open_for_reading(&self) -> CliResult<Arc<dyn CopyStore>> {
        self.checked(self.url.open_for_reading().await?).await
    }

    async fn checked<S: Store + ?Sized>(&self, store: Arc<S>) -> CliResult<Arc<S>> {
        if let Some(tenant) = self.tenant_id() {
            let ensured = ensure_tenant(store.as_ref(), tenant).await;
            ensured.map_err(|error| CliError::context(self.url.to_string(), error))?;
        }
        Ok(store)
    }
}

/// A source, with the tenant to which its snapshot must belong.
pub(crate) struct SnapshotInput {
    source: SourceUrl,
    /// The mapping file of the source.
    mapping: Option<PathBuf>,
    /// The default options of the tenant that has the source.
    options: Option<PathBuf>,
    /// The tenant of the snapshot. If it manages its configuration, that overrides the source's.
    tenant: Option<Arc<TenantSettings>>,
    /// The tenant's store, if it is open.
    open_store: Option<Arc<dyn Store>>,
    /// Whether a refusal prints every fault in a line of its own.
    reports_all: bool,
    /// The largest table that is read. A larger one is a fault.
    limit: TableLimit,
}

impl SnapshotInput {
    /// The source of the command line, else that of the tenant.
    pub(crate) fn resolve(
        given: &SourceArgs,
        args: &TenantArgs,
        settings: &ProgramSettings,
    ) -> CliResult<Self> {
        let source = given.source.as_ref();
        let tenant = settings.select_tenant(args.tenant.as_deref(), source.is_none())?;
        let own_mapping = || tenant.filter(|_| source.is_none())?.mapping.clone();
        let own_source = || tenant.and_then(|tenant| tenant.source.clone());
        let source = source.map(|url| url.parse("SOURCE")).transpose()?;
        let source = source.or_else(own_source);
        let missing = || missing_source(tenant);
        Ok(Self {
            source: source.ok_or_else(missing)?,
            mapping: given.mapping.clone().or_else(own_mapping),
            options: tenant.and_then(|tenant| tenant.options.clone()),
            tenant: tenant.cloned(),
            open_store: None,
            reports_all: false,
            limit: TableLimit::default(),
        })
    }

    /// The source of a tenant.
    pub(crate) fn of_tenant(tenant: &Arc<TenantSettings>) -> CliResult<Self> {
        Ok(Self {
            source: tenant.source.clone().ok_or_else(|| missing_source(Some(tenant)))?,
            mapping: tenant.mapping.clone(),
            options: tenant.options.clone(),
            tenant: Some(Arc::clone(tenant)),
            open_store: None,
            reports_all: false,
            limit: TableLimit::default(),
        })
    }

    /// Refuses larger tables: a process that serves several tenants must not run out of memory for
    /// one of them.
    #[must_use]
    pub(crate) fn within(self, limit: TableLimit) -> Self {
        Self { limit, ..self }
    }

    pub(crate) const fn source(&self) -> &SourceUrl {
        &self.source
    }

    /// The default options of the tenant.
    pub(crate) fn options(&self) -> Option<&Path> {
        self.options.as_deref()
    }

    /// Makes the tenant of a store, if it has one, the tenant of the snapshot.
    #[must_use]
    pub(crate) fn for_store(mut self, store: &TenantStore) -> Self {
        if let Some(tenant) = &store.tenant {
            self.tenant = Some(Arc::clone(tenant));
        }
        self
    }

    /// Uses the tenant's store, which is open already, for its managed configuration.
    #[must_use]
    pub(crate) fn with_open_store(self, open_store: Option<Arc<dyn Store>>) -> Self {
        Self { open_store, ..self }
    }

    /// Prints every fault of a refusal in a line of its own if `all`.
    #[must_use]
    pub(crate) fn reporting_all(self, all: bool) -> Self {
        Self { reports_all: all, ..self }
    }

    /// Reads the tables of the source, overridden by those of the managed configuration.
    async fn read(&self) -> CliResult<RawSnapshot> {
        // Before the tables: a file that changes in between is then seen to be newer.
        let provenance = provenance::of_source(&self.source);
        let mut raw = self.source.read_with_notes(self.mapping.as_deref(), self.limit).await?;
        let managing = self.tenant.as_ref().filter(|tenant| tenant.manages_configuration);
        let Some(tenant) = managing else {
            raw.provenance = Some(provenance);
            return Ok(raw);
        };
        let (tables, version) = managed_tables(tenant, self.open_store.clone()).await?;
        let configuration_version = Some(version);
        raw.provenance = Some(SourceProvenance { configuration_version, ..provenance });
        let too_large = |error| CliError::context("the configuration", error);
        tables.override_source_tables(raw).map_err(too_large)
    }

    /// Reads and validates the snapshot; returns the report if it is rejected.
    pub(crate) async fn validated(&self) -> CliResult<Result<Validated, FaultReport>> {
        let validated = match self.read().await {
            Err(CliError::Faults { report, .. }) => Err(report),
            read => validate(read?),
        };
        if let Ok(validated) = &validated {
            self.ensure_tenant(&validated.snapshot)?;
        }
        Ok(validated)
    }

    /// The validated snapshot.
    pub(crate) async fn accepted(&self) -> CliResult<Validated> {
        let validated = validate(self.read().await?).map_err(|report| {
            let what = match self.managed_tables_at_fault(&report) {
                None => format!("{} is refused", self.source),
                Some((id, true)) => format!(
                    "the managed configuration of tenant {id} does not fit {}: change it with \
                     `powerfill config`",
                    self.source
                ),
                Some((id, false)) => format!(
                    "{} and the managed configuration of tenant {id} (see `powerfill config`) are \
                     refused",
                    self.source
                ),
            };
            CliError::Faults { what, report, all: self.reports_all }
        })?;
        self.ensure_tenant(&validated.snapshot)?;
        Ok(validated)
    }

    /// The validated snapshot; prints its warnings on standard error.
    pub(crate) async fn snapshot(&self) -> CliResult<Validated> {
        let validated = self.accepted().await?;
        if !validated.warnings.is_empty() {
            let count = validated.warnings.warnings();
            print_note(format_args!(
                "note: {count} warnings; `powerfill check {}` lists them\n",
                self.source
            ));
            print_note(report::text(&validated.warnings, self.reports_all));
        }
        Ok(validated)
    }

    /// The tenant whose managed configuration has faults, and whether all faults are there.
    pub(crate) fn managed_tables_at_fault(
        &self,
        report: &FaultReport,
    ) -> Option<(&TenantId, bool)> {
        let tenant = self.tenant.as_ref().filter(|tenant| tenant.manages_configuration)?;
        let errors = || report.faults.iter().filter(|fault| fault.severity == Severity::Error);
        let is_managed = |fault: &Fault| ConfigTable::named(&fault.table).is_some();
        errors().any(is_managed).then(|| (&tenant.id, errors().all(is_managed)))
    }

    /// Says on standard error that tables with faults are not those of the source.
    pub(crate) fn note_managed_tables(&self, report: &FaultReport) {
        if let Some((id, _)) = self.managed_tables_at_fault(report) {
            let names = ConfigTable::ALL.map(ConfigTable::name).join(", ");
            eprintln!(
                "note: {names} are those of the configuration that tenant {id} manages in \
                 PowerFill, not those of the source: change them with `powerfill config`"
            );
        }
    }

    fn ensure_tenant(&self, snapshot: &Snapshot) -> CliResult<()> {
        let found = TenantId::from(&snapshot.header.tenant_id);
        ensure_same_tenant(&self.source, self.tenant.as_ref().map(|tenant| &tenant.id), &found)
    }
}

/// Refuses a snapshot of another tenant.
pub(crate) fn ensure_same_tenant(
    source: &SourceUrl,
    expected: Option<&TenantId>,
    found: &TenantId,
) -> CliResult<()> {
    match expected {
        Some(expected) if expected != found => Err(CliError::environment(format!(
            "{source} is a snapshot of tenant {found}, not of {expected}; nothing was done"
        ))),
        _ => Ok(()),
    }
}

/// No source was given, and the tenant, if there is one, has none.
pub(crate) fn missing_source(tenant: Option<&Arc<TenantSettings>>) -> CliError {
    CliError::environment(match tenant.map(|tenant| &tenant.id) {
        Some(id) => format!(
            "tenant {id} has no source; name one (dir:FOLDER, …), or set source under \
             [tenants.{id}] in powerfill.toml"
        ),
        None => "which source? Name one (dir:FOLDER, xlsx:FILE, sqlite:FILE, postgres://…, or \
                 mssql://…), or a tenant that has one with --tenant ID"
            .to_owned(),
    })
}

/// The tenant's current configuration, which must not be empty, and its version.
async fn managed_tables(
    tenant: &Arc<TenantSettings>,
    open_store: Option<Arc<dyn Store>>,
) -> CliResult<(ConfigTables, u64)> {
    let store = match open_store {
        Some(store) => Some(store),
        None => {
            let store = TenantStore::of_tenant(tenant)?;
            match store.url.may_exist() {
                true => Some(store.open_for_reading().await? as Arc<dyn Store>),
                false => None,
            }
        }
    };
    let (tables, version) = match store {
        Some(store) => {
            let state = read_configuration(store.as_ref(), ConfigAsOf::Now).await?;
            (state.tables(), state.version())
        }
        None => (ConfigTables::default(), 0),
    };
    if tables.is_empty() {
        let id = &tenant.id;
        return Err(CliError::environment(format!(
            "tenant {id} manages its configuration in PowerFill, and it is empty; begin with \
             `powerfill config import SOURCE --tenant {id}`, or set configuration = \"source\" in \
             powerfill.toml"
        )));
    }
    Ok((tables, version))
}
