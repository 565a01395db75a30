//! `LIKE`: `%` stands for any text, `_` for one code point; there is no escape and there are no
//! classes (1.4).

/// Whether a text matches a pattern, both folded.
pub(super) fn is_like(text: &str, pattern: &str) -> bool {
    matches_wildcards(text, pattern, '%', '_')
}

/// Whether a text matches a pattern, in which `any` stands for any text and `one` for one code
/// point. Goes back to the last `any` only, so that it takes at most the product of the two
/// lengths, and allocates nothing.
pub fn matches_wildcards(text: &str, pattern: &str, any: char, one: char) -> bool {
    let (mut rest, mut wanted) = (text.chars(), pattern.chars());
    // Where the last `any` stands: the text that it has not taken yet, and the pattern after it.
    let mut last = None;
    loop {
        let untaken = rest.clone();
        match (wanted.next(), rest.next()) {
            (Some(wildcard), _) if wildcard == any => {
                if wanted.as_str().is_empty() {
                    return true;
                }
                rest = untaken;
                last = Some((rest.clone(), wanted.clone()));
            }
            (None, None) => return true,
            (Some(expected), Some(found)) if expected == one || expected == found => {}
            // Less text is left than the pattern needs, and an `any` that takes more leaves less
            // still.
            (Some(_), None) => return false,
            (_, Some(_)) => {
                let Some((mut from, after)) = last else { return false };
                from.next();
                (rest, wanted) = (from.clone(), after.clone());
                last = Some((from, after));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What LIKE means, written down without regard to speed.
    fn means(text: &[char], pattern: &[char]) -> bool {
        match (pattern, text) {
            ([], rest) => rest.is_empty(),
            (['%', after @ ..], rest) => (0..=rest.len()).any(|n| means(&rest[n..], after)),
            (['_', after @ ..], [_, rest @ ..]) => means(rest, after),
            ([one, after @ ..], [other, rest @ ..]) => one == other && means(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_its_meaning(text in "[ABé]{0,8}", pattern in "[ABé%_]{0,7}") {
            let (text_chars, pattern_chars) =
                (text.chars().collect::<Vec<_>>(), pattern.chars().collect::<Vec<_>>());
            prop_assert_eq!(is_like(&text, &pattern), means(&text_chars, &pattern_chars));
        }
    }

    #[test]
    fn has_no_escape_and_no_classes() {
        for (text, pattern, expected) in [
            ("SFR", "S_R%", true),
            ("SFR_DT", "S_R%", true),
            ("É", "_", true),
            ("50%", "50\\%", false),
            ("50\\X", "50\\%", true),
            ("A", "[AB]", false),
            ("[AB]", "[AB]", true),
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("X", "%%%", true),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} LIKE {pattern}");
        }
    }

    #[test]
    fn does_not_explode() {
        let (text, pattern) = ("A".repeat(5_000), format!("{}B", "A%".repeat(100)));
        assert!(!is_like(&text, &pattern));
    }
}
