//! `runs`: lists the runs of the store, latest first.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use powerfill_app::run_list::{ListedRun, RunListFilter, list_runs};
use powerfill_explain::usd;
use powerfill_ports::runs::{RunCursor, RunStatus};
use powerfill_tables::run_headline::option_text;
use serde_json::{Map, Value, json};

use crate::args::RunsArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;
use crate::terminal::{cut, terminal_width};
use crate::words::{minutes, short_id};

/// Without --limit, a person gets a page, and a program every run.
const RUNS_AS_TEXT: usize = 50;

/// The digits of a digest that a table shows.
const SHORT_DIGEST: usize = 8;

/// The longest cell of free text in a table.
const LONGEST_TEXT: usize = 40;

const HEADER: [&str; 18] = [
    "number",
    "run_id",
    "as_of",
    "status",
    "requested_by",
    "requested_at",
    "worker",
    "options",
    "scenario",
    "placed",
    "kicked_out",
    "value_amount",
    "gap_bp",
    "gap",
    "output_digest",
    "name",
    "notes",
    "last_note",
];

pub(crate) async fn run(args: RunsArgs, settings: &ProgramSettings) -> CliResult<()> {
    let filter = filter(&args)?;
    let limit = args.limit.or(match args.common.print.format {
        Format::Text => Some(RUNS_AS_TEXT),
        Format::Csv | Format::Json => None,
    });
    let limit = limit.unwrap_or(usize::MAX);
    let (mut runs, mut has_more) = (Vec::new(), false);
    for store in TenantStore::resolve_all(args.all_tenants, &args.common.store, settings)? {
        let tenant = store.tenant_id().filter(|_| args.all_tenants).map(ToString::to_string);
        let store = store.open_for_reading().await?;
        let listed = pin!(list_runs(store.as_ref(), filter.clone(), RunCursor::START));
        let of_tenant: Vec<ListedRun> = listed.take(limit.saturating_add(1)).try_collect().await?;
        has_more |= of_tenant.len() > limit;
        let of_tenant = of_tenant.into_iter().take(limit);
        runs.extend(of_tenant.map(|run| TenantRun { tenant: tenant.clone(), run }));
    }
    match args.common.print.format {
        Format::Text => print_text(text(&runs, terminal_width(), has_more)),
        Format::Csv => {
            let tenant = args.all_tenants.then_some("tenant");
            let header: Vec<&str> = tenant.into_iter().chain(HEADER).collect();
            let records = runs.iter().map(|TenantRun { tenant, run }| {
                tenant.clone().into_iter().chain(record(run)).collect::<Vec<_>>()
            });
            print_csv(&header, records)
        }
        Format::Json => print_json(&runs.iter().map(object).collect::<Vec<_>>()),
    }
}

/// A run, and its tenant if those of all tenants are listed.
struct TenantRun {
    tenant: Option<String>,
    run: ListedRun,
}

fn filter(args: &RunsArgs) -> CliResult<RunListFilter> {
    let status = args.status.as_ref().map(|name| {
        let known = RunStatus::ALL.into_iter().find(|s| s.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| {
            let names: Vec<&str> = RunStatus::ALL.iter().map(|status| status.name()).collect();
            CliError::environment(format!("no status {name}: it is one of {}", names.join(", ")))
        })
    });
    let mut filter = RunListFilter {
        since: args.since,
        until: args.until,
        as_of: args.as_of,
        status: status.transpose()?,
        requested_by: args.by.clone(),
        options: Vec::new(),
        scenarios: args.scenarios,
    };
    for option in &args.option {
        filter.add_option(option).map_err(CliError::environment)?;
    }
    Ok(filter)
}

fn options_text(run: &ListedRun) -> String {
    let options = run.headline.options.iter();
    let options: Vec<String> =
        options.map(|(name, value)| format!("{name}={}", option_text(value))).collect();
    options.join(" ")
}

fn text_of<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn record(run: &ListedRun) -> [String; 18] {
    let ListedRun { number, queued, headline, annotations } = run;
    [
        text_of(*number),
        queued.run_id.to_string(),
        text_of(headline.as_of),
        queued.status.name().to_owned(),
        headline.requested_by.clone(),
        queued.requested_at.to_string(),
        queued.worker.clone().unwrap_or_default(),
        options_text(run),
        headline.scenario.clone().unwrap_or_default(),
        text_of(headline.placed),
        text_of(headline.kicked_out),
        text_of(headline.value_amount),
        text_of(headline.certificate.as_ref().map(|own| own.gap_bp)),
        text_of(headline.certificate.as_ref().map(|own| own.certified.gap)),
        headline.output_digest.clone().unwrap_or_default(),
        annotations.name.clone().unwrap_or_default(),
        annotations.notes.to_string(),
        annotations.last_note.clone().unwrap_or_default(),
    ]
}

