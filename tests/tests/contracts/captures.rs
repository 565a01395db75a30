//! `tests/golden/captures.txt`: the digest of the canonical form of each conformance case with a
//! valid snapshot. A stored capture is found by its digest, so that the digest of the same data
//! never changes, whatever columns are added. The digests are those of release 0.1.0.
//!
//! `UPDATE=1` adds new cases, and changes no digest.

use std::collections::BTreeMap;
use std::fmt::Write;

use powerfill_csv::read_folder;
use powerfill_snapshot::validate;

use crate::file;

const FILE: &str = "tests/golden/captures.txt";

/// The digests of the present program, by case.
fn computed() -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    for case in file::names_in("tests/conformance") {
        let folder = file::path("tests/conformance").join(&case).join("snapshot");
        let valid = read_folder(&folder).ok().and_then(|raw| validate(raw).ok());
        digests.extend(valid.map(|validated| (case, validated.snapshot.digest())));
    }
    digests
}

#[test]
fn the_canonical_form_of_each_case_keeps_its_digest() {
    let computed = computed();
    let text = file::read(FILE);
    let pinned = text.lines().map(|line| line.split_once(' ').expect("a case and its digest"));
    for (case, digest) in pinned {
        let now = computed.get(case).map(String::as_str);
        assert_eq!(now, Some(digest), "{case} has another canonical form than in its release");
    }
    let mut all = String::new();
    for (case, digest) in &computed {
        writeln!(all, "{case} {digest}").unwrap();
    }
    file::assert_is(FILE, &all);
}
