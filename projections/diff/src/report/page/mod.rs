//! The report as one self-contained page. It needs no network, and no text of it can act as markup
//! or script.

mod loans;
mod sections;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html as markup};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{DifferenceRow, LoanPaths};
use crate::compare::{RowDifference, RowVerdict, TableComparison};
use crate::comparison::Comparison;

pub use sections::{old_or_new, value_words};

/// The greatest number of rows on a page. Only the CSV has the less important rest.
pub const PAGE_ROWS: usize = 50_000;

/// The number of rows that the page shows without script.
const PLAIN_ROWS: usize = 200;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page with at most `rows` differences.
pub fn html(comparison: &Comparison, rows: usize) -> String {
    let page = Page { comparison, paths: LoanPaths::new(comparison) };
    let chosen = page.most_important(rows);
    let title =
        format!("{} against {}", comparison.here.head.title(), comparison.there.head.title());
    let document = markup! {
        (DOCTYPE)
        html lang="en" {
            (page_head(&format!("PowerFill: {title}"), STYLE, Some(SCRIPT)))
            body {
                header {
                    h1 { "PowerFill comparison" }
                    p.sides { (comparison.here.head.title()) " against " (comparison.there.head.title()) }
                    (page.outcome())
                }
                main {
                    (page.loans())
                    (page.sides())
                    (page.tables())
                    (page.classification())
                    (page.run_differences())
                    (page.not_compared())
                    (page.differences(&chosen))
                    (page.files())
                }
                script type="application/json" id="data" { (PreEscaped(page.data(&chosen))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    document.into_string()
}

/// The head of a page that uses nothing but its own style, and its script if it has one.
pub fn page_head(title: &str, style: &str, script: Option<&str>) -> Markup {
    let script =
        script.map_or_else(String::new, |script| format!("script-src '{}'; ", fingerprint(script)));
    let policy = format!(
        "default-src 'none'; style-src '{}'; {script}base-uri 'none'; form-action 'none'",
        fingerprint(style)
    );
    markup! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            title { (title) }
            style { (PreEscaped(style)) }
        }
    }
}

/// The hash by which a Content-Security-Policy allows a style or a script.
fn fingerprint(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// JSON that no text in it can end a script element with.
pub fn escaped_json(value: &Value) -> String {
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

/// The text of a verdict; `labels` are the sides.
fn verdict_words(verdict: RowVerdict, labels: [&str; 2]) -> String {
    match verdict {
        RowVerdict::Same => "same".to_owned(),
        RowVerdict::OtherNumbers => "other numbers".to_owned(),
        RowVerdict::OtherDecision => "other decision".to_owned(),
        RowVerdict::OnlyHere => format!("only {}", labels[0]),
        RowVerdict::OnlyThere => format!("only {}", labels[1]),
    }
}

/// The text in the class column.
const fn class_words(row: &DifferenceRow<'_>) -> &'static str {
    match (row.class, row.pending) {
        (Some(class), _) => class,
        (None, true) => "to be filled in",
        (None, false) => "unclassified",
    }
}

struct Page<'a> {
    comparison: &'a Comparison,
    paths: LoanPaths<'a>,
}

impl Page<'_> {
    /// The most important differences, at most this many: unclassified before classified, decisions
    /// before numbers, then by table.
    fn most_important(&self, most: usize) -> Vec<DifferenceRow<'_>> {
        let weight = |verdict: RowVerdict, unclassified: bool| {
            let at = RowVerdict::DIFFERENCES.iter().position(|known| *known == verdict);
            at.unwrap_or_default() + if unclassified { 0 } else { RowVerdict::DIFFERENCES.len() }
        };
        let classes = self.comparison.classifications.entries();
        let weights = || {
            self.comparison.tables.iter().flat_map(|table| &table.differences).map(|difference| {
                let entry = difference.entry.and_then(|at| classes.get(at as usize));
                weight(difference.verdict, entry.is_none_or(|entry| entry.class.is_none()))
            })
        };
        let mut counts = [0_usize; 2 * RowVerdict::DIFFERENCES.len()];
        weights().for_each(|weight| counts[weight] += 1);
        let mut left = most;
        let mut quota = counts.map(|count| {
            let taken = count.min(left);
            left -= taken;
            taken
        });
        let mut chosen: Vec<(usize, (&TableComparison, &RowDifference))> = weights()
            .zip(self.comparison.tables.iter().flat_map(|table| {
                table.differences.iter().map(move |difference| (table, difference))
            }))
            .filter(|(weight, _)| {
                let has = quota[*weight] > 0;
                quota[*weight] -= usize::from(has);
                has
            })
            .collect();
        chosen.sort_by_key(|(weight, _)| *weight);
        let rows = chosen
            .into_iter()
            .map(|(_, (table, d))| super::difference_row(self.comparison, table, d));
        rows.collect()
    }

    /// The data for the script. Repeated texts are in it once, and rows are arrays.
    fn data(&self, chosen: &[DifferenceRow<'_>]) -> String {
        let labels = self.comparison.labels();
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
            .map(|row| {
                let cells: Vec<Value> = row
                    .cells
                    .iter()
                    .map(|cell| {
                        json!([cell.column, cell.here, cell.there, u8::from(cell.decision)])
                    })
                    .collect();
                let path = row.loan_id().and_then(|loan| self.paths.position(loan));
                json!([
                    row.table,
                    row.key,
                    row.verdict.name(),
                    cells,
                    class_words(row),
                    row.note,
                    path.map_or(Value::from(-1), Value::from)
                ])
            })
            .collect();
        let verdicts: serde_json::Map<String, Value> = RowVerdict::DIFFERENCES
            .into_iter()
            .map(|verdict| (verdict.name().to_owned(), verdict_words(verdict, labels).into()))
            .collect();
        let document =
            json!({ "rows": rows, "loans": loans, "verdicts": verdicts, "labels": labels });
        escaped_json(&document)
    }
}
