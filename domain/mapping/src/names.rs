//! Names of files, sheets, tables, and columns: how they compare, and what to write for a wrong
//! one.

use powerfill_events::values::fold;
use powerfill_snapshot::near::nearest;
use powerfill_snapshot::rules::matches_wildcards;

/// A name in the form in which default names compare: folded, without schema, brackets, and quotes,
/// and with `_` between words.
pub fn normalize(name: &str) -> String {
    let mut normal = String::new();
    for c in fold(name.trim()).chars() {
        if c.is_alphanumeric() {
            normal.push(c);
        } else if !normal.ends_with('_')
            && !normal.is_empty()
            && !matches!(c, '[' | ']' | '"' | '`')
        {
            normal.push('_');
        }
    }
    normal.trim_end_matches('_').to_owned()
}

/// A name in the form in which the names of a mapping compare with those of a file: folded, with
/// one blank between words.
pub fn written(name: &str) -> String {
    fold(&name.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether a name of a mapping, in which `*` and `?` stand for any characters and one character, is
/// this name.
pub fn matches(pattern: &str, name: &str) -> bool {
    matches_wildcards(&written(name), &written(pattern), '*', '?')
}

/// `; did you mean A or B?`, and all names if none is near.
pub fn hint<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let near = nearest(wrong, names.clone());
    if near.is_empty() {
        let all: Vec<&str> = names.into_iter().collect();
        return match all.len() {
            0 => "; there are none".to_owned(),
            _ => format!("; there are {}", all.join(", ")),
        };
    }
    format!("; did you mean {}?", near.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_compare_without_case_brackets_and_quotes() {
        for name in ["loan_id", "Loan ID", "[LOAN_ID]", "\"loan-id\"", " loan  id "] {
            assert_eq!(normalize(name), "LOAN_ID", "{name}");
        }
        assert_ne!(normalize("loanid"), normalize("loan_id"));
    }

    #[test]
    fn wildcards_stand_for_any_characters_and_for_one() {
        for (pattern, name, is_match) in [
            ("Pipeline *", "pipeline 1-15-26", true),
            ("*.csv", "a.CSV", true),
            ("tape-??.csv", "tape-01.csv", true),
            ("tape-?.csv", "tape-01.csv", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("[dbo].x", "[dbo].x", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), is_match, "{pattern} {name}");
        }
    }

    #[test]
    fn near_names_are_said_and_else_all() {
        let names = ["loan_id", "loan_amount", "note_rate"];
        assert_eq!(hint("loan_amt", names), "; did you mean loan_amount?");
        assert_eq!(hint("xyz", names), "; there are loan_id, loan_amount, note_rate");
    }
}
