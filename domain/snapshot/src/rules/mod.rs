//! Securitization rules (specification 1.4): `rule_syntax` is the boolean part of a SQL `WHERE`
//! over the columns of `loan`.
//!
//! A rule goes from text to tree by `sqlparser`, whose dialect here lets through what 1.4 lists and
//! nothing else (`dialect`, `parse`); from tree to a typed predicate with every column found and
//! every literal read (`compile`, `values`); and the predicate answers in three-valued logic, by
//! exact numbers and folded text (`predicate`, `condition`, `comparison`, `exact`, `like`).
//! `explain` names the conditions that kept a loan from satisfying it.

mod comparison;
mod compile;
mod condition;
mod dialect;
mod exact;
mod explain;
mod fault;
mod like;
mod parse;
mod predicate;
mod remarks;
#[cfg(test)]
mod tests;
mod truth;
mod values;

pub use explain::RuleFailure;
pub use fault::RuleFault;
pub use like::matches_wildcards;
pub use predicate::Predicate;
pub use remarks::{RuleRemark, rule_remarks};
pub use truth::Truth;
