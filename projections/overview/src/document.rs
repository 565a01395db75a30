//! The document. Its fields are a published schema, `docs/reference/overview.schema.json`: within a
//! version, fields are only added.

mod certificate;
mod loans;

use std::collections::BTreeMap;
use std::sync::Arc;

use powerfill_events::input::TradeType;
use powerfill_events::run::RunId;
use powerfill_events::run::event::{
    FillStatus, FindingCode, InvariantCheck, Pass, RunOrigin, SourceMapping,
};
use powerfill_events::values::{Day, Money, Price, TenantId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

pub use certificate::*;
pub use loans::*;

/// A name, as the snapshot spells it.
pub(crate) type NameText = Arc<str>;

/// What a Complete run decided and is worth. Decimals are strings, amounts are in dollars, and
/// prices are in points per 100 of par.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Overview {
    /// The version of this document.
    pub version: u32,
    /// The run: who, when, on what, and with which options.
    pub run: OverviewRun,
    /// What it is worth (7.1).
    pub value: OverviewValue,
    /// From the worth of the loans where they are now to the value of the run (7.4).
    pub waterfall: Vec<WaterfallStep>,
    /// How far it is from the best possible (10.2), as challenges of the run say; NULL if there is
    /// none.
    pub certificate: Option<OverviewCertificate>,
    /// The included trades: those that are short first, the largest shortfall first; then by
    /// settlement date and id.
    pub trades: Vec<OverviewTrade>,
    /// The included trades by investor, instrument, and settlement date; those with a shortfall
    /// first.
    pub trade_groups: Vec<OverviewTradeGroup>,
    /// Where loans come from and go to, by trade; the largest amounts first.
    pub flow: OverviewFlow,
    /// The same by instrument.
    pub instrument_flow: OverviewFlow,
    /// The kicked-out loans.
    pub kickouts: OverviewKickouts,
    /// What happens to pools.
    pub moves: OverviewMoves,
    /// The findings of preflight.
    pub findings: OverviewFindings,
    /// The log of the run.
    pub log: Vec<OverviewLogLine>,
}

/// The head of a run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OverviewRun {
    /// The run.
    #[schemars(with = "String")]
    pub run_id: RunId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The day from which days are counted.
    pub as_of: Option<Day>,
    /// The status: Complete.
    pub status: String,
    /// The actor that requested the run.
    pub requested_by: String,
    /// The time of the request.
    #[schemars(with = "String")]
    pub requested_at: Timestamp,
    /// The time at which a worker started the run.
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// The time of the last event.
    #[schemars(with = "String")]
    pub ended_at: Timestamp,
    /// The number of events.
    pub events: u64,
    /// The engine that decided.
    pub engine_version: String,
    /// The specification that the run follows.
    pub spec_version: String,
    /// BLAKE3 of the captured snapshot.
    pub input_digest: String,
    /// BLAKE3 of the output tables.
    pub output_digest: String,
    /// The options, in the order of 1.3.
    pub options: Vec<OverviewOption>,
    /// What the source had to say about how it was read.
    pub source_warnings: Vec<String>,
    /// The mapping that made the snapshot from the files of another system.
    pub mapping: Option<SourceMapping>,
    /// What the run comes from.
    pub origin: RunOrigin,
    /// The numbers of loans that are `Eligible`, `Locked`, `Held(…)`, `OutOfScope(…)`.
    pub participation: BTreeMap<String, u64>,
    /// The numbers of trades that are `Included`, or excluded by reason.
    pub inclusion: BTreeMap<String, u64>,
    /// The invariants that were checked (2.12).
    pub checks: Vec<InvariantCheck>,
    /// Rows by output table.
    pub table_rows: BTreeMap<String, u64>,
}

/// An option of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OverviewOption {
    /// Its name.
    pub name: String,
    /// Its value as text; NULL if it has none.
    pub value: Option<String>,
    /// The default.
    pub default: Option<String>,
    /// Whether the value differs from the default. The day of the run never does.
    pub is_changed: bool,
}

/// What the run is worth, in total and by groupings (7.2). The values of trades are with them.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct OverviewValue {
    /// Of all loans in included trades.
    pub all: Worth,
    /// Of the loans that a pass placed.
    pub placed: Worth,
    /// By investor, in the order of names.
    pub investors: Vec<NamedWorth>,
    /// By instrument, in the order of names.
    pub instruments: Vec<NamedWorth>,
    /// By settlement date.
    pub settlement_dates: Vec<NamedWorth>,
    /// By pass in their order, then `locked` and `held`.
    pub passes: Vec<NamedWorth>,
    /// By pool action.
    pub pool_actions: Vec<NamedWorth>,
}

