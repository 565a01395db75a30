//! The summary of a run as text.

use std::fmt::Write;

use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{FillStatus, Finding, HeldReason, Scenario, Severity};
use powerfill_events::values::Choice;
use powerfill_explain::usd;
use powerfill_tables::status::RunStatus;
use powerfill_tables::summary::{RunSummary, TradeFill};

use crate::output::{grouped, text_table};
use crate::provenance;

/// The largest number of listed warnings; the findings table has all of them.
const MAX_WARNINGS: usize = 4;

/// The largest number of listed trades; the recap table has all of them.
const MAX_TRADES: usize = 12;

/// The largest length of a printed payload, in characters; `events` prints all of it.
const MAX_PAYLOAD: usize = 400;

/// A whole number with thousands separators.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// The summary as text.
pub(crate) fn text(summary: &RunSummary) -> String {
    let mut out = String::new();
    head(summary, &mut out);
    if summary.status == RunStatus::Complete {
        loans(summary, &mut out);
        counted("Kickouts by reason", &summary.kickouts, &mut out);
        counted("Pool actions", &summary.pool_actions, &mut out);
        trades(summary, &mut out);
    }
    out
}

/// The summary of a run as of an event; `events` is the number of its events.
pub(crate) fn text_as_of(summary: &RunSummary, event: &RunEvent, events: u64) -> String {
    let mut out = String::new();
    let (at, events) = (count(summary.events), count(events));
    let mut payload = Vec::new();
    let _ = event.write_payload(&mut payload);
    let payload = String::from_utf8_lossy(&payload);
    let shown: String = payload.chars().take(MAX_PAYLOAD).collect();
    let more = if shown.len() < payload.len() { "…" } else { "" };
    let name = event.event_type().name();
    let _ = writeln!(out, "After event {at} of {events}: {name} {shown}{more}");
    head(summary, &mut out);
    loans(summary, &mut out);
    counted("Kickouts by reason", &summary.kickouts, &mut out);
    counted("Pool actions", &summary.pool_actions, &mut out);
    trades(summary, &mut out);
    out
}

fn head(summary: &RunSummary, out: &mut String) {
    let tenant = summary.tenant_id.as_ref().map_or("", |tenant| tenant.as_str());
    let as_of = summary.options.as_ref().and_then(|options| options.as_of);
    let as_of = as_of.map_or_else(String::new, |day| format!(", as of {day}"));
    let _ = writeln!(out, "Run {} for {tenant}{as_of}: {}", summary.run_id, summary.status.name());
    if let Some(Scenario { name, note, base_run, edits }) = &summary.origin.scenario {
        let note = note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
        let base = base_run.as_ref().map_or("a source".to_owned(), |run| format!("run {run}"));
        let _ = writeln!(out, "Scenario {name:?}{note} on {base}: {}", edits.join(" "));
    }
    if let Some(challenge) = &summary.origin.challenge {
        let _ = writeln!(out, "Allocation adopted from\n{challenge}");
    }
    if let (Some(started), Some(ended)) = (summary.requested_at, summary.ended_at) {
        let micros = ended.micros() - started.micros();
        let (seconds, millis) = (micros / 1_000_000, micros / 1000 % 1000);
        let events = count(summary.events);
        let _ =
            writeln!(out, "{events} events in {seconds}.{millis:03} s from request to last event");
    }
    if let Some(failed) = &summary.failure {
        let step = failed.step.as_str();
        let _ = writeln!(out, "Failed at {step}: {}", failed.message);
    }
    if let Some(cancelled) = &summary.cancellation {
        let step = cancelled.step.as_str();
        let _ = writeln!(out, "Cancelled by {} at {step}", cancelled.cancelled_by);
    }
    if let Some(provenance) = &summary.origin.provenance {
        let _ = writeln!(out, "{}", provenance::text(provenance));
    }
    if let Some(mapping) = &summary.mapping {
        let files = mapping.files.len();
        let digest = mapping.digest.get(..12).unwrap_or(&mapping.digest);
        let _ = writeln!(out, "Input by {} ({digest}…) from {files} files", mapping.file);
    }
    findings(summary, out);
}

