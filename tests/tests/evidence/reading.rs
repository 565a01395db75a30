//! A file of evidence in the place of a store, signatures, and the check without PowerFill.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use powerfill_app::NoObserver;
use powerfill_app::explain::{explain_loan, explain_trade};
use powerfill_app::replay::{ReplayOutcome, replay};
use powerfill_events::log::StoredEvent;
use powerfill_evidence::container::EvidenceReader;
use powerfill_evidence::signature::{NAMESPACE, SignatureSource, read_signers};
use powerfill_evidence::{EvidenceError, EvidenceStore, Expectation, sign, verify};
use powerfill_ports::copying::CopyStore;
use powerfill_ports::events::EventStore;
use powerfill_ports::runs::{RunStatus, RunStore};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::subscribers::SubscriberStore;
use powerfill_tests::store_suite::samples::collect;

use crate::{Archive, damage, export_from};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_is_read_as_its_store() {
    let archive = Archive::new();
    archive.long_run().await;
    let run = archive.long_run().await;
    let store = archive.store.as_ref();
    let file = archive.export(run, "run.pfe").await;
    let evidence = EvidenceStore::open(&file).expect("it opens");
    let stream = run.stream();
    let all: Vec<StoredEvent> = collect(store.read(&stream, 1)).await;
    let count = all.len() as u64;
    assert!(count > 2 * 2_048, "the run has only {count} events");
    assert!(collect(evidence.read(&stream, 1)).await == all);
    assert!(collect(evidence.read_all(all[0].global_position)).await == all[1..]);
    // A part in the middle is read before the part before it.
    let evidence = EvidenceStore::open(&file).expect("it opens");
    for (from, to) in [(2_049, 2_050), (2_040, 4_100), (count, u64::MAX), (count + 1, 9_999_999)] {
        let read = collect(evidence.read_between(&stream, from, to)).await;
        assert!(read == collect(store.read_between(&stream, from, to)).await, "{from} to {to}");
    }
    let versions = vec![1, 2_048, 2_049, count, count + 7];
    let read = collect(evidence.read_versions(&stream, versions.clone())).await;
    assert!(read == collect(store.read_versions(&stream, versions)).await);
    let types = vec!["LoanAllocated".to_owned(), "RunCompleted".to_owned()];
    let read = collect(evidence.read_types(&stream, 3, types.clone())).await;
    assert!(read == collect(store.read_types(&stream, 3, types)).await);
    assert!(collect(evidence.read("config", 1)).await.is_empty());
    assert_eq!(evidence.stream_version(&stream).await.unwrap(), count);
    let queued = evidence.run(run).await.unwrap().expect("the run is there");
    assert_eq!(Some(queued.clone()), store.run(run).await.unwrap());
    assert_eq!(evidence.latest_run(RunStatus::Complete).await.unwrap(), Some(queued));
    assert_eq!(evidence.tenant().await.unwrap(), store.tenant().await.unwrap());
    let head = evidence.head().await.unwrap();
    assert_eq!(evidence.seal_at(head.seq).await.unwrap(), Some(head.seal));

    let replayed = replay(&evidence, run, Arc::new(NoObserver)).await.expect("it is replayed");
    assert_eq!(replayed.answer, ReplayOutcome::Reproduced);
    let loan = all.iter().find(|event| event.event_type == "LoanKickedOut").expect("a kickout");
    let payload = payload_of(loan);
    let loan = payload["loan_id"].as_str().expect("it names a loan");
    let explained = explain_loan(&evidence, run, loan).await.unwrap();
    let expected = explain_loan(store, run, loan).await.unwrap();
    assert_eq!(json(&explained), json(&expected));
    let trade = all.iter().find(|event| event.event_type == "TradeFillEvaluated");
    let trade = &payload_of(trade.expect("a filled trade"))["trade_id"];
    let trade = trade.as_str().expect("it names a trade");
    let explained = explain_trade(&evidence, run, trade).await.unwrap();
    let expected = explain_trade(store, run, trade).await.unwrap();
    assert_eq!(json(&explained), json(&expected));
    // The evidence of evidence is the same.
    let again = archive.path("again.pfe");
    export_from(&evidence, run, None, &again).await.expect("it is exported again");
    assert!(std::fs::read(again).unwrap() == std::fs::read(file).unwrap());
}

fn payload_of(event: &StoredEvent) -> serde_json::Value {
    serde_json::from_slice(&event.payload).expect("a payload is JSON")
}

fn json(account: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(account).expect("an account is JSON")
}

#[tokio::test]
async fn evidence_is_not_written() {
    let archive = Archive::new();
    let (run, _) = archive.run("03-best-fit").await;
    let file = archive.export(run, "run.pfe").await;
    let evidence = EvidenceStore::open(&file).expect("it opens");
    let queued = evidence.run(run).await.unwrap().expect("the run is there");
    let refused = [
        evidence.capture("digest", b"bytes").await.map(drop),
        evidence.request_cancel(run, "desk").await.map(drop),
        evidence.advance("relay", None, 1).await.map(drop),
        evidence.put_ended_run(queued).await,
    ];
    for refused in refused {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("evidence can only be read"), "{error}");
    }
    let missing = evidence.captured("another digest").await.unwrap_err().to_string();
    assert!(missing.contains("no snapshot another digest"), "{missing}");
}

fn key(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("evidence").join(name)
}

/// A private key of the tests, readable by its owner only, as ssh-keygen demands.
fn private_key(archive: &Archive, name: &str) -> PathBuf {
    let copy = archive.path(name);
    std::fs::copy(key(name), &copy).expect("the key is copied");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&copy, mode).expect("the mode is set");
    }
    copy
}

