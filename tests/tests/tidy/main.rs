//! The shape of the repository, kept by reading it: what may depend on what, what stands where, and
//! what is never written.

mod names;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use powerfill_tests::repository::{files, sources, text};
use toml::{Table, Value};

/// What each pure package may use, separated by blanks, of ours and of others: no I/O, no async
/// runtime. `rayon` is there for threads whose results are collected in order.
const PURE_USES: &[(&str, &str)] = &[
    (
        "domain/events",
        "blake3 chrono memchr percent-encoding rust_decimal schemars serde serde_json \
         thiserror uuid",
    ),
    ("domain/facts", "powerfill-events rust_decimal schemars serde"),
    (
        "domain/snapshot",
        "blake3 chrono foldhash num-bigint num-traits powerfill-events rayon rust_decimal \
         schemars serde serde_json sqlparser stacker strsim thiserror",
    ),
    (
        "domain/mapping",
        "chrono powerfill-events powerfill-snapshot rust_decimal serde thiserror toml",
    ),
    (
        "domain/engine",
        "foldhash num-bigint num-traits powerfill-events powerfill-facts powerfill-snapshot \
         rayon rust_decimal serde thiserror",
    ),
    (
        "domain/challenge",
        "foldhash powerfill-events powerfill-snapshot rayon rust_decimal thiserror",
    ),
    ("domain/checks", "foldhash powerfill-events powerfill-snapshot rayon rust_decimal thiserror"),
    (
        "projections/tables",
        "blake3 chrono foldhash integer-encoding powerfill-events rust_decimal serde \
         serde_json thiserror",
    ),
    ("projections/explain", "powerfill-events powerfill-facts powerfill-tables schemars serde"),
    (
        "projections/diff",
        "base64 chrono globset maud powerfill-events powerfill-explain powerfill-mapping \
         powerfill-tables rust_decimal schemars serde serde_json sha2 thiserror toml \
         toml_edit",
    ),
    ("projections/overview", "powerfill-events powerfill-tables schemars serde"),
];

/// What an adapter may know of ours.
const ADAPTERS_KNOW: &[(&str, &str)] = &[
    ("adapters/ports", "events tables"),
    ("adapters/eventually", "events ports snapshot tables"),
    (
        "adapters/app",
        "challenge checks diff engine events explain facts overview ports snapshot tables",
    ),
    ("adapters/sqlite", "events ports snapshot tables"),
    ("adapters/postgres", "events ports snapshot tables"),
    ("adapters/csv", "mapping snapshot"),
    ("adapters/mismo", "events mapping"),
    ("adapters/parquet", "events tables"),
    ("adapters/xlsx", "events mapping overview snapshot tables"),
    ("adapters/sqlserver", "events ports snapshot tables"),
    ("adapters/evidence", "events ports snapshot tables"),
    ("adapters/nats", "events ports"),
    ("adapters/otlp", "app events http"),
    ("adapters/generator", "snapshot"),
    ("adapters/console/rust", ""),
    (
        "adapters/http",
        "app console diff engine events explain facts overview ports snapshot tables xlsx",
    ),
];

/// Whether a word stands alone in a text.
fn has_word(text: &str, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(letter) && !text[at + word.len()..].starts_with(letter)
    })
}

fn names(list: &str) -> BTreeSet<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

/// A package, where it stands, and what its build needs; tests may need anything.
struct Package {
    folder: String,
    name: String,
    uses: BTreeSet<String>,
    has_lints: bool,
}

impl Package {
    fn ours(&self) -> BTreeSet<String> {
        self.uses.iter().filter(|name| name.starts_with("powerfill-")).cloned().collect()
    }
}

/// The workspace's packages. One that is a workspace of its own is none of them.
fn packages() -> Vec<Package> {
    let manifests = files().into_iter().filter(|file| file.ends_with("/Cargo.toml"));
    manifests
        .map(|file| (text(&file).parse::<Table>().unwrap(), file))
        .filter(|(manifest, _)| !manifest.contains_key("workspace"))
        .map(|(manifest, file)| {
            let mut uses = BTreeSet::new();
            dependencies(&manifest, &mut uses);
            for target in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
                dependencies(target.1.as_table().unwrap(), &mut uses);
            }
            Package {
                folder: file.trim_end_matches("/Cargo.toml").to_owned(),
                name: manifest["package"]["name"].as_str().unwrap().to_owned(),
                has_lints: manifest.get("lints").is_some_and(|l| l["workspace"] == true.into()),
                uses,
            }
        })
        .collect()
}

