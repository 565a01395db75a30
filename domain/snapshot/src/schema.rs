//! The tables of 1.2 as data: columns, keys, references. The validation and the canonical form
//! follow this list and know no table by themselves; what holds across columns is in
//! `validate/across.rs`.

use super::cell::{Bounds, Kind};
use super::choices::YES_NO;
use super::report::Severity;
use super::tables::{
    ColumnType, InstrumentKind, PoolStatus, ToleranceRule, ToleranceSide, TradeStatus, TradeType,
};
use powerfill_events::values::fold;

/// A table of 1.2.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Whether it must be there; absent otherwise means empty.
    pub(super) required: bool,
    pub(super) rows: Rows,
    pub(super) columns: &'static [Column],
    /// The columns of its key; none for a table of one row.
    pub(super) key: &'static [&'static str],
    pub(super) references: &'static [Reference],
}

/// How many rows a table may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Any,
    AtMostOne,
    ExactlyOne,
}

/// A listed column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) presence: Presence,
}

/// What an empty value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// A fault; so is the column's absence.
    Required,
    /// NULL.
    Nullable,
    /// This value.
    Default(&'static str),
    /// An empty text, which stands for an absent level of the constraint tree. The column must be
    /// there.
    EmptyText,
}

/// Columns that name a row of another table by its key.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) columns: &'static [&'static str],
    pub(super) table: &'static str,
    /// What an unknown name is.
    pub(super) unknown: Severity,
}

const fn must(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, presence: Presence::Required }
}

const fn may(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, presence: Presence::Nullable }
}

const fn or(default: &'static str, name: &'static str, kind: Kind) -> Column {
    Column { name, kind, presence: Presence::Default(default) }
}

const fn level(name: &'static str) -> Column {
    Column { name, kind: Kind::Text, presence: Presence::EmptyText }
}

const fn refuses(columns: &'static [&'static str], table: &'static str) -> Reference {
    Reference { columns, table, unknown: Severity::Error }
}

const fn warns(columns: &'static [&'static str], table: &'static str) -> Reference {
    Reference { columns, table, unknown: Severity::Warning }
}

const ID: &str = "investor_id";
const INSTRUMENT: &str = "investor_instrument_name";
const NODE: [&str; 3] = [ID, INSTRUMENT, "constraint_name"];
const TEXT: Kind = Kind::Text;
const DAY: Kind = Kind::Day;
const NUMBER: Kind = Kind::Number;
const MONEY_ABOVE_0: Kind = Kind::Money(Bounds::Above(0));
const MONEY_FROM_0: Kind = Kind::Money(Bounds::AtLeast(0));
const PRICE: Kind = Kind::Price(Bounds::Any);
const RATE: Kind = Kind::Rate(Bounds::Any);
const SHARE: Kind = Kind::Share(Bounds::Within(0, 1));
const WHOLE: Kind = Kind::Whole(Bounds::Any);
/// Days that are added to dates: a sentinel of eight nines still is a date's distance.
const DAYS: Kind = Kind::Whole(Bounds::Within(-99_999_999, 99_999_999));

impl Table {
    const fn keyed(
        name: &'static str,
        key: &'static [&'static str],
        columns: &'static [Column],
    ) -> Self {
        Self { name, required: false, rows: Rows::Any, columns, key, references: &[] }
    }

    const fn single(name: &'static str, rows: Rows, columns: &'static [Column]) -> Self {
        Self { name, required: false, rows, columns, key: &[], references: &[] }
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn refers(mut self, references: &'static [Reference]) -> Self {
        self.references = references;
        self
    }

    /// The position of the table in [`TABLES`]; names compare as text.
    pub(super) fn position(name: &str) -> Option<usize> {
        let folded = fold(name);
        TABLES.iter().position(|table| fold(table.name) == folded)
    }
}

/// The names of the input tables, in the order of 1.2.
pub fn table_names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name)
}

/// Whether a table must be there; absent otherwise means empty. A name that is none of 1.2 need not.
pub fn table_is_required(name: &str) -> bool {
    Table::position(name).is_some_and(|position| TABLES[position].required)
}

/// The columns of a table's key; none for a table of one row, and for a name that is none of 1.2.
pub fn table_key(name: &str) -> &'static [&'static str] {
    Table::position(name).map_or(&[], |position| TABLES[position].key)
}

/// The listed columns of a table, in the order of 1.2; none for a name that is none of it.
pub fn table_columns(name: &str) -> Vec<&'static str> {
    let columns = Table::position(name).map_or(&[][..], |position| TABLES[position].columns);
    columns.iter().map(|column| column.name).collect()
}

/// The input table of this name, which compares as text: its proper spelling.
pub fn table_named(name: &str) -> Option<&'static str> {
    Table::position(name).map(|position| TABLES[position].name)
}

