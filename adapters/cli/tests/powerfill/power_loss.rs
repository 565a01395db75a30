//! A machine that loses power in the middle of a run over a file (specification 5.3). What was
//! synced is on the disk; of what was written since, any part may be. The store opens, verifies,
//! and has every commit that was acknowledged, and the next run takes the lost one up.
//!
//! A preloaded library records the writes and syncs of one run, and the test makes disks from it.
//! `POWER_LOSSES=150 cargo nextest run -p powerfill-cli power_loss` makes more of them.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use powerfill_ports::events::{EventStore, LogHead};
use powerfill_sqlite::SqliteStore;
use powerfill_tests::seeded::SeededRng;

use crate::compare;
use crate::sandbox::{Sandbox, block_on};

/// Losses of power. A campaign has 150 and more.
const LOSSES: usize = 8;

/// A disk writes whole sectors.
const SECTOR: usize = 512;

/// The files of a store, in the numbers of the trace.
const FILES: [&str; 2] = ["powerfill.db", "powerfill.db-wal"];

/// An operation on one of the files.
enum DiskOperation {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate(u64),
    Unlink,
    Sync,
}

/// The operations of a process, each with its file, in the order in which they took effect.
fn read_trace(path: &Path) -> Vec<(usize, DiskOperation)> {
    let trace = std::fs::read(path).expect("the trace is there");
    let (mut operations, mut rest) = (Vec::new(), &trace[..]);
    while let Some((head, after)) = rest.split_first_chunk::<18>() {
        let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
        let (offset, length) = (number(2), usize::try_from(number(10)).unwrap());
        let operation = match head[0] {
            b'w' => DiskOperation::Write { offset, bytes: after[..length].to_vec() },
            b't' => DiskOperation::Truncate(offset),
            b'u' => DiskOperation::Unlink,
            b's' => DiskOperation::Sync,
            other => panic!("{other} is no operation"),
        };
        let is_write = matches!(operation, DiskOperation::Write { .. });
        rest = &after[if is_write { length } else { 0 }..];
        operations.push((usize::from(head[1]), operation));
    }
    assert!(rest.is_empty(), "the trace ends with a whole operation");
    operations
}

/// A folder with the files of a store as they are on a disk.
struct Disk<'a> {
    sandbox: &'a Sandbox,
}

impl Disk<'_> {
    fn path(&self, file: usize) -> PathBuf {
        self.sandbox.path(FILES[file])
    }

    fn open(&self, file: usize) -> File {
        let path = self.path(file);
        File::options().create(true).truncate(false).write(true).open(path).expect("it opens")
    }

    /// Applies an operation, of a write only this many bytes.
    fn apply(&self, file: usize, operation: &DiskOperation, most: usize) {
        match operation {
            DiskOperation::Write { offset, bytes } => {
                let part = &bytes[..bytes.len().min(most)];
                self.open(file).write_all_at(part, *offset).expect("it is written");
            }
            DiskOperation::Truncate(length) => self.open(file).set_len(*length).expect("it is cut"),
            DiskOperation::Unlink => drop(std::fs::remove_file(self.path(file))),
            DiskOperation::Sync => {}
        }
    }

    /// Makes the disk of a machine that lost power after these operations. With `rng`, a part of
    /// what was not synced is on it too, some of it torn.
    fn lose_power(
        &self,
        before: &Path,
        operations: &[(usize, DiskOperation)],
        rng: Option<&mut SeededRng>,
    ) {
        std::fs::copy(before, self.path(0)).expect("the store before the run");
        let synced = [0, 1].map(|file| {
            let is_sync = |(of, operation): &(usize, DiskOperation)| {
                *of == file && matches!(operation, DiskOperation::Sync)
            };
            operations.iter().rposition(is_sync).unwrap_or_default()
        });
        let mut chance = rng;
        for (number, (file, operation)) in operations.iter().enumerate() {
            let most = match &mut chance {
                _ if number < synced[*file] => usize::MAX,
                None => continue,
                Some(rng) => match rng.below(4) {
                    0 => continue,
                    1 => SECTOR * rng.below(9),
                    _ => usize::MAX,
                },
            };
            self.apply(*file, operation, most);
        }
    }

    /// The end of the log, as the next process reads it.
    fn head(&self) -> LogHead {
        let store = SqliteStore::open_existing(self.path(0)).expect("the store opens");
        block_on(store.head()).expect("the log has an end")
    }
}

/// Builds the library that records.
fn recorder(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("record_writes.c"), folder.join("record_writes.so"));
    std::fs::write(&source, include_str!("record_writes.c")).expect("it is written");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .args([&library, &source])
        .args(["-ldl", "-lpthread"])
        .output()
        .expect("cc is there, as for linking");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

#[test]
fn a_machine_that_loses_power_loses_nothing_that_was_committed() {
    let losses = std::env::var("POWER_LOSSES");
    let losses = losses.map_or(LOSSES, |losses| losses.parse().expect("a number"));
    let sandbox = Sandbox::new();
    sandbox.run_ok("generate --loans 400 --trades 120 --out book");
    sandbox.run_ok("run dir:book");
    let before = sandbox.path("before.db");
    std::fs::copy(sandbox.path(FILES[0]), &before).expect("nothing is in a write-ahead log");
    assert!(!sandbox.path(FILES[1]).exists());
    let trace = sandbox.path("trace");
    let recorded = sandbox
        .command(["run", "dir:book", "--out", "undisturbed"])
        .env("LD_PRELOAD", recorder(&sandbox.path("")))
        .env("RECORD_WRITES", &trace)
        .output()
        .expect("the binary starts");
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    let operations = read_trace(&trace);
    let is_sync =
        |(_, operation): &&(usize, DiskOperation)| matches!(operation, DiskOperation::Sync);
    let syncs = operations.iter().filter(is_sync).count();
    assert!(syncs > 10, "{syncs} syncs of {} operations", operations.len());

    let mut rng = SeededRng::new(7);
    let (mut taken_up, mut survived) = (0, 0);
    for number in 0..losses {
        let at = operations.len() * (number + 1) / (losses + 1) + rng.below(3);
        let happened = &operations[..at.min(operations.len())];
        let context = format!("loss {number}, after operation {at}");
        let least = Sandbox::new();
        let least = Disk { sandbox: &least };
        least.lose_power(&before, happened, None);
        let committed = least.head();
        let lost = Sandbox::new();
        let disk = Disk { sandbox: &lost };
        disk.lose_power(&before, happened, Some(&mut rng));
        let verified = lost.run_line("verify");
        assert_eq!(verified.status, Some(0), "{context}: {}{}", verified.out, verified.err);
        let head = disk.head();
        assert!(head.position >= committed.position, "{context}: {head:?}, {committed:?}");
        survived += usize::from(head.position > committed.position);
        let book = sandbox.path("book");
        let source = format!("dir:{}", book.display());
        let next = lost.run(["run", &source, "--out", "out"]).success();
        taken_up += usize::from(next.err.contains("it was taken up first"));
        let found = compare::folders(&sandbox.path("undisturbed"), &lost.path("out"));
        assert!(found.is_empty(), "{context}\n{}", found.join("\n"));
        lost.run_ok("verify");
    }
    println!(
        "{losses} losses of power in {} operations with {syncs} syncs: {taken_up} runs were taken \
         up, {survived} disks had more than what was synced",
        operations.len()
    );
    assert!(taken_up > 0, "no loss was in the middle of a run");
}
