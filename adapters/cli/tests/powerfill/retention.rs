//! Holds, archived runs, and restored ones on the command line (specification 3.5); and that a
//! killed command continues.

use std::process::Stdio;

use powerfill_tests::waiting::eventually_blocking;

use crate::process::{BackgroundProcess, Progress, scattered};
use crate::sandbox::{CommandOutput, Sandbox};

const ARCHIVE: &str = "archive --before 2100-01-01 --out archive";

/// Kills per kind of store and command.
const KILLS: usize = 8;

/// Three runs, of which the first two can be archived.
fn fill(sandbox: &Sandbox) {
    for number in ["12", "41", "12"] {
        sandbox.run_case(number, &[]).success();
    }
}

/// The files of evidence, by name.
fn files(sandbox: &Sandbox) -> Vec<String> {
    let folder = std::fs::read_dir(sandbox.path("archive")).expect("the folder is there");
    let files = folder.map(|file| file.expect("an entry").file_name());
    let mut files: Vec<String> =
        files.map(|name| format!("archive/{}", name.to_str().expect("UTF-8"))).collect();
    files.retain(|name| name.ends_with(".pfe"));
    files.sort();
    files
}

#[test]
fn archived_runs_say_where_they_are() {
    let sandbox = Sandbox::new();
    fill(&sandbox);
    let before = sandbox.run_ok("show latest~1");
    sandbox.prints("hold latest~2 --reason claim-17", &["is under hold: claim-17"]);
    sandbox.run_line("hold latest~1").fails_with(2, &["--reason TEXT"]);
    sandbox.prints(ARCHIVE, &["it is under hold: claim-17", "it is the latest run"]);
    let [file] = &files(&sandbox)[..] else { panic!("one file") };
    for command in [
        "show",
        "replay",
        "events",
        "explain --loan K7",
        "tables",
        "diff --against latest",
        "rebuild",
        "export --out lake",
        "evidence export --out run.pfe",
    ] {
        let (name, rest) = command.split_once(" --").unwrap_or((command, "format text"));
        let line = format!("{name} latest~1 --{rest}");
        let words = ["is archived in", file, "powerfill restore"];
        sandbox.run_line(&line).fails_with(2, &words);
    }
    assert_eq!(sandbox.run_ok(&format!("show latest --store {file}")), before);
    let exported = sandbox.run_ok("export --all --out lake");
    assert!(exported.contains(": 2 runs written to lake, "), "{exported}");
    assert!(exported.contains("; 1 are archived and are left out"), "{exported}");
    let exported = sandbox.run_ok(&format!("export --out lake --store evidence:{file}"));
    assert!(exported.contains(": 1 runs written to lake, "), "{exported}");
    let exported = sandbox.run_ok("export --all --out lake");
    assert!(exported.ends_with(" 0 bytes; 3 were there\n"), "{exported}");
    assert_eq!(sandbox.runs().column("run_id").len(), 3);
    sandbox.prints("verify", &["archived: 1 runs"]);
    sandbox.run_ok(&format!("restore {file}"));
    assert_eq!(sandbox.run_ok("show latest~1"), before);
    sandbox.run_line(&format!("restore {file}")).fails_with(2, &["is not archived"]);
    assert!(!sandbox.run_ok("verify").contains("archived:"));
}

#[test]
fn the_policy_is_carried_out_by_the_command_only() {
    let sandbox = Sandbox::new();
    fill(&sandbox);
    sandbox.run_line("archive --out archive").fails_with(2, &["--before DATE", "keep_years"]);
    sandbox.write("powerfill.toml", "keep_years = 7\n");
    sandbox.run_ok("archive --out archive");
    assert!(files(&sandbox).is_empty(), "the runs are of today");
    sandbox.write("powerfill.toml", "keep_years = 0\n");
    sandbox.run_line("runs").fails_with(2, &["keep_years", "from 1 to 999"]);
}

/// The id of a scenario of the latest run that is kept.
fn keep_scenario(sandbox: &Sandbox) -> String {
    let kept = sandbox.run(["try", "--set", "price_mode=pc", "--keep", "carry"]).success().out;
    let run = kept.lines().find_map(|line| line.strip_prefix("Run ")).expect("a summary");
    run.split(' ').next().expect("an id").to_owned()
}

#[test]
fn scenarios_leave_before_other_runs() {
    let sandbox = Sandbox::new();
    fill(&sandbox);
    let scenario = keep_scenario(&sandbox);
    let archived = sandbox.run_ok("archive --scenarios --before 2100-01-01 --out archive");
    assert!(archived.contains(&scenario) && !archived.contains("kept"), "{archived}");
    let file = format!("archive/run-{scenario}.pfe");
    assert_eq!(files(&sandbox), [file.as_str()]);
    sandbox.run_line(&format!("show {scenario}")).fails_with(2, &["is archived in", &file]);
    sandbox.prints("verify", &["archived: 1 runs"]);
    sandbox.prints("runs --scenarios --format csv", &[&scenario]);
    sandbox.run_ok(&format!("restore {file}"));
    sandbox.run_ok(&format!("replay {scenario}"));
}

