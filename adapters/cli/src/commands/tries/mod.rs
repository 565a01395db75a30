//! `try`: decides edited inputs in memory beside their base, and keeps one as a scenario
//! (specification part 8).

mod text;

use std::sync::Arc;

use powerfill_app::in_memory::read_input;
use powerfill_app::run_list::{AnnotationChange, annotate};
use powerfill_app::tries::{self, TriesError, TriesReport, Try, run_tries};
use powerfill_app::{Clock, RunControl, SystemClock};
use powerfill_events::annotation::check_name;
use powerfill_events::run::RunId;
use powerfill_events::run::event::{
    RunOrigin, RunRequested, Scenario, SourceMapping, SourceProvenance,
};
use powerfill_ports::Store;
use powerfill_snapshot::edits::{Edit, EditableInput};
use powerfill_snapshot::{FaultReport, RunOptions, Validated};
use powerfill_tables::status::RunStatus;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::run::{process_name, run_in_foreground, runner};
use super::{find_readable_run, options};
use crate::args::{OptionArgs, SourceArgs, TryArgs};
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::summary;
use crate::tenancy::{SnapshotInput, TenantStore};

/// What the tries begin with.
struct TryBase {
    /// The run or the source, without secrets.
    name: String,
    /// The run, if the base is one.
    run: Option<RunId>,
    input: EditableInput,
    /// The mapping of its input.
    mapping: Option<SourceMapping>,
    /// Where its input was read.
    provenance: Option<SourceProvenance>,
}

impl TryBase {
    /// Reads the captured input of a run, or a source.
    async fn read(args: &TryArgs, settings: &ProgramSettings) -> CliResult<Self> {
        let Some(wanted) = args.base.without_scheme() else {
            let given =
                SourceArgs { source: Some(args.base.clone()), mapping: args.mapping.clone() };
            let input = SnapshotInput::resolve(&given, &args.common.store.tenant, settings)?;
            let options = options::resolve(&OptionArgs::default(), input.options())?;
            let Validated { snapshot, mapping, provenance, .. } = input.snapshot().await?;
            let name = input.source().to_string();
            let input = EditableInput::new(Arc::new(snapshot), options);
            return Ok(Self { name, run: None, input, mapping, provenance });
        };
        let store = TenantStore::resolve(&args.common.store, settings)?.open_for_reading().await?;
        let run = find_readable_run(store.as_ref(), wanted).await?;
        let (snapshot, requested) = read_input(store.as_ref(), run).await?;
        let RunRequested { options, mapping, origin, .. } = *requested;
        let input = EditableInput::new(snapshot, options);
        let (name, provenance) = (format!("run {run}"), origin.provenance);
        Ok(Self { name, run: Some(run), input, mapping, provenance })
    }
}

pub(crate) async fn run(args: TryArgs, settings: &ProgramSettings) -> CliResult<()> {
    let tries = tries_of(&args)?;
    let base = TryBase::read(&args, settings).await?;
    let tries = match () {
        () if args.cost_of_priorities => tries::priority_tries(base.input.snapshot()),
        () if args.stability => tries::stability_tries(),
        () => tries,
    };
    if tries.is_empty() {
        let message = "nothing to try: name an edit with --set, as --set price_mode=pc; \
                       docs/reference/edits.md lists them";
        return Err(CliError::environment(message));
    }
    if args.keep.is_some() && tries.len() > 1 {
        return Err(CliError::environment("--keep records one try; name only one"));
    }
    let (decided, tries, base) = decide(base, tries).await?;
    let report = decided.map_err(refusal)?;
    print(&args, &base, &report)?;
    match (&args.keep, tries.into_iter().next()) {
        (Some(name), Some(tried)) => keep(&args, name, tried.edits, &base, settings).await,
        _ => Ok(()),
    }
}

