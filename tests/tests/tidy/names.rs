//! Names: one meaning per type name in the workspace, and plain words.

use std::collections::BTreeMap;

use powerfill_tests::repository::sources;

use crate::has_word;

/// Words of the dialect that this project does not use. `docs/CONTRIBUTING.md` says what to write.
const WORDS: &[&str] = &["whoever", "somebody", "nobody", "anybody", "wherefrom"];

/// The type that a line declares for its crate or for others.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub "))?;
    let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
    let name = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    // A macro names the type that it declares by a variable.
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

#[test]
fn a_type_name_has_one_meaning() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, source) in sources() {
        let product = ["domain/", "projections/", "adapters/"];
        if !file.contains("/src/") || !product.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        for name in source.lines().filter_map(declared) {
            places.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    assert!(places.len() > 300, "only {} types were found", places.len());
    places.retain(|_, files| files.len() > 1);
    assert!(places.is_empty(), "names with more than one meaning: {places:#?}");
}

#[test]
fn words_are_plain() {
    let mut found = Vec::new();
    for (file, source) in sources() {
        let has_the_list = file.ends_with("tidy/names.rs");
        if has_the_list {
            continue;
        }
        for (number, line) in (1..).zip(source.lines()) {
            found.extend(
                WORDS
                    .iter()
                    .filter(|word| has_word(line, word))
                    .map(|word| format!("{file}:{number}: {word}")),
            );
        }
    }
    assert!(found.is_empty(), "{} words of the dialect: {found:#?}", found.len());
}