/// Runs a command with a file as its input.
fn run(command: &mut Command, input: &Path) -> Output {
    let input = std::fs::File::open(input).expect("the input opens");
    command.stdin(input).output().expect("the command starts; Debian: openssh-client, python3")
}

/// Verifies a signature with ssh-keygen.
fn ssh_keygen_accepts(archive: &Archive, signer: &str, file: &Path) -> bool {
    let reader = EvidenceReader::open(file).expect("the file opens");
    let (sums, signature) = (archive.path("SHA256SUMS"), archive.path("1.sig"));
    std::fs::write(&sums, reader.sums()).unwrap();
    std::fs::write(&signature, reader.signatures().last().expect("it is signed")).unwrap();
    let allowed = archive.path("allowed_signers");
    let public = std::fs::read_to_string(key(&format!("{signer}_ed25519.pub"))).unwrap();
    std::fs::write(&allowed, format!("{signer} {public}")).unwrap();
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "verify", "-n", NAMESPACE, "-I", signer]);
    command.arg("-f").arg(&allowed).arg("-s").arg(&signature);
    let output = run(&mut command, &sums);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.success(), said.starts_with("Good"), "{said}");
    output.status.success()
}

#[tokio::test]
async fn signatures_are_those_of_ssh_keygen() {
    let archive = Archive::new();
    let (run_id, _) = archive.run("12-kickout-reasons").await;
    let file = archive.export(run_id, "run.pfe").await;
    let signers = |name: &str| read_signers(&key(name)).expect("the keys are read");
    let (desk, auditor) = (signers("desk_ed25519.pub"), signers("auditor_ed25519.pub"));
    let by = |signers| verify(&file, Expectation { seal: None, signers: Some(signers) });
    let unsigned = by(&desk).unwrap_err().to_string();
    assert!(unsigned.contains("the evidence is not signed"), "{unsigned}");

    let desk_key = private_key(&archive, "desk_ed25519");
    let signed = sign(&file, SignatureSource::Key(&desk_key)).expect("it is signed");
    let report = by(&desk).expect("the signature holds");
    assert_eq!(report.signatures[0].fingerprint, signed.fingerprint);
    assert_eq!(report.signatures[0].signer.as_deref(), Some("desk"));
    let other = by(&auditor).unwrap_err();
    assert!(matches!(&other, EvidenceError::Unproven(what) if what.contains(&signed.fingerprint)));
    assert!(ssh_keygen_accepts(&archive, "desk", &file));
    assert!(!ssh_keygen_accepts(&archive, "auditor", &file));
    let twice = sign(&file, SignatureSource::Key(&desk_key)).unwrap_err().to_string();
    assert!(twice.contains("has signed the evidence before"), "{twice}");

    // The auditor signs with ssh-keygen.
    let sums = archive.path("sums");
    std::fs::write(&sums, EvidenceReader::open(&file).unwrap().sums()).unwrap();
    let auditor_key = private_key(&archive, "auditor_ed25519");
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "sign", "-n", NAMESPACE, "-f"]).arg(&auditor_key).arg(&sums);
    assert!(run(&mut command, &sums).status.success());
    let signature = archive.path("sums.sig");
    sign(&file, SignatureSource::Signature(&signature)).expect("the signature is added");
    assert_eq!(by(&auditor).expect("both signatures hold").signatures.len(), 2);
    assert!(ssh_keygen_accepts(&archive, "auditor", &file));

    // A signature of other evidence, of another purpose, and keys that cannot be used.
    let (other_run, _) = archive.run("03-best-fit").await;
    let other_file = archive.export(other_run, "other.pfe").await;
    let refused = |source: SignatureSource<'_>| sign(&other_file, source).unwrap_err().to_string();
    let what = refused(SignatureSource::Signature(&signature));
    assert!(what.contains("is not one of SHA256SUMS"), "{what}");
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "sign", "-n", "file", "-f"]).arg(&auditor_key).arg(&file);
    assert!(run(&mut command, &sums).status.success());
    let what = refused(SignatureSource::Signature(&archive.path("run.pfe.sig")));
    assert!(what.contains("the signature has the namespace \"file\""), "{what}");
    let what = refused(SignatureSource::Key(&key("desk_ed25519.pub")));
    assert!(what.contains("no OpenSSH private key"), "{what}");
    let locked = archive.path("locked");
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "secret", "-f"]).arg(&locked);
    assert!(run(&mut command, &sums).status.success());
    let what = refused(SignatureSource::Key(&locked));
    assert!(what.contains("the key has a passphrase"), "{what}");
    let what = read_signers(&archive.path("SHA256SUMS")).unwrap_err().to_string();
    assert!(what.contains("line 1 has no public key"), "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_without_powerfill_agrees() {
    let archive = Archive::new();
    let run_id = archive.long_run().await;
    let file = archive.export(run_id, "run.pfe").await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/verify_evidence.py");
    let check = |file: &Path| run(Command::new("python3").arg(&script).arg(file), file);
    let output = check(&file);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("everything matches"), "{said}");
    let report = verify(&file, Expectation::default()).unwrap();
    assert!(said.contains(&report.manifest.sealed.seal), "{said}");

    let names = ["events/000002.jsonl", "appends.jsonl", "input.snapshot", "tables.txt"];
    for name in names {
        let forged = archive.path("forged.pfe");
        crate::forging::change(&file, &forged, name, |content| {
            let at = content.len() / 2;
            let digit = content[at..].iter().position(u8::is_ascii_digit).expect("a digit") + at;
            content[digit] = if content[digit] == b'0' { b'1' } else { b'0' };
        });
        damage(&forged);
        let output = check(&forged);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{name} is accepted");
        assert!(errors.contains("DAMAGED"), "{name}: {errors}");
    }
}
