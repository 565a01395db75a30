//! Enumerations of the input (1.2, 1.3): one list of words each, which reading, writing, and messages use.

use crate::run::options::{PriceMode, Scope};

/// Declares the words of enumerations, in the order of their variants.
#[macro_export]
macro_rules! choices {
    ($($name:ident { $($variant:ident = $text:literal),* $(,)? })*) => {$(
        impl $name {
            /// The words of the input and of the reports.
            pub const WORDS: &'static [&'static str] = &[$($text),*];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl $crate::values::Choice for $name {
            fn nth(position: usize) -> Self {
                [$(Self::$variant),*][position]
            }
        }
    )*};
}

/// An enumeration that is read as the position of its word among `WORDS`.
pub trait Choice {
    /// The value of the word at this position.
    fn nth(position: usize) -> Self;
}

/// The kind of an instrument.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum InstrumentKind {
    /// To-be-announced agency delivery.
    Tba,
    /// Cash window.
    Cash,
    /// Whole loan.
    WholeLoan,
}

/// Whether a trade has a price of its own or takes that of the grid.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TradeType {
    /// Sold forward at a trade price.
    Forward,
    /// Best execution: priced from the grid.
    Bx,
}

choices! {
    InstrumentKind { Tba = "tba", Cash = "cash", WholeLoan = "whole_loan" }
    TradeType { Forward = "forward", Bx = "bx" }
    Scope { ClosedOnly = "closed_only", ClosedAndLocked = "closed_and_locked" }
    PriceMode { Po = "po", Pc = "pc" }
}

impl Choice for bool {
    fn nth(position: usize) -> Self {
        position == 0
    }
}