/// All errors and the first warnings.
fn findings(summary: &RunSummary, out: &mut String) {
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    let errors = summary.findings.iter().filter(is_error);
    let warnings = summary.findings.iter().filter(|finding| !is_error(finding));
    for finding in errors.chain(warnings.clone().take(MAX_WARNINGS)) {
        let subject = finding.subject.as_deref().unwrap_or("-");
        let severity = finding.severity.as_str();
        let code = finding.code.as_str();
        let _ = writeln!(out, "{severity} {code} {subject}: {}", finding.message);
    }
    let more = warnings.count().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        let run = summary.run_id;
        let _ = writeln!(out, "and {more} more: powerfill tables {run} pfill_preflight_findings");
    }
}

fn loans(summary: &RunSummary, out: &mut String) {
    let outcomes = &summary.loans;
    let passes = outcomes.allocated.iter();
    let mut rows: Vec<[String; 2]> =
        passes.map(|(pass, n)| [format!("allocated by {}", pass.as_str()), count(*n)]).collect();
    rows.push(["kicked out".to_owned(), count(outcomes.kicked_out)]);
    rows.push(["locked".to_owned(), count(outcomes.locked)]);
    let held = outcomes.held.iter().filter(|(reason, _)| **reason != HeldReason::Locked);
    rows.extend(held.map(|(reason, n)| [format!("held, {}", reason.as_str()), count(*n)]));
    let out_of_scope = summary.participation.iter().filter(|(name, _)| name.starts_with("OutOf"));
    rows.extend(out_of_scope.map(|(name, n)| [name.clone(), count(*n)]));
    let _ = writeln!(out, "\n{}", text_table(&["Loans by outcome", "loans"], rows, &[1]));
    let (allocated, kicked_out) = (usd(outcomes.allocated_amount), usd(outcomes.kicked_out_amount));
    let _ = writeln!(out, "{allocated} allocated, {kicked_out} kicked out");
}

fn counted<T: Choice>(title: &str, counts: &std::collections::BTreeMap<T, u64>, out: &mut String) {
    if counts.is_empty() {
        return;
    }
    let rows = counts.iter().map(|(name, n)| [name.spelling().to_owned(), count(*n)]);
    let _ = writeln!(out, "\n{}", text_table(&[title, "rows"], rows, &[1]));
}

fn trades(summary: &RunSummary, out: &mut String) {
    let included: u64 = summary.fill_statuses.values().sum();
    let statuses = summary.fill_statuses.iter();
    let parts: Vec<String> =
        statuses.map(|(status, n)| format!("{} {}", count(*n), status.as_str())).collect();
    let _ = writeln!(out, "\n{} trades in the run: {}", count(included), parts.join(", "));
    let mut fills: Vec<&TradeFill> = summary.fills.iter().collect();
    fills.sort_by_key(|fill| (fill.fill_status == FillStatus::Filled, -fill.shortfall_amount));
    let shown = fills.iter().take(MAX_TRADES).map(|fill| {
        [
            fill.trade_id.to_string(),
            fill.fill_status.as_str().to_owned(),
            count(fill.loan_count),
            usd(fill.filled_amount),
            usd(fill.open_amount),
            usd(fill.shortfall_amount),
        ]
    });
    let header = ["Trade fills", "status", "loans", "filled", "open", "short of min"];
    let _ = writeln!(out, "{}", text_table(&header, shown, &[2, 3, 4, 5]));
    if fills.len() > MAX_TRADES {
        let run = summary.run_id;
        let rest = count((fills.len() - MAX_TRADES) as u64);
        let _ = writeln!(out, "and {rest} more: powerfill tables {run} pfill_trade_recap");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_thousands() {
        assert_eq!(count(11_674), "11,674");
        assert_eq!(count(7), "7");
    }
}
