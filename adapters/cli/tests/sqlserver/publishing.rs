//! `publish`: the outputs in the tables that reports read (specification 4.1, BR-10).

use std::sync::atomic::{AtomicBool, Ordering};

use powerfill_tables::tables::ALL;
use powerfill_tests::waiting::eventually_blocking;

use crate::Test;
use crate::loading::fill;
use crate::sandbox::{CommandOutput, Sandbox, case, options, source};
use crate::server::{Schema, with};

pub(crate) const TESTS: &[Test] = tests! {
    publishing:
    the_least_rights_are_enough,
    migrating_twice_changes_nothing,
    an_existing_table_with_other_columns_is_not_changed,
    the_published_rows_are_those_of_the_run,
    any_run_can_be_published_again,
    the_outputs_of_another_tenant_are_not_replaced,
    a_reader_sees_the_tables_of_one_run,
    rows_that_the_server_changes_are_not_published,
    concurrent_publications_wait_for_each_other,
    locked_tables_are_waited_for_and_named,
    a_whole_book_is_published,
};

/// Runs a case. Returns the id of the run.
pub(crate) fn run_case(sandbox: &Sandbox, number: &str, more: &[&str]) -> String {
    let case = case(number);
    let (source, options) = (source(&case), options(&case));
    let args = ["run", &source, "--options", &options, "--format", "csv"];
    let printed = sandbox.run(args.iter().chain(more)).success().table();
    printed.column("run_id")[0].to_owned()
}

pub(crate) fn publish(sandbox: &Sandbox, run: &str, url: &str) -> CommandOutput {
    sandbox.run(["publish", run, "--to", url])
}

/// Expects that the tables show every row of this run and no other row.
#[track_caller]
pub(crate) fn assert_shown(sandbox: &Sandbox, schema: &Schema, run: &str) {
    assert_eq!(schema.shown(), run);
    sandbox.run(["diff", run, "--against", &schema.url()]).success();
    let all = sandbox.run_ok(&format!("tables {run} --format csv"));
    for line in all.lines().skip(1) {
        let (table, rows) = line.split_once(',').expect("a count");
        let of_run = format!(
            "SELECT COUNT(*) FROM {} WHERE CAST(run_id AS NVARCHAR(36)) = N'{run}'",
            schema.table(table)
        );
        assert_eq!(schema.one(&of_run), rows, "{table}");
    }
}

fn columns(schema: &Schema) -> Vec<String> {
    schema.sql(&format!(
        "SELECT CAST(TABLE_NAME + N'.' + COLUMN_NAME + N' ' + DATA_TYPE + N' ' + IS_NULLABLE AS NVARCHAR(400)) FROM \
         INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = N'{}' ORDER BY TABLE_NAME, ORDINAL_POSITION",
        schema.name
    ))
}

fn migrating_twice_changes_nothing() {
    let (schema, sandbox) = (Schema::new(), Sandbox::new());
    let made = sandbox.run(["migrate", "--target", &schema.url()]).success();
    assert_eq!(made.out.matches(": made").count(), 2 * ALL.len() + 1, "{}", made.out);
    let before = columns(&schema);
    let run = run_case(&sandbox, "41", &["--publish", &schema.url()]);
    let again = sandbox.run(["migrate", "--target", &schema.url()]).success();
    assert_eq!(again.out.matches(": made").count(), 0, "{}", again.out);
    assert_eq!(columns(&schema), before);
    assert_eq!(schema.shown(), run);
}

fn an_existing_table_with_other_columns_is_not_changed() {
    let (schema, sandbox) = (Schema::new(), Sandbox::new());
    let guide = schema.table("pfill_powerfill_guide");
    schema.sql(&format!("CREATE TABLE {guide} (loan_id CHAR(12) NOT NULL, score FLOAT NULL)"));
    schema.sql(&format!("INSERT INTO {guide} VALUES (N'other', 1.5)"));
    let words = [
        "pfill_powerfill_guide has no column run_id",
        "pfill_powerfill_guide.loan_id is CHAR",
        "?schema=",
    ];
    sandbox.run(["migrate", "--target", &schema.url()]).fails_with(2, &words);
    let run = run_case(&sandbox, "41", &[]);
    publish(&sandbox, &run, &schema.url()).fails_with(2, &words);
    assert_eq!(schema.one(&format!("SELECT COUNT(*) FROM {guide}")), "1");
    drop(schema);
    let empty = Schema::new();
    publish(&sandbox, &run, &empty.url())
        .fails_with(2, &["is missing", "powerfill migrate --target"]);
}

fn the_published_rows_are_those_of_the_run() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    for number in ["01", "41"] {
        let run = run_case(
            &sandbox,
            number,
            &["--store", "sqlite:of-case.db", "--publish", &schema.url()],
        );
        std::fs::rename(sandbox.path("of-case.db"), sandbox.path("powerfill.db"))
            .expect("the store is renamed");
        assert_shown(&sandbox, &schema, &run);
        schema.sql(&format!("DELETE FROM {}", schema.table("pfill_publication")));
    }
    let price = "SELECT MIN(price) FROM";
    let all = schema.one(&format!("{price} {}", schema.table("pfill_powerfill_guide")));
    assert_eq!(all.split_once('.').map(|(_, decimals)| decimals.len()), Some(8), "{all}");
}

