//! The URLs of sources, stores, comparisons, and publishing targets (specification 4.1).
//!
//! A password comes from the URL, else from a password file, else from the environment.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use powerfill_evidence::EvidenceStore;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::{StoreError, StoreResult};
use powerfill_postgres::{PostgresStore, PostgresUrl, PostgresUrlError};
use powerfill_sqlite::SqliteStore;
use powerfill_sqlserver::{MssqlUrl, MssqlUrlError};

use crate::error::{CliError, CliResult};

/// A URL on the command line. It may contain a password, so it is parsed by the command and not by
/// clap, which prints the values that it rejects.
#[derive(Clone)]
pub(crate) struct UrlText(String);

impl FromStr for UrlText {
    type Err = Infallible;
    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.to_owned()))
    }
}

impl fmt::Debug for UrlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlText").finish_non_exhaustive()
    }
}

impl UrlText {
    /// The text, if it has no scheme: the name of a run, which may stand in the place of a URL.
    pub(crate) fn without_scheme(&self) -> Option<&str> {
        (!self.0.contains(':')).then_some(self.0.as_str())
    }

    /// Parses the URL of this argument; the password may come from the environment.
    pub(crate) fn parse<U: LocationUrl>(&self, argument: &str) -> CliResult<U> {
        let url = self.0.parse::<U>().map_err(|error| CliError::context(argument, error))?;
        Ok(url.or_password(None))
    }
}

/// The URL of a file or a server that a command uses.
pub(crate) trait LocationUrl: FromStr<Err = UrlError> {
    /// Sets the password if the URL needs one and has none: this one, or else that of the
    /// environment.
    #[must_use]
    fn or_password(self, password: Option<&str>) -> Self;
}

/// Why a text is not a URL of the expected kind. The message never contains the text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UrlError {
    #[error(
        "a source is dir:FOLDER (CSV files), xlsx:FILE (a workbook), sqlite:FILE, mismo:PATH \
         (MISMO messages), postgres://USER@HOST/DATABASE, or mssql://USER@HOST/DATABASE"
    )]
    Source,
    #[error(
        "a store is sqlite:FILE or postgres://USER@HOST/DATABASE; evidence to read is evidence:FILE"
    )]
    Store,
    #[error(
        "compare with run:RUN, evidence:FILE, dir:FOLDER, xlsx:FILE, or mssql://USER@HOST/DATABASE"
    )]
    Comparison,
    #[error(transparent)]
    Postgres(#[from] PostgresUrlError),
    #[error(transparent)]
    SqlServer(#[from] MssqlUrlError),
}

/// Splits `scheme:rest`; `None` if one of the two is empty.
fn split(url: &str) -> Option<(&str, &str)> {
    url.split_once(':').filter(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
}

fn postgres_password(url: PostgresUrl, password: Option<&str>) -> PostgresUrl {
    let environment = std::env::var("PGPASSWORD").ok();
    url.or_password(password.or(environment.as_deref()))
}

fn mssql_password(url: MssqlUrl, password: Option<&str>) -> MssqlUrl {
    let environment = std::env::var("MSSQL_PASSWORD").ok();
    url.or_password(password.or(environment.as_deref()))
}

/// The URL of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceUrl {
    /// `dir:FOLDER`: a folder of CSV files.
    Folder(PathBuf),
    /// `sqlite:FILE`: a database with the tables of 1.2.
    Sqlite(PathBuf),
    /// `xlsx:FILE`: a workbook with one sheet per table.
    Workbook(PathBuf),
    /// `mismo:PATH`: MISMO messages as `loan`, beside CSV files if PATH is a folder.
    Mismo(PathBuf),
    /// `postgres://USER@HOST/DATABASE?schema=NAME`: a database with the tables of 1.2.
    Postgres(Box<PostgresUrl>),
    /// `mssql://USER@HOST/DATABASE?schema=NAME`: the same on SQL Server or Azure SQL.
    SqlServer(Box<MssqlUrl>),
}

impl SourceUrl {
    /// The file or the folder on this machine.
    pub(crate) fn local_path(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) | Self::Sqlite(path) | Self::Workbook(path) | Self::Mismo(path) => {
                Some(path)
            }
            Self::Postgres(_) | Self::SqlServer(_) => None,
        }
    }
}