/// What a run is in JSON: absent values are null.
fn object(TenantRun { tenant, run }: &TenantRun) -> Map<String, Value> {
    let ListedRun { number, queued, headline, annotations } = run;
    let value = json!({
        "number": number,
        "run_id": queued.run_id,
        "as_of": headline.as_of,
        "status": queued.status.name(),
        "requested_by": headline.requested_by,
        "requested_at": queued.requested_at,
        "worker": queued.worker.clone().unwrap_or_default(),
        "options": headline.options,
        "scenario": headline.scenario,
        "placed": headline.placed,
        "kicked_out": headline.kicked_out,
        "value_amount": headline.value_amount,
        "certificate": headline.certificate,
        "output_digest": headline.output_digest,
        "name": annotations.name,
        "notes": annotations.notes,
        "last_note": annotations.last_note,
    });
    let Value::Object(mut object) = value else { return Map::new() };
    if let Some(tenant) = tenant {
        object.insert("tenant".to_owned(), tenant.as_str().into());
    }
    object
}

/// A column of the table for people. The columns with the lowest `rank` stay in a narrow terminal.
struct RunColumn {
    title: &'static str,
    rank: u8,
    is_right: bool,
    cell: fn(&TenantRun) -> String,
}

const fn left(title: &'static str, rank: u8, cell: fn(&TenantRun) -> String) -> RunColumn {
    RunColumn { title, rank, is_right: false, cell }
}

const fn right(title: &'static str, rank: u8, cell: fn(&TenantRun) -> String) -> RunColumn {
    RunColumn { title, rank, is_right: true, cell }
}

const COLUMNS: [RunColumn; 15] = [
    left("tenant", 0, |run| run.tenant.clone().unwrap_or_default()),
    right("no", 0, |run| run.run.number.map(count).unwrap_or_default()),
    left("run", 0, |run| short_id(run.run.queued.run_id)),
    left("as of", 1, |run| text_of(run.run.headline.as_of)),
    left("status", 0, |run| run.run.queued.status.name().to_owned()),
    left("by", 5, |run| run.run.headline.requested_by.clone()),
    left("requested", 7, |run| minutes(run.run.queued.requested_at)),
    right("placed", 2, |run| run.run.headline.placed.map(whole).unwrap_or_default()),
    right("out", 3, |run| run.run.headline.kicked_out.map(count).unwrap_or_default()),
    right("value", 2, |run| run.run.headline.value_amount.map(usd).unwrap_or_default()),
    right("gap bp", 3, |run| text_of(run.run.headline.certificate.as_ref().map(|own| own.gap_bp))),
    left("digest", 9, |run| {
        text_of(run.run.headline.output_digest.as_ref()).chars().take(SHORT_DIGEST).collect()
    }),
    left("name", 4, |run| {
        let name = run.run.annotations.name.as_ref().or(run.run.headline.scenario.as_ref());
        short(name.map_or("", String::as_str))
    }),
    left("options", 6, |run| short(&options_text(&run.run))),
    left("last note", 8, |run| short(run.run.annotations.last_note.as_deref().unwrap_or_default())),
];

fn whole(number: i64) -> String {
    count(u64::try_from(number).unwrap_or_default())
}

/// The first line of a text, cut.
fn short(text: &str) -> String {
    cut(text.lines().next().unwrap_or_default(), LONGEST_TEXT).into_owned()
}

/// The table, as wide as the terminal permits; columns without a value are left out.
fn text(runs: &[TenantRun], width: Option<usize>, has_more: bool) -> String {
    if runs.is_empty() {
        return "No run\n".to_owned();
    }
    let columns = COLUMNS.iter().filter_map(|column| {
        let cells: Vec<String> = runs.iter().map(|run| (column.cell)(run)).collect();
        let longest = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or_default();
        (longest > 0).then(|| (column, longest.max(column.title.len()), cells))
    });
    let mut columns: Vec<_> = columns.collect();
    let mut left_out = Vec::new();
    let taken = |columns: &[(&RunColumn, usize, Vec<String>)]| {
        columns.iter().map(|(_, width, _)| width + 2).sum::<usize>() - 2
    };
    while width.is_some_and(|width| taken(&columns) > width) && columns.len() > 3 {
        let widest = columns.iter().enumerate().max_by_key(|(_, (column, ..))| column.rank);
        let Some((at, _)) = widest else { break };
        left_out.push(columns.remove(at).0.title);
    }
    let line = |cell: &dyn Fn(usize) -> String| {
        let cells = columns.iter().enumerate().map(|(at, (column, width, _))| {
            let cell = cell(at);
            match column.is_right {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut out = line(&|at| columns[at].0.title.to_owned());
    for row in 0..runs.len() {
        out.push_str(&line(&|at| columns[at].2[row].clone()));
    }
    if has_more {
        out.push_str("There are earlier runs; --limit N lists the latest N\n");
    }
    if !left_out.is_empty() {
        left_out.reverse();
        let left_out = left_out.join(", ");
        out.push_str(&format!("A wider terminal also shows: {left_out}; --format csv has all\n"));
    }
    out
}
