//! Tests with a live SQL Server. `POWERFILL_TEST_MSSQL` names a database, as
//! mssql://USER:PASSWORD@HOST:PORT/DATABASE?ca=FILE; each test creates a schema there and drops it.
//!
//! Without a server, the tests are skipped, and a line on standard error says so.

#[path = "../powerfill/book_tables.rs"]
mod book_tables;
#[allow(dead_code, reason = "shared with the tests of the binary")]
#[path = "../powerfill/process.rs"]
mod process;
#[allow(dead_code, reason = "shared with the tests of the binary")]
#[path = "../powerfill/sandbox.rs"]
mod sandbox;
#[allow(dead_code, reason = "shared with the tests of the binary")]
#[path = "../powerfill/table.rs"]
mod table;

/// The tests of a module with their names.
macro_rules! tests {
    ($module:ident: $($test:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($test)), $test)),*]
    };
}

mod comparing;
mod faults;
mod following;
mod guide;
mod loading;
mod mapped;
mod publishing;
mod reading;
mod server;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let has_server = server::address().is_some();
    if !has_server {
        eprintln!(
            "NOT RUN: the suite against a live SQL Server. POWERFILL_TEST_MSSQL names no server."
        );
    }
    let suites = [
        guide::TESTS,
        reading::TESTS,
        mapped::TESTS,
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
        .with_ignored_flag(!has_server)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// A name and a test.
type Test = (&'static str, fn());