#[test]
fn a_worker_carries_the_policy_out_where_it_is_told_to() {
    let sandbox = Sandbox::new();
    let policy = |text: &str| sandbox.write("powerfill.toml", text);
    fill(&sandbox);
    let work = || sandbox.run_line("work --once --archive");
    let worked = || work().success().out;
    work().fails_with(2, &["--archive", "keep_years", "keep_scenario_days"]);
    policy("keep_scenario_days = 0\n");
    work().fails_with(2, &["powerfill.toml, archive", "folder"]);
    policy("keep_scenario_days = -1\n");
    work().fails_with(2, &["keep_scenario_days", "from 0 to 36500"]);
    policy("keep_years = 7\nkeep_scenario_days = 0\narchive = \"archive\"\n");
    let scenario = keep_scenario(&sandbox);
    assert_eq!(sandbox.run_ok("work --once"), "");
    let held = sandbox.run_ok(&format!("hold {scenario} --reason claim-17"));
    assert_eq!(worked(), "", "{held}");
    sandbox.run_ok(&format!("hold {scenario} --release"));
    let archived = worked();
    assert!(archived.contains(&format!("run {scenario} is archived in archive/")), "{archived}");
    assert_eq!(worked(), "");
    // The other runs are of today.
    assert_eq!(files(&sandbox).len(), 1);
    sandbox.run_ok("verify");
}

#[test]
fn the_policy_of_a_tenant_names_its_own_folder() {
    let sandbox = Sandbox::new();
    let settings = "keep_scenario_days = 30\narchive = \"archive\"\n\
                    [tenants.WATERMARK]\nstore = \"sqlite:w.db\"\n";
    sandbox.write("powerfill.toml", settings);
    let words = ["archive: is not allowed together with [tenants]"];
    sandbox.run_line("runs --tenant WATERMARK").fails_with(2, &words);
    let settings = settings.replace("archive = \"archive\"\n", "");
    sandbox.write("powerfill.toml", &settings);
    let words = ["tenants.WATERMARK.archive: is missing"];
    sandbox.run_line("work --once --archive --all-tenants").fails_with(2, &words);
    let settings = format!("{settings}archive = \"w\"\n");
    sandbox.write("powerfill.toml", &settings);
    sandbox.run_ok("work --once --archive --all-tenants");
}

/// A worker that keeps running archives when it has nothing else to do.
#[test]
fn an_idle_worker_archives() {
    let sandbox = Sandbox::new();
    fill(&sandbox);
    let scenario = keep_scenario(&sandbox);
    let settings = "keep_scenario_days = 0\narchive = \"archive\"\n";
    sandbox.write("powerfill.toml", settings);
    let mut command = sandbox.command(["work", "--archive"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let worker = BackgroundProcess::start(&mut command);
    eventually_blocking("the scenario is archived", || {
        sandbox.run_ok("verify").contains("archived: 1 runs")
    });
    worker.signal("-TERM");
    worker.finish().answers(0, &[&scenario]);
}

/// Kills `archive` and `restore` at many moments; each continues, and the log is whole in between.
fn killed_commands_continue(sandbox: &Sandbox, progress: &Progress) {
    fill(sandbox);
    let whole = progress.of_command(sandbox, "powerfill.db", ARCHIVE);
    let restored = |output: CommandOutput| {
        // A killed command may have been through.
        let is_done = output.status == Some(0) || output.err.contains("is not archived");
        assert!(is_done, "{}", output.err);
    };
    let mut kills = 0;
    for number in 0..KILLS {
        for file in files(sandbox) {
            let line = format!("restore {file}");
            let killed = progress.run_and_kill(sandbox, &line, scattered(number, whole / 2));
            kills += usize::from(killed.status.is_none());
            sandbox.run_ok("verify");
            restored(sandbox.run_line(&line));
        }
        assert!(!sandbox.run_ok("verify").contains("archived:"), "number {number}");
        let killed = progress.run_and_kill(sandbox, ARCHIVE, scattered(number + 3, whole));
        kills += usize::from(killed.status.is_none());
        sandbox.run_ok("verify");
        sandbox.run_ok(ARCHIVE);
        let verified = sandbox.run_ok("verify");
        assert!(verified.contains("archived: 2 runs"), "number {number}: {verified}");
    }
    assert!(kills > KILLS / 2, "only {kills} commands were killed");
}

#[test]
fn killed_commands_on_a_file_continue() {
    killed_commands_continue(&Sandbox::new(), &Progress::FileSize);
}

#[test]
fn killed_commands_on_a_database_continue() {
    let (sandbox, proxy) = Sandbox::behind_proxy();
    killed_commands_continue(&sandbox, &Progress::Messages(proxy));
}