/// The tries of the command line, each with every combination of the matrix.
fn tries_of(args: &TryArgs) -> CliResult<Vec<Try>> {
    let mut tries = Vec::new();
    for (name, lines) in &args.tries.groups {
        let edits = Edit::parse_all(lines.iter().map(String::as_str)).map_err(refused)?;
        let unnamed = Try::of_edits(edits);
        let name = name.clone().unwrap_or_else(|| unnamed.name.clone());
        tries.push(Try { name, ..unnamed });
    }
    if args.matrix.is_empty() {
        return Ok(tries);
    }
    if tries.is_empty() {
        tries.push(Try::of_edits(Vec::new()));
    }
    for line in &args.matrix {
        let values = Edit::parse_values(line).map_err(refused)?;
        tries = tries.iter().flat_map(|tried| values.iter().map(|edit| tried.with(edit))).collect();
    }
    Ok(tries)
}

type Decided = (Result<TriesReport, TriesError>, Vec<Try>, TryBase);

/// Decides the base and the tries on threads of their own.
async fn decide(base: TryBase, tries: Vec<Try>) -> CliResult<Decided> {
    let deciding = spawn_blocking(move || {
        let report = run_tries(&base.input, &tries, &RunControl::default());
        (report, tries, base)
    });
    deciding.await.map_err(|panic| CliError::context("a try", panic))
}

fn refused(report: FaultReport) -> CliError {
    CliError::Faults { what: "the edits are refused".to_owned(), report, all: true }
}

fn refusal(error: TriesError) -> CliError {
    match error {
        TriesError::Refused(refused) => {
            let names: Vec<&str> = refused.iter().map(|refused| refused.name.as_str()).collect();
            let what = format!("the input of {} is refused", names.join(", of "));
            let faults = refused.iter().flat_map(|refused| refused.faults.faults.clone());
            CliError::Faults { what, report: FaultReport { faults: faults.collect() }, all: true }
        }
        stopped @ TriesError::Stopped(_) => CliError::environment(stopped),
    }
}

fn print(args: &TryArgs, base: &TryBase, report: &TriesReport) -> CliResult<()> {
    match args.common.print.format {
        Format::Text if args.cost_of_priorities => print_text(text::priorities(report)),
        Format::Text if args.stability => print_text(text::stability(report)),
        Format::Text => print_text(text::side_by_side(&base.name, base.input.options(), report)),
        Format::Json => print_json(&json!({
            "base_run": base.run,
            "options": base.input.options(),
            "base": report.base,
            "tries": report.tries,
        })),
        Format::Csv => print_csv(&text::CSV_COLUMNS, text::csv_rows(report)),
    }
}

/// Records the try as a run with its edits.
async fn keep(
    args: &TryArgs,
    name: &str,
    edits: Vec<Edit>,
    base: &TryBase,
    settings: &ProgramSettings,
) -> CliResult<()> {
    let edited = base.input.apply(&edits).map_err(refused)?;
    let tenant_store = TenantStore::resolve(&args.common.store, settings)?;
    let store: Arc<dyn Store> = tenant_store.open().await?;
    check_name(name).map_err(CliError::environment)?;
    if let Some(other) = store.runs_named(name).await?.first() {
        let message = format!("run {other} has the name {name:?} already; choose another one");
        return Err(CliError::environment(message));
    }
    let scenario = Scenario {
        name: name.to_owned(),
        note: args.note.clone(),
        base_run: base.run.map(|run| run.to_string()),
        edits: edits.iter().map(ToString::to_string).collect(),
    };
    let input = Validated {
        snapshot: Arc::unwrap_or_clone(edited.snapshot),
        warnings: FaultReport::default(),
        source_warnings: Vec::new(),
        mapping: base.mapping.clone(),
        provenance: base.provenance.clone(),
    };
    let origin = RunOrigin { scenario: Some(scenario), ..RunOrigin::default() };
    let requested_by = settings.requested_by(args.requested_by.as_deref());
    let runner =
        runner(Arc::clone(&store), process_name()).with_large_tables(tenant_store.large_tables());
    let options: RunOptions = edited.options;
    let summary = run_in_foreground(&runner, input, &options, &requested_by, None, origin).await?;
    let change = AnnotationChange { name: Some(name.to_owned()), note: None };
    annotate(store.as_ref(), summary.run_id, &change, &requested_by, SystemClock.now())
        .await
        .map_err(CliError::environment)?;
    if args.common.print.format == Format::Text {
        print_text(format!("\nkept as scenario {name:?}\n{}", summary::text(&summary)))?;
    }
    if summary.status == RunStatus::Complete { Ok(()) } else { Err(CliError::NegativeAnswer) }
}
