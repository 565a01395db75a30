//! The SQL dialect of rules: what of SQL may stand where.
//!
//! `sqlparser` brings the tokens, the tree and its printing, the precedence of arithmetic and the
//! bound on nesting. The dialect tells it what begins a value and which operators there are; the
//! grammar of conditions is spelled out here, so that none of the statements, functions and
//! extensions that `sqlparser` knows can be reached from a rule, and a fault is found at its token.

use sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator, Value, ValueWithSpan};
use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

/// `[bracketed]` and `"quoted"` names; `'strings'` with `''` for a quote and no other escape.
#[derive(Debug)]
pub(super) struct RuleDialect;

/// What binds how tightly within a value.
mod precedence {
    pub(super) const NONE: u8 = 0;
    pub(super) const SUM: u8 = 30;
    pub(super) const PRODUCT: u8 = 40;
}

impl Dialect for RuleDialect {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"' || ch == '['
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        Some(operand(parser))
    }

    /// Only arithmetic: a value ends at everything else.
    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        Some(Ok(match parser.peek_token_ref().token {
            Token::Plus | Token::Minus => precedence::SUM,
            Token::Mul | Token::Div => precedence::PRODUCT,
            _ => precedence::NONE,
        }))
    }
}

/// `a OR b OR c …`
pub(super) fn disjunction(parser: &mut Parser) -> Result<Expr, ParserError> {
    let mut left = conjunction(parser)?;
    while parser.parse_keyword(Keyword::OR) {
        left = binary(left, BinaryOperator::Or, conjunction(parser)?);
    }
    Ok(left)
}

/// `a AND b AND c …`
fn conjunction(parser: &mut Parser) -> Result<Expr, ParserError> {
    let mut left = predicate(parser)?;
    while parser.parse_keyword(Keyword::AND) {
        left = binary(left, BinaryOperator::And, predicate(parser)?);
    }
    Ok(left)
}

/// A value and what is asked of it; the value alone where nothing is.
fn predicate(parser: &mut Parser) -> Result<Expr, ParserError> {
    let left = value(parser)?;
    if matches!(left, Expr::UnaryOp { op: UnaryOperator::Not, .. }) {
        return Ok(left);
    }
    if let Some(op) = comparison(&parser.peek_token_ref().token) {
        parser.next_token();
        return Ok(binary(left, op, value(parser)?));
    }
    let expr = Box::new(left);
    if parser.parse_keyword(Keyword::IS) {
        let negated = parser.parse_keyword(Keyword::NOT);
        return match (parser.parse_keyword(Keyword::NULL), negated) {
            (true, false) => Ok(Expr::IsNull(expr)),
            (true, true) => Ok(Expr::IsNotNull(expr)),
            (false, false) => parser.expected_ref("NULL or NOT NULL", parser.peek_token_ref()),
            (false, true) => parser.expected_ref("NULL", parser.peek_token_ref()),
        };
    }
    let negated = parser.parse_keyword(Keyword::NOT);
    if parser.parse_keyword(Keyword::IN) {
        parser.expect_token(&Token::LParen)?;
        let list = parser.parse_comma_separated(value)?;
        parser.expect_token(&Token::RParen)?;
        Ok(Expr::InList { expr, list, negated })
    } else if parser.parse_keyword(Keyword::BETWEEN) {
        let low = Box::new(value(parser)?);
        parser.expect_keyword(Keyword::AND)?;
        let high = Box::new(value(parser)?);
        Ok(Expr::Between { expr, negated, low, high })
    } else if parser.parse_keyword(Keyword::LIKE) {
        let pattern = Box::new(value(parser)?);
        Ok(Expr::Like { negated, any: false, expr, pattern, escape_char: None })
    } else if negated {
        parser.expected_ref("IN, BETWEEN or LIKE", parser.peek_token_ref())
    } else {
        Ok(*expr)
    }
}

/// A value with its arithmetic. `sqlparser` counts the nesting here.
fn value(parser: &mut Parser) -> Result<Expr, ParserError> {
    parser.parse_subexpr(precedence::NONE)
}