impl FromStr for SourceUrl {
    type Err = UrlError;
    fn from_str(url: &str) -> Result<Self, UrlError> {
        match split(url).ok_or(UrlError::Source)? {
            ("dir", path) => Ok(Self::Folder(path.into())),
            ("sqlite", path) => Ok(Self::Sqlite(path.into())),
            ("xlsx", path) => Ok(Self::Workbook(path.into())),
            ("mismo", path) => Ok(Self::Mismo(path.into())),
            ("mssql", _) => Ok(Self::SqlServer(Box::new(url.parse()?))),
            (_, rest) if rest.starts_with("//") => Ok(Self::Postgres(Box::new(url.parse()?))),
            _ => Err(UrlError::Source),
        }
    }
}

impl LocationUrl for SourceUrl {
    fn or_password(self, password: Option<&str>) -> Self {
        match self {
            Self::Postgres(url) => Self::Postgres(Box::new(postgres_password(*url, password))),
            Self::SqlServer(url) => Self::SqlServer(Box::new(mssql_password(*url, password))),
            file => file,
        }
    }
}

impl fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "dir:{}", path.display()),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Workbook(path) => write!(f, "xlsx:{}", path.display()),
            Self::Mismo(path) => write!(f, "mismo:{}", path.display()),
            Self::Postgres(url) => write!(f, "{url}"),
            Self::SqlServer(url) => write!(f, "{url}"),
        }
    }
}

/// The URL of the other side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ComparisonUrl {
    /// `run:RUN`, or only RUN: a run of the same store.
    Run(String),
    /// `evidence:FILE`, or only a FILE that ends in `.pfe`: the run of evidence.
    Evidence(PathBuf),
    /// `dir:FOLDER`: an export as CSV files or workbooks.
    Folder(PathBuf),
    /// `xlsx:FILE`: an export as a workbook with one sheet per table.
    Workbook(PathBuf),
    /// `mssql://USER@HOST/DATABASE?schema=NAME`: a database with output tables.
    SqlServer(Box<MssqlUrl>),
}

impl FromStr for ComparisonUrl {
    type Err = UrlError;
    fn from_str(url: &str) -> Result<Self, UrlError> {
        if let Some(path) = evidence_path(url) {
            return Ok(Self::Evidence(path));
        }
        match split(url) {
            Some(("run", run)) => Ok(Self::Run(run.to_owned())),
            Some(("dir", path)) => Ok(Self::Folder(path.into())),
            Some(("xlsx", path)) => Ok(Self::Workbook(path.into())),
            Some(("mssql", _)) => Ok(Self::SqlServer(Box::new(url.parse()?))),
            None if !url.is_empty() && !url.contains(':') => Ok(Self::Run(url.to_owned())),
            _ => Err(UrlError::Comparison),
        }
    }
}

impl LocationUrl for ComparisonUrl {
    fn or_password(self, password: Option<&str>) -> Self {
        match self {
            Self::SqlServer(url) => Self::SqlServer(Box::new(mssql_password(*url, password))),
            other => other,
        }
    }
}

impl fmt::Display for ComparisonUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run:{run}"),
            Self::Evidence(path) => write!(f, "evidence:{}", path.display()),
            Self::Folder(path) => write!(f, "dir:{}", path.display()),
            Self::Workbook(path) => write!(f, "xlsx:{}", path.display()),
            Self::SqlServer(url) => write!(f, "{url}"),
        }
    }
}

/// The URL of a database to which outputs are published: `mssql://USER@HOST/DATABASE?schema=NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetUrl(pub(crate) MssqlUrl);

impl FromStr for TargetUrl {
    type Err = UrlError;
    fn from_str(url: &str) -> Result<Self, UrlError> {
        Ok(Self(url.parse()?))
    }
}

impl LocationUrl for TargetUrl {
    fn or_password(self, password: Option<&str>) -> Self {
        Self(mssql_password(self.0, password))
    }
}

