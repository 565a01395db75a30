//! Identifiers as events and output tables carry them: the spelling of the table that owns them,
//! shared, and typed so that a loan cannot stand where a trade belongs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Key, Name};

macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $id(#[schemars(with = "String")] Arc<str>);

        impl $id {
            /// As spelled.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The spelling itself, shared: what a row of an output table keeps of it.
            pub fn shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(SharedText).map(Self)
            }
        }
        impl From<&Name> for $id {
            fn from(name: &Name) -> Self {
                Self(name.shared())
            }
        }
        impl From<&Key<Self>> for $id {
            fn from(key: &Key<Self>) -> Self {
                Self(key.shared())
            }
        }
        impl From<&str> for $id {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $id {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )*};
}

/// Reads a text into its shared form, without an owned copy in between: the ids of events are most
/// of what a reader allocates.
struct SharedText;

impl serde::de::Visitor<'_> for SharedText {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Arc<str>, E> {
        Ok(text.into())
    }
}

ids! {
    /// Key of `loan`.
    LoanId;
    /// Key of `pscat_trades`.
    TradeId;
    /// Key of `pscat_pools`, or `NEW-<trade_id>` for a pool that a run proposes (2.10).
    PoolName;
    /// An investor.
    InvestorId;
    /// Key of `pscat_instruments`.
    InstrumentName;
    /// The last part of a node's key; empty at the instrument level.
    ConstraintName;
    /// Key of `pscat_securitization_rules`.
    RuleName;
    /// `SYN-<investor_instrument_name>-<settlement_date>` (2.11).
    SynTradeId;
    /// Whose book it is.
    TenantId;
}
