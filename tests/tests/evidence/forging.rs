//! Changed files: each byte, and each part with all sums computed again.

use std::path::Path;

use powerfill_evidence::container::{EvidenceReader, EvidenceWriter};
use powerfill_evidence::{Expectation, verify};
use rayon::prelude::*;

use crate::{Archive, damage};

/// The parts of a file, in ascending order of names.
fn parts(file: &Path) -> Vec<(String, Vec<u8>)> {
    let mut reader = EvidenceReader::open(file).expect("the file opens");
    let names = reader.parts().into_iter();
    names.map(|name| (name.clone(), reader.part(&name).expect("the part is whole"))).collect()
}

/// Writes parts with their sums.
fn write(parts: &[(String, Vec<u8>)], file: &Path) {
    let mut writer = EvidenceWriter::create(file, true).expect("the file is created");
    for (name, content) in parts {
        writer.part(name, content).expect("the part is written");
    }
    writer.finish().expect("the file is written");
}

/// Writes a file whose part is changed, with its sums.
pub(crate) fn change(file: &Path, forged: &Path, name: &str, change: impl Fn(&mut Vec<u8>)) {
    let mut changed = parts(file);
    let part = changed.iter_mut().find(|(part, _)| part == name).expect("the part exists");
    change(&mut part.1);
    write(&changed, forged);
}

/// Each of a few thousand places is changed, one at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_changed_byte_is_detected() {
    let archive = Archive::new();
    let (run, _) = archive.run("12-kickout-reasons").await;
    let file = archive.export(run, "run.pfe").await;
    let bytes = std::fs::read(&file).unwrap();
    // A prime number of bytes between two places, so that they meet every kind of field; the
    // directory at the end and the comment are changed at every byte.
    let places: Vec<usize> =
        (0..bytes.len() - 400).step_by(5).chain(bytes.len() - 400..bytes.len()).collect();
    let undetected = places.par_iter().filter(|place| {
        let mut changed = bytes.clone();
        changed[**place] ^= 1 << (**place % 8);
        let file = archive.path(&format!("changed-{place}.pfe"));
        std::fs::write(&file, changed).expect("the file is written");
        let is_whole = verify(&file, Expectation::default()).is_ok();
        std::fs::remove_file(&file).expect("the file is removed");
        is_whole
    });
    let undetected: Vec<&usize> = undetected.collect();
    assert!(undetected.is_empty(), "{undetected:?} of {}", bytes.len());
    for length in [0, 1, 22, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..length]).unwrap();
        assert!(verify(&file, Expectation::default()).is_err(), "{length} bytes");
    }
}

/// Replaces a text in a part once.
fn replace(content: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(content).expect("the part is text");
    assert!(text.contains(from), "{from:?} is not in the part");
    text.replacen(from, to, 1).into_bytes()
}

type Edit = fn(&[u8]) -> Vec<u8>;

fn without_last_line(content: &[u8]) -> Vec<u8> {
    let end = content[..content.len() - 1].iter().rposition(|byte| *byte == b'\n');
    content[..=end.expect("it has lines")].to_vec()
}

/// Whoever changes a part can compute the sums again. What remains wrong is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_part_with_new_sums_is_named() {
    let archive = Archive::new();
    let (run, _) = archive.run("12-kickout-reasons").await;
    let file = archive.export(run, "run.pfe").await;
    let sound = parts(&file);
    let forged = archive.path("forged.pfe");
    write(&sound, &forged);
    verify(&forged, Expectation::default()).expect("the same parts are whole");

    let events = "events/000001.jsonl";
    let changes: [(&str, Edit, &str); 13] = [
        (events, |part| replace(part, "600000.00", "600000.01"), "its hash does not match"),
        (
            events,
            |part| replace(part, "\"version\":9,", "\"version\":8,"),
            "event 9: event 8 stands",
        ),
        (events, |part| replace(part, "\"schema_version\":1", "\"schema_version\":2"), "its hash"),
        (events, without_last_line, "event 40 is missing"),
        (
            "appends.jsonl",
            |part| replace(part, "\"actor\":\"desk\"", "\"actor\":\"boss\""),
            "append 1: its seal",
        ),
        ("appends.jsonl", without_last_line, "is not the sealed one that the manifest names"),
        (
            "appends.jsonl",
            |part| replace(part, "\"stream\":\"run-", "\"stream\":\"ran-"),
            "is not that of the run",
        ),
        ("manifest.json", |part| replace(part, "\"Complete\"", "\"Failed\""), "status is not what"),
        (
            "manifest.json",
            |part| replace(part, "\"events\": 40", "\"events\": 39"),
            "does not end with the event",
        ),
        (
            "options.json",
            |part| replace(part, "\"po\"", "\"pc\""),
            "not the options of the run's request",
        ),
        ("input/loan.csv", |part| replace(part, "K7", "K8"), "it is not the table of the captured"),
        ("input.snapshot", |part| replace(part, "K7", "K8"), "it does not have the digest"),
        ("tables.txt", |part| replace(part, "pfill_", "pfull_"), "is not the output digest"),
    ];
    for (name, edit, words) in changes {
        change(&file, &forged, name, |part| *part = edit(part));
        let what = damage(&forged);
        assert!(what.contains(words), "{name}: {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_and_additional_parts() {
    let archive = Archive::new();
    let (run, _) = archive.run("12-kickout-reasons").await;
    let file = archive.export(run, "run.pfe").await;
    let (sound, forged) = (parts(&file), archive.path("forged.pfe"));
    // The readme is for people.
    for (name, _) in sound.iter().filter(|(name, _)| name != "README.txt") {
        let missing: Vec<_> = sound.iter().filter(|(part, _)| part != name).cloned().collect();
        write(&missing, &forged);
        let what = damage(&forged);
        assert!(what.contains("is missing"), "{name}: {what}");
    }
    change(&file, &forged, "manifest.json", |part| {
        *part = replace(part, "\"format_version\": 1", "\"format_version\": 2");
    });
    let error = verify(&forged, Expectation::default()).unwrap_err().to_string();
    assert!(error.contains("use a newer PowerFill"), "{error}");
    // A part that a later version adds is covered by its sum, and does not disturb.
    let mut more = sound;
    more.push(("notes.txt".to_owned(), b"later\n".to_vec()));
    write(&more, &forged);
    verify(&forged, Expectation::default()).expect("another part is accepted");
    let mut mapped = more.clone();
    mapped.push(("mapping.toml".to_owned(), b"[tables]\n".to_vec()));
    write(&mapped, &forged);
    let what = damage(&forged);
    assert!(what.contains("not the mapping of the run's request"), "{what}");
    more.push(("events/000002.jsonl".to_owned(), b"{}\n".to_vec()));
    write(&more, &forged);
    let what = damage(&forged);
    assert!(what.contains("events behind the last one"), "{what}");
}
