//! Patterns of `LIKE` that mean something else in other dialects (1.4): valid, and likely wrong.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::parse::{Places, tokens};

/// What is literal in the patterns of a rule, though other dialects give it a meaning; in the order
/// of the rule. Nothing for a rule that does not parse.
pub fn pattern_remarks(syntax: &str) -> Vec<String> {
    let places = Places::new(syntax);
    let tokens = tokens(syntax, &places).unwrap_or_default();
    let patterns = tokens.windows(2).filter_map(|pair| match (&pair[0].token, &pair[1].token) {
        (Token::Word(word), Token::SingleQuotedString(pattern))
            if word.keyword == Keyword::LIKE =>
        {
            Some((places.at(pair[1].span.start), pattern))
        }
        _ => None,
    });
    let remark = |(at, pattern): (usize, &String)| {
        remark(pattern).map(|remark| format!("character {at}: {remark}"))
    };
    patterns.filter_map(remark).collect()
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
        ] {
            let remarks = pattern_remarks(syntax);
            assert!(remarks.len() == 1 && remarks[0].starts_with(expected), "{remarks:?}");
        }
        for syntax in ["state LIKE 'C%'", "[state] = 'a[b]'", "state LIKE", "zip LIKE '9_*%'"] {
            assert_eq!(pattern_remarks(syntax), [""; 0], "{syntax}");
        }
    }
}