fn any_run_can_be_published_again() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let (first, second) =
        (run_case(&sandbox, "41", &[]), run_case(&sandbox, "41", &["--price-mode", "pc"]));
    for run in [&second, &first, &first, &second] {
        let printed = publish(&sandbox, run, &schema.url()).success();
        assert!(
            printed.out.contains(run.as_str()) && !printed.out.contains("Babelfish"),
            "{}",
            printed.out
        );
        assert_shown(&sandbox, &schema, run);
    }
    let history = schema.table("pfill_run_history");
    assert_eq!(schema.one(&format!("SELECT COUNT(*) FROM {history}")), "2");
    let staged: Vec<String> = ALL
        .iter()
        .map(|table| {
            schema.one(&format!(
                "SELECT COUNT(*) FROM {}",
                schema.table(&format!("{}__staging", table.name))
            ))
        })
        .collect();
    assert!(staged.iter().all(|rows| rows == "0"), "{staged:?}");
}

fn the_outputs_of_another_tenant_are_not_replaced() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let run = run_case(&sandbox, "41", &["--publish", &schema.url()]);
    schema.sql(&format!("UPDATE {} SET tenant_id = N'ANOTHER'", schema.table("pfill_publication")));
    publish(&sandbox, &run, &schema.url()).fails_with(2, &["tenant ANOTHER", "?schema="]);
    assert_eq!(schema.shown(), run);
}

fn a_reader_sees_the_tables_of_one_run() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let runs = [run_case(&sandbox, "41", &[]), run_case(&sandbox, "41", &["--price-mode", "pc"])];
    publish(&sandbox, &runs[0], &schema.url()).success();
    let (done, url) = (AtomicBool::new(false), schema.url());
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let reader = Reader::new(&schema.name);
            let mut seen = Vec::new();
            while !done.load(Ordering::Relaxed) {
                seen.push(reader.read());
            }
            seen
        });
        for turn in 0..12 {
            publish(&sandbox, &runs[turn % 2], &url).success();
        }
        done.store(true, Ordering::Relaxed);
        let mut seen = reader.join().expect("the reader ends");
        assert!(seen.len() > 50, "{}", seen.len());
        seen.sort();
        seen.dedup();
        let expected = |run: &String| {
            let rows = sandbox
                .run_ok(&format!("tables {run} pfill_powerfill_guide --format csv"))
                .lines()
                .count()
                - 1;
            format!("{run} {run} {rows}")
        };
        let mut whole: Vec<String> = runs.iter().map(expected).collect();
        whole.sort();
        assert_eq!(seen, whole);
    });
}

/// A report that reads one table.
struct Reader {
    schema: Schema,
    sql: String,
}

impl Reader {
    fn new(of: &str) -> Self {
        let sql = format!(
            "SELECT CAST(LOWER(MIN(CAST(run_id AS NVARCHAR(36)))) + N' ' + LOWER(MAX(CAST(run_id AS NVARCHAR(36)))) + N' ' + \
             CAST(COUNT(*) AS NVARCHAR(20)) AS NVARCHAR(200)) FROM [{of}].[pfill_powerfill_guide]"
        );
        Self { schema: Schema::new(), sql }
    }

    /// The lowest and the highest run id, and the number of rows.
    fn read(&self) -> String {
        self.schema.sql(&self.sql).concat()
    }
}

fn rows_that_the_server_changes_are_not_published() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let run = run_case(&sandbox, "41", &["--publish", &schema.url()]);
    let other = run_case(&sandbox, "41", &["--price-mode", "pc"]);
    let staging = schema.table("pfill_trade_recap__staging");
    let trigger = schema.table("one_cent");
    for wrong in [
        "filled_amount = filled_amount + 0.01",
        "wavg_price = NULL",
        "trade_id = trade_id + N' '",
        "trade_id = LOWER(trade_id)",
    ] {
        schema.sql(&format!(
            "CREATE TRIGGER {trigger} ON {staging} AFTER INSERT AS UPDATE {staging} SET {wrong}"
        ));
        let words =
            ["pfill_trade_recap__staging", "not what was sent", "the former run is still shown"];
        publish(&sandbox, &other, &schema.url()).fails_with(2, &words);
        schema.sql(&format!("DROP TRIGGER {trigger}"));
        assert_shown(&sandbox, &schema, &run);
    }
    publish(&sandbox, &other, &schema.url()).success();
    assert_shown(&sandbox, &schema, &other);
}