fn dependencies(of: &Table, into: &mut BTreeSet<String>) {
    for section in ["dependencies", "build-dependencies"] {
        let listed = of.get(section).and_then(Value::as_table).into_iter().flatten();
        into.extend(listed.map(|(name, _)| name.clone()));
    }
}

#[test]
fn packages_know_what_is_listed_and_nothing_else() {
    let packages: BTreeMap<String, Package> =
        packages().into_iter().map(|package| (package.folder.clone(), package)).collect();
    for (folder, uses) in PURE_USES {
        assert_eq!(packages[*folder].uses, names(uses), "{folder}");
    }
    for (folder, known) in ADAPTERS_KNOW {
        let known = names(known).iter().map(|name| format!("powerfill-{name}")).collect();
        assert_eq!(packages[*folder].ours(), known, "{folder}");
    }
    let pure = PURE_USES.iter().map(|(folder, _)| *folder);
    let listed: BTreeSet<&str> = pure.chain(ADAPTERS_KNOW.iter().map(|(f, _)| *f)).collect();
    for (folder, package) in &packages {
        // The composition root, and what judges the whole, may know everything.
        if folder == "adapters/cli" || folder.starts_with("tests") {
            continue;
        }
        assert!(listed.contains(folder.as_str()), "{folder} is not listed here");
        for of_tests in
            ["powerfill-fixtures", "powerfill-memory", "powerfill-tests", "powerfill-model"]
        {
            assert!(!package.uses.contains(of_tests), "{folder} depends on a test");
        }
    }
}

#[test]
fn every_package_is_a_member_and_keeps_the_lints() {
    let root: Table = text("Cargo.toml").parse().unwrap();
    let members = root["workspace"]["members"].as_array().unwrap().iter();
    let members: BTreeSet<String> = members.map(|m| m.as_str().unwrap().to_owned()).collect();
    let folders: BTreeSet<String> = packages().iter().map(|p| p.folder.clone()).collect();
    assert_eq!(members, folders);
    for package in packages() {
        assert!(package.has_lints, "{} does not say lints.workspace = true", package.name);
    }
}

#[test]
fn nothing_else_stands_at_the_top() {
    let visible: BTreeSet<String> = files()
        .iter()
        .map(|file| file.split('/').next().unwrap().to_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    let eight = names("Cargo.toml Cargo.lock domain projections adapters sql tests docs README.md");
    let strangers: Vec<_> = visible.difference(&eight).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

/// A serializer must name the types that it refuses.
const REFUSES_FLOATS: &str = "domain/events/src/log/json.rs";

#[test]
fn no_binary_floating_point_near_money() {
    for (file, source) in sources() {
        let is_pure = file.starts_with("domain/") || file.starts_with("projections/");
        if is_pure && file != REFUSES_FLOATS {
            for float in ["f32", "f64"] {
                assert!(!has_word(&source, float), "{file} has {float}");
            }
        }
    }
}

/// A decision or a projection that asked for the time, for chance or for its surroundings would not
/// come out the same twice.
#[test]
fn the_pure_packages_ask_for_no_time_chance_or_surroundings() {
    let asked = [
        "SystemTime",
        "Instant",
        "Utc::now",
        "Local::now",
        "thread_rng",
        "env::var",
        "std::fs",
        "std::net",
    ];
    for (file, source) in sources() {
        let pure = ["domain/", "projections/"].iter().any(|folder| file.starts_with(folder));
        if pure && file.contains("/src/") {
            for question in asked {
                assert!(!has_word(&source, question), "{file} has {question}");
            }
        }
    }
}

#[test]
fn what_is_never_written_is_not_there() {
    let never = [concat!("un", "safe"), concat!("TO", "DO"), concat!("FIX", "ME")];
    for (file, source) in sources() {
        for word in never {
            assert!(!has_word(&source, word), "{file} has {word}");
        }
    }
}

#[test]
fn no_path_of_a_machine() {
    let homes = [
        concat!("/", "home/"),
        concat!("/", "root/"),
        concat!("/", "Users/"),
        concat!("/", "work/"),
        concat!("C:", "\\Users"),
    ];
    for file in files() {
        let text = text(&file);
        for home in homes {
            // A path of an address or of this repository goes on from a letter; one of a machine
            // does not.
            let alone =
                |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.');
            let found = text.match_indices(home).any(|(at, _)| alone(at));
            assert!(!found, "{file} has {home}");
        }
    }
}