/// What loans are worth (7.1).
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Worth {
    /// The number of loans.
    pub loans: u64,
    /// Those without a price, which count in no amount.
    pub unpriced_loans: u64,
    /// Their amount.
    pub loan_amount: Money,
    /// What they bring, with pay-ups.
    pub proceeds_amount: Money,
    /// The average price, weighted by amount.
    pub wavg_price: Option<Price>,
    /// The part of the proceeds that is pay-up.
    pub payup_amount: Money,
    /// What carrying them earns or costs.
    pub carry_amount: Money,
    /// Proceeds and carry.
    pub value_amount: Money,
    /// The loans that also are candidates at their present trade.
    pub pick_up_loans: u64,
    /// What they gain against that trade.
    pub pick_up_amount: Money,
    /// The loans with a synthetic option.
    pub give_up_loans: u64,
    /// What they give up against the best one.
    pub give_up_amount: Money,
}

/// What a group of loans is worth.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NamedWorth {
    /// The group.
    pub name: NameText,
    /// Its worth.
    #[serde(flatten)]
    pub worth: Worth,
}

/// A step of the waterfall.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WaterfallStep {
    /// `as_is`, `switches`, `leaving`, `joins`, `payups`, `carry`, or `total`.
    pub step: NameText,
    /// The loans that it is about.
    pub loans: Option<u64>,
    /// What it adds; of `total`, the sum.
    pub amount: Money,
    /// The sum before it; of `total`, zero.
    pub from_amount: Money,
    /// The sum after it.
    pub to_amount: Money,
}

/// An included trade.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OverviewTrade {
    /// The trade.
    pub trade_id: NameText,
    /// Its investor.
    pub investor_id: NameText,
    /// Its instrument.
    pub investor_instrument_name: NameText,
    /// forward or bx.
    pub trade_type: Option<TradeType>,
    /// When it settles.
    pub settlement_date: Option<Day>,
    /// How full it is (2.9).
    pub fill_status: FillStatus,
    /// The lower end of its band.
    pub min_amount: Money,
    /// The target.
    pub open_amount: Money,
    /// The upper end of its band.
    pub max_amount: Money,
    /// The amount of all its loans.
    pub filled_amount: Money,
    /// The part of it that is locked or held.
    pub held_amount: Money,
    /// The rest of it, by the pass that placed the loans.
    pub passes: Vec<PassFill>,
    /// The number of its loans.
    pub loans: u64,
    /// The average price of its loans.
    pub wavg_price: Option<Price>,
    /// Proceeds and carry of its loans.
    pub value_amount: Option<Money>,
    /// What is missing to min.
    pub shortfall_amount: Money,
    /// What the shortfall is worth today (7.3); NULL if it is not short, or nothing prices it.
    pub shortfall_value_amount: Option<Money>,
    /// If it is short: the kicked-out loans that are candidates there.
    pub fill_loans: Option<u64>,
    /// Their amount.
    pub fill_amount: Option<Money>,
}

/// The loans of a trade that a pass placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PassFill {
    /// The pass.
    pub pass: Pass,
    /// The number of loans.
    pub loans: u64,
    /// Their amount.
    pub amount: Money,
}

/// The included trades of an instrument that settle on one day.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct OverviewTradeGroup {
    /// The investor.
    pub investor_id: NameText,
    /// The instrument.
    pub investor_instrument_name: NameText,
    /// When they settle.
    pub settlement_date: Option<Day>,
    /// The number of trades.
    pub trades: u64,
    /// Those below their band.
    pub under: u64,
    /// Those above their band.
    pub over: u64,
    /// The sum of the lower ends.
    pub min_amount: Money,
    /// The sum of the targets.
    pub open_amount: Money,
    /// The sum of the upper ends.
    pub max_amount: Money,
    /// The amount of all loans.
    pub filled_amount: Money,
    /// The part of it that is locked or held.
    pub held_amount: Money,
    /// The sum of the shortfalls.
    pub shortfall_amount: Money,
    /// What the shortfalls that have a price are worth today.
    pub shortfall_value_amount: Money,
}

/// The findings of preflight (2.2).
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct OverviewFindings {
    /// The number of warnings. A Complete run has no errors.
    pub warnings: u64,
    /// By code.
    pub codes: BTreeMap<String, u64>,
    /// The first findings.
    pub first: Vec<OverviewFinding>,
}

/// A finding of preflight.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OverviewFinding {
    /// The check.
    pub code: FindingCode,
    /// What it is about.
    pub subject: Option<NameText>,
    /// What is wrong, and what to do.
    pub message: NameText,
}

/// A line of `pfill_powerfill_log`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OverviewLogLine {
    /// The step.
    pub step: NameText,
    /// What it came to.
    pub message: NameText,
    /// In rows.
    pub row_count: Option<u64>,
}
