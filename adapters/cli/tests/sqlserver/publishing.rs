//! The outputs in the tables that reports read (specification 4.1, BR-10).

use std::sync::atomic::{AtomicBool, Ordering};

use powerfill_tables::tables::ALL;

use crate::Test;
use crate::desk::{Answer, Desk, case, options, source};
use crate::loading::fill;
use crate::server::{Schema, with};

pub(crate) const TESTS: &[Test] = &[
    ("publishing::the_least_rights_are_enough", the_least_rights_are_enough),
    ("publishing::migrating_twice_changes_nothing", migrating_twice_changes_nothing),
    (
        "publishing::another_table_of_that_name_is_left_alone",
        another_table_of_that_name_is_left_alone,
    ),
    ("publishing::what_is_shown_is_what_the_run_recorded", what_is_shown_is_what_the_run_recorded),
    ("publishing::any_run_can_be_shown_again", any_run_can_be_shown_again),
    ("publishing::another_tenants_outputs_are_left_alone", another_tenants_outputs_are_left_alone),
    ("publishing::a_reader_sees_one_run_or_the_other", a_reader_sees_one_run_or_the_other),
    (
        "publishing::what_the_server_stores_otherwise_is_not_shown",
        what_the_server_stores_otherwise_is_not_shown,
    ),
    (
        "publishing::two_who_publish_at_once_wait_for_each_other",
        two_who_publish_at_once_wait_for_each_other,
    ),
    (
        "publishing::one_who_holds_the_tables_is_waited_for_and_named",
        one_who_holds_the_tables_is_waited_for_and_named,
    ),
    ("publishing::a_whole_book_is_published", a_whole_book_is_published),
];

/// Runs a case, and gives back the run.
pub(crate) fn ran(desk: &Desk, number: &str, more: &[&str]) -> String {
    let case = case(number);
    let (source, options) = (source(&case), options(&case));
    let args = ["run", &source, "--options", &options, "--format", "csv"];
    let ran = desk.powerfill(args.iter().chain(more)).well();
    ran.out.lines().nth(1).and_then(|line| line.split(',').next()).expect("a run").to_owned()
}

pub(crate) fn published(desk: &Desk, run: &str, url: &str) -> Answer {
    desk.powerfill(["publish", run, "--to", url])
}

/// Whether the tables show this run, with every row that it has and no other.
#[track_caller]
pub(crate) fn shows(desk: &Desk, schema: &Schema, run: &str) {
    assert_eq!(schema.shown(), run);
    let compared = desk.powerfill(["diff", run, "--against", &schema.url()]);
    assert_eq!(compared.status, Some(0), "{}{}", compared.out, compared.err);
    let all = desk.ask(&format!("tables {run} --format csv"));
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
    let (schema, desk) = (Schema::new(), Desk::new());
    let made = desk.powerfill(["migrate", "--target", &schema.url()]).well();
    assert_eq!(made.out.matches(": made").count(), 2 * ALL.len() + 1, "{}", made.out);
    let before = columns(&schema);
    let run = ran(&desk, "41", &["--publish", &schema.url()]);
    let again = desk.powerfill(["migrate", "--target", &schema.url()]).well();
    assert_eq!(again.out.matches(": made").count(), 0, "{}", again.out);
    assert_eq!(columns(&schema), before);
    assert_eq!(schema.shown(), run);
}

fn another_table_of_that_name_is_left_alone() {
    let (schema, desk) = (Schema::new(), Desk::new());
    let guide = schema.table("pfill_powerfill_guide");
    schema.sql(&format!("CREATE TABLE {guide} (loan_id CHAR(12) NOT NULL, score FLOAT NULL)"));
    schema.sql(&format!("INSERT INTO {guide} VALUES (N'theirs', 1.5)"));
    let words = [
        "pfill_powerfill_guide has no column run_id",
        "pfill_powerfill_guide.loan_id is CHAR",
        "?schema=",
    ];
    desk.powerfill(["migrate", "--target", &schema.url()]).refuses(2, &words);
    let run = ran(&desk, "41", &[]);
    published(&desk, &run, &schema.url()).refuses(2, &words);
    assert_eq!(schema.one(&format!("SELECT COUNT(*) FROM {guide}")), "1");
    drop(schema);
    let empty = Schema::new();
    published(&desk, &run, &empty.url()).refuses(2, &["is missing", "powerfill migrate --target"]);
}

fn what_is_shown_is_what_the_run_recorded() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    for number in ["01", "41"] {
        let run = ran(&desk, number, &["--store", "sqlite:of-case.db", "--publish", &schema.url()]);
        std::fs::rename(desk.path("of-case.db"), desk.path("powerfill.db"))
            .expect("it is the store");
        shows(&desk, &schema, &run);
        schema.sql(&format!("DELETE FROM {}", schema.table("pfill_publication")));
    }
    let price = "SELECT MIN(price) FROM";
    let all = schema.one(&format!("{price} {}", schema.table("pfill_powerfill_guide")));
    assert_eq!(all.split_once('.').map(|(_, decimals)| decimals.len()), Some(8), "{all}");
}

fn any_run_can_be_shown_again() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let (first, second) = (ran(&desk, "41", &[]), ran(&desk, "41", &["--price-mode", "pc"]));
    for run in [&second, &first, &first, &second] {
        let said = published(&desk, run, &schema.url()).well();
        assert!(said.out.contains(run.as_str()) && !said.out.contains("Babelfish"), "{}", said.out);
        shows(&desk, &schema, run);
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

fn another_tenants_outputs_are_left_alone() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let run = ran(&desk, "41", &["--publish", &schema.url()]);
    schema.sql(&format!("UPDATE {} SET tenant_id = N'ANOTHER'", schema.table("pfill_publication")));
    published(&desk, &run, &schema.url()).refuses(2, &["tenant ANOTHER", "?schema="]);
    assert_eq!(schema.shown(), run);
}

