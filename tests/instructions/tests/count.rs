//! A count of instructions guards the speed of the engine (specification 5.2): unlike seconds,
//! instructions do not depend on the load of the machine. Needs valgrind.

use std::fs;
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_powerfill-instructions");

/// The committed count.
const COUNT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");

/// The largest difference from the committed count, in percent.
const TOLERANCE: u64 = 3;

/// The instructions of one engine run on a book, as callgrind counts them.
fn instructions(folder: &Path, book: &Path) -> u64 {
    let counts = folder.join("callgrind.out");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*run_engine*"])
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .args([Path::new(PROGRAM), Path::new("run"), book])
        .output()
        .expect("valgrind is installed");
    assert!(valgrind.status.success(), "{}", String::from_utf8_lossy(&valgrind.stderr));
    let counts = fs::read_to_string(counts).unwrap();
    let total = counts
        .lines()
        .find_map(|line| line.strip_prefix("summary: ").or_else(|| line.strip_prefix("totals: ")));
    total.expect("callgrind writes a total").trim().parse().unwrap()
}

/// `UPDATE=1` commits the new count.
#[test]
fn an_engine_run_takes_the_committed_number_of_instructions() {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("book");
    let generated = Command::new(PROGRAM).arg("generate").arg(&book).status().unwrap();
    assert!(generated.success());
    let count = instructions(folder.path(), &book);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(COUNT, format!("{count}\n")).unwrap();
        return;
    }
    let committed: u64 = fs::read_to_string(COUNT).unwrap().trim().parse().unwrap();
    assert!(
        count.abs_diff(committed) * 100 <= committed * TOLERANCE,
        "{count} instructions instead of {committed}: more than {TOLERANCE} % apart. Find the \
         cause. If the new count is intended, write it with\n\
         UPDATE=1 cargo nextest run -p powerfill-instructions"
    );
}
