//! `seal export` and `seal check`: a copy of the seal of the log's last append reveals a log that
//! was truncated or rewritten (specification 3.2).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use powerfill_app::verify::seal_difference;
use powerfill_app::{Clock, SystemClock};
use powerfill_events::log::{Hash, LogHead};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_evidence::parts::SealedAppend;
use powerfill_ports::Store;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::verify::damage_text;
use crate::CommandFuture;
use crate::args::{SealCheckArgs, SealCommand, SealExportArgs};
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;

pub(crate) fn run(command: SealCommand, settings: &ProgramSettings) -> CommandFuture<'_> {
    match command {
        SealCommand::Export(args) => Box::pin(export(args, settings)),
        SealCommand::Check(args) => Box::pin(check(args, settings)),
    }
}

/// A seal in a file of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SealFile {
    /// The tenant of the log; NULL for an empty log, and in a file of 0.1.0.
    tenant: Option<TenantId>,
    /// The moment of the export; NULL in a file of 0.1.0.
    exported_at: Option<Timestamp>,
    #[serde(flatten)]
    sealed: SealedAppend,
}

impl SealFile {
    async fn of(store: &dyn Store) -> CliResult<Self> {
        let LogHead { seq, position, seal } = store.head().await?;
        Ok(Self {
            tenant: store.tenant().await?,
            exported_at: Some(SystemClock.now()),
            sealed: SealedAppend { seq, position, seal: seal.to_hex().to_string() },
        })
    }

    /// Whose seal it is, and of when, as far as the file says it.
    fn origin(&self) -> String {
        let tenant = self.tenant.iter().map(|tenant| format!(" of tenant {tenant}"));
        let at = self.exported_at.iter().map(|at| format!(" of {at}"));
        format!("the seal{}", tenant.chain(at).collect::<String>())
    }
}

async fn export(args: SealExportArgs, settings: &ProgramSettings) -> CliResult<()> {
    let stores = TenantStore::resolve_all(args.all_tenants, &args.common.store, settings)?;
    let mut seals = Vec::new();
    for store in &stores {
        seals.push(SealFile::of(store.open_for_reading().await?.as_ref()).await?);
    }
    let Some(out) = &args.out else {
        return if args.all_tenants { print_json(&seals) } else { print_json(&seals[0]) };
    };
    for (store, seal) in stores.iter().zip(&seals) {
        let file = match store.tenant_id().filter(|_| args.all_tenants) {
            Some(tenant) => {
                fs::create_dir_all(out).map_err(|error| unwritable(out, error))?;
                out.join(format!("{tenant}.seal"))
            }
            None => out.clone(),
        };
        let mut text = serde_json::to_vec_pretty(&seal).map_err(std::io::Error::from)?;
        text.push(b'\n');
        fs::write(&file, text).map_err(|error| unwritable(&file, error))?;
        let (events, appends) = (count(seal.sealed.position), count(seal.sealed.seq));
        let file = file.display();
        print_text(format_args!("{file}: {events} events in {appends} appends are sealed\n"))?;
    }
    Ok(())
}

fn unwritable(file: &Path, error: std::io::Error) -> CliError {
    CliError::context(format!("cannot write {}", file.display()), error)
}

