//! What can be wrong with a rule.

use crate::report::FaultCode;

/// What is wrong with a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {position}: {message}")]
pub struct RuleFault {
    /// [`FaultCode::RuleSyntax`], [`FaultCode::RuleColumn`], or [`FaultCode::RuleType`].
    pub code: FaultCode,
    /// 1-based, in characters of the rule; one past the last where the rule ends too early.
    pub position: usize,
    /// What was expected and found.
    pub message: String,
}

impl RuleFault {
    pub(super) fn syntax(position: usize, message: impl Into<String>) -> Self {
        Self { code: FaultCode::RuleSyntax, position, message: message.into() }
    }

    pub(super) fn column(position: usize, message: impl Into<String>) -> Self {
        Self { code: FaultCode::RuleColumn, position, message: message.into() }
    }

    pub(super) fn types(position: usize, message: impl Into<String>) -> Self {
        Self { code: FaultCode::RuleType, position, message: message.into() }
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
