//! What is valid in a rule and likely wrong: patterns of `LIKE` that mean something else in other
//! dialects (1.4), and shares in place of percents.

use powerfill_events::input::{InputRow, Measure};
use rust_decimal::Decimal;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::parse::{Places, tokens};
use crate::report::FaultCode;
use crate::tables::Loan;

/// Something in a rule that is valid and likely wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRemark {
    /// [`FaultCode::RulePattern`] or [`FaultCode::SuspectScale`].
    pub code: FaultCode,
    /// The character, what it is here, and what to write.
    pub reason: String,
}

/// What is likely wrong in a rule, in its order. Nothing for a rule that does not parse.
pub fn rule_remarks(syntax: &str) -> Vec<RuleRemark> {
    let places = Places::new(syntax);
    let tokens = tokens(syntax, &places).unwrap_or_default();
    let mut remarks = Vec::new();
    for (at, token) in tokens.iter().enumerate().skip(1) {
        let before = |back: usize| at.checked_sub(back).map(|at| &tokens[at].token);
        let found = match (&token.token, before(1), before(2)) {
            (Token::SingleQuotedString(pattern), Some(Token::Word(word)), _)
                if word.keyword == Keyword::LIKE =>
            {
                remark(pattern).map(|reason| (FaultCode::RulePattern, reason))
            }
            (Token::Number(number, _), Some(sign), Some(Token::Word(column)))
                if is_comparison(sign) =>
            {
                share(&column.value, number).map(|reason| (FaultCode::SuspectScale, reason))
            }
            _ => None,
        };
        remarks.extend(found.map(|(code, reason)| {
            let reason = format!("character {}: {reason}", places.at(token.span.start));
            RuleRemark { code, reason }
        }));
    }
    remarks
}

fn is_comparison(token: &Token) -> bool {
    match token {
        Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq => true,
        Token::Word(word) => word.keyword == Keyword::BETWEEN,
        _ => false,
    }
}

/// A number below 1 that is compared with a column of percents.
fn share(column: &str, number: &str) -> Option<String> {
    let column = Loan::TABLE.columns.get(Loan::TABLE.position(column)?)?;
    let number: Decimal = number.parse().ok()?;
    let is_share = number > Decimal::ZERO && number < Decimal::ONE;
    let meant = (number * Decimal::ONE_HUNDRED).normalize();
    (column.measure == Measure::Percent && is_share).then(|| {
        format!(
            "{} is in percent, so that this is {number} %; write {meant} for {meant} %",
            column.name
        )
    })
}

fn remark(pattern: &str) -> Option<String> {
    if let Some(from) = pattern.find('[') {
        let class = match pattern[from..].find(']') {
            Some(to) => &pattern[from..=from + to],
            None => &pattern[from..],
        };
        return Some(format!(
            "{class} is literal here, LIKE has no character classes; write one LIKE per \
             character, joined by OR, or an IN"
        ));
    }
    if pattern.contains("\\%") || pattern.contains("\\_") {
        return Some("\\ is literal here, LIKE has no escape character".to_owned());
    }
    let wildcard = pattern.chars().find(|c| matches!(c, '*' | '?'));
    wildcard.filter(|_| !pattern.contains(['%', '_'])).map(|found| {
        format!("{found} is literal here; % stands for any text, and _ for one character")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_literal_here_and_not_elsewhere_is_remarked() {
        for (syntax, expected) in [
            ("state LIKE '[A-C]%'", "character 12: [A-C] is literal here, "),
            ("fico > 1 OR state NOT LIKE N'[^A]'", "character 28: [^A] is literal here, "),
            ("state LIKE 'C[A'", "character 12: [A is literal here, "),
            ("state LIKE '5\\%'", "character 12: \\ is literal here, "),
            ("state LIKE 'C*'", "character 12: * is literal here; "),
            ("fico > 1 AND LTV > 0.8", "character 20: ltv is in percent, so that this is 0.8 %; "),
            ("[note_rate] BETWEEN 0.06 AND 1", "character 21: note_rate is in percent"),
        ] {
            let remarks = rule_remarks(syntax);
            let is_one = remarks.len() == 1 && remarks[0].reason.starts_with(expected);
            assert!(is_one, "{remarks:?}");
        }
        for syntax in [
            "state LIKE 'C%'",
            "[state] = 'a[b]'",
            "state LIKE",
            "zip LIKE '9_*%'",
            "ltv > 80 AND fico > 0.5 OR note_rate >= 0",
        ] {
            assert_eq!(rule_remarks(syntax), [], "{syntax}");
        }
    }
}
