//! Reports of faults as text: equal faults in one paragraph, causes first (specification 1.2).

use std::fmt::Write;

use powerfill_snapshot::groups::FaultGroup;
use powerfill_snapshot::{Fault, FaultCode, FaultReport, Severity};

use crate::summary::count;

/// The paragraphs of a report; `--all` has the others.
const SHOWN_GROUPS: usize = 40;

/// The report as paragraphs, or one line per fault with `all`. It ends with a line break, unless it
/// is empty.
pub(crate) fn text(report: &FaultReport, all: bool) -> String {
    let mut text = String::new();
    if all {
        report.faults.iter().for_each(|fault| writeln_fault(&mut text, fault));
        return text;
    }
    let grouped = report.grouped();
    let shown = &grouped.groups[..grouped.groups.len().min(SHOWN_GROUPS)];
    for (at, group) in shown.iter().enumerate() {
        write_group(&mut text, group);
        // The same remedy for several groups in a row is said once, after the last of them.
        let next = shown.get(at + 1).map_or("", |group| &group.remedy);
        if !group.remedy.is_empty() && group.remedy != next {
            text += &format!("  {}\n", group.remedy);
        }
    }
    for (table, faults) in &grouped.behind_header {
        let what = if *faults == 1 {
            "1 fault in its rows".to_owned()
        } else {
            format!("{} faults in its rows", count(*faults as u64))
        };
        text += &format!("error: {table}: {what}, which may come from its header\n");
    }
    if grouped.groups.iter().any(is_of_other_system) {
        text += "hint: `powerfill check SOURCE --write-mapping FILE` drafts a mapping, by which \
                 --mapping reads\n  files as another system wrote them\n";
    }
    let rest = grouped.groups.len().saturating_sub(SHOWN_GROUPS);
    if rest > 0 {
        text += &format!("… and {rest} further kinds of faults\n");
    }
    text
}

/// Whether it is an error that files of another system have: a mapping says how to read them.
fn is_of_other_system(group: &FaultGroup<'_>) -> bool {
    let code = group.first.code;
    let is_about_files = matches!(
        code,
        FaultCode::MissingTable
            | FaultCode::Unreadable
            | FaultCode::MissingHeader
            | FaultCode::MissingColumn
            | FaultCode::NotANumber
            | FaultCode::NotADate
    );
    is_about_files && group.first.severity == Severity::Error
}

/// Whether the paragraphs leave out any fault.
pub(crate) fn is_shortened(report: &FaultReport) -> bool {
    let grouped = report.grouped();
    !grouped.behind_header.is_empty()
        || grouped.groups.len() > SHOWN_GROUPS
        || grouped.groups.iter().any(|group| group.count > group.places.len())
}

fn writeln_fault(text: &mut String, fault: &Fault) {
    let _ = writeln!(text, "{fault}");
}

/// One fault as its sentence; several as what they share, then their places.
fn write_group(text: &mut String, group: &FaultGroup<'_>) {
    let fault = group.first;
    if group.count == 1 {
        writeln_fault(text, fault);
    } else {
        let (severity, table) = (fault.severity.as_str(), &fault.table);
        *text += &format!("{severity}: {table}");
        if !fault.column.is_empty() {
            *text += &format!(", {}", fault.column);
        }
        let (rows, reason) = (count(group.count as u64), group.reason());
        *text += &format!(": {reason} ({}), {rows} times\n  ", fault.code);
        let places = group.places.iter().map(|place| {
            let value =
                if place.value.is_empty() { String::new() } else { format!(" {:?}", place.value) };
            let row = place.row.rsplit_once('!').map_or(place.row, |(_, cells)| cells);
            let suggestion = place.suggestion.trim_start_matches("; ");
            match suggestion {
                "" => format!("{row}{value}"),
                suggestion => format!("{row}{value} ({suggestion})"),
            }
        });
        let places: Vec<String> = places.collect();
        let dots = if group.count > places.len() { ", …" } else { "" };
        let is_number = fault.row.bytes().all(|byte| byte.is_ascii_digit());
        *text += if is_number { "rows " } else { "" };
        *text += &format!("{}{dots}\n", places.join(", "));
    }
}
