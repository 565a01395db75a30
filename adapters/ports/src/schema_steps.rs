//! The numbered steps that bring a store's schema to the present one. Which steps a store has seen
//! is recorded in it by name, so that a store of a newer or foreign PowerFill is recognized.

use crate::{StoreError, StoreResult};

/// A step from one schema to the next. A released step never changes.
#[derive(Debug, Clone, Copy)]
pub struct SchemaStep {
    /// The name of its file, which begins with its number.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// Compares the steps that a store has seen, in order, with the ones that this program knows, and
/// returns how many the store has seen.
///
/// # Errors
/// [`StoreError::Schema`] if the store has seen a step that this program does not know.
pub fn count_applied_steps(known: &[SchemaStep], applied: &[String]) -> StoreResult<usize> {
    for (at, name) in applied.iter().enumerate() {
        match known.get(at) {
            Some(step) if step.name == name => {}
            Some(step) => {
                let what = format!(
                    "schema step {} of the store is {name}, and this PowerFill knows it as {}",
                    at + 1,
                    step.name
                );
                return Err(StoreError::Schema(what.into()));
            }
            None => {
                let what = format!(
                    "the store's schema is at step {} ({}), and this PowerFill knows {}: it was \
                     made by a newer PowerFill; use that one",
                    applied.len(),
                    applied[applied.len() - 1],
                    known.len()
                );
                return Err(StoreError::Schema(what.into()));
            }
        }
    }
    Ok(applied.len())
}
