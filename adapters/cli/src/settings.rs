//! Settings from `powerfill.toml` in the working folder. Flags and `POWERFILL_*` variables take
//! precedence.
//!
//! The file may contain passwords, so messages have names and line numbers, but never its text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use powerfill_events::values::TenantId;
use powerfill_sqlserver::MssqlUrl;
use powerfill_tables::table::LargeTables;
use toml::{Table, Value};

use crate::args::{LargeTablesArg, visible_name};
use crate::error::{CliError, CliResult};
use crate::retention_policy::RetentionPolicy;
use crate::urls::{LocationUrl, SourceUrl, StoreUrl, TargetUrl};

const FILE: &str = "powerfill.toml";
/// The setting that allows `adopt`.
pub(crate) const ALLOW_ADOPTION: &str = "allow_adoption";
const TENANT_FORM: &str = "write [tenants.ID] with store = \"…\"";

/// The content of `powerfill.toml`.
#[derive(Debug, Clone)]
pub(crate) struct ProgramSettings {
    /// As `--store`; only without tenants.
    pub(crate) store: Option<StoreUrl>,
    /// How long runs stay in the store.
    pub(crate) retention: RetentionPolicy,
    /// As `--requested-by`.
    requested_by: Option<String>,
    /// As `--nats`; may contain a password.
    #[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "a build without the relay"))]
    pub(crate) nats: Option<String>,
    /// The default of `--tenant`.
    tenant: Option<String>,
    /// As `--large-tables`, for tenants that do not say it.
    pub(crate) large_tables: LargeTables,
    /// Whether runs get certificates, for tenants that do not say it.
    pub(crate) certificate: bool,
    /// Whether `adopt` is allowed, for tenants that do not say it.
    pub(crate) allows_adoption: bool,
    /// Tenants by id.
    pub(crate) tenants: BTreeMap<String, Arc<TenantSettings>>,
}

#[derive(Debug)]
pub(crate) struct TenantSettings {
    pub(crate) id: TenantId,
    /// The store, without a password from elsewhere.
    store: StoreUrl,
    /// The default source.
    pub(crate) source: Option<SourceUrl>,
    /// The default of `--mapping`, for the default source.
    pub(crate) mapping: Option<PathBuf>,
    /// The default of `--options`.
    pub(crate) options: Option<PathBuf>,
    /// How long runs stay in the store.
    pub(crate) retention: RetentionPolicy,
    /// Whether the managed configuration overrides that of the source.
    pub(crate) manages_configuration: bool,
    /// As `--large-tables`.
    pub(crate) large_tables: LargeTables,
    /// Whether runs get certificates.
    pub(crate) certificate: bool,
    /// Whether `adopt` is allowed.
    pub(crate) allows_adoption: bool,
    /// A file with the password of the store.
    password_file: Option<PathBuf>,
    /// The database to which outputs are published, without a password from elsewhere.
    publish: Option<TargetUrl>,
    /// A file with the password of that database.
    publish_password_file: Option<PathBuf>,
}

impl TenantSettings {
    /// The store's URL. Reads the password file.
    pub(crate) fn store_url(&self) -> CliResult<StoreUrl> {
        let password = read_password("password_file", self.password_file.as_deref())?;
        Ok(self.store.clone().or_password(password.as_deref()))
    }

    /// The URL of the database to which outputs are published. Reads the password file.
    pub(crate) fn publish_url(&self) -> CliResult<Option<MssqlUrl>> {
        let Some(url) = &self.publish else { return Ok(None) };
        let file = self.publish_password_file.as_deref();
        let password = read_password("publish_password_file", file)?;
        Ok(Some(url.clone().or_password(password.as_deref()).0))
    }

    /// A tenant of a store and a source on this machine, without a file of settings.
    pub(crate) fn local(id: TenantId, store: StoreUrl, source: SourceUrl) -> Self {
        Self {
            id,
            store,
            source: Some(source),
            mapping: None,
            options: None,
            retention: RetentionPolicy::default(),
            manages_configuration: false,
            large_tables: LargeTables::Built,
            certificate: true,
            allows_adoption: false,
            password_file: None,
            publish: None,
            publish_password_file: None,
        }
    }