fn a_reader_sees_one_run_or_the_other() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let runs = [ran(&desk, "41", &[]), ran(&desk, "41", &["--price-mode", "pc"])];
    published(&desk, &runs[0], &schema.url()).well();
    let (done, url) = (AtomicBool::new(false), schema.url());
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let reader = Reader::new(&schema.name);
            let mut seen = Vec::new();
            while !done.load(Ordering::Relaxed) {
                seen.push(reader.look());
            }
            seen
        });
        for turn in 0..12 {
            published(&desk, &runs[turn % 2], &url).well();
        }
        done.store(true, Ordering::Relaxed);
        let mut seen = reader.join().expect("it reads");
        assert!(seen.len() > 50, "{}", seen.len());
        seen.sort();
        seen.dedup();
        let expected = |run: &String| {
            let rows = desk
                .ask(&format!("tables {run} pfill_powerfill_guide --format csv"))
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

/// A report.
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

    /// The lowest and the highest run, and the rows.
    fn look(&self) -> String {
        self.schema.sql(&self.sql).concat()
    }
}

fn what_the_server_stores_otherwise_is_not_shown() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let run = ran(&desk, "41", &["--publish", &schema.url()]);
    let other = ran(&desk, "41", &["--price-mode", "pc"]);
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
        published(&desk, &other, &schema.url()).refuses(2, &words);
        schema.sql(&format!("DROP TRIGGER {trigger}"));
        shows(&desk, &schema, &run);
    }
    published(&desk, &other, &schema.url()).well();
    shows(&desk, &schema, &other);
}

fn two_who_publish_at_once_wait_for_each_other() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let runs = [ran(&desk, "41", &[]), ran(&desk, "41", &["--price-mode", "pc"])];
    let url = schema.url();
    std::thread::scope(|scope| {
        for run in runs.iter().chain(&runs) {
            scope.spawn(|| published(&desk, run, &url).well());
        }
    });
    let shown = schema.shown();
    assert!(runs.contains(&shown), "{shown}");
    shows(&desk, &schema, &shown);
}

fn one_who_holds_the_tables_is_waited_for_and_named() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let run = ran(&desk, "41", &["--publish", &schema.url()]);
    let other = ran(&desk, "41", &["--price-mode", "pc"]);
    let holder = Schema::new();
    holder.sql("BEGIN TRANSACTION");
    holder.sql(&format!("DELETE FROM {}", schema.table("pfill_trade_recap")));
    let hurried = with(&schema.url(), "timeout=1");
    published(&desk, &other, &hurried)
        .refuses(2, &["putting the run in the place of the former one", "locks"]);
    holder.sql("ROLLBACK TRANSACTION");
    shows(&desk, &schema, &run);
    holder.sql("BEGIN TRANSACTION");
    holder.sql(&format!("DELETE FROM {}", schema.table("pfill_trade_recap")));
    let url = schema.url();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| published(&desk, &other, &url).well());
        while !waiting_for_a_lock(&holder, &schema) {}
        holder.sql("ROLLBACK TRANSACTION");
        waiting.join().expect("it is published");
    });
    shows(&desk, &schema, &other);
}

/// Whether the staged rows are there, which is when they are put in the place of the former ones.
fn waiting_for_a_lock(holder: &Schema, schema: &Schema) -> bool {
    let staged = schema.table("pfill_run_history__staging");
    holder.one(&format!("SELECT COUNT(*) FROM {staged}")) == "1"
}

/// Those of `sql/sqlserver/grants.sql`, and no more.
fn the_least_rights_are_enough() {
    let (schema, desk, case) = (Schema::migrated(), Desk::new(), case("41"));
    desk.powerfill(["migrate", "--target", &schema.url(), "--tables", "inputs"]).well();
    fill(&powerfill_csv::read_folder(&case.join("snapshot")).expect("it is there"), &schema);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/sqlserver/grants.sql");
    let grants = std::fs::read_to_string(script).expect("it is there");
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
    let ran = desk
        .powerfill(["run", &reader.url, "--options", &options(&case), "--format", "csv"])
        .well();
    let run = ran.out.lines().nth(1).and_then(|line| line.split(',').next()).expect("a run");
    published(&desk, run, &publisher.url).well();
    shows(&desk, &schema, run);
    // Neither may do what the other does.
    published(&desk, run, &reader.url).refuses(2, &["does not have the output tables"]);
    let refused = desk.powerfill(["check", &publisher.url, "--format", "csv"]);
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
        let elsewhere = Schema::new();
        let Self { name, role, .. } = &*self;
        for sql in [
            format!("ALTER ROLE [{role}] DROP MEMBER [{name}]"),
            format!("DROP USER [{name}]"),
            format!("DROP LOGIN [{name}]"),
        ] {
            elsewhere.try_sql(&sql);
        }
    }
}

fn a_whole_book_is_published() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    desk.ask("generate --loans 3000 --trades 800 --pools 500 --instruments 40 --constraints 40 --seed 11 --out book");
    let ran =
        desk.powerfill(["run", "dir:book", "--format", "csv", "--publish", &schema.url()]).well();
    let run = ran.out.lines().nth(1).and_then(|line| line.split(',').next()).expect("a run");
    shows(&desk, &schema, run);
}
