//! The shape of the repository, kept by reading it: what may depend on what, what stands where, and what is never
//! written.

use std::collections::{BTreeMap, BTreeSet};

use powerfill_tests::repository::{files, sources, text};
use toml::{Table, Value};

/// What `domain` may use: no I/O, no async runtime. `futures` is there for the type that the traits of `eventually`
/// return, `rayon` for threads whose results are collected in order.
const DOMAIN_USES: &[&str] = &[
    "blake3",
    "chrono",
    "eventually",
    "foldhash",
    "futures",
    "num-bigint",
    "num-traits",
    "rayon",
    "rust_decimal",
    "schemars",
    "serde",
    "serde_json",
    "sqlparser",
    "stacker",
    "thiserror",
    "uuid",
];

/// What `projections` may use, for the same reason.
const PROJECTIONS_USE: &[&str] = &[
    "blake3",
    "chrono",
    "eventually",
    "futures",
    "integer-encoding",
    "rust_decimal",
    "serde",
    "serde_json",
    "thiserror",
];

/// What `projections/diff` may use, for the same reason.
const DIFF_USES: &[&str] = &[
    "base64",
    "chrono",
    "globset",
    "maud",
    "rust_decimal",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "toml",
    "toml_edit",
];

/// A file is read in one sitting.
const LINES: usize = 450;

/// Longer files, and why.
const LONGER: &[(&str, &str)] = &[
    ("domain/src/run/event.rs", "the list of all events is one thing to read, and to review"),
    ("tests/model/src/passes.rs", "follows 2.7 of the specification line by line"),
    ("tests/model/tests/engine/books.rs", "makes every table of a book, one function each"),
];

/// Whether a word stands alone in a text.
fn has_word(text: &str, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(letter) && !text[at + word.len()..].starts_with(letter)
    })
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
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
fn packages_depend_inwards_only() {
    for package in packages() {
        let allowed: &[&str] = match package.folder.as_str() {
            "domain" => &[],
            "projections" => &["powerfill-domain"],
            "projections/diff" => &["powerfill-domain", "powerfill-projections"],
            "adapters/ports" => &["powerfill-domain", "powerfill-projections"],
            // The composition root, and what judges the whole.
            "adapters/cli" | "tests" | "tests/model" => continue,
            // The runner compares runs, and a door drives the runner.
            "adapters/runner" => {
                &["powerfill-diff", "powerfill-domain", "powerfill-projections", "powerfill-ports"]
            }
            "adapters/http" => &[
                "powerfill-diff",
                "powerfill-domain",
                "powerfill-projections",
                "powerfill-ports",
                "powerfill-runner",
            ],
            adapter => {
                assert!(adapter.starts_with("adapters/"), "{adapter}: where does it belong?");
                &["powerfill-domain", "powerfill-projections", "powerfill-ports"]
            }
        };
        let too_much: Vec<_> = package.ours().difference(&names(allowed)).cloned().collect();
        assert!(too_much.is_empty(), "{} depends on {too_much:?}", package.name);
    }
    for package in packages().iter().filter(|package| !package.folder.starts_with("tests")) {
        for of_tests in ["powerfill-tests", "powerfill-model"] {
            assert!(!package.uses.contains(of_tests), "{} depends on a test", package.name);
        }
    }
}

#[test]
fn the_pure_packages_use_what_is_listed_and_nothing_else() {
    let packages: BTreeMap<String, Package> =
        packages().into_iter().map(|package| (package.folder.clone(), package)).collect();
    let foreign = |folder: &str| -> BTreeSet<String> {
        let package = &packages[folder];
        package.uses.difference(&package.ours()).cloned().collect()
    };
    assert_eq!(foreign("domain"), names(DOMAIN_USES));
    assert_eq!(foreign("projections"), names(PROJECTIONS_USE));
    assert_eq!(foreign("projections/diff"), names(DIFF_USES));
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
    let eight = names(&[
        "Cargo.toml",
        "Cargo.lock",
        "domain",
        "projections",
        "adapters",
        "sql",
        "tests",
        "docs",
        "README.md",
    ]);
    let strangers: Vec<_> = visible.difference(&eight).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn no_binary_floating_point_near_money() {
    for (file, source) in sources() {
        if file.starts_with("domain/") || file.starts_with("projections/") {
            for float in ["f32", "f64"] {
                assert!(!has_word(&source, float), "{file} has {float}");
            }
        }
    }
}

/// A decision or a projection that asked for the time, for chance or for its surroundings would not come out the same
/// twice.
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
        let pure = ["domain/src/", "projections/src/", "projections/diff/src/"];
        if pure.iter().any(|folder| file.starts_with(folder)) {
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
            // A path of an address or of this repository goes on from a letter; one of a machine does not.
            let alone =
                |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.');
            let found = text.match_indices(home).any(|(at, _)| alone(at));
            assert!(!found, "{file} has {home}");
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let longer: BTreeMap<&str, &str> = LONGER.iter().copied().collect();
    let mut long = BTreeSet::new();
    for (file, source) in sources() {
        assert!(source.starts_with("//! "), "{file} does not say what it is");
        let lines = source.lines().count();
        if lines > LINES {
            assert!(longer.contains_key(file.as_str()), "{file} has {lines} lines");
            long.insert(file);
        }
    }
    assert_eq!(long, longer.keys().map(|file| (*file).to_owned()).collect(), "a stale exception");
}
