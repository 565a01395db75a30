//! What can be wrong with a rule.

use std::fmt;

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

impl RuleFaultCode {
    /// As the report spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RuleSyntax => "rule_syntax",
            Self::RuleColumn => "rule_column",
            Self::RuleType => "rule_type",
        }
    }
}

impl fmt::Display for RuleFaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {position}: {message}")]
pub struct RuleFault {
    /// The code of the report.
    pub code: RuleFaultCode,
    /// 1-based, in characters of the rule; one past the last where the rule ends too early.
    pub position: usize,
    /// What was expected and found.
    pub message: String,
}

impl RuleFault {
    pub(super) fn syntax(position: usize, message: impl Into<String>) -> Self {
        Self { code: RuleFaultCode::RuleSyntax, position, message: message.into() }
    }

    pub(super) fn column(position: usize, message: impl Into<String>) -> Self {
        Self { code: RuleFaultCode::RuleColumn, position, message: message.into() }
    }

    pub(super) fn types(position: usize, message: impl Into<String>) -> Self {
        Self { code: RuleFaultCode::RuleType, position, message: message.into() }
    }
}

/// A text of the rule as a message shows it: cut where it is long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}
