//! Why a verification ends before it has read everything.

use crate::events::{Damage, Verification};
use crate::{StoreError, StoreResult};

/// What is wrong with the record of an earlier verification that is not of this log.
pub const WRONG_VERIFIED_LOG: &str =
    "the end of the last verification, in verified_log, is not an append of this log";

/// What ends a verification early.
#[derive(Debug)]
pub enum VerificationStop {
    /// The first damage. It is the result of the verification.
    Damage(Box<Damage>),
    /// The store failed.
    Store(StoreError),
}

impl VerificationStop {
    /// Damage that belongs to no single stream or append.
    pub fn damage(what: String) -> Self {
        Self::Damage(Box::new(Damage { stream: None, stream_version: None, seq: None, what }))
    }

    /// Adds the location of the damage. A failure of the store does not change.
    #[must_use]
    pub fn at(mut self, add_place: impl FnOnce(&mut Damage)) -> Self {
        if let Self::Damage(damage) = &mut self {
            add_place(damage);
        }
        self
    }

    /// The result of the verification: damage is a result, a failure of the store is an error.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn into_result(self) -> StoreResult<Verification> {
        match self {
            Self::Damage(damage) => {
                Ok(Verification { damage: Some(*damage), ..Verification::default() })
            }
            Self::Store(error) => Err(error),
        }
    }
}

impl From<Box<Damage>> for VerificationStop {
    fn from(damage: Box<Damage>) -> Self {
        Self::Damage(damage)
    }
}

impl From<StoreError> for VerificationStop {
    /// A row with an unexpected type or value is damage.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt(what) | StoreError::Schema(what) => Self::damage(what.to_string()),
            other => Self::Store(other),
        }
    }
}
