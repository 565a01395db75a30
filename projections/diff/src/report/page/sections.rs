//! The sections of the page.

use std::collections::BTreeMap;

use maud::{Markup, html as markup};
use powerfill_events::run::options::RunOptions;
use powerfill_explain::thousands;
use serde_json::Value;

use super::{PLAIN_ROWS, Page, class_words, verdict_words};
use crate::column_set::columns_of;
use crate::compare::RowVerdict;
use crate::comparison::ComparisonOutcome;
use crate::report::DifferenceRow;
use crate::run_differences::RunDifferences;
use crate::side::{RunSideHead, SideHead};

impl Page<'_> {
    pub(super) fn outcome(&self) -> Markup {
        let comparison = self.comparison;
        let (differences, same) = (comparison.differences(), comparison.same());
        let classified = &comparison.classified;
        match comparison.outcome() {
            ComparisonOutcome::Incomparable => markup! {
                div.answer.incomparable role="status" {
                    strong { "Incomparable" }
                    " This says nothing about whether the sides agree."
                    ul { @for reason in &comparison.incomparable { li { (reason) } } }
                }
            },
            ComparisonOutcome::Same => markup! {
                div.answer.same role="status" {
                    strong { "Nothing is unclassified" }
                    " " (thousands(same)) " rows are the same, " (thousands(differences)) " differ and are classified."
                }
            },
            ComparisonOutcome::Different => markup! {
                div.answer.different role="status" {
                    strong { (thousands(classified.unclassified)) " unclassified" }
                    " " (thousands(same)) " rows are the same, " (thousands(differences)) " differ; the decision is another for "
                    (thousands(comparison.diverging_loan_count)) " loans."
                }
            },
        }
    }

    pub(super) fn sides(&self) -> Markup {
        let (here, there) = (facts(&self.comparison.here.head), facts(&self.comparison.there.head));
        let mut names: Vec<&str> = here.iter().map(|(name, _)| *name).collect();
        names.extend(
            there.iter().map(|(name, _)| *name).filter(|name| !here.iter().any(|f| f.0 == *name)),
        );
        let both_runs = self.comparison.run_differences.is_some();
        let find = |facts: &[(&'static str, String)], name: &str| {
            facts.iter().find(|fact| fact.0 == name).map_or_else(String::new, |fact| fact.1.clone())
        };
        markup! {
            section aria-labelledby="sides" {
                h2 id="sides" { "The two sides" }
                div.scroll {
                    table.facts {
                        thead { tr { td {} @for label in self.comparison.labels() { th scope="col" { (label) } } } }
                        tbody {
                            @for name in names {
                                @let (a, b) = (find(&here, name), find(&there, name));
                                tr.other[both_runs && a != b] { th scope="row" { (name) } td { (a) } td { (b) } }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The files of an export with their digests, by which a reader can recognize them.
    pub(super) fn files(&self) -> Markup {
        let heads = [&self.comparison.here.head, &self.comparison.there.head];
        let files = heads.into_iter().filter_map(|head| match head {
            SideHead::Export(export) => Some(&export.files),
            SideHead::Run(_) => None,
        });
        let files: Vec<_> = files.flatten().collect();
        markup! {
            @if !files.is_empty() {
                section aria-labelledby="files" {
                    h2 id="files" { "Files" }
                    div.scroll {
                        table.counts {
                            thead { tr { th scope="col" { "file" } th scope="col" { "table" } th scope="col" { "BLAKE3" } } }
                            tbody {
                                @for file in files {
                                    tr { td { (file.name) } td { (file.table.unwrap_or("none, or left out")) } td { code { (file.digest) } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn tables(&self) -> Markup {
        let labels = self.comparison.labels();
        let verdicts = [
            RowVerdict::Same,
            RowVerdict::OtherNumbers,
            RowVerdict::OtherDecision,
            RowVerdict::OnlyHere,
            RowVerdict::OnlyThere,
        ];
        markup! {
            section aria-labelledby="tables" {
                h2 id="tables" { "By table" }
                div.scroll {
                    table.counts {
                        thead {
                            tr {
                                th scope="col" { "table" }
                                @for label in labels { th.number scope="col" { "rows " (label) } }
                                @for verdict in verdicts { th.number scope="col" { (verdict_words(verdict, labels)) } }
                            }
                        }
                        tbody {
                            @for table in &self.comparison.tables {
                                tr {
                                    th scope="row" { (table.spec.name) }
                                    td.number { (thousands(table.here.grid.len().into())) }
                                    td.number { (thousands(table.there.grid.len().into())) }
                                    @match &table.incomparable {
                                        Some(_) => { td.incomparable colspan="5" { "incomparable" } }
                                        None => {
                                            @for verdict in verdicts {
                                                @let count = table.counts.count(verdict);
                                                td.number.none[count == 0] { (thousands(count)) }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn classification(&self) -> Markup {
        let classified = &self.comparison.classified;
        markup! {
            section aria-labelledby="said" {
                h2 id="said" { "Classification" }
                table.counts {
                    tbody {
                        @for (class, count) in &classified.classes {
                            tr { th scope="row" { (class) } td.number { (thousands(*count)) } }
                        }
                        tr.total { th scope="row" { "unclassified" } td.number { (thousands(classified.unclassified)) } }
                        @if classified.pending > 0 {
                            tr { th scope="row" { "of these, with an entry to be filled in" } td.number { (thousands(classified.pending)) } }
                        }
                    }
                }
                @if !classified.stale.is_empty() {
                    p { "Entries that match nothing any more:" }
                    ul { @for stale in &classified.stale { li { "line " (stale.line) ": " (stale.note) } } }
                }
            }
        }
    }

    pub(super) fn run_differences(&self) -> Markup {
        match &self.comparison.run_differences {
            Some(differences) => run_differences_section(differences),
            None => markup! {},
        }
    }

    pub(super) fn not_compared(&self) -> Markup {
        let comparison = self.comparison;
        let mut notes: Vec<String> = comparison
            .left_out
            .iter()
            .map(|(table, reason)| format!("{table}: {reason}"))
            .collect();
        for table in &comparison.tables {
            let name = table.spec.name;
            let columns =
                |set| columns_of(set).map(|at| table.column(at)).collect::<Vec<_>>().join(", ");
            if table.missing != 0 {
                notes.push(format!("{name}: one side does not have {}", columns(table.missing)));
            }
            if table.ignored != 0 {
                notes.push(format!("{name}: the mapping ignores {}", columns(table.ignored)));
            }
            if !table.there.unknown_columns.is_empty() {
                notes.push(format!(
                    "{name}: no column of the table: {}",
                    table.there.unknown_columns.join(", ")
                ));
            }
            for unreadable in &table.there.unreadable {
                let (cells, row) = (thousands(unreadable.cells), unreadable.row);
                let (column, text) = (unreadable.column, &unreadable.text);
                notes.push(format!("{name}: {cells} cells of {column} do not read; the first, in row {row}, is {text:?}"));
            }
        }
        markup! {
            @if !notes.is_empty() {
                section aria-labelledby="left-out" {
                    h2 id="left-out" { "Not compared" }
                    ul { @for note in notes { li { (note) } } }
                }
            }
        }
    }

    pub(super) fn differences(&self, chosen: &[DifferenceRow<'_>]) -> Markup {
        let (all, labels) = (self.comparison.differences(), self.comparison.labels());
        let left_out = all - chosen.len() as u64;
        let tables = self.comparison.tables.iter().filter(|table| table.counts.differences() > 0);
        let mut classes: BTreeMap<&str, ()> = BTreeMap::new();
        classes.extend(chosen.iter().map(|row| (class_words(row), ())));
        markup! {
            section aria-labelledby="differences" {
                h2 id="differences" { "Differences" }
                @if left_out > 0 {
                    p.note {
                        "This page carries " (thousands(chosen.len() as u64)) " of " (thousands(all))
                        " differences: the unclassified before the classified, decisions before numbers. --format csv has all."
                    }
                }
                @if chosen.is_empty() { p { "There is none." } }
                @else {
                    form.filters id="filters" {
                        label { "Text " input type="search" id="text" autocomplete="off"; }
                        label { "Table " select id="table" { option value="" { "all" }
                            @for table in tables { option { (table.spec.name) } } } }
                        label { "Verdict " select id="verdict" { option value="" { "all" }
                            @for verdict in RowVerdict::DIFFERENCES { option value=(verdict.name()) { (verdict_words(verdict, labels)) } } } }
                        label { "Class " select id="class" { option value="" { "all" }
                            @for class in classes.keys() { option { (class) } } } }
                        button type="reset" { "Clear" }
                    }
                    nav.pages aria-label="Pages" {
                        button type="button" id="before" { "Previous" }
                        span id="where" role="status" aria-live="polite" {}
                        button type="button" id="after" { "Next" }
                    }
                    div.scroll { table.rows id="rows" { thead {} tbody {} } }
                    noscript {
                        p { "Without script the first " (PLAIN_ROWS) " differences are shown, and cannot be filtered." }
                        table.rows {
                            @for row in chosen.iter().take(PLAIN_ROWS) { (plain_row(row, labels)) }
                        }
                    }
                }
            }
        }
    }
}

fn plain_row(row: &DifferenceRow<'_>, labels: [&str; 2]) -> Markup {
    markup! {
        tr {
            td { (row.table) }
            td { (row.key.join(" | ")) }
            td { (verdict_words(row.verdict, labels)) }
            td {
                @for cell in &row.cells {
                    div {
                        (cell.column) ": " (cell.here.as_deref().unwrap_or("–")) " → "
                        (cell.there.as_deref().unwrap_or("–"))
                    }
                }
            }
            td { (class_words(row)) }
            td { (row.note) }
        }
    }
}

/// The facts about a side, with their names.
fn facts(head: &SideHead) -> Vec<(&'static str, String)> {
    match head {
        SideHead::Run(run) => run_facts(run),
        SideHead::Export(export) => {
            vec![("what", format!("{}, {} files", export.place, export.files.len()))]
        }
    }
}

fn run_facts(run: &RunSideHead) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let as_of = run.options.as_ref().and_then(|options| options.as_of);
    vec![
        ("what", format!("run {}, {}", run.run_id, run.status.name())),
        ("tenant", run.tenant_id.as_ref().map_or_else(String::new, ToString::to_string)),
        ("as of", as_of.map_or_else(String::new, |day| day.to_string())),
        ("requested", run.requested_at.map_or_else(String::new, |at| at.to_string())),
        ("requested by", text(&run.requested_by)),
        ("recorded", run.recorded_at.map_or_else(String::new, |at| at.to_string())),
        ("events", thousands(run.events)),
        ("engine", text(&run.engine_version)),
        ("specification", text(&run.spec_version)),
        ("options", options_words(run.options.as_ref())),
        ("snapshot, BLAKE3", text(&run.snapshot_digest)),
        ("outputs, BLAKE3", text(&run.output_digest)),
    ]
}

/// All options that have a value.
fn options_words(options: Option<&RunOptions>) -> String {
    let Ok(Value::Object(options)) = serde_json::to_value(options) else { return String::new() };
    let given = options.iter().filter(|(_, value)| !value.is_null());
    given
        .map(|(name, value)| format!("{name} {}", value_words(value)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn run_differences_section(differences: &RunDifferences) -> Markup {
    let either = |texts: &[Option<String>; 2]| {
        let text = |at: usize| texts[at].clone().unwrap_or_else(|| "–".to_owned());
        format!("{} → {}", text(0), text(1))
    };
    markup! {
        section aria-labelledby="why" {
            h2 id="why" { "What the runs were given" }
            @if differences.is_empty() { p { "The same snapshot, the same options, the same engine." } }
            ul {
                @if let Some(engine) = &differences.engine_version { li { "engine: " (either(engine)) } }
                @if let Some(spec) = &differences.spec_version { li { "specification: " (either(spec)) } }
                @for change in &differences.options {
                    li { "option " code { (change.option) } ": " (value_words(&change.here)) " → " (value_words(&change.there)) }
                }
                @for change in &differences.snapshot {
                    li {
                        details {
                            summary {
                                code { (change.table) } ": " (thousands(change.changed)) " rows changed, "
                                (thousands(change.only_here)) " only old, " (thousands(change.only_there)) " only new"
                            }
                            @let columns: Vec<String> = change.columns.iter().map(|(name, rows)| format!("{name} ({rows})")).collect();
                            @if !columns.is_empty() { p { "columns: " (columns.join(", ")) } }
                            table.rows {
                                @for row in &change.rows {
                                    tr {
                                        td { (row.key.join(" | ")) }
                                        td {
                                            @if let Some(side) = row.only { "only " (old_or_new(side)) }
                                            @for (column, here, there) in &row.fields { div { (column) ": " (here) " → " (there) } }
                                        }
                                    }
                                }
                            }
                            @let rows = change.changed + change.only_here + change.only_there;
                            @if rows > change.rows.len() as u64 { p { "and " (thousands(rows - change.rows.len() as u64)) " more" } }
                        }
                    }
                }
            }
        }
    }
}

/// What the side of an input row is called between two runs.
pub fn old_or_new(side: &str) -> &'static str {
    if side == "here" { "old" } else { "new" }
}

/// The value of an option, without the quotes of JSON.
pub fn value_words(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
