//! The large tables: built from events by default, stored as rows by a setting, and the same for
//! every command.

use rusqlite::Connection;

use crate::sandbox::{CommandOutput, Sandbox, case, options, source};

const CANDIDATES: &str = "pfill_loan2trade_candy_level_01";

fn run_case(sandbox: &Sandbox, flags: &[&str]) {
    let case = case("41");
    let (source, options) = (source(&case), options(&case));
    let args = [&["run", &source, "--options", &options], flags].concat();
    sandbox.run(args).success();
}

fn is_stored(sandbox: &Sandbox, store: &str) -> bool {
    let sql = "SELECT count(*) FROM sqlite_master WHERE name = ?1";
    let conn = Connection::open(sandbox.path(store)).unwrap();
    conn.query_row(sql, [CANDIDATES], |row| row.get::<_, u64>(0)).unwrap() == 1
}

#[test]
fn commands_print_the_same_whether_tables_are_built_or_stored() {
    let sandbox = Sandbox::new();
    run_case(&sandbox, &[]);
    assert!(!is_stored(&sandbox, "powerfill.db"));
    let answers = || {
        ["tables latest", "verify", "show", "diff latest --against latest", "replay latest"]
            .map(String::from)
            .into_iter()
            .chain([format!("tables latest {CANDIDATES} --format csv"), "rebuild".to_owned()])
            .map(|line| sandbox.run_ok(&line))
            .collect::<Vec<_>>()
    };
    let built = answers();
    assert!(built[5].lines().count() > 1, "{built:?}");
    sandbox.run_ok("rebuild --large-tables stored");
    assert!(is_stored(&sandbox, "powerfill.db"));
    assert_eq!(answers(), built);
    assert!(!is_stored(&sandbox, "powerfill.db"), "the last command was a rebuild");
}

#[test]
fn stored_rows_are_verified_cell_by_cell() {
    let sandbox = Sandbox::new();
    for (sql, words) in [
        ("UPDATE x SET price = '1.00000000' WHERE row_no = 2", ", row 2: price is \"1.00000000\""),
        ("UPDATE x SET candidate_rank = 9 WHERE row_no = 1", ", row 1: candidate_rank is \"9\""),
        ("DELETE FROM x WHERE row_no > 3", ": rows are missing after row 3"),
        ("DELETE FROM x", ": rows are missing after row 0"),
    ] {
        run_case(&sandbox, &["--large-tables", "stored"]);
        sandbox.run_ok("verify");
        let conn = Connection::open(sandbox.path("powerfill.db")).unwrap();
        assert!(conn.execute(&sql.replace(" x", &format!(" {CANDIDATES}")), []).unwrap() > 0);
        drop(conn);
        let verified = sandbox.run_line("verify");
        let damage = format!("DAMAGED: {CANDIDATES}{words}");
        assert!(verified.status == Some(1) && verified.out.starts_with(&damage), "{verified:?}");
    }
    sandbox.run_ok("rebuild");
    sandbox.run_ok("verify");
}

#[test]
fn the_setting_comes_from_flag_variable_tenant_and_file_in_this_order() {
    let sandbox = Sandbox::new();
    let settings = |top: &str, tenant: &str| {
        let text = format!("{top}\n[tenants.WATERMARK]\nstore = \"sqlite:acme.db\"\n{tenant}\n");
        sandbox.write("powerfill.toml", text);
    };
    let (stored, built) = ("large_tables = \"stored\"", "large_tables = \"built\"");
    let case = case("41");
    let (source, options) = (source(&case), options(&case));
    let run = |flags: &[&str], variable: &[(&str, &str)]| {
        let args = ["run", &source, "--options", &options, "--tenant", "WATERMARK"];
        let mut command = sandbox.command([&args[..], flags].concat());
        CommandOutput::from(command.envs(variable.iter().copied()).output().unwrap()).success();
        is_stored(&sandbox, "acme.db")
    };
    settings("", "");
    assert!(!run(&[], &[]));
    settings(stored, "");
    assert!(run(&[], &[]));
    settings(stored, built);
    assert!(!run(&[], &[]));
    settings(built, stored);
    assert!(run(&[], &[]));
    let variable = [("POWERFILL_LARGE_TABLES", "built")];
    assert!(!run(&[], &variable));
    assert!(run(&["--large-tables", "stored"], &variable));
    settings("large_tables = \"kept\"", "");
    sandbox.run_line("runs").fails_with(2, &["powerfill.toml, large_tables", "\"stored\""]);
    settings("", "large_tables = 1");
    sandbox.run_line("runs").fails_with(2, &["tenants.WATERMARK.large_tables"]);
}

/// A worker uses the setting of each tenant.
#[test]
fn a_worker_stores_what_its_tenant_keeps() {
    let sandbox = Sandbox::new();
    let text = "[tenants.WATERMARK]\nstore = \"sqlite:acme.db\"\nlarge_tables = \"stored\"\n";
    sandbox.write("powerfill.toml", text);
    run_case(&sandbox, &["--tenant", "WATERMARK", "--no-wait"]);
    sandbox.run_ok("work --once --all-tenants");
    assert!(is_stored(&sandbox, "acme.db"));
}
