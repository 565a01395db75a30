//! `report`: what a run decided and is worth as one page or as JSON, and its certificate.

use std::io;
use std::path::Path;
use std::sync::Arc;

use powerfill_app::brief::{brief, run_before};
use powerfill_app::explain::explain_loan;
use powerfill_app::overview::overview;
use powerfill_app::replay::replay;
use powerfill_app::verify::verify;
use powerfill_app::{Clock, NoObserver, SystemClock};
use powerfill_diff::brief::Brief;
use powerfill_diff::report::escaped_json;
use powerfill_events::run::RunId;
use powerfill_overview::Overview;
use powerfill_ports::Store;

use super::open_run;
use super::verify::damage_of;
use crate::args::RunReportArgs;
use crate::certificate::{self, Certificate};
use crate::error::{CliError, CliResult};
use crate::out_place::replace;
use crate::output::{json_escape, print_data, print_note, print_text};
use crate::settings::ProgramSettings;
use crate::workbook;

/// Where the page has its data, and what stands there before it has any.
const DATA: &str = "id=\"powerfill-report\">";

pub(crate) async fn run(args: RunReportArgs, settings: &ProgramSettings) -> CliResult<()> {
    let (store, run) = open_run(&args.store, &args.run, settings).await?;
    if let Some(out) = &args.output.out {
        prepare(out)?;
    }
    let overview = complete_overview(store.as_ref(), run).await?;
    let Some(out) = &args.output.out else {
        let text = serde_json::to_string(&overview).map_err(io::Error::from)?;
        print_data(format!("{text}\n").as_bytes(), json_escape)?;
        return Ok(());
    };
    let (text, is_good, what) = match args.audit {
        true => {
            let certificate = certify(store.as_ref(), overview, &args.loans).await?;
            (certificate::page(&certificate), certificate.is_good(), "certificate")
        }
        false => {
            let brief = brief_of(store.as_ref(), run).await?;
            (page(&overview, brief.as_ref())?, true, "report")
        }
    };
    replace(out, text.as_bytes())?;
    print_text(format_args!("{} has the {what} of run {run}\n", out.display()))?;
    if is_good {
        return Ok(());
    }
    eprintln!("note: the run does not verify, or is not reproduced; the certificate says why");
    Err(CliError::NegativeAnswer)
}

/// The report of a run as a page, or its certificate without explained loans.
pub(super) async fn page_of(
    store: &dyn Store,
    run: RunId,
    is_certificate: bool,
) -> CliResult<String> {
    let overview = complete_overview(store, run).await?;
    match is_certificate {
        true => Ok(certificate::page(&certify(store, overview, &[]).await?)),
        false => page(&overview, brief_of(store, run).await?.as_ref()),
    }
}

/// Refuses a place that is not for a page.
fn prepare(out: &Path) -> CliResult<()> {
    let extension = out.extension().map(|extension| extension.to_ascii_lowercase());
    if extension.is_none_or(|extension| extension != "html" && extension != "htm") {
        return Err(CliError::environment(format!(
            "{} is not the name of a page; name a file such as run.html (a workbook is written by \
             `powerfill tables RUN --format xlsx --out FILE`)",
            out.display()
        )));
    }
    workbook::prepare(out)
}

/// The overview of a run, which must be Complete.
async fn complete_overview(store: &dyn Store, run: RunId) -> CliResult<Overview> {
    overview(store, run).await?.ok_or_else(|| {
        CliError::environment(format!(
            "run {run} is not Complete, so it has no report; `powerfill show {run}` says why"
        ))
    })
}

/// The brief from the official run before this one. A report is made without it if it cannot be
/// made.
async fn brief_of(store: &dyn Store, run: RunId) -> CliResult<Option<Brief>> {
    let Some(then) = run_before(store, run).await? else { return Ok(None) };
    match brief(store, [then, run]).await {
        Ok(brief) => Ok(Some(brief)),
        Err(error) => {
            print_note(format_args!("note: the report has no brief since run {then}: {error}\n"));
            Ok(None)
        }
    }
}

/// The page of the console with the data of the run inside. No text of it can act as markup.
fn page(overview: &Overview, brief: Option<&Brief>) -> CliResult<String> {
    let broken = || CliError::environment("the program was built without the page of reports");
    let page = powerfill_console::report_page().ok_or_else(broken)?.content()?;
    let page = String::from_utf8(page).map_err(CliError::environment)?;
    let (before, rest) = page.split_once(DATA).ok_or_else(broken)?;
    let after = rest.find("</script>").map(|end| &rest[end..]).ok_or_else(broken)?;
    let mut data = serde_json::to_value(overview).map_err(io::Error::from)?;
    data["brief"] = serde_json::to_value(brief).map_err(io::Error::from)?;
    Ok(format!("{before}{DATA}{}{after}", escaped_json(&data)))
}

/// Verifies, replays, and explains, for the certificate.
async fn certify(
    store: &dyn Store,
    overview: Overview,
    loans: &[String],
) -> CliResult<Certificate> {
    let run = overview.run.run_id;
    let mut accounts = Vec::new();
    for loan in loans {
        let account = explain_loan(store, run, loan).await?;
        if account.is_unknown() {
            return Err(CliError::environment(format!(
                "run {run} has no loan {loan}; `powerfill tables {run} pfill_powerfill_guide` \
                 lists the loans"
            )));
        }
        accounts.push(account);
    }
    let verified = verify(store, Some(run)).await?;
    Ok(Certificate {
        checked_at: SystemClock.now(),
        damage: damage_of(&verified),
        verified,
        replayed: replay(store, run, Arc::new(NoObserver)).await?,
        head: store.head().await?,
        overview,
        accounts,
    })
}
