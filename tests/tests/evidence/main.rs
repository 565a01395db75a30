//! Evidence of a run in one file (specification 3.4): the same bytes from every store, every change
//! detected and named, and a file in the place of a store.

mod archiving;
mod forging;
mod reading;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use powerfill_app::copy::copy_store;
use powerfill_app::{NoObserver, RunControl, RunRequest, Runner, SystemClock};
use powerfill_events::run::RunId;
use powerfill_events::run::event::SourceMapping;
use powerfill_evidence::container::EvidenceReader;
use powerfill_evidence::parts::SealedAppend;
use powerfill_evidence::{EvidenceError, Expectation, ExportRequest, export, verify};
use powerfill_fixtures::cases;
use powerfill_generator::{Scale, Sizes, generate};
use powerfill_memory::MemoryStore;
use powerfill_ports::Store;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::runs::RunStore;
use powerfill_snapshot::{RunOptions, Snapshot, validate};
use powerfill_sqlite::SqliteStore;
use powerfill_tables::status::RunStatus;
use powerfill_tests::postgres::TestDatabase;
use powerfill_tests::requests::plain_request;
use powerfill_tests::store_suite::StoreLocation;
use uuid::Uuid;

/// A folder for files of evidence, and a store with runs.
struct Archive {
    folder: tempfile::TempDir,
    store: Arc<MemoryStore>,
    /// The mapping of the next runs.
    mapping: Option<SourceMapping>,
}

impl Archive {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, store: Arc::new(MemoryStore::new()), mapping: None }
    }

    fn runner(&self) -> Runner {
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        Runner::new(store, Arc::new(SystemClock), "worker".to_owned(), Duration::from_secs(30))
    }

    /// Requests a run of a conformance case.
    async fn request(&self, case: &str) -> RunId {
        let (snapshot, options) = cases::input(&cases::case(case));
        self.request_snapshot(&snapshot, &options).await
    }

    async fn request_snapshot(&self, snapshot: &Snapshot, options: &RunOptions) -> RunId {
        let run_id = RunId(Uuid::now_v7());
        let plain = plain_request(run_id, snapshot, options);
        let request = RunRequest { mapping: self.mapping.as_ref(), ..plain };
        self.runner().request(&request).await.expect("the run is requested");
        run_id
    }

    /// Carries the requested run through.
    async fn work(&self) -> RunStatus {
        let worked = self.runner().work(None, RunControl::default(), Arc::new(NoObserver)).await;
        worked.expect("it is carried through").expect("there was a run").status
    }

    /// Requests a run of a conformance case, and carries it through.
    async fn run(&self, case: &str) -> (RunId, RunStatus) {
        let run_id = self.request(case).await;
        (run_id, self.work().await)
    }

    /// A run whose events need three parts.
    async fn long_run(&self) -> RunId {
        let folder = tempfile::tempdir().expect("a folder");
        let sizes = Sizes { loans: 1_500, ..Scale::Demo.sizes().with_trades(1_000) };
        let snapshot = folder.path().join("snapshot");
        generate(&sizes, 7, &snapshot).expect("a book is generated");
        let raw = powerfill_csv::read_folder(&snapshot).expect("the snapshot is there");
        let snapshot = validate(raw).expect("the snapshot is sound").snapshot;
        let run_id = self.request_snapshot(&snapshot, &RunOptions::default()).await;
        assert_eq!(self.work().await, RunStatus::Complete);
        run_id
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn export(&self, run: RunId, name: &str) -> PathBuf {
        let file = self.path(name);
        export_from(self.store.as_ref(), run, None, &file).await.expect("it is exported");
        file
    }

    /// The files of the folder.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder is there");
        let name = |entry: std::fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
        let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
        names.sort();
        names
    }
}

async fn export_from(
    store: &dyn CopyStore,
    run: RunId,
    seal: Option<&SealedAppend>,
    file: &Path,
) -> Result<(), EvidenceError> {
    let request = ExportRequest { run, seal, program: "powerfill test", replaces: false };
    export(store, request, file).await.map(drop)
}

/// What is wrong with a file.
fn damage(file: &Path) -> String {
    match verify(file, Expectation::default()) {
        Err(EvidenceError::Damaged(what)) => what,
        other => panic!("{other:?}"),
    }
}