fn concurrent_publications_wait_for_each_other() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let runs = [run_case(&sandbox, "41", &[]), run_case(&sandbox, "41", &["--price-mode", "pc"])];
    let url = schema.url();
    std::thread::scope(|scope| {
        for run in runs.iter().chain(&runs) {
            scope.spawn(|| publish(&sandbox, run, &url).success());
        }
    });
    let shown = schema.shown();
    assert!(runs.contains(&shown), "{shown}");
    assert_shown(&sandbox, &schema, &shown);
}

fn locked_tables_are_waited_for_and_named() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let run = run_case(&sandbox, "41", &["--publish", &schema.url()]);
    let other = run_case(&sandbox, "41", &["--price-mode", "pc"]);
    let holder = Schema::new();
    holder.sql("BEGIN TRANSACTION");
    holder.sql(&format!("DELETE FROM {}", schema.table("pfill_trade_recap")));
    let impatient = with(&schema.url(), "timeout=1");
    publish(&sandbox, &other, &impatient)
        .fails_with(2, &["putting the run in the place of the former one", "locks"]);
    holder.sql("ROLLBACK TRANSACTION");
    assert_shown(&sandbox, &schema, &run);
    holder.sql("BEGIN TRANSACTION");
    holder.sql(&format!("DELETE FROM {}", schema.table("pfill_trade_recap")));
    let url = schema.url();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| publish(&sandbox, &other, &url).success());
        eventually_blocking("the rows are staged", || are_rows_staged(&holder, &schema));
        holder.sql("ROLLBACK TRANSACTION");
        waiting.join().expect("the run is published");
    });
    assert_shown(&sandbox, &schema, &other);
}

/// Whether the rows are staged; the next step is to replace the former rows.
fn are_rows_staged(holder: &Schema, schema: &Schema) -> bool {
    let staged = schema.table("pfill_run_history__staging");
    holder.one(&format!("SELECT COUNT(*) FROM {staged}")) == "1"
}

/// The rights of `sql/sqlserver/grants.sql`.
fn the_least_rights_are_enough() {
    let (schema, sandbox, case) = (Schema::migrated(), Sandbox::new(), case("41"));
    sandbox.run(["migrate", "--target", &schema.url(), "--tables", "inputs"]).success();
    fill(&powerfill_csv::read_folder(&case.join("snapshot")).expect("the file exists"), &schema);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/sqlserver/grants.sql");
    let grants = std::fs::read_to_string(script).expect("the file exists");
    let grants = grants.replace("[dbo]", &format!("[{}]", schema.name));
    let grants = grants.replace("powerfill_reader", &format!("{}_r", schema.name));
    let grants = grants.replace("powerfill_publisher", &format!("{}_p", schema.name));
    for _ in 0..2 {
        grants
            .split("\nGO\n")
            .filter(|sql| !sql.trim().is_empty())
            .for_each(|sql| drop(schema.sql(sql)));
    }
    let reader = User::new(&schema, "_r");
    let publisher = User::new(&schema, "_p");
    let ran = sandbox
        .run(["run", &reader.url, "--options", &options(&case), "--format", "csv"])
        .success();
    let run = ran.out.lines().nth(1).and_then(|line| line.split(',').next()).expect("a run");
    publish(&sandbox, run, &publisher.url).success();
    assert_shown(&sandbox, &schema, run);
    // Neither user has the rights of the other.
    publish(&sandbox, run, &reader.url).fails_with(2, &["does not have the output tables"]);
    let refused = sandbox.run(["check", &publisher.url, "--format", "csv"]);
    assert!(refused.out.contains("error,loan,,,,unreadable,"), "{}{}", refused.out, refused.err);
}

/// A user with one of the two roles.
struct User {
    name: String,
    role: String,
    url: String,
}

impl User {
    fn new(schema: &Schema, role: &str) -> Self {
        let (name, role) =
            (format!("{}_user{role}", schema.name), format!("{}{role}", schema.name));
        schema.sql(&format!("CREATE LOGIN [{name}] WITH PASSWORD = N'Pf-1234-pf'"));
        schema.sql(&format!("CREATE USER [{name}] FOR LOGIN [{name}]"));
        schema.sql(&format!("ALTER ROLE [{role}] ADD MEMBER [{name}]"));
        let url = schema.url();
        let (_, rest) = url.split_once('@').expect("a user");
        let url = format!("mssql://{name}:Pf-1234-pf@{rest}");
        Self { name, role, url }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let admin = Schema::new();
        let Self { name, role, .. } = &*self;
        for sql in [
            format!("ALTER ROLE [{role}] DROP MEMBER [{name}]"),
            format!("DROP USER [{name}]"),
            format!("DROP LOGIN [{name}]"),
        ] {
            admin.try_sql(&sql);
        }
    }
}

fn a_whole_book_is_published() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    sandbox.run_ok("generate --loans 3000 --trades 800 --pools 500 --instruments 40 --constraints 40 --seed 11 --out book");
    let ran =
        sandbox.run(["run", "dir:book", "--format", "csv", "--publish", &schema.url()]).success();
    let run = ran.out.lines().nth(1).and_then(|line| line.split(',').next()).expect("a run");
    assert_shown(&sandbox, &schema, run);
}