/// The input tables, in the order of 1.2.
pub(super) const TABLES: &[Table] = &[
    Table::keyed(
        "loan",
        &["loan_id"],
        &[
            must("loan_id", TEXT),
            must("curr_status", TEXT),
            must("loan_amount", MONEY_ABOVE_0),
            must("note_rate", RATE),
            may("close_date", DAY),
            may("lock_expiration_date", DAY),
            may("pool_name", TEXT),
            may("fico", NUMBER),
            may("ltv", NUMBER),
            may("dti", NUMBER),
            may("units", NUMBER),
            may("term_months", NUMBER),
            may("state", TEXT),
            may("property_type", TEXT),
            may("occupancy", TEXT),
            may("purpose", TEXT),
            may("loan_type", TEXT),
        ],
    )
    .required()
    .refers(&[refuses(&["pool_name"], "pscat_pools")]),
    Table::keyed(
        "loan_columns",
        &["column_name"],
        &[must("column_name", TEXT), must("type", Kind::OneOf(ColumnType::WORDS))],
    ),
    Table::keyed(
        "pscat_loan_stages",
        &["stage_name"],
        &[must("stage_name", TEXT), may("stage_rank", WHOLE)],
    )
    .required(),
    Table::keyed(
        "pscat_instruments",
        &[INSTRUMENT],
        &[
            must(ID, TEXT),
            must(INSTRUMENT, TEXT),
            must("kind", Kind::OneOf(InstrumentKind::WORDS)),
            may("coupon", RATE),
            may("min_note_rate", RATE),
            may("max_note_rate", RATE),
            may("min_term_months", WHOLE),
            may("max_term_months", WHOLE),
            may("base_note_rate", RATE),
            may("rate_multiple", PRICE),
        ],
    )
    .required(),
    Table::keyed(
        "pscat_trades",
        &["trade_id"],
        &[
            must("trade_id", TEXT),
            must(INSTRUMENT, TEXT),
            must("trade_type", Kind::OneOf(TradeType::WORDS)),
            must("status", Kind::OneOf(TradeStatus::WORDS)),
            may("settlement_date", DAY),
            must("trade_amount", MONEY_ABOVE_0),
            must("tolerance", Kind::Percent(Bounds::Within(0, 100))),
            may("tolerance_amount", MONEY_FROM_0),
            or("percent", "tolerance_rule", Kind::OneOf(ToleranceRule::WORDS)),
            or("both", "tolerance_side", Kind::OneOf(ToleranceSide::WORDS)),
            may("trade_price", PRICE),
            or("0", "pair_off_amount", MONEY_FROM_0),
            or("N", "priced_only", Kind::OneOf(YES_NO)),
        ],
    )
    .required()
    .refers(&[refuses(&[INSTRUMENT], "pscat_instruments")]),
    Table::keyed(
        "pscat_pools",
        &["pool_name"],
        &[
            must("pool_name", TEXT),
            must(INSTRUMENT, TEXT),
            must("status", Kind::OneOf(PoolStatus::WORDS)),
        ],
    )
    .refers(&[refuses(&[INSTRUMENT], "pscat_instruments")]),
    Table::keyed(
        "pscat_trades_pools_relation",
        &["pool_name"],
        &[must("pool_name", TEXT), must("trade_id", TEXT)],
    )
    .refers(&[refuses(&["pool_name"], "pscat_pools"), refuses(&["trade_id"], "pscat_trades")]),
    Table::keyed(
        "pscat_securitization_rules",
        &["rule_name"],
        &[must("rule_name", TEXT), must("rule_syntax", Kind::Rule)],
    ),
    Table::keyed(
        "rmcat_todays_prices",
        &[INSTRUMENT, "settlement_date", "note_rate"],
        &[
            must(INSTRUMENT, TEXT),
            must("settlement_date", DAY),
            must("note_rate", RATE),
            must("price", PRICE),
        ],
    )
    .refers(&[warns(&[INSTRUMENT], "pscat_instruments")]),
    Table::keyed(
        "rmusr_payups",
        &[INSTRUMENT, "payup_name"],
        &[
            must(INSTRUMENT, TEXT),
            must("payup_name", TEXT),
            must("rule_name", TEXT),
            must("payup", PRICE),
        ],
    )
    .refers(&[
        warns(&[INSTRUMENT], "pscat_instruments"),
        refuses(&["rule_name"], "pscat_securitization_rules"),
    ]),
    Table::keyed(
        "loan_price",
        &["loan_id", "trade_id"],
        &[must("loan_id", TEXT), must("trade_id", TEXT), must("price", PRICE)],
    )
    .refers(&[warns(&["loan_id"], "loan"), warns(&["trade_id"], "pscat_trades")]),
    Table::keyed(
        "pfill_constraints",
        &NODE,
        &[
            must(ID, TEXT),
            level(INSTRUMENT),
            level("constraint_name"),
            must("constraint_priority", Kind::Whole(Bounds::AtLeast(0))),
            may("lo_limit", SHARE),
            may("hi_limit", SHARE),
        ],
    )
    .required(),
    Table::keyed(
        "pfill_constraint_sec_rule_rel",
        &[ID, INSTRUMENT, "constraint_name", "rule_name"],
        &[must(ID, TEXT), level(INSTRUMENT), level("constraint_name"), must("rule_name", TEXT)],
    )
    .refers(&[
        refuses(&NODE, "pfill_constraints"),
        refuses(&["rule_name"], "pscat_securitization_rules"),
    ]),
    Table::keyed(
        "pfill_carry_cost",
        &[INSTRUMENT, "on_day"],
        &[
            must(INSTRUMENT, TEXT),
            must("on_day", WHOLE),
            must("to_day", WHOLE),
            may("annual_rate", RATE),
        ],
    )
    .refers(&[warns(&[INSTRUMENT], "pscat_instruments")]),
    Table::keyed(
        "pfill_lockdown_guide",
        &["pool_name"],
        &[
            must("pool_name", TEXT),
            may(INSTRUMENT, TEXT),
            may("trade_id", TEXT),
            must("lock_pool", Kind::OneOf(YES_NO)),
        ],
    ),
    Table::single(
        "pfill_preflight_settings",
        Rows::AtMostOne,
        &[
            or("1", "min_pipeline_loans", WHOLE),
            or("3", "max_snapshot_age_days", DAYS),
            or("1", "max_price_age_days", DAYS),
            or("2", "lockdown_days", DAYS),
        ],
    ),
    Table::single(
        "snapshot",
        Rows::ExactlyOne,
        &[must("tenant_id", TEXT), must("as_of", DAY), may("prices_as_of", DAY)],
    )
    .required(),
];
