//! Settings from `powerfill.toml` in the working folder, behind flags and `POWERFILL_*`.
//!
//! The file may hold passwords, so that nothing of its text is repeated in a message: names and
//! line numbers are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use powerfill_sqlserver::MssqlUrl;
use toml::{Table, Value};

use crate::failure::Failure;
use crate::places::{Source, StoreUrl, TargetUrl};

const FILE: &str = "powerfill.toml";

/// What `powerfill.toml` can set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// The store, as `--store`; not beside tenants.
    pub(crate) store: Option<String>,
    /// Who runs are asked for by, as `--requested-by`.
    pub(crate) requested_by: Option<String>,
    /// Where NATS is, as `--nats`; may hold a password.
    #[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "a build without the relay"))]
    pub(crate) nats: Option<String>,
    /// The tenant where none is given, as `--tenant`.
    pub(crate) tenant: Option<String>,
    /// Tenants by id.
    pub(crate) tenants: BTreeMap<String, Tenant>,
}

/// A tenant: a store of its own, and where its snapshots come from.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    store: String,
    /// The source of `run`, `check`, `preflight` and `preprocess` where none is given.
    pub(crate) source: Option<Source>,
    /// The run options where no `--options` is given.
    pub(crate) options: Option<PathBuf>,
    /// Whether the configuration is the one that is managed in the store, instead of the source's.
    pub(crate) manages_configuration: bool,
    /// A file with the password of the store, where its URL has none.
    password_file: Option<PathBuf>,
    /// Where its outputs are published; may hold a password.
    publish: Option<String>,
    /// A file with the password of that place, where its URL has none.
    publish_password_file: Option<PathBuf>,
}

impl Tenant {
    /// Where the store is; its password is read now.
    pub(crate) fn store(&self) -> Result<StoreUrl, Failure> {
        let password = secret("password_file", self.password_file.as_deref())?;
        StoreUrl::with_password(&self.store, password.as_deref()).readable("store")
    }

    /// Where its outputs are published; the password is read now.
    pub(crate) fn publishes_to(&self) -> Result<Option<MssqlUrl>, Failure> {
        let Some(url) = &self.publish else { return Ok(None) };
        let password = secret("publish_password_file", self.publish_password_file.as_deref())?;
        TargetUrl::with_password(url, password.as_deref()).readable("publish").map(Some)
    }

    /// Where the store is, without its password: to compare.
    fn store_place(&self) -> StoreUrl {
        StoreUrl::with_password(&self.store, None)
    }
}

/// The password in a file.
fn secret(setting: &str, file: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Environment(format!("{setting} {}: {error}", file.display())))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