/// The URL of a store: events, captured snapshots, and projections of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// `sqlite:FILE`
    Sqlite(PathBuf),
    /// `postgres://USER@HOST/DATABASE`
    Postgres(Box<PostgresUrl>),
    /// `evidence:FILE`, or only a FILE that ends in `.pfe`: one run, which can only be read.
    Evidence(PathBuf),
}

/// The file of a URL of evidence.
fn evidence_path(url: &str) -> Option<PathBuf> {
    match split(url) {
        Some(("evidence", path)) => Some(path.into()),
        None if url.ends_with(".pfe") => Some(url.into()),
        _ => None,
    }
}

impl FromStr for StoreUrl {
    type Err = UrlError;
    fn from_str(url: &str) -> Result<Self, UrlError> {
        if let Some(path) = evidence_path(url) {
            return Ok(Self::Evidence(path));
        }
        match split(url) {
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(Box::new(url.parse()?))),
            _ => Err(UrlError::Store),
        }
    }
}

impl LocationUrl for StoreUrl {
    fn or_password(self, password: Option<&str>) -> Self {
        match self {
            Self::Postgres(url) => Self::Postgres(Box::new(postgres_password(*url, password))),
            file => file,
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => write!(f, "{url}"),
            Self::Evidence(path) => write!(f, "evidence:{}", path.display()),
        }
    }
}

/// An absolute path without links, also of a file that does not exist.
fn real_path(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let in_parent = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(in_parent).unwrap_or(path)
}

impl StoreUrl {
    /// Whether both are the same file or the same database, as far as the URLs tell.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => real_path(one) == real_path(other),
            (Self::Postgres(one), Self::Postgres(other)) => one.is_same_database(other),
            _ => false,
        }
    }

    /// Whether the store may exist: for a server, only the server knows.
    pub(crate) fn may_exist(&self) -> bool {
        !matches!(self, Self::Sqlite(path) if !path.exists())
    }

    /// Opens the store, and creates it if it does not exist.
    pub(crate) async fn open(&self) -> CliResult<Arc<dyn CopyStore>> {
        match self {
            Self::Sqlite(path) => Ok(Arc::new(SqliteStore::open(path)?)),
            Self::Evidence(_) => self.open_existing().await,
            Self::Postgres(url) => Ok(Arc::new(self.connected(PostgresStore::open(url).await)?)),
        }
    }

    /// Opens a store that exists.
    pub(crate) async fn open_existing(&self) -> CliResult<Arc<dyn CopyStore>> {
        self.open_with(|path| SqliteStore::open_existing(path)).await
    }

    /// Opens a store that exists for a command that only reads. This user need not be able to
    /// write it.
    pub(crate) async fn open_for_reading(&self) -> CliResult<Arc<dyn CopyStore>> {
        self.open_with(|path| SqliteStore::open_for_reading(path)).await
    }

    async fn open_with(
        &self,
        open_file: fn(&Path) -> StoreResult<SqliteStore>,
    ) -> CliResult<Arc<dyn CopyStore>> {
        match self {
            Self::Sqlite(path) if !Path::exists(path) => {
                let path = path.display();
                Err(CliError::environment(format!(
                    "there is no store {path}; name one with --store sqlite:FILE or postgres://…, \
                     or create one with `powerfill run`"
                )))
            }
            Self::Sqlite(path) => Ok(Arc::new(open_file(path)?)),
            Self::Evidence(path) => Ok(Arc::new(EvidenceStore::open(path)?)),
            Self::Postgres(url) => match PostgresStore::open_existing(url).await {
                Err(StoreError::NotFound { .. }) => Err(CliError::environment(format!(
                    "there is no store in {url}; create one with `powerfill migrate` or `powerfill \
                     run`"
                ))),
                opened => Ok(Arc::new(self.connected(opened)?)),
            },
        }
    }

    /// Adds the URL to an error of the connection.
    fn connected(&self, opened: StoreResult<PostgresStore>) -> CliResult<PostgresStore> {
        opened.map_err(|error| CliError::context(self.to_string(), error))
    }
}
