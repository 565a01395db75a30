//! `preprocess`: three tables to review and edit before a run (specification 2.2).

use std::fs;
use std::path::Path;

use powerfill_engine::{Epci, LockdownProposal, TradeParams};
use powerfill_events::config::PoolLockRow;
use powerfill_events::input::{InputRow, cells_of};

use super::options;
use crate::args::PreprocessArgs;
use crate::error::{CliError, CliResult};
use crate::out_place;
use crate::output::print_text;
use crate::settings::ProgramSettings;
use crate::tenancy::SnapshotInput;

pub(crate) async fn run(args: PreprocessArgs, settings: &ProgramSettings) -> CliResult<()> {
    let input = SnapshotInput::resolve(&args.source, &args.tenant, settings)?;
    out_place::ensure_apart(&args.out, input.source())?;
    out_place::ensure_folder(&args.out)?;
    let options = options::resolve(&args.options, input.options())?;
    let snapshot = input.reporting_all(args.report.all).snapshot().await?.snapshot;
    options::check_for(&options, &snapshot)?;
    let tables = powerfill_engine::preprocess(&snapshot, &options);
    let out = &args.out;
    fs::create_dir_all(out)
        .map_err(|error| CliError::context(format!("cannot create {}", out.display()), error))?;
    write(
        out,
        PoolLockRow::TABLE.name,
        &PoolLockRow::TABLE.column_names(),
        lockdown_rows(&snapshot.lockdown, &tables.lockdown),
    )?;
    write(out, "pfill_trade_params", &TRADE_PARAMS, tables.trade_params.iter().map(trade_row))?;
    write(out, "pfill_epci_params", &EPCI_PARAMS, tables.epci_params.iter().map(epci_row))?;
    print_text(format!(
        "{} lockdown rows proposed beside {} present ones, {} trades, {} capacities: {}\n",
        tables.lockdown.len(),
        snapshot.lockdown.len(),
        tables.trade_params.len(),
        tables.epci_params.len(),
        out.display()
    ))
}

const TRADE_PARAMS: [&str; 12] = [
    "trade_id",
    "investor_id",
    "investor_instrument_name",
    "trade_type",
    "settlement_date",
    "included",
    "exclusion_reason",
    "open_amount",
    "tolerance_amount",
    "min_amount",
    "max_amount",
    "days_to_settle",
];

const EPCI_PARAMS: [&str; 6] = [
    "investor_id",
    "investor_instrument_name",
    "constraint_name",
    "trade_id",
    "lo_amount",
    "hi_amount",
];

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The whole guide by pool: rows that exist as they are, and the proposed ones.
fn lockdown_rows(present: &[PoolLockRow], proposed: &[LockdownProposal]) -> Vec<Vec<String>> {
    let locked = |row: &LockdownProposal| PoolLockRow {
        pool_name: row.pool_name.as_str().into(),
        investor_instrument_name: Some(row.investor_instrument_name.as_str().into()),
        trade_id: row.trade_id.as_ref().map(|trade| trade.as_str().into()),
        lock_pool: true,
    };
    let mut rows: Vec<PoolLockRow> =
        present.iter().cloned().chain(proposed.iter().map(locked)).collect();
    rows.sort_by(InputRow::order);
    rows.iter().map(|row| cells_of(row).into_iter().map(|(_, text)| text).collect()).collect()
}

fn trade_row(params: &TradeParams) -> [String; 12] {
    let trade = &params.trade;
    let band = trade.band.as_ref();
    [
        trade.trade_id.to_string(),
        trade.investor_id.to_string(),
        trade.investor_instrument_name.to_string(),
        trade.trade_type.as_str().to_owned(),
        text(trade.settlement_date),
        if band.is_some() { "Y" } else { "N" }.to_owned(),
        trade.exclusion_reason.map_or_else(String::new, |reason| reason.as_str().to_owned()),
        trade.open_amount.to_string(),
        text(band.map(|band| band.tolerance_amount)),
        text(band.map(|band| band.min_amount)),
        text(band.map(|band| band.max_amount)),
        text(params.days_to_settle),
    ]
}

fn epci_row(epci: &Epci) -> [String; 6] {
    [
        epci.node.investor_id.to_string(),
        epci.node.investor_instrument_name.to_string(),
        epci.node.constraint_name.to_string(),
        epci.trade_id.to_string(),
        text(epci.lo_amount),
        text(epci.hi_amount),
    ]
}

/// Writes a temporary file and renames it, so that a table is replaced as a whole.
fn write<R: AsRef<[String]>>(
    folder: &Path,
    table: &str,
    header: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> CliResult<()> {
    let path = folder.join(format!("{table}.csv"));
    let partial = folder.join(format!(".{table}.csv.partial"));
    let unwritable = |error| CliError::context(path.display().to_string(), error);
    let failed = |error: csv::Error| unwritable(std::io::Error::from(error));
    let mut out = csv::Writer::from_path(&partial).map_err(failed)?;
    out.write_record(header).map_err(failed)?;
    for row in rows {
        out.write_record(row.as_ref()).map_err(failed)?;
    }
    out.flush().map_err(unwritable)?;
    fs::rename(&partial, &path).map_err(unwritable)
}
