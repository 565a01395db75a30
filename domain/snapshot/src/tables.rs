//! The typed tables of 1.2, validated and sorted by key. Field names are the column names.

pub use powerfill_events::values::{InstrumentKind, TradeType};
use rust_decimal::Decimal;

use crate::rules::Predicate;
use powerfill_events::values::{Day, Money, Name, Percent, Price, Rate, Share};

/// A validated snapshot: each table in the order of its key, so that the order of rows in the source does not matter.
/// Rows with an unknown reference that is only a warning are kept here; the engine ignores them.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Table `snapshot`, its one row.
    pub header: Header,
    /// Every column of `loan` that a rule can name: the listed ones, then the further ones by name.
    pub loan_columns: Vec<LoanColumn>,
    /// Table `loan`, by `loan_id`.
    pub loans: Vec<Loan>,
    /// Table `pscat_loan_stages`, by `stage_name`.
    pub stages: Vec<Stage>,
    /// Table `pscat_instruments`, by `investor_instrument_name`.
    pub instruments: Vec<Instrument>,
    /// Table `pscat_trades`, by `trade_id`.
    pub trades: Vec<Trade>,
    /// Table `pscat_pools`, by `pool_name`.
    pub pools: Vec<Pool>,
    /// Table `pscat_trades_pools_relation`, by `pool_name`.
    pub designations: Vec<Designation>,
    /// Table `pscat_securitization_rules`, by `rule_name`.
    pub rules: Vec<SecuritizationRule>,
    /// Table `rmcat_todays_prices`, by instrument, settlement date, note rate.
    pub prices: Vec<GridPrice>,
    /// Table `rmusr_payups`, by instrument, pay-up name.
    pub payups: Vec<Payup>,
    /// Table `loan_price`, by loan, trade.
    pub loan_prices: Vec<LoanPrice>,
    /// Table `pfill_constraints`, by its node key.
    pub constraints: Vec<Constraint>,
    /// Table `pfill_constraint_sec_rule_rel`, by node key, rule.
    pub constraint_rules: Vec<ConstraintRule>,
    /// Table `pfill_carry_cost`, by instrument, `on_day`.
    pub carry_costs: Vec<CarryBucket>,
    /// Table `pfill_lockdown_guide`, by `pool_name`.
    pub lockdown: Vec<Lockdown>,
    /// Table `pfill_preflight_settings`, its row or the defaults.
    pub preflight: PreflightSettings,
}

/// The row of `snapshot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Whose book this is.
    pub tenant_id: Name,
    /// The day that the book stands at.
    pub as_of: Day,
    /// The day of the prices; NULL where unknown.
    pub prices_as_of: Option<Day>,
}

/// The type of a column of `loan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Text, compared by its folded form.
    Text,
    /// An exact number of any scale.
    Number,
    /// A calendar date.
    Date,
}

/// A column of `loan` as rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanColumn {
    /// Its name.
    pub column_name: Name,
    /// Its type: listed, declared in `loan_columns`, or text.
    pub column_type: ColumnType,
}

/// A value of an attribute of a loan that rules can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A text that is not empty.
    Text(Name),
    /// A number of any scale, normalized (no trailing zeros).
    Number(Decimal),
    /// A date.
    Date(Day),
}

/// A row of `loan`.
#[derive(Debug, Clone)]
pub struct Loan {
    /// Key.
    pub loan_id: Name,
    /// Its status; a stage of the ladder, or not.
    pub curr_status: Name,
    /// Unpaid balance, above 0.
    pub loan_amount: Money,
    /// Note rate, per cent.
    pub note_rate: Rate,
    /// When it closed, or will.
    pub close_date: Option<Day>,
    /// When its lock expires.
    pub lock_expiration_date: Option<Day>,
    /// The pool that it is in now.
    pub pool_name: Option<Name>,
    /// Credit score.
    pub fico: Option<Decimal>,
    /// Loan to value.
    pub ltv: Option<Decimal>,
    /// Term in months.
    pub term_months: Option<Decimal>,
    /// The values of [`Snapshot::loan_columns`], in that order; the fields above are among them.
    pub attributes: Box<[Option<Attribute>]>,
}

/// A row of `pscat_loan_stages`.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Key.
    pub stage_name: Name,
    /// Position in the ladder; NULL where the stage has none.
    pub stage_rank: Option<i64>,
}

/// A row of `pscat_instruments`.
#[derive(Debug, Clone)]
pub struct Instrument {
    /// The investor.
    pub investor_id: Name,
    /// Key.
    pub investor_instrument_name: Name,
    /// tba, cash or whole_loan.
    pub kind: InstrumentKind,
    /// Pass-through coupon, per cent.
    pub coupon: Option<Rate>,
    /// Lowest note rate bought, included.
    pub min_note_rate: Option<Rate>,
    /// Highest note rate bought, included.
    pub max_note_rate: Option<Rate>,
    /// Shortest term bought, included.
    pub min_term_months: Option<i64>,
    /// Longest term bought, included.
    pub max_term_months: Option<i64>,
    /// Base note rate and multiple of the buy-up (2.3); both or neither.
    pub buy_up: Option<BuyUp>,
}

/// The buy-up of an instrument (2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuyUp {
    /// The note rate at which there is none.
    pub base_note_rate: Rate,
    /// Points for each per cent above the base, 8 decimals.
    pub rate_multiple: Price,
}

/// The status of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TradeStatus {
    /// Can be filled.
    Open,
    /// Delivered: its loans are held.
    Settled,
    /// Gone: its pools count as designated to no trade.
    Cancelled,
    /// Never was: likewise.
    Phantom,
}

