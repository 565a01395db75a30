//! Why a loan does not satisfy a rule.

use std::collections::BTreeSet;
use std::fmt;

use super::comparison::Attributes;
use super::condition::Condition;
use super::predicate::Predicate;
use super::truth::Truth;
use crate::tables::{Attribute, LoanColumn};
use powerfill_events::values::Name;

/// A condition that kept a rule from being TRUE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFailure {
    /// The condition, such as `fico >= 680`.
    pub clause: String,
    /// The columns that it names, each once, with the loan's values; `None` for NULL.
    pub values: Vec<(Name, Option<String>)>,
    /// FALSE or UNKNOWN.
    pub truth: Truth,
}

impl fmt::Display for RuleFailure {
    /// `fico >= 680 (fico 655)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.clause)?;
        for (at, (column, value)) in self.values.iter().enumerate() {
            let before = if at == 0 { " (" } else { ", " };
            write!(f, "{before}{column} {}", value.as_deref().unwrap_or("NULL"))?;
        }
        f.write_str(if self.values.is_empty() { "" } else { ")" })
    }
}

impl Predicate {
    /// The smallest conditions that kept the rule from being TRUE (1.4), in its order: each part of
    /// an AND that is not TRUE; an OR or a NOT as a whole, because no part of it is to blame alone.
    /// None where the rule is satisfied.
    ///
    /// # Panics
    /// As [`Predicate::evaluate`].
    pub fn failures(
        &self,
        attributes: &[Option<Attribute>],
        columns: &[LoanColumn],
    ) -> Vec<RuleFailure> {
        let mut failures = Vec::new();
        collect(&self.condition, attributes, columns, &mut failures);
        failures
    }
}

fn collect(
    condition: &Condition,
    attributes: Attributes<'_>,
    columns: &[LoanColumn],
    failures: &mut Vec<RuleFailure>,
) {
    if let Condition::All(conditions) = condition {
        for part in conditions {
            collect(part, attributes, columns, failures);
        }
        return;
    }
    let truth = condition.answer(attributes);
    if truth == Truth::True {
        return;
    }
    let mut named = Named::default();
    named.add(condition);
    let value = |column: &usize| {
        (columns[*column].column_name.clone(), attributes[*column].as_ref().map(spelled))
    };
    let values = named.in_order.iter().map(value).collect();
    failures.push(RuleFailure { clause: condition.to_string(), values, truth });
}

fn spelled(attribute: &Attribute) -> String {
    match attribute {
        Attribute::Text(name) => name.to_string(),
        Attribute::Number(number) => number.normalize().to_string(),
        Attribute::Date(day) => day.to_string(),
    }
}

/// The columns of a condition, each once, in their order.
#[derive(Default)]
struct Named {
    in_order: Vec<usize>,
    seen: BTreeSet<usize>,
}

impl Named {
    fn add(&mut self, condition: &Condition) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| self.add(part));
            }
            Condition::Not(inner) => self.add(inner),
            Condition::Clause(clause) => {
                let new = clause.columns.iter().filter(|column| self.seen.insert(**column));
                self.in_order.extend(new);
            }
        }
    }
}

impl fmt::Display for Condition {
    /// The condition in the words of the rule, with the parentheses that it needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => listed(f, parts, " AND "),
            Self::Any(parts) => listed(f, parts, " OR "),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
            Self::Clause(clause) => f.write_str(&clause.text),
        }
    }
}

fn listed(f: &mut fmt::Formatter<'_>, parts: &[Condition], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { between })?;
        match part {
            Condition::All(_) | Condition::Any(_) => write!(f, "({part})")?,
            Condition::Not(_) | Condition::Clause(_) => write!(f, "{part}")?,
        }
    }
    Ok(())
}
