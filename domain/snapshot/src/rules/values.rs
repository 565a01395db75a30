//! From the values of a tree to typed ones: columns are found, literals read as what they are
//! compared with (1.4).

use std::sync::Arc;

use sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator, Value};

use super::comparison::{Arithmetic, Date, Number, Pair, Text};
use super::exact::{MOST_DIGITS, NotWritten, Written, read_number};
use super::fault::{RuleFault, shown};
use super::parse::Places;
use crate::near::suggestion;
use crate::tables::{ColumnType, LoanColumn};
use powerfill_events::values::{Name, fold};

/// A value and its place in the rule.
pub(super) struct Operand {
    pub(super) kind: Kind,
    pub(super) position: usize,
}

/// A value as far as it is known alone.
pub(super) enum Kind {
    Text(usize),
    Number(Number),
    Date(usize),
    /// A text, a number or a date, as what it is compared with wants it.
    String(String),
}

/// Reads the values of one clause and notes the columns that they name.
pub(super) struct Values<'a> {
    pub(super) columns: &'a [LoanColumn],
    pub(super) places: &'a Places,
    pub(super) named: Vec<usize>,
}

impl Values<'_> {
    /// # Errors
    /// The first fault of the value, from left to right.
    pub(super) fn operand(&mut self, expr: &Expr) -> Result<Operand, RuleFault> {
        let position = position(expr, self.places);
        let kind = match expr {
            Expr::Nested(inner) => return self.operand(inner),
            Expr::Identifier(name) => self.column(name, position)?,
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, name] if fold(&table.value) == "LOAN" => {
                    self.column(name, self.places.at(name.span.start))?
                }
                _ => {
                    let table = parts.iter().map(|part| part.value.as_str());
                    let spelled = table.take(parts.len() - 1).collect::<Vec<_>>().join(".");
                    let message = format!("unknown table {}: only loan", shown(&spelled));
                    return Err(RuleFault::column(position, message));
                }
            },
            Expr::Value(literal) => match &literal.value {
                Value::Number(digits, false) => Kind::Number(number(digits, position)?),
                Value::SingleQuotedString(text) => Kind::String(text.clone()),
                _ => return Err(not_a_value(position, "something else")),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, .. } => Kind::Number(self.arithmetic(expr)?),
            Expr::BinaryOp { op, .. } if operator(op).is_some() => {
                Kind::Number(self.arithmetic(expr)?)
            }
            _ => return Err(not_a_value(position, "a condition")),
        };
        Ok(Operand { kind, position })
    }

    fn column(&mut self, ident: &Ident, position: usize) -> Result<Kind, RuleFault> {
        let name = Name::new(&ident.value);
        let Some(column) = self.columns.iter().position(|one| one.column_name == name) else {
            let names = self.columns.iter().map(|column| column.column_name.as_str());
            let near = suggestion(name.as_str(), names);
            let quoted = match ident.quote_style {
                Some('"') | None if near.is_empty() => {
                    format!("; a text is in single quotes: '{}'", shown(name.as_str()))
                }
                _ => near,
            };
            let message = format!("unknown column {}{quoted}", shown(name.as_str()));
            return Err(RuleFault::column(position, message));
        };
        if !self.named.contains(&column) {
            self.named.push(column);
        }
        Ok(match self.columns[column].column_type {
            ColumnType::Text => Kind::Text(column),
            ColumnType::Number => Kind::Number(Number::Column(column)),
            ColumnType::Date => Kind::Date(column),
        })
    }

    /// A sum, difference, product, quotient or negation. `a + b - c …` is a tree as deep as it is
    /// long: walked in a loop, and kept as a list, because working from left to right is what the
    /// tree says.
    fn arithmetic(&mut self, expr: &Expr) -> Result<Number, RuleFault> {
        if let Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } = expr {
            return Ok(match self.term(inner)? {
                Number::Literal(number) => Number::Literal(-number),
                Number::Wide(number) => Number::Wide(number.negated()),
                other => Number::Negated(Arc::new(other)),
            });
        }
        let (mut first, mut rest) = (expr, Vec::new());
        while let Expr::BinaryOp { left, op, right } = first
            && let Some(operator) = operator(op)
        {
            rest.push((operator, right));
            first = left;
        }
        let first = self.term(first)?;
        let rest: Result<Vec<_>, RuleFault> = rest
            .into_iter()
            .rev()
            .map(|(operator, term)| Ok((operator, self.term(term)?)))
            .collect();
        Ok(Number::Chain(Arc::new(first), rest?.into()))
    }

    fn term(&mut self, expr: &Expr) -> Result<Number, RuleFault> {
        let term = self.operand(expr)?;
        let what = match term.kind {
            Kind::Number(number) => return Ok(number),
            Kind::Text(_) | Kind::String(_) => "a text",
            Kind::Date(_) => "a date",
        };
        Err(RuleFault::types(term.position, format!("arithmetic on {what}")))
    }
}

