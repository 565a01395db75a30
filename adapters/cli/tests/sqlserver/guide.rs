//! The session of `docs/guides/sqlserver.md`, in a schema of the test.

use crate::Test;
use crate::loading::fill;
use crate::sandbox::{Sandbox, case};
use crate::server::Schema;

pub(crate) const TESTS: &[Test] = tests!(guide: its_commands_print_what_is_shown);

const GUIDE: &str = include_str!("../../../../docs/guides/sqlserver.md");

fn its_commands_print_what_is_shown() {
    let (schema, sandbox) = (Schema::new(), Sandbox::new());
    let (_, session) = GUIDE.split_once("```shell-session\n").expect("a session");
    let (session, _) = session.split_once("```").expect("its end");
    let mut commands = 0;
    for step in session.split("$ powerfill ").skip(1) {
        let (command, expected) = step.split_once('\n').expect("a command");
        let args: Vec<String> =
            command.split_whitespace().map(|word| with_test_database(word, &schema)).collect();
        let printed = sandbox.run(&args).success().out;
        for line in expected.lines().filter(|line| *line != "...") {
            assert!(
                printed.lines().any(|actual| line_matches(line, actual)),
                "{command}: {line} is not in\n{printed}"
            );
        }
        if command.contains("--tables inputs") {
            fill(
                &powerfill_csv::read_folder(&case("41").join("snapshot"))
                    .expect("the case has a snapshot"),
                &schema,
            );
        }
        commands += 1;
    }
    assert_eq!(commands, 6);
}

/// Replaces the guide's database by the test's.
fn with_test_database(word: &str, schema: &Schema) -> String {
    if word.starts_with("mssql://") { schema.url() } else { word.to_owned() }
}

/// Whether a line is the one in the guide; `[..]` means any text.
fn line_matches(expected: &str, actual: &str) -> bool {
    let mut rest = actual;
    expected.split("[..]").all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
