//! Sources and stores by their URLs (specification 4.1).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use powerfill_ports::StoreError;
use powerfill_ports::copying::CopyStore;
use powerfill_postgres::{PostgresStore, PostgresUrl, PostgresUrlError};
use powerfill_snapshot::{FaultReport, RawSnapshot, Validated, validate};
use powerfill_sqlite::SqliteStore;
use powerfill_sqlserver::MssqlUrl;

use crate::failure::Failure;

/// Where a snapshot comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// `dir:FOLDER`: a folder of CSV files.
    Folder(PathBuf),
    /// `sqlite:FILE`: a database with the tables of 1.2.
    Sqlite(PathBuf),
    /// `xlsx:FILE`: a workbook with a sheet a table.
    Workbook(PathBuf),
    /// `postgres://USER@HOST/DATABASE?schema=NAME`: the same on a server.
    Postgres(Box<PostgresUrl>),
    /// `mssql://USER@HOST/DATABASE?schema=NAME`: the same on SQL Server or Azure SQL.
    SqlServer(Box<MssqlUrl>),
    /// None of these, and why; said when it is read, as for a store.
    Unreadable(String),
}

impl std::str::FromStr for Source {
    type Err = String;
    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("xlsx", path)) if !path.is_empty() => Ok(Self::Workbook(path.into())),
            Some(("mssql", _)) => Ok(match mssql(url, None) {
                Ok(url) => Self::SqlServer(url),
                Err(fault) => Self::Unreadable(fault),
            }),
            Some((_, rest)) if rest.starts_with("//") => Ok(match postgres(url, None) {
                Ok(url) => Self::Postgres(url),
                Err(fault) => Self::Unreadable(fault),
            }),
            _ => Err("a source is dir:FOLDER (CSV files), xlsx:FILE (a workbook), sqlite:FILE, \
                      postgres://USER@HOST/DATABASE or mssql://USER@HOST/DATABASE"
                .to_owned()),
        }
    }
}

/// The URL of a database, with another password, or that of the environment, where it has none.
fn postgres(url: &str, password: Option<&str>) -> Result<Box<PostgresUrl>, String> {
    let url: PostgresUrl = url.parse().map_err(|fault: PostgresUrlError| fault.to_string())?;
    let of_environment = std::env::var("PGPASSWORD").ok();
    Ok(Box::new(url.or_password(password.or(of_environment.as_deref()))))
}

/// The same for SQL Server.
fn mssql(url: &str, password: Option<&str>) -> Result<Box<MssqlUrl>, String> {
    let url: MssqlUrl =
        url.parse().map_err(|fault: powerfill_sqlserver::MssqlUrlError| fault.to_string())?;
    let of_environment = std::env::var("MSSQL_PASSWORD").ok();
    Ok(Box::new(url.or_password(password.or(of_environment.as_deref()))))
}

/// Waits, in a command that only reads.
fn waited<T>(reading: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(reading))
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "dir:{}", path.display()),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Workbook(path) => write!(f, "xlsx:{}", path.display()),
            Self::Postgres(url) => write!(f, "{url}"),
            Self::SqlServer(url) => write!(f, "{url}"),
            Self::Unreadable(_) => f.write_str("no source"),
        }
    }
}

impl Source {
    /// Reads the tables, not judged yet.
    pub(crate) fn read(&self) -> Result<RawSnapshot, Failure> {
        let unreadable = |fault: &dyn std::fmt::Display| Failure::Environment(format!("{fault}"));
        match self {
            Self::Folder(path) => powerfill_csv::read_folder(path).map_err(|f| unreadable(&f)),
            Self::Sqlite(path) => powerfill_sqlite::source::read(path).map_err(|f| unreadable(&f)),
            Self::Workbook(path) => powerfill_xlsx::read(path).map_err(|f| unreadable(&f)),
            Self::Postgres(url) => {
                waited(powerfill_postgres::source::read(url)).map_err(|f| unreadable(&f))
            }
            Self::SqlServer(url) => {
                waited(powerfill_sqlserver::source::read(url)).map_err(|f| unreadable(&f))
            }
            Self::Unreadable(fault) => Err(Failure::Environment(format!("the source: {fault}"))),
        }
    }

    /// As [`Source::read`]; what is no table of a snapshot is named on standard error.
    pub(crate) fn read_and_note(&self) -> Result<RawSnapshot, Failure> {
        let raw = self.read()?;
        for name in &raw.ignored {
            eprintln!("note: {name} is no table of a snapshot and is left out");
        }
        for warning in &raw.warnings {
            eprintln!("warning: {warning}");
        }
        Ok(raw)
    }

    /// A snapshot of this source that is not refused; warnings go to standard error.
    pub(crate) fn accepted(
        &self,
        validated: Result<Validated, FaultReport>,
    ) -> Result<Validated, Failure> {
        let refused = |report| Failure::Faults { what: format!("{self} is refused"), report };
        let validated = validated.map_err(refused)?;
        if !validated.warnings.is_empty() {
            let count = validated.warnings.warnings();
            eprintln!("note: {count} warnings; `powerfill check {self}` lists them");
        }
        Ok(validated)
    }

    /// The validated snapshot; warnings go to standard error.
    pub(crate) fn snapshot(&self) -> Result<Validated, Failure> {
        self.accepted(validate(self.read_and_note()?))
    }
}

/// What a run is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Against {
    /// `run:RUN`, or RUN alone: a run of the same store.
    Run(String),
    /// `dir:FOLDER`: an export as CSV files or workbooks.
    Folder(PathBuf),
    /// `xlsx:FILE`: an export as a workbook, a sheet a table.
    Workbook(PathBuf),
    /// `mssql://USER@HOST/DATABASE?schema=NAME`: the output tables that a database holds.
    SqlServer(Box<MssqlUrl>),
    /// None of these, and why; said when it is read, as for a store.
    Unreadable(String),
}