    fn parse(id: &str, value: Value, default: &ProgramSettings) -> CliResult<Self> {
        let prefix = format!("tenants.{id}.");
        let Value::Table(mut table) = value else {
            return Err(invalid(&format!("tenants.{id}"), TENANT_FORM));
        };
        let at = |name: &str| format!("{prefix}{name}");
        let retention = RetentionPolicy::parse(&mut table, &prefix, Some(&default.retention))?;
        let certificate = flag(&mut table, &at("certificate"))?;
        let allows_adoption = flag(&mut table, &at(ALLOW_ADOPTION))?;
        let mut text = |name| text(&mut table, name, &at(name));
        let missing = || invalid(&at("store"), "is missing; each tenant needs a store of its own");
        let store: StoreUrl = url(text("store")?, &at("store"))?.ok_or_else(missing)?;
        let source: Option<SourceUrl> = url(text("source")?, &at("source"))?;
        let publish: Option<TargetUrl> = url(text("publish")?, &at("publish"))?;
        let (options, password_file) = (text("options")?, text("password_file")?);
        let mapping = text("mapping")?;
        let publish_password_file = text("publish_password_file")?;
        let large_tables = large_tables(text("large_tables")?, &at("large_tables"))?;
        let manages_configuration = match text("configuration")?.as_deref() {
            None | Some("source") => false,
            Some("managed") => true,
            Some(_) => {
                let message = "must be \"managed\" (changed with `powerfill config`) or \"source\" \
                               (read from the source)";
                return Err(invalid(&at("configuration"), message));
            }
        };
        let known = "store, source, mapping, options, configuration, keep_years, \
                     keep_scenario_days, archive, large_tables, certificate, allow_adoption, \
                     password_file, publish, and publish_password_file";
        reject_unknown(&table, &prefix, known)?;
        Ok(Self {
            id: TenantId::from(id),
            store,
            source: source.map(|source| source.or_password(None)),
            mapping: mapping.map(PathBuf::from),
            options: options.map(PathBuf::from),
            manages_configuration,
            retention,
            large_tables: large_tables.unwrap_or(default.large_tables),
            certificate: certificate.unwrap_or(default.certificate),
            allows_adoption: allows_adoption.unwrap_or(default.allows_adoption),
            password_file: password_file.map(PathBuf::from),
            publish,
            publish_password_file: publish_password_file.map(PathBuf::from),
        })
    }
}

/// A setting that is true or false, whose name is the end of its path.
fn flag(table: &mut Table, path: &str) -> CliResult<Option<bool>> {
    let name = path.rsplit('.').next().unwrap_or(path);
    match table.remove(name) {
        None => Ok(None),
        Some(Value::Boolean(flag)) => Ok(Some(flag)),
        Some(_) => Err(invalid(path, "must be true or false, without quotes")),
    }
}

