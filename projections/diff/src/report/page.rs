//! One self-contained page for people: no network, no text that could be taken for markup or script.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html as markup};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Paths, Shown};
use crate::compare::{Verdict, columns_of};
use crate::side::{ExportHead, RunHead, SideHead};
use crate::why::Why;
use crate::{Answer, Comparison};

/// The most rows that a page carries: beyond, those that matter least are left to the CSV.
pub const PAGE_ROWS: usize = 50_000;

/// Rows that readers without script get to see.
const PLAIN_ROWS: usize = 200;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page, at most `rows` of the differences on it.
pub fn html(comparison: &Comparison, rows: usize) -> String {
    let page = Page { comparison, paths: Paths::of(comparison) };
    let chosen = page.chosen(rows);
    let title =
        format!("{} against {}", comparison.here.head.title(), comparison.there.head.title());
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        fingerprint(STYLE),
        fingerprint(SCRIPT)
    );
    let document = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "PowerFill: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "PowerFill comparison" }
                    p.sides { (comparison.here.head.title()) " against " (comparison.there.head.title()) }
                    (page.answer())
                }
                main {
                    (page.sides())
                    (page.tables())
                    (page.said())
                    (page.why())
                    (page.not_compared())
                    (page.differences(&chosen))
                }
                script type="application/json" id="data" { (PreEscaped(page.data(&chosen))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    document.into_string()
}

/// What a Content-Security-Policy knows a style or script by.
fn fingerprint(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// JSON that is also harmless inside a script element, whatever the texts in it.
fn harmless(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text
}

/// A verdict as people read it.
const fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::OtherNumbers => "other numbers",
        Verdict::OtherDecision => "other decision",
        Verdict::OnlyHere => "only here",
        Verdict::OnlyThere => "only there",
    }
}

/// What stands in the class column.
const fn class_of(shown: &Shown<'_>) -> &'static str {
    match (shown.class, shown.pending) {
        (Some(class), _) => class,
        (None, true) => "to be filled in",
        (None, false) => "unclassified",
    }
}

struct Page<'a> {
    comparison: &'a Comparison,
    paths: Paths<'a>,
}

