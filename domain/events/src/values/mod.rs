//! Exact values: every number has a fixed scale, every text one way to compare (specification 1.1).

mod choice;
mod day;
mod fixed;
mod ids;
mod name;
mod timestamp;

pub use choice::{Choice, InstrumentKind, TradeType};
pub use day::Day;
pub use fixed::{
    Carry, Fixed, Money, NumberError, Percent, Price, Rate, Share, Unit, round_div, trunc_div,
};
pub use ids::{
    ConstraintName, InstrumentName, InvestorId, LoanId, PoolName, RuleName, SynTradeId, TenantId,
    TradeId,
};
pub use name::{Name, fold};
pub use timestamp::Timestamp;