fn read_password(setting: &str, file: Option<&Path>) -> CliResult<Option<String>> {
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(file)
        .map_err(|error| CliError::context(format!("{setting} {}", file.display()), error))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

impl ProgramSettings {
    /// Reads the file, if there is one.
    pub(crate) fn read() -> CliResult<Self> {
        let text = match std::fs::read_to_string(Path::new(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Self::parse(Table::new());
            }
            Err(error) => return Err(CliError::context(format!("cannot read {FILE}"), error)),
        };
        let table = text.parse::<Table>().map_err(|error| {
            let before = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count() + 1;
            invalid(&format!("line {line}"), error.message())
        })?;
        Self::parse(table)
    }

    fn parse(mut table: Table) -> CliResult<Self> {
        let tenants = match table.remove("tenants") {
            None => Table::new(),
            Some(Value::Table(tenants)) => tenants,
            Some(_) => return Err(invalid("tenants", TENANT_FORM)),
        };
        let text = |table: &mut Table, name| text(table, name, name);
        let store: Option<StoreUrl> = url(text(&mut table, "store")?, "store")?;
        let large_tables = large_tables(text(&mut table, "large_tables")?, "large_tables")?;
        let retention = RetentionPolicy::parse(&mut table, "", None)?;
        let mut settings = Self {
            store: store.map(|store| store.or_password(None)),
            requested_by: text(&mut table, "requested_by")?
                .map(|name| visible_name(&name))
                .transpose()
                .map_err(|reason| invalid("requested_by", &reason))?,
            nats: text(&mut table, "nats")?,
            tenant: text(&mut table, "tenant")?,
            large_tables: large_tables.unwrap_or_default(),
            certificate: flag(&mut table, "certificate")?.unwrap_or(true),
            allows_adoption: flag(&mut table, ALLOW_ADOPTION)?.unwrap_or_default(),
            tenants: BTreeMap::new(),
            retention,
        };
        let parsed = tenants.into_iter().map(|(id, tenant)| {
            let tenant = TenantSettings::parse(&id, tenant, &settings)?;
            Ok((id, Arc::new(tenant)))
        });
        settings.tenants = parsed.collect::<CliResult<_>>()?;
        let known = "store, keep_years, keep_scenario_days, archive, requested_by, nats, tenant, \
                     large_tables, certificate, allow_adoption, and [tenants.ID]";
        reject_unknown(&table, "", known)?;
        settings.check()?;
        Ok(settings)
    }

    /// Checks rules that concern several settings.
    fn check(&self) -> CliResult<()> {
        if self.store.is_some() && !self.tenants.is_empty() {
            let message = "is not allowed together with [tenants]; give each tenant its store";
            return Err(invalid("store", message));
        }
        if self.retention.folder.is_some() && !self.tenants.is_empty() {
            let message = "is not allowed together with [tenants]; give each tenant its folder";
            return Err(invalid("archive", message));
        }
        if let Some(id) = &self.tenant {
            self.tenant(id)?;
        }
        let tenants: Vec<_> = self.tenants.iter().collect();
        for (at, (id, tenant)) in tenants.iter().enumerate() {
            let earlier = tenants[..at].iter();
            let same = earlier.clone().find(|(_, other)| tenant.store.is_same(&other.store));
            if let Some((other, _)) = same {
                let message =
                    format!("is also the store of tenant {other}; each tenant needs its own");
                return Err(invalid(&format!("tenants.{id}.store"), &message));
            }
        }
        Ok(())
    }

    /// The tenant with this id.
    pub(crate) fn tenant(&self, id: &str) -> CliResult<&Arc<TenantSettings>> {
        self.tenants.get(id).ok_or_else(|| {
            CliError::environment(format!(
                "{FILE} has no tenant {id}; write [tenants.{id}] with store = \"sqlite:FILE\" or \
                 \"postgres://…\""
            ))
        })
    }

    /// The tenant of the flag or variable, else the file's default if that applies.
    pub(crate) fn select_tenant(
        &self,
        id: Option<&str>,
        default_applies: bool,
    ) -> CliResult<Option<&Arc<TenantSettings>>> {
        let default = self.tenant.as_deref().filter(|_| default_applies);
        id.or(default).map(|id| self.tenant(id)).transpose()
    }

    /// The tenant that has this store.
    pub(crate) fn owner_of(&self, store: &StoreUrl) -> Option<&Arc<TenantSettings>> {
        self.tenants.values().find(|tenant| tenant.store.is_same(store))
    }

    /// The person who requests a run or a change: from the flag or variable, the file, or the
    /// operating system.
    pub(crate) fn requested_by(&self, argument: Option<&str>) -> String {
        let variable = || std::env::var("USER").ok().filter(|user| !user.is_empty());
        // Timers and containers have no such variable.
        let user = || variable().or_else(|| whoami::username().ok());
        argument
            .map(str::to_owned)
            .or_else(|| self.requested_by.clone())
            .or_else(user)
            .unwrap_or_else(|| "unknown user".to_owned())
    }
}

pub(crate) fn invalid(setting: &str, message: &str) -> CliError {
    CliError::environment(format!("{FILE}, {setting}: {message}"))
}

/// Parses a URL of the file; the message of an error does not contain it.
fn url<U: LocationUrl>(text: Option<String>, setting: &str) -> CliResult<Option<U>> {
    let url = text.map(|text| text.parse::<U>()).transpose();
    url.map_err(|error| CliError::context(format!("{FILE}, {setting}"), error))
}

/// Reads what a store gets of large tables.
fn large_tables(text: Option<String>, setting: &str) -> CliResult<Option<LargeTables>> {
    let read = |text: String| {
        let message = "must be \"built\" (from events, when they are read) or \"stored\" (as rows)";
        let known = LargeTablesArg::from_str(&text, false);
        known.map(LargeTables::from).map_err(|_| invalid(setting, message))
    };
    text.map(read).transpose()
}

/// Removes a text from a table.
pub(crate) fn text(table: &mut Table, name: &str, setting: &str) -> CliResult<Option<String>> {
    match table.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(invalid(setting, "must be a text in quotes")),
    }
}

fn reject_unknown(rest: &Table, prefix: &str, known: &str) -> CliResult<()> {
    match rest.keys().next() {
        Some(name) => {
            let message = format!("there is no such setting; the settings are {known}");
            Err(invalid(&format!("{prefix}{name}"), &message))
        }
        None => Ok(()),
    }
}
