//! From the text of a rule to its tree.

use sqlparser::ast::Expr;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::dialect::{RuleDialect, disjunction};
use super::fault::{RuleFault, shown};

/// Expressions within expressions that a rule can have.
const DEEPEST: usize = 256;

/// Words, numbers, strings and signs that a rule can have: some ten times a list of 10,000.
const LONGEST: usize = 200_000;

/// A chain such as `a AND b AND c …` is a tree as deep as the chain is long, and is dropped and
/// printed by recursion, two tokens a level. Parentheses are parsed and compiled by recursion: at
/// most 10 kB a level in a build without optimization.
const STACK_A_TOKEN: usize = 1024;
const STACK_A_LEVEL: usize = 16 * 1024;

/// Parses a rule, checks that its tokens and its structure are those of 1.4, and hands the tree on.
/// The tree is built, used and dropped on a stack that is large enough for it.
pub(super) fn with_tree<T>(
    syntax: &str,
    then: impl FnOnce(&Expr, &Places) -> Result<T, RuleFault>,
) -> Result<T, RuleFault> {
    let places = Places::new(syntax);
    let tokens = tokens(syntax, &places)?;
    let stack = DEEPEST * STACK_A_LEVEL + tokens.len() * STACK_A_TOKEN;
    stacker::maybe_grow(stack, stack, || then(&tree(tokens, &places)?, &places))
}

fn tree(tokens: Vec<TokenWithSpan>, places: &Places) -> Result<Expr, RuleFault> {
    let mut parser =
        Parser::new(&RuleDialect).with_recursion_limit(DEEPEST).with_tokens_with_locations(tokens);
    let expr = disjunction(&mut parser).map_err(|error| places.fault(error, &parser))?;
    match parser.peek_token_ref() {
        TokenWithSpan { token: Token::EOF, .. } => Ok(expr),
        next => Err(parser
            .expected_ref::<Expr>("AND, OR or the end", next)
            .map_or_else(|error| places.fault(error, &parser), |_| unexpected(next, places))),
    }
}

/// The tokens of a rule; a fault at the first that no rule has.
pub(super) fn tokens(syntax: &str, places: &Places) -> Result<Vec<TokenWithSpan>, RuleFault> {
    let tokens = Tokenizer::new(&RuleDialect, syntax)
        .tokenize_with_location()
        .map_err(|error| RuleFault::syntax(places.at(error.location), error.message))?;
    let mut kept = Vec::with_capacity(tokens.len());
    for mut token in tokens {
        // `N'…'` is what SQL Server writes for a text of any characters, which every text is here.
        if let Token::NationalStringLiteral(text) = &mut token.token {
            token.token = Token::SingleQuotedString(std::mem::take(text));
        }
        match &token.token {
            Token::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab) => {}
            Token::Whitespace(_) => {
                let at = places.at(token.span.start);
                return Err(RuleFault::syntax(at, "a comment is not part of the rule syntax"));
            }
            Token::Number(digits, long)
                if *long || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') =>
            {
                let at = places.at(token.span.start);
                return Err(RuleFault::syntax(at, "a plain decimal number is expected"));
            }
            Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::Comma
            | Token::Period
            | Token::LParen
            | Token::RParen
            | Token::Eq
            | Token::Neq
            | Token::Lt
            | Token::LtEq
            | Token::Gt
            | Token::GtEq
            | Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div => kept.push(token),
            _ => return Err(unexpected(&token, places)),
        }
        if kept.len() > LONGEST {
            let at = kept.last().map_or(1, |token| places.at(token.span.start));
            return Err(RuleFault::syntax(at, format!("a rule has at most {LONGEST} words")));
        }
    }
    Ok(kept)
}

fn unexpected(found: &TokenWithSpan, places: &Places) -> RuleFault {
    let token = found.token.to_string();
    let message = format!("{} is not part of the rule syntax{}", shown(&token), instead_of(&token));
    RuleFault::syntax(places.at(found.span.start), message)
}

/// What to write instead of a sign of another language.
fn instead_of(token: &str) -> &'static str {
    match token {
        "‘" | "’" | "‚" | "`" | "´" => "; a text is in straight quotes: 'CA'",
        "“" | "”" | "„" => "; a text is in straight quotes: 'CA', a name in [brackets]",
        "==" => "; write =",
        "&&" | "&" => "; write AND",
        "||" | "|" => "; write OR",
        "!" => "; write NOT",
        "%" => "; a percent is a plain number: 80",
        ";" => "; a rule ends without it",
        _ => "",
    }
}

/// From the lines and columns of `sqlparser` to the characters of a rule.
pub(super) struct Places {
    /// Characters before each line.
    before: Vec<usize>,
    /// One past the last character.
    end: usize,
}

impl Places {
    pub(super) fn new(syntax: &str) -> Self {
        let mut before = vec![0];
        let mut end = 0;
        for character in syntax.chars() {
            end += 1;
            if character == '\n' {
                before.push(end);
            }
        }
        Self { before, end: end + 1 }
    }

    /// 1-based; the end for a place that is none.
    pub(super) fn at(&self, location: Location) -> usize {
        let before = |line: u64| self.before.get(usize::try_from(line).ok()?.checked_sub(1)?);
        match (before(location.line), usize::try_from(location.column)) {
            (Some(before), Ok(column)) => (before + column).min(self.end),
            _ => self.end,
        }
    }

    /// `sqlparser` puts the place of an error at the end of its message, and none at the end of the
    /// rule.
    fn fault(&self, error: ParserError, parser: &Parser) -> RuleFault {
        let text = match error {
            ParserError::RecursionLimitExceeded => {
                let at = self.at(parser.peek_token_ref().span.start);
                let message = format!("more than {DEEPEST} expressions within each other");
                return RuleFault::syntax(at, message);
            }
            ParserError::ParserError(text) | ParserError::TokenizerError(text) => text,
        };
        let located = text.rsplit_once(" at Line: ").and_then(|(message, place)| {
            let (line, column) = place.split_once(", Column: ")?;
            let location = Location::new(line.parse().ok()?, column.parse().ok()?);
            Some((message, self.at(location)))
        });
        let (message, position) = located.unwrap_or((&text, self.end));
        let plain = message.strip_prefix("Expected: ").and_then(|m| m.split_once(", found: "));
        let message = match plain {
            Some((expected, "EOF")) => format!("{expected} expected, the end found"),
            Some((expected, "NULL")) => format!("{expected} expected, NULL found; write IS NULL"),
            Some((expected, ",")) => {
                format!("{expected} expected, a comma found; a number has no commas")
            }
            Some((expected, found)) => format!("{expected} expected, {} found", shown(found)),
            None => message.to_owned(),
        };
        RuleFault::syntax(position, message)
    }
}