/// Two values as one type.
///
/// # Errors
/// `rule_type` where there is none: at the text that meets a number or a date, at the number that
/// meets a date, at the string that does not read as what it meets.
pub(super) fn pair(left: &Operand, right: &Operand) -> Result<Pair, RuleFault> {
    use Kind::{Date as D, Number as N, String as S, Text as T};
    let clash = |at: &Operand, message: &str| Err(RuleFault::types(at.position, message));
    Ok(match (&left.kind, &right.kind) {
        (T(one), T(other)) => Pair::Text(Text::Column(*one), Text::Column(*other)),
        (T(one), S(string)) => Pair::Text(Text::Column(*one), read_as_text(string)),
        (S(string), T(other)) => Pair::Text(read_as_text(string), Text::Column(*other)),
        (S(one), S(other)) => Pair::Text(read_as_text(one), read_as_text(other)),
        (N(one), N(other)) => Pair::Number(one.clone(), other.clone()),
        (N(one), S(string)) => Pair::Number(one.clone(), read_as_number(string, right)?),
        (S(string), N(other)) => Pair::Number(read_as_number(string, left)?, other.clone()),
        (D(one), D(other)) => Pair::Date(Date::Column(*one), Date::Column(*other)),
        (D(one), S(string)) => Pair::Date(Date::Column(*one), read_as_date(string, right)?),
        (S(string), D(other)) => Pair::Date(read_as_date(string, left)?, Date::Column(*other)),
        (T(_), N(_)) => return clash(left, "a text against a number"),
        (N(_), T(_)) => return clash(right, "a text against a number"),
        (T(_), D(_)) => return clash(left, "a text against a date"),
        (D(_), T(_)) => return clash(right, "a text against a date"),
        (N(_), D(_)) => return clash(left, "a number against a date"),
        (D(_), N(_)) => return clash(right, "a number against a date"),
    })
}

/// A text, for `LIKE`.
///
/// # Errors
/// `rule_type` for a number or a date.
pub(super) fn like_text(operand: &Operand) -> Result<Text, RuleFault> {
    let what = match &operand.kind {
        Kind::Text(column) => return Ok(Text::Column(*column)),
        Kind::String(string) => return Ok(read_as_text(string)),
        Kind::Number(_) => "a number",
        Kind::Date(_) => "a date",
    };
    Err(RuleFault::types(operand.position, format!("LIKE on {what}")))
}

fn read_as_text(string: &str) -> Text {
    Text::Literal(fold(string).into())
}

fn read_as_number(string: &str, at: &Operand) -> Result<Number, RuleFault> {
    match read_number(string) {
        Ok(written) => Ok(written.into()),
        Err(_) => {
            let message = format!("'{}' cannot be read as a number", shown(string));
            Err(RuleFault::types(at.position, message))
        }
    }
}

fn read_as_date(string: &str, at: &Operand) -> Result<Date, RuleFault> {
    string.parse().map(Date::Literal).map_err(|_| {
        let message = format!("'{}' cannot be read as a date (YYYY-MM-DD)", shown(string));
        RuleFault::types(at.position, message)
    })
}

fn number(digits: &str, position: usize) -> Result<Number, RuleFault> {
    read_number(digits).map(Number::from).map_err(|fault| {
        let message = match fault {
            NotWritten::Syntax => "a plain decimal number is expected".to_owned(),
            NotWritten::TooLong => format!("a number in a rule has at most {MOST_DIGITS} digits"),
        };
        RuleFault::syntax(position, message)
    })
}

impl From<Written> for Number {
    fn from(written: Written) -> Self {
        match written {
            Written::Decimal(number) => Self::Literal(number),
            Written::Wide(number) => Self::Wide(number),
        }
    }
}

fn operator(op: &BinaryOperator) -> Option<Arithmetic> {
    match op {
        BinaryOperator::Plus => Some(Arithmetic::Plus),
        BinaryOperator::Minus => Some(Arithmetic::Minus),
        BinaryOperator::Multiply => Some(Arithmetic::Times),
        BinaryOperator::Divide => Some(Arithmetic::Over),
        _ => None,
    }
}

fn not_a_value(position: usize, found: &str) -> RuleFault {
    RuleFault::syntax(position, format!("a value expected, {found} found"))
}

/// Where an expression begins, parentheses and signs before it not counted.
pub(super) fn position(expr: &Expr, places: &Places) -> usize {
    let mut first = expr;
    loop {
        first = match first {
            Expr::Nested(inner)
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::BinaryOp { left: inner, .. }
            | Expr::InList { expr: inner, .. }
            | Expr::Between { expr: inner, .. }
            | Expr::Like { expr: inner, .. } => inner,
            Expr::Identifier(name) => return places.at(name.span.start),
            Expr::CompoundIdentifier(parts) => {
                return parts.first().map_or(1, |name| places.at(name.span.start));
            }
            Expr::Value(literal) => return places.at(literal.span.start),
            // Nothing else comes out of the dialect.
            _ => return 1,
        };
    }
}
