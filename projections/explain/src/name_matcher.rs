//! Comparison of names in events with a name that a caller gave.

use powerfill_events::values::fold;

/// Matches a name in any case (1.1). It compares ASCII names without an allocation.
#[derive(Debug, Clone)]
pub(crate) struct NameMatcher {
    folded: String,
}

impl NameMatcher {
    pub(crate) fn new(name: &str) -> Self {
        Self { folded: fold(name) }
    }

    /// Names in events have no trailing blanks (1.1).
    pub(crate) fn matches(&self, name: &str) -> bool {
        if name.is_ascii() {
            name.eq_ignore_ascii_case(&self.folded)
        } else {
            fold(name) == self.folded
        }
    }
}
