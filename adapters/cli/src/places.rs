//! Sources and stores by their URLs (specification 4.1).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use powerfill_domain::snapshot::{FaultReport, RawSnapshot, Validated, validate};
use powerfill_ports::Store;
use powerfill_sqlite::SqliteStore;

use crate::failure::Failure;
use crate::settings::Settings;

/// Where a snapshot comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// `dir:FOLDER`: a folder of CSV files.
    Folder(PathBuf),
    /// `sqlite:FILE`: a database with the tables of 1.2.
    Sqlite(PathBuf),
    /// `xlsx:FILE`: a workbook with a sheet a table.
    Workbook(PathBuf),
}

impl std::str::FromStr for Source {
    type Err = String;
    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("xlsx", path)) if !path.is_empty() => Ok(Self::Workbook(path.into())),
            _ => Err("a source is dir:FOLDER (CSV files), xlsx:FILE (a workbook) or sqlite:FILE"
                .to_owned()),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "dir:{}", path.display()),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Workbook(path) => write!(f, "xlsx:{}", path.display()),
        }
    }
}

impl Source {
    fn read(&self) -> Result<RawSnapshot, Failure> {
        let unreadable = |fault: &dyn std::fmt::Display| Failure::Environment(format!("{fault}"));
        match self {
            Self::Folder(path) => powerfill_csv::read_folder(path).map_err(|f| unreadable(&f)),
            Self::Sqlite(path) => powerfill_sqlite_source::read(path).map_err(|f| unreadable(&f)),
            Self::Workbook(path) => powerfill_xlsx::read(path).map_err(|f| unreadable(&f)),
        }
    }

    /// Reads and validates the snapshot; the report where it is refused.
    pub(crate) fn validated(&self) -> Result<Result<Validated, FaultReport>, Failure> {
        let raw = self.read()?;
        for name in &raw.ignored {
            eprintln!("note: {name} is no table of a snapshot and is left out");
        }
        Ok(validate(raw))
    }

    /// The validated snapshot; warnings go to standard error.
    pub(crate) fn snapshot(&self) -> Result<Validated, Failure> {
        let refused = |report| Failure::Faults { what: format!("{self} is refused"), report };
        let validated = self.validated()?.map_err(refused)?;
        if !validated.warnings.is_empty() {
            let count = validated.warnings.warnings();
            eprintln!("note: {count} warnings; `powerfill check {self}` lists them");
        }
        Ok(validated)
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
}

impl std::str::FromStr for Against {
    type Err = String;
    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("run", run)) if !run.is_empty() => Ok(Self::Run(run.to_owned())),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            Some(("xlsx", path)) if !path.is_empty() => Ok(Self::Workbook(path.into())),
            None if !url.is_empty() => Ok(Self::Run(url.to_owned())),
            _ => Err("compare with run:RUN, dir:FOLDER or xlsx:FILE".to_owned()),
        }
    }
}

impl std::fmt::Display for Against {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run:{run}"),
            Self::Folder(path) => write!(f, "dir:{}", path.display()),
            Self::Workbook(path) => write!(f, "xlsx:{}", path.display()),
        }
    }
}

/// Where events, captured snapshots and projections live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// `sqlite:FILE`
    Sqlite(PathBuf),
}

impl std::str::FromStr for StoreUrl {
    type Err = String;
    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => Err(format!("{url:?}: a store is sqlite:FILE")),
        }
    }
}

impl StoreUrl {
    /// The store that is named by a flag or variable, by `powerfill.toml`, or `powerfill.db` in the working folder.
    pub(crate) fn resolve(given: Option<&Self>, settings: &Settings) -> Result<Self, Failure> {
        match (given, &settings.store) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(url)) => url
                .parse()
                .map_err(|fault| Failure::Environment(format!("powerfill.toml, store: {fault}"))),
            (None, None) => Ok(Self::Sqlite("powerfill.db".into())),
        }
    }

    /// Opens the store, and makes it where there is none.
    pub(crate) fn open(&self) -> Result<Arc<dyn Store>, Failure> {
        let Self::Sqlite(path) = self;
        Ok(Arc::new(SqliteStore::open(path)?))
    }

    /// Opens a store that is there.
    pub(crate) fn open_existing(&self) -> Result<Arc<dyn Store>, Failure> {
        let Self::Sqlite(path) = self;
        if !Path::exists(path) {
            let path = path.display();
            return Err(Failure::Environment(format!(
                "there is no store {path}; name one with --store sqlite:FILE, or make one with `powerfill run`"
            )));
        }
        Ok(Arc::new(SqliteStore::open_existing(path)?))
    }
}
