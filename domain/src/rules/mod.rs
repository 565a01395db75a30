//! Securitization rules (specification 1.4).

use crate::snapshot::tables::{Attribute, LoanColumn};

/// What three-valued logic answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Satisfied.
    True,
    /// Not satisfied.
    False,
    /// Undecided, because a value is NULL: not satisfied either.
    Unknown,
}

/// Which code of the report a faulty rule gets (1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleFaultCode {
    /// Not part of the rule syntax.
    RuleSyntax,
    /// A column that `loan` does not have.
    RuleColumn,
    /// Types that do not go together.
    RuleType,
}

/// What is wrong with a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {position}: {message}")]
pub struct RuleFault {
    /// The code of the report.
    pub code: RuleFaultCode,
    /// 1-based, in characters of the rule.
    pub position: usize,
    /// What was expected and found.
    pub message: String,
}

/// A compiled rule.
#[derive(Debug, Clone)]
pub struct Predicate {}

impl Predicate {
    /// Parses and checks a rule against the columns of `loan`.
    ///
    /// # Errors
    /// The first fault of the rule.
    pub fn compile(_syntax: &str, _columns: &[LoanColumn]) -> Result<Self, RuleFault> {
        Ok(Self {})
    }

    /// What the rule says of a loan with these attributes, in the order of the columns it was compiled against.
    pub fn evaluate(&self, _attributes: &[Option<Attribute>]) -> Truth {
        Truth::True
    }
}
