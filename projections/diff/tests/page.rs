//! The page: no text becomes markup or script.

mod sides;

use powerfill_diff::report::{PAGE_ROWS, csv, html, json};
use powerfill_diff::{Comparison, RowVerdict};
use serde_json::Value;
use sides::{classified, compared};

const GUIDE: &str = "pfill_powerfill_guide";
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>&\"'<!--\u{2028}";

fn hostile() -> Comparison {
    let here = format!("loan_id,trade_id,price\n{HOSTILE},T1,1\nB,{HOSTILE},1\n");
    let there = format!("loan_id,trade_id,price,{HOSTILE}\n{HOSTILE},{HOSTILE},1,x\nB,T1,1,x\n");
    let classes = format!(
        "[[difference]]\nclass = \"bug\"\nnote = '''{HOSTILE}'''\ntable = \"{GUIDE}\"\nkey = {{ loan_id = \"B\" }}\n"
    );
    classified(compared(&[(GUIDE, &here)], &[(GUIDE, &there)], ""), &classes)
}

/// The tags with their attributes, and the text of the data element.
fn elements(page: &str) -> (Vec<String>, String) {
    let (mut tags, mut rest) = (Vec::new(), page);
    let mut data = String::new();
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("every element is closed");
        let tag = &rest[..end];
        tags.push(tag.to_owned());
        rest = &rest[end + 1..];
        // A browser reads the raw text of these elements up to their end tag.
        for raw in ["script", "style"] {
            if tag == raw || tag.starts_with(&format!("{raw} ")) {
                let close = rest.find(&format!("</{raw}")).expect("an end tag");
                if tag.contains("application/json") {
                    data = rest[..close].to_owned();
                }
                rest = &rest[close..];
            }
        }
    }
    (tags, data)
}

#[test]
fn a_hostile_text_stays_text() {
    let comparison = hostile();
    let page = html(&comparison, PAGE_ROWS);
    let (tags, data) = elements(&page);
    let known = [
        "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "p",
        "div", "strong", "main", "section", "table", "thead", "tbody", "tr", "th", "td", "ul",
        "li", "form", "label", "input", "select", "option", "button", "nav", "span", "noscript",
        "script", "code", "details", "summary",
    ];
    for tag in &tags {
        let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
        assert!(known.contains(&name), "<{tag}>");
        assert!(
            !tag.contains(" on") && !tag.contains(" style=") && !tag.contains("http:"),
            "<{tag}>"
        );
    }
    assert_eq!(tags.iter().filter(|tag| *tag == "/script").count(), 2);
    assert!(!data.contains(['<', '>', '&', '\u{2028}']));
    let data: Value = serde_json::from_str(&data).unwrap();
    let rows = data["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0][1][0], HOSTILE);
    assert_eq!(rows[1][5], HOSTILE);
    // The text is on the page, escaped.
    assert!(page.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;&quot;'&lt;!--"));
}

#[test]
fn the_policy_allows_only_the_script_and_the_style_of_the_page() {
    let page = html(&hostile(), PAGE_ROWS);
    let start = page.find("http-equiv=\"Content-Security-Policy\" content=\"").unwrap();
    let policy = &page[start..start + page[start..].find('>').unwrap()];
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(policy.matches("'sha256-").count(), 2);
    assert!(
        !policy.contains("-inline")
            && !policy.contains("-eval")
            && !policy.contains('*')
            && !policy.contains("http:")
    );
    // The page fetches nothing, and its script makes text nodes only.
    for word in [
        "src=\"",
        "href=",
        "@import",
        "url(",
        "innerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "fetch(",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn a_full_page_keeps_the_most_important_rows() {
    let header = "loan_id,trade_id,price\n";
    let rows = |trade: &str, price: u32| {
        (0..40).map(|at| format!("N{at},T1,{price}\n")).collect::<String>()
            + &format!("Z1,{trade},1\n")
    };
    let here = format!("{header}{}Z2,T1,1\n", rows("T1", 1));
    let there = format!("{header}{}", rows("T2", 2));
    let comparison = compared(&[(GUIDE, &here)], &[(GUIDE, &there)], "");
    let (_, data) = elements(&html(&comparison, 3));
    let data: Value = serde_json::from_str(&data).unwrap();
    let shown: Vec<(&str, &str)> = data["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row[1][0].as_str().unwrap(), row[2].as_str().unwrap()))
        .collect();
    assert_eq!(shown, [("Z1", "other_decision"), ("Z2", "only_here"), ("N0", "other_numbers")]);
    assert!(html(&comparison, 3).contains("carries 3 of 42 differences"));
    assert!(!html(&comparison, PAGE_ROWS).contains("This page carries"));
}

#[test]
fn every_format_has_every_difference_and_the_same_bytes_each_time() {
    let text = |write: fn(&Comparison, &mut Vec<u8>) -> std::io::Result<()>| {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        write(&hostile(), &mut one).unwrap();
        write(&hostile(), &mut other).unwrap();
        assert_eq!(one, other);
        String::from_utf8(one).unwrap()
    };
    assert_eq!(html(&hostile(), PAGE_ROWS), html(&hostile(), PAGE_ROWS));
    let document: Value = serde_json::from_str(&text(json)).unwrap();
    assert_eq!(document["answer"], "different");
    let table = &document["tables"][0];
    assert_eq!(table["counts"]["other_decision"], 2);
    assert_eq!(table["differences"][0]["key"][0], HOSTILE);
    assert_eq!(table["differences"][1]["class"], "bug");
    assert_eq!(table["differences"][1]["verdict"], RowVerdict::OtherDecision.name());
    assert_eq!(table["differences"][1]["cells"][0]["here"], HOSTILE);
    let lines = text(csv);
    assert!(
        lines.starts_with(
            "table,key,verdict,column,here,there,decision,class,note,parted,because\n"
        )
    );
    assert!(lines.contains(&format!(
        "pfill_powerfill_guide,\"{}\",other_decision,trade_id,T1,",
        HOSTILE.replace('"', "\"\"")
    )));
}
