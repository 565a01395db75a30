//! Exact values: every number has a fixed scale, every text one way to compare (specification 1.1).

mod choice;
mod day;
mod derived_id;
mod fixed;
mod ids;
mod key;
mod name;
mod severity;
mod timestamp;
mod visible;

pub use choice::Choice;
pub(crate) use choice::reasons;
pub use day::Day;
pub use derived_id::derive_uuid;
pub use fixed::{
    Carry, Fixed, Money, NumberError, Percent, Price, Rate, Share, Unit, parse_units, round_div,
    trunc_div,
};
pub use ids::{
    ConstraintName, InstrumentName, InvestorId, LoanId, PoolName, RuleName, SynTradeId, TenantId,
    TradeId,
};
pub use key::Key;
pub use name::{Name, fold};
pub use severity::Severity;
pub use timestamp::Timestamp;
pub use visible::is_invisible;
