//! The session of `docs/guides/sqlserver.md`, with the schema of the test for its database.

use crate::Test;
use crate::desk::{Desk, case};
use crate::loading::fill;
use crate::server::Schema;

pub(crate) const TESTS: &[Test] =
    &[("guide::its_session_goes_as_it_says", its_session_goes_as_it_says)];

const GUIDE: &str = include_str!("../../../../docs/guides/sqlserver.md");

fn its_session_goes_as_it_says() {
    let (schema, desk) = (Schema::new(), Desk::new());
    let (_, session) = GUIDE.split_once("```shell-session\n").expect("a session");
    let (session, _) = session.split_once("```").expect("its end");
    let mut commands = 0;
    for step in session.split("$ powerfill ").skip(1) {
        let (command, expected) = step.split_once('\n').expect("a command");
        let args: Vec<String> =
            command.split_whitespace().map(|word| of_test(word, &schema)).collect();
        let said = desk.powerfill(&args).well().out;
        for line in expected.lines().filter(|line| *line != "...") {
            assert!(
                said.lines().any(|said| fits(line, said)),
                "{command}: {line} is not in\n{said}"
            );
        }
        if command.contains("--tables inputs") {
            fill(
                &powerfill_csv::read_folder(&case("41").join("snapshot")).expect("it is there"),
                &schema,
            );
        }
        commands += 1;
    }
    assert_eq!(commands, 6);
}

/// The test's database for the guide's.
fn of_test(word: &str, schema: &Schema) -> String {
    if word.starts_with("mssql://") { schema.url() } else { word.to_owned() }
}

/// Whether a line is what the guide says; `[..]` stands for any text.
fn fits(expected: &str, said: &str) -> bool {
    let mut rest = said;
    expected.split("[..]").all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