async fn check(args: SealCheckArgs, settings: &ProgramSettings) -> CliResult<()> {
    let stores = TenantStore::resolve_all(args.all_tenants, &args.common.store, settings)?;
    let mut checked = Vec::new();
    if args.all_tenants {
        let mut others = seals_of_folder(&args.seal)?;
        for store in &stores {
            let Some(tenant) = store.tenant_id() else { continue };
            let name = format!("{tenant}.seal");
            let result = match others.remove(&name) {
                true => Ok(check_store(store, &args.seal.join(&name)).await?),
                false => Err(format!("{name} is not in the folder")),
            };
            checked.push((Some(tenant.to_string()), result));
        }
        for name in others {
            let tenant = name.trim_end_matches(".seal").to_owned();
            let what = format!("{name} is of no tenant of powerfill.toml");
            checked.push((Some(tenant), Err(what)));
        }
    } else {
        checked.push((None, Ok(check_store(&stores[0], &args.seal).await?)));
    }
    print_checked(&checked, args.common.print.format)?;
    let holds = |checked: &Checked| matches!(&checked.1, Ok(seal) if seal.difference.is_none());
    if checked.iter().all(holds) { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

/// A tenant, if all of them are checked, and its checked seal, or why there is nothing to check.
type Checked = (Option<String>, Result<CheckedSeal, String>);

/// A seal, compared with the log.
struct CheckedSeal {
    file: SealFile,
    sealed: LogHead,
    /// How the log differs from the seal.
    difference: Option<String>,
    /// Events that were recorded after the sealed append.
    events_since: u64,
}

/// The names of the files TENANT.seal of a folder.
fn seals_of_folder(folder: &Path) -> CliResult<BTreeSet<String>> {
    let unreadable =
        |error| CliError::context(format!("cannot read the folder {}", folder.display()), error);
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        names.extend(Some(name).filter(|name| name.ends_with(".seal")));
    }
    Ok(names)
}

async fn check_store(store: &TenantStore, path: &Path) -> CliResult<CheckedSeal> {
    let store = store.open_for_reading().await?;
    let file = read(path)?;
    ensure_same_tenant(path, &file, store.as_ref()).await?;
    let sealed = head_of(path, &file.sealed)?;
    let head = store.head().await?;
    let difference = difference(store.as_ref(), sealed).await?;
    let events_since = head.position.saturating_sub(sealed.position);
    Ok(CheckedSeal { file, sealed, difference, events_since })
}

fn print_checked(checked: &[Checked], format: Format) -> CliResult<()> {
    match format {
        Format::Text => {
            for (tenant, result) in checked {
                let heading = tenant.iter().map(|tenant| format!("{tenant}:\n"));
                print_text(heading.collect::<String>() + &checked_text(result))?;
            }
            Ok(())
        }
        Format::Json => match checked {
            [one @ (None, _)] => print_json(&checked_json(one)),
            all => print_json(&all.iter().map(checked_json).collect::<Vec<_>>()),
        },
        Format::Csv => {
            let has_tenants = checked.iter().any(|(tenant, _)| tenant.is_some());
            let rows = checked.iter().map(|(tenant, result)| {
                let (answer, found) = answer_of(result);
                let row = [answer, found.unwrap_or_default()].map(str::to_owned);
                tenant.iter().cloned().chain(row).collect::<Vec<_>>()
            });
            print_csv(&["tenant", "answer", "found"][usize::from(!has_tenants)..], rows)
        }
    }
}

/// The answer in one word, and what was found.
fn answer_of(result: &Result<CheckedSeal, String>) -> (&'static str, Option<&str>) {
    match result {
        Ok(CheckedSeal { difference: None, .. }) => ("held", None),
        Ok(CheckedSeal { difference, .. }) => ("not held", difference.as_deref()),
        Err(what) => ("not checked", Some(what)),
    }
}

fn checked_text(result: &Result<CheckedSeal, String>) -> String {
    match (answer_of(result), result) {
        ((_, None), Ok(CheckedSeal { file, sealed, events_since, .. })) => format!(
            "The log contains append {}, up to event {}, as {} says; {} events since\n",
            count(sealed.seq),
            count(sealed.position),
            file.origin(),
            count(*events_since)
        ),
        ((_, found), Ok(_)) => format!("NOT AS SEALED: {}\n", found.unwrap_or_default()),
        ((_, found), Err(_)) => format!("NOT CHECKED: {}\n", found.unwrap_or_default()),
    }
}

fn checked_json((tenant, result): &Checked) -> serde_json::Value {
    let (answer, found) = answer_of(result);
    let mut object = json!({ "answer": answer, "found": found });
    if let Ok(CheckedSeal { file, sealed, events_since, .. }) = result {
        object["exported_at"] = json!(file.exported_at);
        object["seq"] = sealed.seq.into();
        object["position"] = sealed.position.into();
        object["events_since"] = (*events_since).into();
        object["tenant"] = json!(file.tenant);
    }
    if let Some(tenant) = tenant {
        object["tenant"] = tenant.as_str().into();
    }
    object
}

/// Refuses a seal of another tenant: it says nothing about this log.
async fn ensure_same_tenant(path: &Path, file: &SealFile, store: &dyn Store) -> CliResult<()> {
    match (&file.tenant, store.tenant().await?) {
        (Some(sealed), Some(found)) if *sealed != found => Err(CliError::environment(format!(
            "{} is a seal of tenant {sealed}, and the store is of {found}; choose the store with \
             --tenant or --store",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// The sealed append of a file of `seal export`.
pub(super) fn read_sealed(path: &Path) -> CliResult<SealedAppend> {
    read(path).map(|file| file.sealed)
}

fn read(path: &Path) -> CliResult<SealFile> {
    let text = fs::read(path).map_err(|error| CliError::context(not_a_seal(path), error))?;
    serde_json::from_slice(&text).map_err(|error| CliError::context(not_a_seal(path), error))
}

/// The end of the log that a file of `seal export` names, which must be of the store's tenant.
pub(super) async fn read_head(path: &Path, store: &dyn Store) -> CliResult<LogHead> {
    let file = read(path)?;
    ensure_same_tenant(path, &file, store).await?;
    head_of(path, &file.sealed)
}

fn head_of(path: &Path, sealed: &SealedAppend) -> CliResult<LogHead> {
    let seal = Hash::from_hex(&sealed.seal);
    let seal = seal.map_err(|error| CliError::context(not_a_seal(path), error))?;
    Ok(LogHead { seq: sealed.seq, position: sealed.position, seal })
}

fn not_a_seal(path: &Path) -> String {
    format!("{} is not a file of `powerfill seal export`", path.display())
}

/// How the log differs from the seal. A stored seal proves nothing if it does not match the events,
/// so the whole log is verified too.
async fn difference(store: &dyn Store, sealed: LogHead) -> CliResult<Option<String>> {
    match seal_difference(store, sealed).await? {
        None => Ok(store.verify(None).await?.damage.as_ref().map(damage_text)),
        difference => Ok(difference),
    }
}
