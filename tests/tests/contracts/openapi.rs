//! `docs/reference/openapi.json`: the HTTP service, from its routes, their types, and the output
//! tables.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::file;

#[test]
fn the_document_follows_from_the_routes() {
    let text = format!("{:#}\n", powerfill_http::openapi());
    file::assert_is("docs/reference/openapi.json", &text);
}

#[test]
fn the_document_is_openapi_3_1_and_every_reference_has_a_target() {
    let document = powerfill_http::openapi();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
    }
}

/// The targets of all references in a document.
pub(crate) fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "$ref" => {
                        references.insert(text.clone());
                    }
                    member => collect(member, references),
                }
            }
        }
        Value::Array(members) => members.iter().for_each(|member| collect(member, references)),
        _ => {}
    }
}

#[test]
fn every_operation_has_a_role_and_answers() {
    let document = powerfill_http::openapi();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["security"].is_array(), "{place}");
            let answers = operation["responses"].as_object().unwrap();
            let wanted: &[&str] = match path.as_str() {
                "/healthz" | "/readyz" => &["200"],
                // A caller begins or ends a session without a token, and no store is read.
                "/api/powerfill/session" => &["429"],
                _ => &["401", "403", "429", "503"],
            };
            for status in wanted {
                assert!(answers.contains_key(*status), "{place}: {status}");
            }
            for (status, answer) in answers {
                assert!(!answer["description"].as_str().unwrap().is_empty(), "{place}: {status}");
            }
            assert!(operation["summary"].is_string(), "{place}");
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name), "{place}: two operations have one name");
        }
    }
}
