//! Identifiers and other names: spelled as given, compared as the legacy databases' collation does.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The form in which text compares: without trailing blanks (U+0020), upper-cased by full Unicode
/// rules (1.1).
pub fn fold(text: &str) -> String {
    text.trim_end_matches(' ').to_uppercase()
}

/// An identifier or a name. Keeps its spelling without trailing blanks; compares, orders and hashes
/// by its [`fold`]ed form, by code points (1.1). Cloning is cheap.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Name {
    spelled: Arc<str>,
    folded: Arc<str>,
}

impl Name {
    /// The name with this spelling, trailing blanks cut off.
    pub fn new(text: &str) -> Self {
        let spelled: Arc<str> = text.trim_end_matches(' ').into();
        let is_folded = spelled.bytes().all(|b| b.is_ascii() && !b.is_ascii_lowercase());
        let folded = if is_folded { Arc::clone(&spelled) } else { fold(&spelled).into() };
        Self { spelled, folded }
    }

    /// As its table spells it.
    pub fn as_str(&self) -> &str {
        &self.spelled
    }

    /// As it compares.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The shared spelling, as events carry it.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.spelled)
    }

    /// Whether it is the empty name of an absent part of a constraint's key.
    pub fn is_empty(&self) -> bool {
        self.spelled.is_empty()
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}
impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.spelled)
    }
}
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.spelled, f)
    }
}
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}
impl Eq for Name {}
impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Name {
    /// By code points of the folded form: UTF-8 bytes order as code points do.
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}
impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl schemars::JsonSchema for Name {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Name".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_without_case_and_trailing_blanks_but_keeps_the_spelling() {
        assert_eq!(Name::new("Straße  "), Name::new("STRASSE"));
        assert_eq!(Name::new("fn 6.0 ").as_str(), "fn 6.0");
        assert_ne!(Name::new(" a"), Name::new("a"));
        let mut names: Vec<Name> = ["b", "A_", "A1", "C", ""].map(Name::new).into();
        names.sort();
        assert_eq!(names.iter().map(Name::as_str).collect::<Vec<_>>(), ["", "A1", "A_", "b", "C"]);
    }
}
