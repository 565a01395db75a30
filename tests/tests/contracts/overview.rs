//! `docs/reference/overview.schema.json`: the document of a run.

use powerfill_overview::Overview;

use crate::file;

#[test]
fn the_schema_of_the_overview_follows_from_its_types() {
    let schema = schemars::schema_for!(Overview).to_value();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    file::assert_is("docs/reference/overview.schema.json", &text);
}