impl std::str::FromStr for Against {
    type Err = String;
    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("run", run)) if !run.is_empty() => Ok(Self::Run(run.to_owned())),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            Some(("xlsx", path)) if !path.is_empty() => Ok(Self::Workbook(path.into())),
            Some(("mssql", _)) => Ok(match mssql(url, None) {
                Ok(url) => Self::SqlServer(url),
                Err(fault) => Self::Unreadable(fault),
            }),
            None if !url.is_empty() => Ok(Self::Run(url.to_owned())),
            _ => Err("compare with run:RUN, dir:FOLDER, xlsx:FILE or mssql://USER@HOST/DATABASE"
                .to_owned()),
        }
    }
}

impl std::fmt::Display for Against {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run:{run}"),
            Self::Folder(path) => write!(f, "dir:{}", path.display()),
            Self::Workbook(path) => write!(f, "xlsx:{}", path.display()),
            Self::SqlServer(url) => write!(f, "{url}"),
            Self::Unreadable(_) => f.write_str("nothing"),
        }
    }
}

/// Where outputs are published: `mssql://USER@HOST/DATABASE?schema=NAME`, or why it is none. Said
/// when it is asked for, as for a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetUrl(Result<Box<MssqlUrl>, String>);

impl std::str::FromStr for TargetUrl {
    type Err = std::convert::Infallible;
    fn from_str(url: &str) -> Result<Self, Self::Err> {
        Ok(Self::with_password(url, None))
    }
}

impl TargetUrl {
    /// Reads a URL; the password comes from it, from `password`, or from the environment.
    pub(crate) fn with_password(url: &str, password: Option<&str>) -> Self {
        Self(mssql(url, password))
    }

    /// Itself, unless it could not be read.
    pub(crate) fn readable(self, whence: &str) -> Result<MssqlUrl, Failure> {
        self.0.map(|url| *url).map_err(|fault| Failure::Environment(format!("{whence}: {fault}")))
    }
}

/// Where events, captured snapshots and projections live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// `sqlite:FILE`
    Sqlite(PathBuf),
    /// `postgres://USER@HOST/DATABASE`
    Postgres(Box<PostgresUrl>),
    /// None of these, and why. Said when the store is asked for: a parser of arguments repeats what
    /// it refuses, and this may hold a password.
    Unreadable(String),
}

impl std::str::FromStr for StoreUrl {
    type Err = std::convert::Infallible;
    fn from_str(url: &str) -> Result<Self, Self::Err> {
        Ok(Self::with_password(url, None))
    }
}

/// A path without links and detours, also of a file that is not there yet.
fn real_path(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let parent = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(parent).unwrap_or(path)
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => write!(f, "{url}"),
            Self::Unreadable(_) => f.write_str("no store"),
        }
    }
}

impl StoreUrl {
    /// Reads a URL; the password comes from it, from `password`, or from the environment.
    pub(crate) fn with_password(url: &str, password: Option<&str>) -> Self {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Self::Sqlite(path.into()),
            Some(("postgres" | "postgresql", _)) => match postgres(url, password) {
                Ok(url) => Self::Postgres(url),
                Err(fault) => Self::Unreadable(fault),
            },
            _ => Self::Unreadable(
                "a store is sqlite:FILE or postgres://USER@HOST/DATABASE".to_owned(),
            ),
        }
    }

    /// Itself, unless it could not be read.
    pub(crate) fn readable(self, whence: &str) -> Result<Self, Failure> {
        match self {
            Self::Unreadable(fault) => Err(Failure::Environment(format!("{whence}: {fault}"))),
            url => Ok(url),
        }
    }

    /// Whether both are one file or one database, as far as the URLs tell.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => real_path(one) == real_path(other),
            (Self::Postgres(one), Self::Postgres(other)) => one.is_same_database(other),
            _ => false,
        }
    }

    /// Whether the store may be there: a file is not, a server must be asked.
    pub(crate) fn is_there(&self) -> bool {
        !matches!(self, Self::Sqlite(path) if !path.exists())
    }

    /// Opens the store, and makes it where there is none.
    pub(crate) async fn open(&self) -> Result<Arc<dyn CopyStore>, Failure> {
        match self {
            Self::Sqlite(path) => Ok(Arc::new(SqliteStore::open(path)?)),
            Self::Postgres(url) => Ok(Arc::new(self.reached(PostgresStore::open(url).await)?)),
            Self::Unreadable(fault) => Err(Failure::Environment(fault.clone())),
        }
    }

    /// Opens a store that is there.
    pub(crate) async fn open_existing(&self) -> Result<Arc<dyn CopyStore>, Failure> {
        match self {
            Self::Sqlite(path) if !Path::exists(path) => {
                let path = path.display();
                Err(Failure::Environment(format!(
                    "there is no store {path}; name one with --store sqlite:FILE or postgres://…, or make one with \
                     `powerfill run`"
                )))
            }
            Self::Sqlite(path) => Ok(Arc::new(SqliteStore::open_existing(path)?)),
            Self::Postgres(url) => match PostgresStore::open_existing(url).await {
                Err(StoreError::NotFound { .. }) => Err(Failure::Environment(format!(
                    "there is no store in {url}; make one with `powerfill migrate` or `powerfill run`"
                ))),
                opened => Ok(Arc::new(self.reached(opened)?)),
            },
            Self::Unreadable(fault) => Err(Failure::Environment(fault.clone())),
        }
    }

    /// Says which server it was.
    fn reached(&self, opened: Result<PostgresStore, StoreError>) -> Result<PostgresStore, Failure> {
        opened.map_err(|error| Failure::Environment(format!("{self}: {error}")))
    }
}
