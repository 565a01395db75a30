//! `diff`: the output tables of a run against those of another run or of an export (specification
//! 3.4).

mod export;
mod text;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use powerfill_app::compare::{compare_runs, compare_with, run_side};
use powerfill_diff::classes::Classifications;
use powerfill_diff::loans::LoanPath;
use powerfill_diff::mapping::{Mapping, draft, export_side};
use powerfill_diff::report::{PAGE_ROWS, csv, html, json};
use powerfill_diff::{Comparison, ComparisonOutcome, Interner};
use powerfill_events::run::RunId;
use powerfill_ports::Store;

use super::find_run;
use crate::args::DiffArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::output::say;
use crate::places::Against;
use crate::settings::Settings;
use crate::tenancy::Place;

pub(crate) async fn run(args: DiffArgs, settings: &Settings) -> Result<(), Failure> {
    let store = Place::resolve(&args.store.place, settings)?.open_existing().await?;
    let store = store.as_ref();
    let run = find_run(store, &args.run).await?;
    let other = match &args.against {
        Against::Run(wanted) => Some(find_run(store, wanted).await?),
        Against::Folder(_)
        | Against::Workbook(_)
        | Against::SqlServer(_)
        | Against::Unreadable(_) => None,
    };
    if let Some(file) = &args.write_mapping {
        return write_mapping(store, run, &args.against, file).await;
    }
    // Files that people wrote are read before anything that takes time.
    let mapping = mapping(args.mapping.as_deref(), other.is_some())?;
    let said = said(&args)?;
    let mut comparison = match other {
        Some(other) => compare_runs(store, run, other, &mapping, args.explain).await?,
        None => {
            let sheets = export::read(&args.against, &mapping).await?;
            let export = |names: &mut Interner| {
                export_side(&args.against.to_string(), sheets, &mapping, names).map_err(environment)
            };
            compare_with(store, run, export, &mapping, args.explain).await?
        }
    };
    if let Some((place, text)) = &said {
        comparison.classify(classifications(place, text)?);
    }
    if args.classify_new
        && let Some((place, text)) = &said
        && let Some(added) =
            comparison.classifications_appended(place, text).map_err(environment)?
    {
        write(Path::new(place), added.as_bytes())?;
    }
    if let Some(file) = &args.html {
        write(file, html(&comparison, PAGE_ROWS).as_bytes())?;
    }
    print(&comparison, &args)?;
    answer(&comparison)
}

fn environment(fault: impl std::fmt::Display) -> Failure {
    Failure::Environment(fault.to_string())
}

fn print(comparison: &Comparison, args: &DiffArgs) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match args.store.print.format {
        Format::Text if comparison.answer() == ComparisonOutcome::Incomparable => {}
        Format::Text => write!(out, "{}", text::report(comparison, args.show))?,
        Format::Json => json(comparison, &mut out)?,
        Format::Csv => csv(comparison, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

fn answer(comparison: &Comparison) -> Result<(), Failure> {
    match comparison.answer() {
        ComparisonOutcome::Same => Ok(()),
        ComparisonOutcome::Different => Err(Failure::Answered),
        ComparisonOutcome::Incomparable => {
            let reasons: Vec<String> =
                comparison.incomparable.iter().map(|reason| format!("\n  {reason}")).collect();
            Err(Failure::Environment(format!("Incomparable:{}", reasons.concat())))
        }
    }
}

fn mapping(file: Option<&Path>, for_runs: bool) -> Result<Mapping, Failure> {
    let Some(file) = file else { return Ok(Mapping::default()) };
    let mapping = Mapping::parse(&file.display().to_string(), &read(file)?).map_err(environment)?;
    if for_runs {
        mapping.for_runs().map_err(environment)?;
    }
    Ok(mapping)
}

/// The place and text of the classification file; one that is to be begun is empty.
fn said(args: &DiffArgs) -> Result<Option<(String, String)>, Failure> {
    let Some(file) = &args.classifications else { return Ok(None) };
    let text = match args.classify_new && !file.exists() {
        true => String::new(),
        false => read(file)?,
    };
    let place = file.display().to_string();
    classifications(&place, &text)?;
    Ok(Some((place, text)))
}

fn classifications(place: &str, text: &str) -> Result<Classifications, Failure> {
    Classifications::parse(place, text).map_err(environment)
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::Environment(format!("cannot read {}: {error}", file.display())))
}

/// Writes a file aside and puts it in place, so that a full disk leaves what was there.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut aside = file.as_os_str().to_owned();
    aside.push(".partial");
    let written = File::create(&aside)
        .and_then(|mut to| to.write_all(bytes))
        .and_then(|()| std::fs::rename(&aside, file));
    written.map_err(|error| {
        // Nothing depends on what is left aside.
        let _ = std::fs::remove_file(&aside);
        Failure::Environment(format!("cannot write {}: {error}", file.display()))
    })
}

async fn write_mapping(
    store: &dyn Store,
    run: RunId,
    against: &Against,
    file: &Path,
) -> Result<(), Failure> {
    if let Against::Run(_) = against {
        let message = "two runs need no mapping: they have the same names".to_owned();
        return Err(Failure::Environment(message));
    }
    if file.exists() {
        let message = format!("{} is there already; name another file", file.display());
        return Err(Failure::Environment(message));
    }
    let sheets = export::read(against, &Mapping::default()).await?;
    let mut names = Interner::default();
    let here = run_side(store, run, &mut names).await?;
    write(file, draft(&here, &sheets, &mut names).as_bytes())?;
    say(format_args!("{} is written; look it over\n", file.display()))
}

/// A loan's two places and where they part, on one line.
fn path_words(path: &LoanPath) -> String {
    let parted =
        path.parted.as_ref().map_or_else(String::new, |parted| format!("; they part {parted}"));
    format!("here {}, there {}{parted}", path.here, path.there)
}
