//! A compiled rule and what it says of a loan.

use std::sync::Arc;

use super::comparison::{Attributes, Test};
use super::compile;
use super::fault::RuleFault;
use super::truth::Truth;
use crate::tables::{Attribute, LoanColumn};

/// A compiled rule. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Predicate {
    pub(super) condition: Arc<Condition>,
}

/// A condition. As deep as the parentheses of the rule, not as its lists of AND and OR are long.
#[derive(Debug)]
pub(super) enum Condition {
    All(Box<[Condition]>),
    Any(Box<[Condition]>),
    Not(Box<Condition>),
    Clause(Box<Clause>),
}

/// A condition without conditions in it.
#[derive(Debug)]
pub(super) struct Clause {
    pub(super) test: Test,
    pub(super) negated: bool,
    /// The clause in its own words.
    pub(super) text: Box<str>,
    /// The columns that it names, each once, in their order in the clause.
    pub(super) columns: Box<[usize]>,
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

impl Condition {
    pub(super) fn answer(&self, attributes: Attributes<'_>) -> Truth {
        match self {
            Self::All(conditions) => {
                Truth::all(conditions.iter().map(|one| one.answer(attributes)))
            }
            Self::Any(conditions) => {
                Truth::any(conditions.iter().map(|one| one.answer(attributes)))
            }
            Self::Not(condition) => !condition.answer(attributes),
            Self::Clause(clause) if clause.negated => !clause.test.answer(attributes),
            Self::Clause(clause) => clause.test.answer(attributes),
        }
    }
}
