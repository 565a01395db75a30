//! `copy-store` from outside: both ways between a file and a database, also where it is killed.

use std::process::Stdio;
use std::time::{Duration, Instant};

use powerfill_tests::postgres::TestDatabase;

use crate::desk::{Answer, Desk};

fn with_runs() -> Desk {
    let desk = Desk::new();
    desk.ask("generate --loans 400 --trades 120 --out book");
    desk.ask("run dir:book");
    desk.ask("run dir:book --price-mode pc");
    desk
}

/// The seal, and everything that a desk reads of the latest run.
fn read_back(desk: &Desk, store: &str) -> Vec<String> {
    let asked = |line: &str| {
        let words = line.split_whitespace().chain(["--store", store]);
        desk.powerfill(words).well().out
    };
    let commands = [
        "seal export",
        "verify",
        "runs --format csv",
        "events latest --format csv",
        "show latest~1 --format json",
        "tables latest pfill_pool_guide --format csv",
        "tables latest pfill_run_history --format csv",
        "explain latest --loan L00000007",
        "replay latest",
    ];
    commands.map(asked).to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_reads_as_the_original() {
    let desk = with_runs();
    let place = TestDatabase::new();
    let database = place.url().await;
    let expected = read_back(&desk, "sqlite:powerfill.db");
    for (from, to) in [("sqlite:powerfill.db", &*database), (&database, "sqlite:back.db")] {
        let said = desk.powerfill(["copy-store", from, to]).well().out;
        assert!(said.contains("2 snapshots; the copy verifies") || said.contains("1 snapshots"));
        assert!(said.contains("the same in both: "), "{said}");
        assert_eq!(read_back(&desk, to), expected, "{to}");
    }
    let again = desk.ask("copy-store sqlite:powerfill.db sqlite:back.db --format json");
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    assert_eq!((&again["appends_copied"], &again["appends_behind"]), (&0.into(), &0.into()));
    assert!(expected[0].contains(again["seal"].as_str().unwrap()));

    // The copy goes on by itself, and then is no copy any more.
    desk.ask("run dir:book --store sqlite:back.db");
    desk.type_in("copy-store sqlite:powerfill.db sqlite:back.db")
        .refuses(2, &["no beginning of the original's log", "empty store"]);
    desk.type_in("copy-store sqlite:powerfill.db sqlite:./powerfill.db")
        .refuses(2, &["same store"]);
    desk.type_in("copy-store sqlite:nowhere.db sqlite:new.db").refuses(2, &["no store nowhere.db"]);
    assert!(!desk.path("new.db").exists());
}

#[test]
fn an_active_run_is_waited_for_by_whoever_copies() {
    let desk = with_runs();
    let run = desk.ask("run dir:book --no-wait");
    let words = [run.trim(), "active in the original"];
    desk.type_in("copy-store sqlite:powerfill.db sqlite:new.db").refuses(2, &words);
    desk.ask("cancel latest");
    desk.ask("copy-store sqlite:powerfill.db sqlite:new.db");
}

/// At many moments; then once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_killed_goes_on() {
    let desk = with_runs();
    let begun = Instant::now();
    desk.ask("copy-store sqlite:powerfill.db sqlite:whole.db");
    let took = begun.elapsed();
    let expected = read_back(&desk, "sqlite:powerfill.db");
    let place = TestDatabase::new();
    for to in ["sqlite:copy.db".to_owned(), place.url().await] {
        for number in 1..=8 {
            let mut copying = desk.command(["copy-store", "sqlite:powerfill.db", &to]);
            copying.stdout(Stdio::null()).stderr(Stdio::piped());
            let mut copying = copying.spawn().unwrap();
            // When the kill comes is a matter of chance; what holds afterwards is not.
            std::thread::sleep(Duration::min(took * number / 8, Duration::from_secs(2)));
            copying.kill().unwrap();
            let ended = Answer::from(copying.wait_with_output().unwrap());
            assert!(ended.status.is_none_or(|status| status == 0), "{ended:?}");
        }
        desk.powerfill(["copy-store", "sqlite:powerfill.db", &to]).well();
        assert_eq!(read_back(&desk, &to), expected);
    }
}
