//! `diff --against mssql://…`: the Desktop App's own rows, in place (specification 3.4).

use crate::Test;
use crate::desk::Desk;
use crate::publishing::ran;
use crate::server::Schema;

pub(crate) const TESTS: &[Test] = &[(
    "comparing::rows_of_the_desktop_app_are_compared_in_place",
    rows_of_the_desktop_app_are_compared_in_place,
)];

/// Other names, other types: as in a database that grew over the years.
fn rows_of_the_desktop_app_are_compared_in_place() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let run = ran(&desk, "41", &["--publish", &schema.url()]);
    let theirs = Schema::new();
    let (guide, recap) = (theirs.table("pfill_powerfill_guide"), theirs.table("TradeRecap"));
    theirs.sql(&format!(
        "SELECT CAST(loan_id AS NCHAR(20)) AS LoanId, trade_id, pool_name, CAST(loan_amount AS MONEY) AS loan_amount, \
         CAST(price AS NUMERIC(11, 8)) AS price, pool_action INTO {guide} FROM {}",
        schema.table("pfill_powerfill_guide")
    ));
    theirs.sql(&format!("SELECT * INTO {recap} FROM {}", schema.table("pfill_trade_recap")));
    std::fs::write(
        desk.path("mapping.toml"),
        "[tables.pfill_powerfill_guide.rename]\nLoanId = \"loan_id\"\n[tables.pfill_trade_recap]\nname = \"TradeRecap\"\n",
    )
    .expect("a mapping is written");
    let compare =
        || desk.powerfill(["diff", &run, "--against", &theirs.url(), "--mapping", "mapping.toml"]);
    let same = compare();
    assert_eq!(same.status, Some(0), "{}{}", same.out, same.err);
    assert!(
        same.out.contains("pfill_powerfill_guide") && same.out.contains("pfill_trade_recap"),
        "{}",
        same.out
    );
    theirs.sql(&format!("UPDATE {recap} SET loan_count = loan_count + 1 WHERE trade_id = N'T005'"));
    let differs = compare();
    assert_eq!(differs.status, Some(1), "{}{}", differs.out, differs.err);
    assert!(differs.out.contains("T005"), "{}", differs.out);
    drop(theirs);
    let empty = Schema::new();
    desk.powerfill(["diff", &run, "--against", &empty.url()]).refuses(2, &["Incomparable"]);
}