impl Page<'_> {
    /// The differences that the page carries, in order: unclassified before classified, decisions before numbers.
    fn chosen(&self, most: usize) -> Vec<Shown<'_>> {
        let weight = |verdict: Verdict, unclassified: bool| {
            let at = Verdict::DIFFERENCES.iter().position(|known| *known == verdict);
            at.unwrap_or_default() + if unclassified { 0 } else { Verdict::DIFFERENCES.len() }
        };
        let classes = self.comparison.classifications.entries();
        let weights = || {
            self.comparison.tables.iter().flat_map(|table| &table.differences).map(|difference| {
                let entry = difference.entry.and_then(|at| classes.get(at as usize));
                weight(difference.verdict, entry.is_none_or(|entry| entry.class.is_none()))
            })
        };
        let mut counts = [0_usize; 2 * Verdict::DIFFERENCES.len()];
        weights().for_each(|weight| counts[weight] += 1);
        let mut left = most;
        let mut quota = counts.map(|count| {
            let taken = count.min(left);
            left -= taken;
            taken
        });
        let wanted: Vec<bool> = weights()
            .map(|weight| {
                let has = quota[weight] > 0;
                quota[weight] -= usize::from(has);
                has
            })
            .collect();
        let shown =
            self.comparison.tables.iter().flat_map(|table| {
                table.differences.iter().map(move |difference| (table, difference))
            });
        shown
            .zip(wanted)
            .filter(|(_, wanted)| *wanted)
            .map(|((table, difference), _)| super::shown(self.comparison, table, difference))
            .collect()
    }

    fn answer(&self) -> Markup {
        let comparison = self.comparison;
        let (differences, same) = (comparison.differences(), comparison.same());
        let classified = &comparison.classified;
        match comparison.answer() {
            Answer::Incomparable => markup! {
                div.answer.incomparable role="status" {
                    strong { "Incomparable" }
                    " This says nothing about whether the sides agree."
                    ul { @for reason in &comparison.incomparable { li { (reason) } } }
                }
            },
            Answer::Same => markup! {
                div.answer.same role="status" {
                    strong { "Nothing is unclassified" }
                    " " (grouped(same)) " rows are the same, " (grouped(differences)) " differ and are classified."
                }
            },
            Answer::Different => markup! {
                div.answer.different role="status" {
                    strong { (grouped(classified.unclassified)) " unclassified" }
                    " " (grouped(same)) " rows are the same, " (grouped(differences)) " differ; decisions of "
                    (grouped(comparison.loans_parted)) " loans are others."
                }
            },
        }
    }

    fn sides(&self) -> Markup {
        let (here, there) = (facts(&self.comparison.here.head), facts(&self.comparison.there.head));
        let mut names: Vec<&str> = here.iter().map(|(name, _)| *name).collect();
        names.extend(
            there.iter().map(|(name, _)| *name).filter(|name| !here.iter().any(|f| f.0 == *name)),
        );
        let find = |facts: &[(&'static str, String)], name: &str| {
            facts.iter().find(|fact| fact.0 == name).map_or_else(String::new, |fact| fact.1.clone())
        };
        markup! {
            section aria-labelledby="sides" {
                h2 id="sides" { "The two sides" }
                div.scroll {
                    table.facts {
                        thead { tr { td {} th scope="col" { "here" } th scope="col" { "there" } } }
                        tbody {
                            @for name in names {
                                @let (a, b) = (find(&here, name), find(&there, name));
                                tr.other[a != b] { th scope="row" { (name) } td { (a) } td { (b) } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn tables(&self) -> Markup {
        let verdicts = [
            Verdict::Same,
            Verdict::OtherNumbers,
            Verdict::OtherDecision,
            Verdict::OnlyHere,
            Verdict::OnlyThere,
        ];
        markup! {
            section aria-labelledby="tables" {
                h2 id="tables" { "By table" }
                div.scroll {
                    table.counts {
                        thead {
                            tr {
                                th scope="col" { "table" }
                                th.number scope="col" { "rows here" }
                                th.number scope="col" { "rows there" }
                                @for verdict in verdicts { th.number scope="col" { (words(verdict)) } }
                            }
                        }
                        tbody {
                            @for table in &self.comparison.tables {
                                tr {
                                    th scope="row" { (table.judged.table.name) }
                                    td.number { (grouped(table.here.grid.len().into())) }
                                    td.number { (grouped(table.there.grid.len().into())) }
                                    @match &table.incomparable {
                                        Some(_) => { td.incomparable colspan="5" { "incomparable" } }
                                        None => {
                                            @for verdict in verdicts {
                                                @let count = table.counts.of(verdict);
                                                td.number.none[count == 0] { (grouped(count)) }
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

    fn said(&self) -> Markup {
        let classified = &self.comparison.classified;
        markup! {
            section aria-labelledby="said" {
                h2 id="said" { "Classification" }
                table.counts {
                    tbody {
                        @for (class, count) in &classified.classes {
                            tr { th scope="row" { (class) } td.number { (grouped(*count)) } }
                        }
                        tr.total { th scope="row" { "unclassified" } td.number { (grouped(classified.unclassified)) } }
                        @if classified.pending > 0 {
                            tr { th scope="row" { "of these, with an entry to be filled in" } td.number { (grouped(classified.pending)) } }
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

    fn why(&self) -> Markup {
        match &self.comparison.why {
            Some(why) => why_section(why),
            None => markup! {},
        }
    }

    fn not_compared(&self) -> Markup {
        let comparison = self.comparison;
        let mut notes: Vec<String> = comparison
            .left_out
            .iter()
            .map(|(table, reason)| format!("{table}: {reason}"))
            .collect();
        for table in &comparison.tables {
            let name = table.judged.table.name;
            let columns =
                |set| columns_of(set).map(|at| table.column(at)).collect::<Vec<_>>().join(", ");
            if table.missing != 0 {
                notes.push(format!("{name}: one side does not have {}", columns(table.missing)));
            }
            if table.ignored != 0 {
                notes.push(format!("{name}: the mapping ignores {}", columns(table.ignored)));
            }
            if !table.there.strangers.is_empty() {
                notes.push(format!(
                    "{name}: no column of the table: {}",
                    table.there.strangers.join(", ")
                ));
            }
            for unread in &table.there.unread {
                let (cells, row) = (grouped(unread.cells), unread.row);
                let (column, text) = (unread.column, &unread.text);
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

    fn differences(&self, chosen: &[Shown<'_>]) -> Markup {
        let all_of_them = self.comparison.differences();
        let left_out = all_of_them - chosen.len() as u64;
        let tables = self.comparison.tables.iter().filter(|table| table.counts.differences() > 0);
        let mut classes: BTreeMap<&str, ()> = BTreeMap::new();
        classes.extend(chosen.iter().map(|shown| (class_of(shown), ())));
        markup! {
            section aria-labelledby="differences" {
                h2 id="differences" { "Differences" }
                @if left_out > 0 {
                    p.note {
                        "This page carries " (grouped(chosen.len() as u64)) " of " (grouped(all_of_them))
                        " differences: the unclassified before the classified, decisions before numbers. --format csv has all."
                    }
                }
                @if chosen.is_empty() { p { "There is none." } }
                @else {
                    form.filters id="filters" {
                        label { "Text " input type="search" id="text" autocomplete="off"; }
                        label { "Table " select id="table" { option value="" { "all" }
                            @for table in tables { option { (table.judged.table.name) } } } }
                        label { "Verdict " select id="verdict" { option value="" { "all" }
                            @for verdict in Verdict::DIFFERENCES { option value=(verdict.name()) { (words(verdict)) } } } }
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
                            @for shown in chosen.iter().take(PLAIN_ROWS) { (plain_row(shown)) }
                        }
                    }
                }
            }
        }
    }

    /// What the script shows: texts that come again and again once, rows as arrays.
    fn data(&self, chosen: &[Shown<'_>]) -> String {
        let loans: Vec<Value> = self
            .comparison
            .loans
            .iter()
            .map(|path| {
                let parted = path.parted.as_ref().map(ToString::to_string);
                json!([path.here.to_string(), path.there.to_string(), parted, path.because])
            })
            .collect();
        let rows: Vec<Value> = chosen
            .iter()
            .map(|shown| {
                let cells: Vec<Value> = shown
                    .cells
                    .iter()
                    .map(|cell| {
                        json!([cell.column, cell.here, cell.there, u8::from(cell.decision)])
                    })
                    .collect();
                let path = shown.loan_id().and_then(|loan| self.paths.position(loan));
                json!([
                    shown.table,
                    shown.key,
                    shown.verdict.name(),
                    cells,
                    class_of(shown),
                    shown.note,
                    path.map_or(Value::from(-1), Value::from)
                ])
            })
            .collect();
        let verdicts: serde_json::Map<String, Value> = Verdict::DIFFERENCES
            .into_iter()
            .map(|verdict| (verdict.name().to_owned(), words(verdict).into()))
            .collect();
        harmless(&json!({ "rows": rows, "loans": loans, "verdicts": verdicts }))
    }
}

fn plain_row(shown: &Shown<'_>) -> Markup {
    markup! {
        tr {
            td { (shown.table) }
            td { (shown.key.join(" | ")) }
            td { (words(shown.verdict)) }
            td {
                @for cell in &shown.cells {
                    div {
                        (cell.column) ": " (cell.here.as_deref().unwrap_or("–")) " → "
                        (cell.there.as_deref().unwrap_or("–"))
                    }
                }
            }
            td { (class_of(shown)) }
            td { (shown.note) }
        }
    }
}

/// What there is to say of a side, by name.
fn facts(head: &SideHead) -> Vec<(&'static str, String)> {
    match head {
        SideHead::Run(run) => run_facts(run),
        SideHead::Export(ExportHead { place, files }) => {
            let mut facts = vec![("what", place.clone())];
            let texts: Vec<String> = files
                .iter()
                .map(|file| {
                    let table = file.table.unwrap_or("no table of a run");
                    format!("{} ({table}) {}", file.name, file.digest)
                })
                .collect();
            facts.push(("files, and their BLAKE3", texts.join("\n")));
            facts
        }
    }
}

fn run_facts(run: &RunHead) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let as_of = run.options.as_ref().and_then(|options| options.as_of);
    vec![
        ("what", format!("run {}, {}", run.run_id, run.status.name())),
        ("tenant", run.tenant_id.as_ref().map_or_else(String::new, ToString::to_string)),
        ("as of", as_of.map_or_else(String::new, |day| day.to_string())),
        ("requested", run.requested_at.map_or_else(String::new, |at| at.to_string())),
        ("requested by", text(&run.requested_by)),
        ("recorded", run.recorded_at.map_or_else(String::new, |at| at.to_string())),
        ("events", grouped(run.events)),
        ("engine", text(&run.engine_version)),
        ("specification", text(&run.spec_version)),
        ("snapshot, BLAKE3", text(&run.snapshot_digest)),
        ("outputs, BLAKE3", text(&run.output_digest)),
    ]
}

fn why_section(why: &Why) -> Markup {
    let either = |texts: &[Option<String>; 2]| {
        let text = |at: usize| texts[at].clone().unwrap_or_else(|| "–".to_owned());
        format!("{} → {}", text(0), text(1))
    };
    markup! {
        section aria-labelledby="why" {
            h2 id="why" { "What the runs were given" }
            @if why.is_nothing() { p { "The same snapshot, the same options, the same engine." } }
            ul {
                @if let Some(engine) = &why.engine_version { li { "engine: " (either(engine)) } }
                @if let Some(spec) = &why.spec_version { li { "specification: " (either(spec)) } }
                @for change in &why.options {
                    li { "option " code { (change.option) } ": " (value_words(&change.here)) " → " (value_words(&change.there)) }
                }
                @for change in &why.snapshot {
                    li {
                        details {
                            summary {
                                code { (change.table) } ": " (grouped(change.changed)) " rows changed, "
                                (grouped(change.only_here)) " only here, " (grouped(change.only_there)) " only there"
                            }
                            @let columns: Vec<String> = change.columns.iter().map(|(name, rows)| format!("{name} ({rows})")).collect();
                            @if !columns.is_empty() { p { "columns: " (columns.join(", ")) } }
                            table.rows {
                                @for row in &change.rows {
                                    tr {
                                        td { (row.key.join(" | ")) }
                                        td {
                                            @if let Some(side) = row.only { "only " (side) }
                                            @for (column, here, there) in &row.fields { div { (column) ": " (here) " → " (there) } }
                                        }
                                    }
                                }
                            }
                            @let rows = change.changed + change.only_here + change.only_there;
                            @if rows > change.rows.len() as u64 { p { "and " (grouped(rows - change.rows.len() as u64)) " more" } }
                        }
                    }
                }
            }
        }
    }
}

/// An option's value without JSON's quotes.
pub fn value_words(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A count with thousands separators.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