fn comparison(token: &Token) -> Option<BinaryOperator> {
    match token {
        Token::Eq => Some(BinaryOperator::Eq),
        Token::Neq => Some(BinaryOperator::NotEq),
        Token::Lt => Some(BinaryOperator::Lt),
        Token::LtEq => Some(BinaryOperator::LtEq),
        Token::Gt => Some(BinaryOperator::Gt),
        Token::GtEq => Some(BinaryOperator::GtEq),
        _ => None,
    }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

/// What can begin a value, or a condition in its place: whether it fits there is for the compiler
/// to say.
fn operand(parser: &mut Parser) -> Result<Expr, ParserError> {
    let found = parser.next_token();
    let expr = match found.token {
        Token::LParen => {
            let inner = disjunction(parser)?;
            parser.expect_token(&Token::RParen)?;
            Expr::Nested(Box::new(inner))
        }
        Token::Minus => unary(UnaryOperator::Minus, parser.parse_subexpr(precedence::PRODUCT)?),
        Token::Number(digits, long) => {
            Expr::Value(ValueWithSpan { value: Value::Number(digits, long), span: found.span })
        }
        Token::SingleQuotedString(text) => {
            Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), span: found.span })
        }
        Token::Word(ref word) if word.keyword == Keyword::NOT => {
            unary(UnaryOperator::Not, predicate(parser)?)
        }
        Token::Word(ref word) if is_operator(word) => return parser.expected("a value", found),
        Token::Word(_) => column(parser, found)?,
        _ => return parser.expected("a value", found),
    };
    // `sqlparser` itself would go on with these two.
    let next = parser.peek_token_ref();
    match &next.token {
        Token::Period => parser.expected_ref("an operator", next),
        Token::Word(word) if word.keyword == Keyword::COLLATE => no_part(next),
        _ => Ok(expr),
    }
}

fn unary(op: UnaryOperator, inner: Expr) -> Expr {
    Expr::UnaryOp { op, expr: Box::new(inner) }
}

/// A column, with or without a table before it.
fn column(parser: &mut Parser, first: TokenWithSpan) -> Result<Expr, ParserError> {
    let mut parts = vec![name_part(&first)?];
    while parser.consume_token(&Token::Period) {
        let part = parser.next_token();
        match part.token {
            Token::Word(_) => parts.push(name_part(&part)?),
            _ => return parser.expected("a column", part),
        }
    }
    match &parser.peek_token_ref().token {
        Token::LParen => refuse("a function call", &first),
        Token::SingleQuotedString(_) => refuse("a string with a type", &first),
        _ => Ok(match parts.len() {
            1 => Expr::Identifier(parts.remove(0)),
            _ => Expr::CompoundIdentifier(parts),
        }),
    }
}

fn name_part(found: &TokenWithSpan) -> Result<Ident, ParserError> {
    match &found.token {
        Token::Word(word) if is_reserved(word) || is_operator(word) => no_part(found),
        Token::Word(word) => {
            Ok(Ident { value: word.value.clone(), quote_style: word.quote_style, span: found.span })
        }
        _ => no_part(found),
    }
}

/// The words of 1.4 that are operators: never columns, unless quoted.
fn is_operator(word: &Word) -> bool {
    matches!(
        word.keyword,
        Keyword::AND
            | Keyword::OR
            | Keyword::NOT
            | Keyword::IN
            | Keyword::BETWEEN
            | Keyword::LIKE
            | Keyword::IS
            | Keyword::NULL
    )
}

/// Words of SQL that begin something else than a column, in every SQL.
fn is_reserved(word: &Word) -> bool {
    matches!(
        word.keyword,
        Keyword::SELECT
            | Keyword::CASE
            | Keyword::EXISTS
            | Keyword::ANY
            | Keyword::ALL
            | Keyword::SOME
            | Keyword::TRUE
            | Keyword::FALSE
            | Keyword::DEFAULT
            | Keyword::CURRENT_DATE
            | Keyword::CURRENT_TIME
            | Keyword::CURRENT_TIMESTAMP
    )
}

fn no_part<T>(found: &TokenWithSpan) -> Result<T, ParserError> {
    refuse(&found.token.to_string(), found)
}

fn refuse<T>(what: &str, found: &TokenWithSpan) -> Result<T, ParserError> {
    Err(ParserError::ParserError(format!(
        "{what} is not part of the rule syntax{}",
        found.span.start
    )))
}
