//! Keys of the file that can be one value or several, and misspelled keys.

use powerfill_snapshot::near::nearest;
use serde::Deserialize;

/// One value, or a list of them.
#[derive(Deserialize, Clone)]
#[serde(untagged, expecting = "one value in quotes, or a list of them")]
pub(super) enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

/// Adds the nearest key to the message about an unknown one.
pub(super) fn with_hint(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let near = match quoted.next() {
        Some(wrong) if message.starts_with("unknown field") => nearest(wrong, quoted),
        _ => Vec::new(),
    };
    match near.first() {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message.to_owned(),
    }
}
