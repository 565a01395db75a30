//! A compiled rule.

use std::sync::Arc;

use super::compile;
use super::condition::Condition;
use super::fault::RuleFault;
use super::truth::Truth;
use crate::tables::{Attribute, LoanColumn};

/// A compiled rule. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Predicate {
    pub(super) condition: Arc<Condition>,
}

impl Predicate {
    /// Parses and checks a rule against the columns of `loan` (1.4).
    ///
    /// # Errors
    /// The first fault of the rule, with its place: faults of syntax first, then of columns and
    /// types, left to right.
    pub fn compile(syntax: &str, columns: &[LoanColumn]) -> Result<Self, RuleFault> {
        Ok(Self { condition: Arc::new(compile::condition(syntax, columns)?) })
    }

    /// What the rule says of a loan with these attributes, in the order of the columns it was
    /// compiled against.
    ///
    /// # Panics
    /// Where a column of the rule has no place among the attributes, or holds a value of another
    /// type.
    pub fn evaluate(&self, attributes: &[Option<Attribute>]) -> Truth {
        self.condition.answer(attributes)
    }
}
