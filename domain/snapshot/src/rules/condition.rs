//! The condition of a compiled rule, and its value for a loan.

use super::comparison::{Attributes, Test};
use super::truth::Truth;

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
