//! `annotate`: names a run, adds notes to it, and shows them (specification 3.6).

use powerfill_app::run_list::{AnnotationChange, annotate};
use powerfill_app::{Clock, SystemClock};
use powerfill_events::annotation::{Annotations, RunNote};
use powerfill_events::run::RunId;
use powerfill_ports::run_list::read_annotations;
use serde_json::json;

use super::find_run;
use crate::args::AnnotateArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

pub(crate) async fn run(args: AnnotateArgs, settings: &ProgramSettings) -> CliResult<()> {
    let name = args.name.clone().or_else(|| args.no_name.then(String::new));
    let change = AnnotationChange { name, note: args.note.clone() };
    let tenant_store = TenantStore::resolve(&args.common.store, settings)?;
    let (run, annotations) = if change == AnnotationChange::default() {
        let store = tenant_store.open_for_reading().await?;
        let run = find_run(store.as_ref(), &args.run).await?;
        (run, read_annotations(store.as_ref(), run).await?)
    } else {
        let store = tenant_store.open_existing().await?;
        let run = find_run(store.as_ref(), &args.run).await?;
        let by = settings.requested_by(args.actor.requested_by.as_deref());
        let annotated = annotate(store.as_ref(), run, &change, &by, SystemClock.now()).await;
        (run, annotated.map_err(CliError::environment)?)
    };
    print(run, &annotations, args.common.print.format)
}

fn print(run: RunId, annotations: &Annotations, format: Format) -> CliResult<()> {
    let Annotations { name, notes, .. } = annotations;
    match format {
        Format::Text => {
            let name = name.as_ref().map_or("it has no name".to_owned(), |name| name.clone());
            print_text(format!("Run {run}: {name}\n{}", notes_text(notes)))
        }
        Format::Csv => print_csv(
            &["run_id", "at", "by", "note"],
            notes.iter().map(|n| [run.to_string(), n.at.to_string(), n.by.clone(), n.text.clone()]),
        ),
        Format::Json => {
            let notes: Vec<_> = notes
                .iter()
                .map(|note| json!({ "at": note.at, "by": note.by, "note": note.text }))
                .collect();
            print_json(&json!({ "run_id": run, "name": name, "notes": notes }))
        }
    }
}

/// One line per note.
pub(super) fn notes_text(notes: &[RunNote]) -> String {
    notes.iter().map(|note| format!("  {} {}: {}\n", note.at, note.by, note.text)).collect()
}
