//! From the tree of a rule to its predicate. The tree may hold what 1.4 lists; any other node is a
//! fault.

use std::sync::Arc;

use rust_decimal::Decimal;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::comparison::{Date, Number, Operator, Pair, Test, Text};
use super::condition::{Clause, Condition};
use super::fault::RuleFault;
use super::parse::{Places, with_tree};
use super::values::{Kind, Operand, Values, like_text, pair, position};
use crate::tables::LoanColumn;
use powerfill_events::values::Day;

/// Compiles a rule against the columns of `loan`.
///
/// # Errors
/// The first fault of the rule.
pub(super) fn condition(syntax: &str, columns: &[LoanColumn]) -> Result<Condition, RuleFault> {
    with_tree(syntax, |tree, places| Compiler { columns, places }.condition(tree))
}

struct Compiler<'a> {
    columns: &'a [LoanColumn],
    places: &'a Places,
}

impl Compiler<'_> {
    fn condition(&self, expr: &Expr) -> Result<Condition, RuleFault> {
        match expr {
            Expr::Nested(inner) => self.condition(inner),
            Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => {
                Ok(Condition::Not(Box::new(self.condition(inner)?)))
            }
            Expr::BinaryOp { op: BinaryOperator::And, .. } => {
                Ok(Condition::All(self.list(expr, &BinaryOperator::And)?))
            }
            Expr::BinaryOp { op: BinaryOperator::Or, .. } => {
                Ok(Condition::Any(self.list(expr, &BinaryOperator::Or)?))
            }
            clause => self.clause(clause),
        }
    }

    /// The parts of `a AND b AND c …`, which the tree holds as `((a AND b) AND c) …`.
    fn list(&self, expr: &Expr, joined_by: &BinaryOperator) -> Result<Box<[Condition]>, RuleFault> {
        let (mut first, mut parts) = (expr, Vec::new());
        while let Expr::BinaryOp { left, op, right } = first
            && op == joined_by
        {
            parts.push(&**right);
            first = left;
        }
        parts.push(first);
        parts.into_iter().rev().map(|part| self.condition(part)).collect()
    }

    fn clause(&self, expr: &Expr) -> Result<Condition, RuleFault> {
        let mut values = Values { columns: self.columns, places: self.places, named: Vec::new() };
        let (test, negated) = match expr {
            Expr::BinaryOp { left, op, right } => match operator(op) {
                Some(operator) => {
                    let (left, right) = (values.operand(left)?, values.operand(right)?);
                    (Test::Compare(pair(&left, &right)?, operator), false)
                }
                None => return Err(self.no_condition(expr)),
            },
            Expr::Between { expr, negated, low, high } => {
                let value = values.operand(expr)?;
                let (low, high) = (values.operand(low)?, values.operand(high)?);
                (Test::Between(pair(&value, &low)?, pair(&value, &high)?), *negated)
            }
            Expr::InList { expr, list, negated } => {
                let value = values.operand(expr)?;
                let pairs: Result<Vec<Pair>, RuleFault> =
                    list.iter().map(|item| pair(&value, &values.operand(item)?)).collect();
                (among(pairs?), *negated)
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                let text = like_text(&values.operand(expr)?)?;
                (Test::Like(text, like_text(&values.operand(pattern)?)?), *negated)
            }
            Expr::IsNull(value) => (is_null(values.operand(value)?), false),
            Expr::IsNotNull(value) => (is_null(values.operand(value)?), true),
            _ => return Err(self.no_condition(expr)),
        };
        let text = expr.to_string().into();
        Ok(Condition::Clause(Clause { test, negated, text, columns: values.named.into() }.into()))
    }

    fn no_condition(&self, expr: &Expr) -> RuleFault {
        let at = position(expr, self.places);
        RuleFault::syntax(at, "a condition expected, a value found")
    }
}

fn operator(op: &BinaryOperator) -> Option<Operator> {
    match op {
        BinaryOperator::Eq => Some(Operator::Equal),
        BinaryOperator::NotEq => Some(Operator::NotEqual),
        BinaryOperator::Lt => Some(Operator::Less),
        BinaryOperator::LtEq => Some(Operator::LessOrEqual),
        BinaryOperator::Gt => Some(Operator::Greater),
        BinaryOperator::GtEq => Some(Operator::GreaterOrEqual),
        _ => None,
    }
}

fn is_null(value: Operand) -> Test {
    match value.kind {
        Kind::Text(column) => Test::TextIsNull(Text::Column(column)),
        Kind::String(text) => Test::TextIsNull(Text::Literal(text.into())),
        Kind::Number(number) => Test::NumberIsNull(number),
        Kind::Date(column) => Test::DateIsNull(Date::Column(column)),
    }
}

/// The test for `IN`: a search where a column stands before literals, as in nearly every rule.
fn among(pairs: Vec<Pair>) -> Test {
    match pairs.first() {
        Some(Pair::Text(text @ Text::Column(_), _)) => {
            let literal = |pair: &Pair| match pair {
                Pair::Text(_, Text::Literal(text)) => Some(Arc::clone(text)),
                _ => None,
            };
            if let Some(list) = sorted(&pairs, literal) {
                return Test::InTexts(text.clone(), list);
            }
        }
        Some(Pair::Number(Number::Column(column), _)) => {
            let literal = |pair: &Pair| match pair {
                Pair::Number(_, Number::Literal(number)) => Some(*number),
                _ => None,
            };
            if let Some(list) = sorted::<Decimal>(&pairs, literal) {
                return Test::InNumbers(*column, list);
            }
        }
        Some(Pair::Date(date @ Date::Column(_), _)) => {
            let literal = |pair: &Pair| match pair {
                Pair::Date(_, Date::Literal(day)) => Some(*day),
                _ => None,
            };
            if let Some(list) = sorted::<Day>(&pairs, literal) {
                return Test::InDates(*date, list);
            }
        }
        _ => {}
    }
    Test::In(pairs.into())
}

fn sorted<T: Ord>(pairs: &[Pair], literal: impl Fn(&Pair) -> Option<T>) -> Option<Box<[T]>> {
    let mut list = pairs.iter().map(literal).collect::<Option<Vec<T>>>()?;
    list.sort_unstable();
    Some(list.into())
}
