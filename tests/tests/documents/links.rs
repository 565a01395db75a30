//! Links of documents: to files, folders, and headings.

use std::collections::BTreeSet;

use powerfill_tests::repository::{files, text};

use crate::{assert_none, documents, fits, prose, slug, without_code};

/// The anchors of a document.
fn anchors(file: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(file, &text(file)) {
        if line.text.starts_with('#') {
            let slug = slug(line.text.trim_start_matches('#').trim());
            let mut anchor = slug.clone();
            let mut times = 0;
            while !anchors.insert(anchor) {
                times += 1;
                anchor = format!("{slug}-{times}");
            }
        }
    }
    anchors
}

/// A path relative to the folder of a file, from the top: `../README.md` seen from `docs/A.md`.
fn resolved(from: &str, target: &str) -> String {
    let mut path: Vec<&str> = from.split('/').collect();
    path.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path.join("/")
}

/// The targets of a line's links.
fn link_targets(line: &str) -> Vec<String> {
    let line = without_code(line);
    let inline = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let defined = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    inline.map(|(target, _)| target).chain(defined.map(|(_, t)| t)).map(str::to_owned).collect()
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let files = files();
    let mut broken = Vec::new();
    for (file, document) in documents() {
        for line in prose(&file, &document) {
            for link in link_targets(&line.text).iter().filter(|link| !link.contains("://")) {
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = if path.is_empty() { file.clone() } else { resolved(&file, path) };
                let is_there = files.iter().any(|file| fits(&target, file));
                let has_anchor = || anchor.is_empty() || anchors(&target).contains(anchor);
                if !is_there || !has_anchor() {
                    broken.push(format!("{}: {link}", line.place));
                }
            }
        }
    }
    assert_none("no such file or heading", &broken);
}