/// How `tolerance` and `tolerance_amount` work together (2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToleranceRule {
    /// The percentage alone.
    Percent,
    /// The greater of both.
    GreaterOf,
    /// The lesser of both.
    LesserOf,
}

/// The sides of the open amount on which the tolerance works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToleranceSide {
    /// Below and above.
    Both,
    /// Above only.
    Over,
    /// Below only.
    Under,
    /// Neither.
    None,
}

/// A row of `pscat_trades`.
#[derive(Debug, Clone)]
pub struct Trade {
    /// Key.
    pub trade_id: Name,
    /// What is delivered into it.
    pub investor_instrument_name: Name,
    /// forward or bx.
    pub trade_type: TradeType,
    /// open, settled, cancelled, phantom.
    pub status: TradeStatus,
    /// When it settles; a forward trade has it.
    pub settlement_date: Option<Day>,
    /// Target amount, above 0.
    pub trade_amount: Money,
    /// Per cent of the open amount.
    pub tolerance: Percent,
    /// Dollars, where the rule needs it.
    pub tolerance_amount: Option<Money>,
    /// How both combine.
    pub tolerance_rule: ToleranceRule,
    /// Where it works.
    pub tolerance_side: ToleranceSide,
    /// Points per 100 of par; a forward trade has it.
    pub trade_price: Option<Price>,
    /// What was bought back.
    pub pair_off_amount: Money,
    /// Takes only loans with a `loan_price` row.
    pub priced_only: bool,
}

/// The status of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PoolStatus {
    /// Loans can come and go.
    Open,
    /// Locked, unless the lockdown guide says otherwise.
    Closed,
}

/// A row of `pscat_pools`.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Key.
    pub pool_name: Name,
    /// What it is a pool of.
    pub investor_instrument_name: Name,
    /// open or closed.
    pub status: PoolStatus,
}

/// A row of `pscat_trades_pools_relation`: a pool is designated whole, to one trade.
#[derive(Debug, Clone)]
pub struct Designation {
    /// Key.
    pub pool_name: Name,
    /// The trade.
    pub trade_id: Name,
}

/// A row of `pscat_securitization_rules`.
#[derive(Debug, Clone)]
pub struct SecuritizationRule {
    /// Key.
    pub rule_name: Name,
    /// As typed.
    pub rule_syntax: String,
    /// As compiled against [`Snapshot::loan_columns`].
    pub predicate: Predicate,
}

/// A row of `rmcat_todays_prices`.
#[derive(Debug, Clone)]
pub struct GridPrice {
    /// Key.
    pub investor_instrument_name: Name,
    /// Key.
    pub settlement_date: Day,
    /// Key.
    pub note_rate: Rate,
    /// Points per 100 of par.
    pub price: Price,
}

/// A row of `rmusr_payups`.
#[derive(Debug, Clone)]
pub struct Payup {
    /// Key.
    pub investor_instrument_name: Name,
    /// Key.
    pub payup_name: Name,
    /// Who earns it.
    pub rule_name: Name,
    /// Points, also negative.
    pub payup: Price,
}

/// A row of `loan_price`.
#[derive(Debug, Clone)]
pub struct LoanPrice {
    /// Key.
    pub loan_id: Name,
    /// Key.
    pub trade_id: Name,
    /// All-in, points per 100 of par.
    pub price: Price,
}

/// The key of a node of the constraint tree. Empty names stand for an absent level; "by id" order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey {
    /// Never empty.
    pub investor_id: Name,
    /// Empty at the investor level.
    pub investor_instrument_name: Name,
    /// Empty at the investor and the instrument level.
    pub constraint_name: Name,
}

/// A row of `pfill_constraints`.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// Key.
    pub key: NodeKey,
    /// Lower first, 0 or more.
    pub constraint_priority: i64,
    /// A goal, share of the open amount.
    pub lo_limit: Option<Share>,
    /// A bound, share of the open amount.
    pub hi_limit: Option<Share>,
}

/// A row of `pfill_constraint_sec_rule_rel`.
#[derive(Debug, Clone)]
pub struct ConstraintRule {
    /// The node.
    pub key: NodeKey,
    /// A rule of its own.
    pub rule_name: Name,
}

/// A row of `pfill_carry_cost`.
#[derive(Debug, Clone)]
pub struct CarryBucket {
    /// Key.
    pub investor_instrument_name: Name,
    /// Key: first day of the bucket.
    pub on_day: i64,
    /// Last day, at or after `on_day`.
    pub to_day: i64,
    /// Points a year; NULL counts for nothing.
    pub annual_rate: Option<Rate>,
}

/// A row of `pfill_lockdown_guide`.
#[derive(Debug, Clone)]
pub struct Lockdown {
    /// Key; the pool need not exist (preflight warns).
    pub pool_name: Name,
    /// Informs.
    pub investor_instrument_name: Option<Name>,
    /// Checked by preflight.
    pub trade_id: Option<Name>,
    /// Whether its loans stay.
    pub lock_pool: bool,
}

/// The row of `pfill_preflight_settings`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreflightSettings {
    /// Fewest eligible loans, default 1.
    pub min_pipeline_loans: i64,
    /// Days, default 3.
    pub max_snapshot_age_days: i64,
    /// Days, default 1.
    pub max_price_age_days: i64,
    /// Days, default 2.
    pub lockdown_days: i64,
}

impl Default for PreflightSettings {
    fn default() -> Self {
        Self {
            min_pipeline_loans: 1,
            max_snapshot_age_days: 3,
            max_price_age_days: 1,
            lockdown_days: 2,
        }
    }
}