impl Settings {
    pub(crate) fn read() -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(Path::new(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Failure::Environment(format!("cannot read {FILE}: {error}"))),
        };
        let table = text.parse::<Table>().map_err(|fault| {
            let before = fault.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count() + 1;
            wrong(&format!("line {line}"), fault.message())
        })?;
        Self::from_table(table)
    }

    fn from_table(mut table: Table) -> Result<Self, Failure> {
        let tenants = match table.remove("tenants") {
            None => Table::new(),
            Some(Value::Table(tenants)) => tenants,
            Some(_) => return Err(wrong("tenants", "write [tenants.ID] with store = \"…\"")),
        };
        let text = |table: &mut Table, name| text(table, name, name);
        let settings = Self {
            store: text(&mut table, "store")?,
            requested_by: text(&mut table, "requested_by")?,
            nats: text(&mut table, "nats")?,
            tenant: text(&mut table, "tenant")?,
            tenants: tenants
                .into_iter()
                .map(|(id, tenant)| Ok((id.clone(), self::tenant(&id, tenant)?)))
                .collect::<Result<_, Failure>>()?,
        };
        nothing_else(&table, "", "store, requested_by, nats, tenant and [tenants.ID]")?;
        settings.make_sense()
    }

    fn make_sense(self) -> Result<Self, Failure> {
        if self.store.is_some() && !self.tenants.is_empty() {
            return Err(wrong("store", "stands beside [tenants]; give each tenant its store"));
        }
        if let Some(id) = &self.tenant {
            self.of_tenant(id)?;
        }
        let stores: Vec<(&String, StoreUrl)> =
            self.tenants.iter().map(|(id, tenant)| (id, tenant.store_place())).collect();
        for (at, (id, store)) in stores.iter().enumerate() {
            if let StoreUrl::Unreadable(fault) = store {
                return Err(wrong(&format!("tenants.{id}.store"), fault));
            }
            if let Some((other, _)) = stores[..at].iter().find(|(_, other)| store.is_same(other)) {
                let what =
                    format!("is also the store of tenant {other}; each tenant has one of its own");
                return Err(wrong(&format!("tenants.{id}.store"), &what));
            }
        }
        Ok(self)
    }

    /// What the file says of a tenant.
    pub(crate) fn of_tenant(&self, id: &str) -> Result<&Tenant, Failure> {
        self.tenants.get(id).ok_or_else(|| {
            let missing = format!("no tenant {id}; write [tenants.{id}] with store = \"sqlite:FILE\" or \"postgres://…\"");
            Failure::Environment(format!("{FILE} has {missing}"))
        })
    }

    /// Whose store this is, by the file.
    pub(crate) fn owner_of(&self, store: &StoreUrl) -> Option<&str> {
        let mut tenants = self.tenants.iter();
        tenants.find(|(_, tenant)| tenant.store_place().is_same(store)).map(|(id, _)| id.as_str())
    }

    /// Who asks: the flag or variable, the file, the user of the machine.
    pub(crate) fn requested_by(&self, given: Option<&str>) -> String {
        let user = || std::env::var("USER").ok().filter(|user| !user.is_empty());
        given
            .map(str::to_owned)
            .or_else(|| self.requested_by.clone())
            .or_else(user)
            .unwrap_or_else(|| "powerfill".to_owned())
    }
}

fn wrong(place: &str, what: &str) -> Failure {
    Failure::Environment(format!("{FILE}, {place}: {what}"))
}

/// Takes a text out of a table.
fn text(table: &mut Table, name: &str, place: &str) -> Result<Option<String>, Failure> {
    match table.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(wrong(place, "a text in quotes is wanted here")),
    }
}

fn nothing_else(left: &Table, prefix: &str, known: &str) -> Result<(), Failure> {
    match left.keys().next() {
        Some(name) => {
            Err(wrong(&format!("{prefix}{name}"), &format!("no such setting; there are {known}")))
        }
        None => Ok(()),
    }
}

fn tenant(id: &str, value: Value) -> Result<Tenant, Failure> {
    let prefix = format!("tenants.{id}.");
    let Value::Table(mut table) = value else {
        return Err(wrong(&format!("tenants.{id}"), "write [tenants.ID] with store = \"…\""));
    };
    let mut text = |name| text(&mut table, name, &format!("{prefix}{name}"));
    let (store, source) = (text("store")?, text("source")?);
    let (options, password_file) = (text("options")?, text("password_file")?);
    let (publish, publish_password_file) = (text("publish")?, text("publish_password_file")?);
    let manages_configuration = match text("configuration")?.as_deref() {
        None | Some("source") => false,
        Some("managed") => true,
        Some(_) => {
            let what = "is \"managed\" (changed with `powerfill config`) or \"source\" (read from the source)";
            return Err(wrong(&format!("{prefix}configuration"), what));
        }
    };
    let missing =
        || wrong(&format!("{prefix}store"), "is missing; a tenant has a store of its own");
    let source = source.map(|source| {
        source.parse::<Source>().map_err(|fault| wrong(&format!("{prefix}source"), &fault))
    });
    if let Some(url) = &publish {
        let readable =
            TargetUrl::with_password(url, None).readable(&format!("{FILE}, {prefix}publish"));
        readable?;
    }
    let known =
        "store, source, options, configuration, password_file, publish and publish_password_file";
    nothing_else(&table, &prefix, known)?;
    Ok(Tenant {
        store: store.ok_or_else(missing)?,
        source: source.transpose()?,
        options: options.map(PathBuf::from),
        manages_configuration,
        password_file: password_file.map(PathBuf::from),
        publish,
        publish_password_file: publish_password_file.map(PathBuf::from),
    })
}
