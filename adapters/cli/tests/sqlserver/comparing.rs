//! `diff --against mssql://…`: compares the rows of the Desktop App in its database (specification
//! 3.4).

use crate::Test;
use crate::publishing::run_case;
use crate::sandbox::Sandbox;
use crate::server::Schema;

pub(crate) const TESTS: &[Test] = tests! {
    comparing:
    rows_of_the_desktop_app_are_compared_in_their_database,
};

/// The tables have other names and other types.
fn rows_of_the_desktop_app_are_compared_in_their_database() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let run = run_case(&sandbox, "41", &["--publish", &schema.url()]);
    let other = Schema::new();
    let (guide, recap) = (other.table("pfill_powerfill_guide"), other.table("TradeRecap"));
    other.sql(&format!(
        "SELECT CAST(loan_id AS NCHAR(20)) AS LoanId, trade_id, pool_name, CAST(loan_amount AS MONEY) AS loan_amount, \
         CAST(price AS NUMERIC(11, 8)) AS price, pool_action INTO {guide} FROM {}",
        schema.table("pfill_powerfill_guide")
    ));
    other.sql(&format!("SELECT * INTO {recap} FROM {}", schema.table("pfill_trade_recap")));
    std::fs::write(
        sandbox.path("mapping.toml"),
        "[tables.pfill_powerfill_guide.rename]\nLoanId = \"loan_id\"\n[tables.pfill_trade_recap]\nname = \"TradeRecap\"\n",
    )
    .expect("a mapping is written");
    let compare =
        || sandbox.run(["diff", &run, "--against", &other.url(), "--mapping", "mapping.toml"]);
    compare().answers(0, &["pfill_powerfill_guide", "pfill_trade_recap"]);
    other.sql(&format!("UPDATE {recap} SET loan_count = loan_count + 1 WHERE trade_id = N'T005'"));
    compare().answers(1, &["T005"]);
    drop(other);
    let empty = Schema::new();
    sandbox.run(["diff", &run, "--against", &empty.url()]).fails_with(2, &["Incomparable"]);
}
