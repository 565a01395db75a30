//! Conversions of stored payloads from one schema version to the next (specification 3.1).

use serde_json::Value;

/// `RunRequested` version 1 to 2: version 1 has no warnings.
pub(crate) fn add_source_warnings(mut requested: Value) -> Value {
    if let Value::Object(fields) = &mut requested {
        fields.insert("source_warnings".to_owned(), Value::Array(Vec::new()));
    }
    requested
}