async fn head(store: &dyn CopyStore) -> SealedAppend {
    let head = store.head().await.expect("the log has an end");
    SealedAppend { seq: head.seq, position: head.position, seal: head.seal.to_hex().to_string() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_gives_the_same_bytes_from_every_store() {
    let archive = Archive::new();
    archive.run("03-best-fit").await;
    let (run, status) = archive.run("12-kickout-reasons").await;
    assert_eq!(status, RunStatus::Complete);
    archive.run("39-preflight-errors").await;
    let first = archive.export(run, "memory.pfe").await;
    let again = archive.export(run, "again.pfe").await;
    let file = SqliteStore::open(archive.path("books.db")).expect("the store opens");
    let database = TestDatabase::new();
    let database = database.open().await;
    let stores: [(&str, &dyn CopyStore); 2] = [("file", &file), ("database", &database)];
    let bytes = std::fs::read(&first).unwrap();
    assert!(std::fs::read(again).unwrap() == bytes);
    for (name, store) in stores {
        copy_store(archive.store.as_ref(), store, &|_| {}).await.expect("it is copied");
        let exported = archive.path(name);
        export_from(store, run, None, &exported).await.expect("it is exported");
        assert!(std::fs::read(exported).unwrap() == bytes, "{name}");
    }
    let report = verify(&first, Expectation::default()).expect("it is whole");
    assert_eq!((report.manifest.run_id, report.manifest.events), (run, 40));
    assert_eq!((report.appends, report.sealed_appends), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mapping_of_a_run_is_a_part() {
    let text = "[tables.loan]\nfile = \"tape.csv\"\n".to_owned();
    let mapping = SourceMapping {
        file: "tape.toml".to_owned(),
        digest: "0".repeat(64),
        text: text.clone(),
        files: Vec::new(),
        notes: Vec::new(),
    };
    let archive = Archive { mapping: Some(mapping), ..Archive::new() };
    let (run, _) = archive.run("12-kickout-reasons").await;
    let file = archive.export(run, "run.pfe").await;
    verify(&file, Expectation::default()).expect("it is whole");
    let mut reader = EvidenceReader::open(&file).expect("it opens");
    assert_eq!(reader.part("mapping.toml").expect("it is there"), text.as_bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_every_end_are_exported() {
    let archive = Archive::new();
    let (failed, status) = archive.run("39-preflight-errors").await;
    assert_eq!(status, RunStatus::Failed);
    let cancelled = archive.request("03-best-fit").await;
    assert!(archive.store.request_cancel(cancelled, "chief").await.unwrap());
    assert_eq!(archive.work().await, RunStatus::Cancelled);
    for run in [failed, cancelled] {
        let file = archive.export(run, &format!("{run}.pfe")).await;
        let report = verify(&file, Expectation::default()).expect("it is whole");
        assert_eq!(report.manifest.output_digest, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_exported_leaves_no_file() {
    let archive = Archive::new();
    let (run, _) = archive.run("12-kickout-reasons").await;
    let sealed = head(archive.store.as_ref()).await;
    let (later, _) = archive.run("03-best-fit").await;
    let pending = archive.request("03-best-fit").await;
    let store = archive.store.as_ref();
    let forged = SealedAppend { seal: "0".repeat(64), ..head(store).await };
    let file = archive.path("run.pfe");
    let unknown = RunId(Uuid::nil());
    for (run, seal, words) in [
        (pending, None, "is Pending; export it when it is over"),
        (unknown, None, "no run"),
        (later, Some(&sealed), "take a seal that was exported after the run"),
        (run, Some(&forged), "is not the one that was sealed"),
    ] {
        let error = export_from(store, run, seal, &file).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(archive.files().is_empty(), "{words}: {:?}", archive.files());
    }
    archive.export(run, "run.pfe").await;
    let before = std::fs::read(&file).unwrap();
    let error = export_from(store, later, None, &file).await.unwrap_err().to_string();
    assert!(error.contains("exists already"), "{error}");
    assert!(std::fs::read(&file).unwrap() == before);
    assert_eq!(archive.files(), ["run.pfe"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_path_of_seals_leads_to_an_exported_seal() {
    let archive = Archive::new();
    let (run, _) = archive.run("12-kickout-reasons").await;
    archive.run("03-best-fit").await;
    let seal = head(archive.store.as_ref()).await;
    archive.run("39-preflight-errors").await;
    let (short, long) = (archive.path("short.pfe"), archive.path("long.pfe"));
    let store = archive.store.as_ref();
    export_from(store, run, None, &short).await.unwrap();
    export_from(store, run, Some(&seal), &long).await.unwrap();
    let expectation = Expectation { seal: Some(&seal), signers: None };
    let report = verify(&long, expectation).unwrap();
    assert_eq!((report.appends, report.sealed_appends), (2, 4));
    let missing = verify(&short, expectation).unwrap_err();
    assert!(matches!(missing, EvidenceError::Unproven(_)), "{missing}");
    assert!(missing.to_string().contains("export it again with --seal"), "{missing}");
    let forged = SealedAppend { seal: "0".repeat(64), ..seal };
    let other = verify(&long, Expectation { seal: Some(&forged), signers: None }).unwrap_err();
    assert!(other.to_string().contains("the log was rewritten"), "{other}");
}
