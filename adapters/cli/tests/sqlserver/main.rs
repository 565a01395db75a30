//! Everything that PowerFill does with a SQL Server, against a live one: `POWERFILL_TEST_MSSQL`
//! names its database, as mssql://USER:PASSWORD@HOST:PORT/DATABASE?ca=FILE; each test makes a
//! schema of its own there, and takes it away.
//!
//! Without one, each of these tests is counted as skipped, and one that is not says so on standard
//! error.

#[allow(dead_code, reason = "shared with the tests of the binary")]
#[path = "../powerfill/desk.rs"]
mod desk;
#[allow(dead_code, reason = "shared with the tests of the binary")]
#[path = "../powerfill/table.rs"]
mod table;

mod comparing;
mod faults;
mod following;
mod guide;
mod loading;
mod publishing;
mod reading;
mod server;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let is_there = server::address().is_some();
    if !is_there {
        eprintln!(
            "NOT RUN: the suite against a live SQL Server. POWERFILL_TEST_MSSQL names no server."
        );
    }
    let suites = [
        guide::TESTS,
        reading::TESTS,
        publishing::TESTS,
        following::TESTS,
        comparing::TESTS,
        faults::TESTS,
    ];
    let trials = suites.concat().into_iter().map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
        .with_ignored_flag(!is_there)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// A test by its name.
type Test = (&'static str, fn());
