//! JSON in two forms, with the same order of members: compact, as payloads are stored, and with
//! line breaks, for reviews.

/// The characters of a JSON text, each with whether it is outside of strings.
fn outside_strings(text: &str) -> impl Iterator<Item = (char, bool)> {
    let (mut inside, mut escaped) = (false, false);
    text.chars().map(move |c| {
        let was_inside = inside;
        if escaped {
            escaped = false;
        } else if inside && c == '\\' {
            escaped = true;
        } else if c == '"' {
            inside = !inside;
        }
        (c, !was_inside && c != '"')
    })
}

/// Removes blanks and line breaks outside of strings.
pub(crate) fn compact(text: &str) -> String {
    let kept = outside_strings(text).filter(|(c, outside)| !outside || !c.is_ascii_whitespace());
    kept.map(|(c, _)| c).collect()
}

/// Writes one member per line, indented by two blanks per level.
pub(crate) fn pretty(text: &str) -> String {
    let compact = compact(text);
    let mut out = String::with_capacity(2 * compact.len());
    let mut depth = 0;
    let mut before = ' ';
    for (c, outside) in outside_strings(&compact) {
        let closes = outside && matches!(c, '}' | ']');
        let opened = matches!(before, '{' | '[');
        if closes {
            depth -= 1;
        }
        if closes != opened && (closes || opened) || before == ',' {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
        out.push(c);
        if outside && matches!(c, '{' | '[') {
            depth += 1;
        }
        if outside && c == ':' {
            out.push(' ');
        }
        before = if outside { c } else { ' ' };
    }
    out.push('\n');
    out
}

#[test]
fn both_forms_have_the_same_value() {
    let text = r#"{"a":[],"b":{},"c":[1,"x, {y}: \"z\" [","\\"],"d":{"e":null}}"#;
    assert_eq!(compact(&pretty(text)), text);
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(pretty(text), format!("{value:#}\n"));
}
