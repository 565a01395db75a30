//! `docs/reference/inputs.md` and `docs/reference/options.md`: the input tables and the options of
//! a run, from their declarations.

use std::fmt::Write;

use powerfill_events::input::{InputColumn, InputTable, InputType, Presence, RowCount};
use powerfill_events::values::Severity;
use powerfill_snapshot::TABLES;
use powerfill_snapshot::schema::{snapshot_schema, table_schema};
use serde_json::{Map, Value, json};

use crate::file;

const GENERATED: &str =
    "`UPDATE=1 cargo test -p powerfill-tests --test contracts` writes it again.";

#[test]
fn the_page_of_inputs_follows_from_the_declarations() {
    file::assert_is("docs/reference/inputs.md", &inputs());
}

#[test]
fn the_page_of_options_follows_from_the_declaration() {
    file::assert_is("docs/reference/options.md", &options());
}

/// The examples of the declarations, as rows of a snapshot, are valid by the JSON Schema, and a row
/// without its required columns is not.
#[test]
fn the_schema_of_the_inputs_describes_the_examples() {
    let schema = snapshot_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let cell = |column: &InputColumn| match (column.sample(), column.input_type) {
        (text, _) if text.is_empty() && column.may_be_empty() => Value::Null,
        (text, InputType::Whole) => json!(text.parse::<i64>().unwrap()),
        (text, _) => json!(text),
    };
    let row = |table: &InputTable| -> Map<String, Value> {
        table.columns.iter().map(|column| (column.name.to_owned(), cell(column))).collect()
    };
    let tables = TABLES.iter().map(|table| (table.name.to_owned(), json!([row(table)])));
    let snapshot = Value::Object(tables.collect());
    let errors: Vec<String> = validator.iter_errors(&snapshot).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for table in TABLES {
        let one = jsonschema::validator_for(&table_schema(table)).unwrap();
        assert!(one.is_valid(&json!([row(table)])), "{}", table.name);
        let has_required = table.columns.iter().any(|c| matches!(c.presence, Presence::Required));
        assert_eq!(one.is_valid(&json!([{}])), !has_required, "{}", table.name);
    }
}

fn inputs() -> String {
    let mut page = format!(
        "# Input tables\n\nGenerated from the declarations in `domain/snapshot/src/tables` and \
         `domain/events/src/config/rows.rs`; {GENERATED}\n\nNames of tables and columns compare \
         without regard to case. A column that may be empty may be absent, and so may a table that \
         is not required. An empty text is NULL. `loan` may have additional columns, which rules \
         can use. `powerfill template` writes the tables empty, and `powerfill schema` \
         prints them as JSON Schema.\n\n| table | |\n|---|---|\n"
    );
    for table in TABLES {
        writeln!(page, "| [{0}](#{0}) | {1} |", table.name, one_line(table.description)).unwrap();
    }
    for table in TABLES {
        section(table, &mut page);
    }
    page
}

fn section(table: &InputTable, page: &mut String) {
    let rows = match table.rows {
        RowCount::Any => format!("Key: `{}`.", table.key.join("`, `")),
        RowCount::AtMostOne => "At most one row.".to_owned(),
        RowCount::ExactlyOne => "One row.".to_owned(),
    };
    let required = if table.is_required { " The table is required." } else { "" };
    let description = one_line(table.description);
    write!(page, "\n## {}\n\n{description}\n\n{rows}{required}\n\n", table.name).unwrap();
    page.push_str("| column | type | empty | example | |\n|---|---|---|---|---|\n");
    for column in table.columns {
        writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            column.name,
            type_of(column),
            empty(column),
            example(column),
            one_line(column.description)
        )
        .unwrap();
    }
    for (at, reference) in table.references.iter().enumerate() {
        let unknown = match reference.unknown {
            Severity::Error => "an unknown one is an error",
            Severity::Warning => "an unknown one is a warning, and the row is ignored",
        };
        let (columns, other) = (reference.columns.join("`, `"), reference.table);
        let gap = if at == 0 { "\n" } else { "" };
        writeln!(page, "{gap}- `{columns}` names a row of `{other}`; {unknown}.").unwrap();
    }
    if let Some(check) = table.check {
        writeln!(page, "\nIn each row, `{check}`.").unwrap();
    }
}

fn options() -> String {
    let mut page = format!(
        "# Options of a run\n\nGenerated from the declaration in \
         `domain/events/src/run/options.rs`; {GENERATED}\n\nA flag of the command line has the name \
         of the option with dashes; it comes after the file of `--options`, which is a JSON object. \
         In JSON, decimals are strings. An option that is absent or null has its default.\n\n\
         | option | values | default | |\n|---|---|---|---|\n"
    );
    for option in powerfill_snapshot::options() {
        let default = match option.presence {
            Presence::Default(text) => format!("`{}`", text()),
            _ => "none".to_owned(),
        };
        let description = one_line(option.description);
        writeln!(page, "| `{}` | {} | {default} | {description} |", option.name, option.allowed())
            .unwrap();
    }
    page
}

/// The type of a column, and the ranges of its values: the allowed one, and the plausible one.
fn type_of(column: &InputColumn) -> String {
    let plausible = match column.plausible {
        Some((low, high)) => format!("; plausible from {low} to {high}"),
        None => String::new(),
    };
    match column.input_type {
        InputType::OneOf(words) => format!("`{}`", words.join("`, `")),
        _ => column.type_in_words() + &plausible,
    }
}

fn empty(column: &InputColumn) -> String {
    match column.presence {
        Presence::Default(text) => format!("`{}`", text()),
        _ => column.empty_in_words(),
    }
}

fn example(column: &InputColumn) -> String {
    match column.sample().as_str() {
        "" => String::new(),
        text => format!("`{text}`"),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
