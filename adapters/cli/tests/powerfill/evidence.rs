//! Evidence on the command line: the commands that read say the same of a file as of its store,
//! and a changed file is refused.

use crate::sandbox::{Sandbox, case, source};

/// A sandbox with two runs, and the evidence of the first in `run.pfe`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_case("12", &[]);
    sandbox.run_ok("seal export --out first.seal");
    sandbox.run(["run", &source(&case("12"))]).success();
    sandbox.run_ok("evidence export latest~1 --out run.pfe");
    sandbox
}

#[test]
fn commands_read_evidence_as_its_store() {
    let sandbox = sandbox();
    for command in [
        "show RUN",
        "show RUN --at 18 --format json",
        "tables RUN",
        "tables RUN pfill_powerfill_guide --format csv",
        "events RUN --type LoanAllocated",
        "events RUN --from 30 --cloudevents",
        "explain RUN --loan K7 --what-if",
        "explain RUN --trade T1",
        "replay RUN",
        "diff RUN --against evidence:run.pfe",
    ] {
        let of_store = sandbox.run_ok(&command.replace("RUN", "latest~1"));
        let of_evidence = command.replace("RUN", "latest") + " --store evidence:run.pfe";
        assert_eq!(sandbox.run_ok(&of_evidence), of_store, "{command}");
    }
    let runs = sandbox.run_ok("runs --format csv --store run.pfe");
    assert_eq!(runs.lines().count(), 2, "{runs}");
    let verified = sandbox.run_ok("verify --store run.pfe");
    assert_eq!(verified, sandbox.run_ok("evidence verify run.pfe"));
    let against = sandbox.run_line("diff latest --against run.pfe --format json");
    assert_eq!((against.status, &*against.err), (Some(1), ""), "the options differ");
    let sealed = sandbox.run_ok("evidence verify run.pfe --seal first.seal --format json");
    assert!(sealed.contains("\"answer\": \"whole\""), "{sealed}");
}

#[test]
fn commands_that_write_refuse_evidence() {
    let sandbox = sandbox();
    let case = case("12");
    let words = ["evidence can only be read", "--store sqlite:FILE"];
    sandbox.run(["run", &source(&case), "--store", "run.pfe"]).fails_with(2, &words);
    sandbox.run_ok("evidence export latest --out second.pfe");
    sandbox.run_line("copy-store second.pfe sqlite:copy.db").fails_with(2, &[]);
    sandbox.run_line("copy-store sqlite:powerfill.db run.pfe").fails_with(2, &[]);
    let exists = ["run.pfe exists already", "--force"];
    sandbox.run_line("evidence export latest --out run.pfe").fails_with(2, &exists);
    sandbox.run_ok("evidence export latest --out run.pfe --force");
}

#[test]
fn a_changed_file_is_refused_by_every_command() {
    let sandbox = sandbox();
    let mut bytes = std::fs::read(sandbox.path("run.pfe")).unwrap();
    bytes[300] ^= 1;
    sandbox.write("run.pfe", &bytes);
    let verified = sandbox.run_line("evidence verify run.pfe").answers(1, &[]);
    assert!(verified.out.starts_with("DAMAGED: events/000001.jsonl: "), "{}", verified.out);
    let json = sandbox.run_line("evidence verify run.pfe --format json").json();
    assert_eq!(json["answer"], "damaged");
    sandbox.run_line("show latest --store run.pfe").fails_with(2, &["events/000001.jsonl"]);
    sandbox.run_line("evidence verify none.pfe").fails_with(2, &["none.pfe"]);
    sandbox.write("text.pfe", "text");
    let verified = sandbox.run_line("evidence verify text.pfe");
    assert!(verified.out.contains("is not a file of `powerfill evidence export`"));
}
