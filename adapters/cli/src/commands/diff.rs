//! `diff`: compares the output tables of a run with those of another run or of an export
//! (specification 3.4).

pub(super) mod export;
mod runs_text;
mod text;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use powerfill_app::compare::{StoredRun, compare_runs, compare_with, run_side};
use powerfill_diff::classes::Classifications;
use powerfill_diff::loan_path::LoanPath;
use powerfill_diff::mapping::{ComparisonMapping, draft, export_side};
use powerfill_diff::report::{PAGE_ROWS, csv, html, json};
use powerfill_diff::{Comparison, ComparisonOutcome, Interner};
use powerfill_events::run::RunId;
use powerfill_evidence::EvidenceStore;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::events::EventStore;
use powerfill_ports::{Store, ensure_tenant};

use super::find_readable_run;
use crate::args::DiffArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::out_place::replace;
use crate::output::{json_escape, print_data, print_text, unicode_escape};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;
use crate::urls::{ComparisonUrl, StoreUrl};

pub(crate) async fn run(args: DiffArgs, settings: &ProgramSettings) -> CliResult<()> {
    let against: ComparisonUrl = args.against.parse("--against")?;
    let store = TenantStore::resolve(&args.common.store, settings)?.open_for_reading().await?;
    let store: &dyn Store = store.as_ref();
    let run = find_readable_run(store, &args.run).await?;
    let evidence = match &against {
        ComparisonUrl::Evidence(file) => Some(EvidenceStore::open(file)?),
        _ => None,
    };
    let other_store = other_store(&args, &against, store).await?;
    let other = match (&against, &evidence) {
        (ComparisonUrl::Run(run), _) => {
            let store = other_store.as_deref().map_or(store, |other| other as &dyn Store);
            Some(StoredRun { store, run: find_readable_run(store, run).await? })
        }
        (_, Some(other)) => {
            Some(StoredRun { store: other, run: find_readable_run(other, "latest").await? })
        }
        _ => None,
    };
    if let Some(file) = &args.write_mapping {
        return write_mapping(store, run, &against, file).await;
    }
    // Hand-written files are read first, so that their errors appear at once.
    let mapping = mapping(args.mapping.as_deref(), other.is_some(), args.candidates)?;
    let classifications = read_classifications(&args)?;
    let mut comparison = match other {
        Some(other) => {
            let here = StoredRun { store, run };
            compare_runs(here, other, &mapping, args.explain).await?
        }
        None => {
            let sheets = export::read(&against, &mapping).await?;
            let export = |names: &mut Interner| {
                export_side(&against.to_string(), &sheets, &mapping, names)
                    .map_err(CliError::environment)
            };
            compare_with(store, run, export, &mapping, args.explain).await?
        }
    };
    if let Some((file, text)) = &classifications {
        comparison.classify(parse_classifications(file, text)?);
    }
    if args.classify_new
        && let Some((file, text)) = &classifications
        && let Some(added) =
            comparison.append_classifications(file, text).map_err(CliError::environment)?
    {
        replace(Path::new(file), added.as_bytes())?;
    }
    if let Some(file) = &args.html {
        replace(file, html(&comparison, PAGE_ROWS).as_bytes())?;
    }
    print(&comparison, &args)?;
    answer(&comparison)
}

fn print(comparison: &Comparison, args: &DiffArgs) -> CliResult<()> {
    let mut out = Vec::new();
    match args.common.print.format {
        Format::Text if comparison.outcome() == ComparisonOutcome::Incomparable => {}
        Format::Text if comparison.run_differences.is_some() => {
            write!(out, "{}", runs_text::report(comparison, args.show))?;
        }
        Format::Text => write!(out, "{}", text::report(comparison, args.show))?,
        Format::Json => json(comparison, &mut out)?,
        Format::Csv => csv(comparison, &mut out)?,
    }
    let escape =
        if args.common.print.format == Format::Json { json_escape } else { unicode_escape };
    Ok(print_data(&out, escape)?)
}

fn answer(comparison: &Comparison) -> CliResult<()> {
    match comparison.outcome() {
        ComparisonOutcome::Same => Ok(()),
        ComparisonOutcome::Different => Err(CliError::NegativeAnswer),
        ComparisonOutcome::Incomparable => {
            let reasons: Vec<String> =
                comparison.incomparable.iter().map(|reason| format!("\n  {reason}")).collect();
            Err(CliError::environment(format!("Incomparable:{}", reasons.concat())))
        }
    }
}

fn mapping(file: Option<&Path>, for_runs: bool, candidates: bool) -> CliResult<ComparisonMapping> {
    let mapping = match file {
        Some(file) => ComparisonMapping::parse(&file.display().to_string(), &read(file)?)
            .map_err(CliError::environment)?,
        None => ComparisonMapping::default(),
    };
    if !for_runs {
        return Ok(mapping);
    }
    mapping.check_for_runs().map_err(CliError::environment)?;
    Ok(if candidates { mapping } else { mapping.without_options() })
}

/// The store of the other run, if it is another one.
async fn other_store(
    args: &DiffArgs,
    against: &ComparisonUrl,
    store: &dyn Store,
) -> CliResult<Option<Arc<dyn CopyStore>>> {
    let Some(url) = &args.against_store else { return Ok(None) };
    if !matches!(against, ComparisonUrl::Run(_)) {
        let message = "--against-store goes with --against RUN, a run of that store";
        return Err(CliError::environment(message));
    }
    let url: StoreUrl = url.parse("--against-store")?;
    let other = url.open_for_reading().await?;
    if let Some(tenant) = EventStore::tenant(store).await? {
        let ensured = ensure_tenant(other.as_ref(), &tenant).await;
        ensured.map_err(|error| CliError::context(url.to_string(), error))?;
    }
    Ok(Some(other))
}

/// The name and the text of the classification file; empty for a new file.
fn read_classifications(args: &DiffArgs) -> CliResult<Option<(String, String)>> {
    let Some(file) = &args.classifications else { return Ok(None) };
    let text = match args.classify_new && !file.exists() {
        true => String::new(),
        false => read(file)?,
    };
    let file = file.display().to_string();
    parse_classifications(&file, &text)?;
    Ok(Some((file, text)))
}

fn parse_classifications(file: &str, text: &str) -> CliResult<Classifications> {
    Classifications::parse(file, text).map_err(CliError::environment)
}

fn read(file: &Path) -> CliResult<String> {
    std::fs::read_to_string(file)
        .map_err(|error| CliError::context(format!("cannot read {}", file.display()), error))
}

async fn write_mapping(
    store: &dyn Store,
    run: RunId,
    against: &ComparisonUrl,
    file: &Path,
) -> CliResult<()> {
    if let ComparisonUrl::Run(_) | ComparisonUrl::Evidence(_) = against {
        let message = "--write-mapping: two runs need no mapping, because they have the same names";
        return Err(CliError::environment(message));
    }
    if file.exists() {
        let message = format!("{} exists already; name another file", file.display());
        return Err(CliError::environment(message));
    }
    let sheets = export::read(against, &ComparisonMapping::default()).await?;
    let mut names = Interner::default();
    let here = run_side(store, run, &mut names).await?;
    replace(file, draft(&here, &sheets, &mut names).as_bytes())?;
    print_text(format_args!("{} is written; check it before use\n", file.display()))
}

/// The two results of a loan, and the first difference between them, on one line.
fn path_words(path: &LoanPath) -> String {
    let parted =
        path.parted.as_ref().map_or_else(String::new, |parted| format!("; they part {parted}"));
    format!("here {}, there {}{parted}", path.here, path.there)
}
