//! Reports: their pages have the rows that follow from the events, from memory or not.

use powerfill_app::rebuild::{fold, rebuild};
use powerfill_events::run::RunId;
use powerfill_http::Limits;
use powerfill_tables::csv::{write_file_header, write_file_rows};
use powerfill_tables::table::{LargeTables, RowBatch};
use powerfill_tables::tables::{candy, named};
use serde_json::Value;

use crate::service::{Answer, Service};

/// The reports of whole tables.
const WHOLE: &[(&str, &str)] = &[
    ("guide", "pfill_powerfill_guide"),
    ("recap", "pfill_trade_recap"),
    ("pool-candidates", "pfill_loan2trade_candy_level_01"),
    ("pooling-guide", "pfill_pool_guide"),
    ("cash-trade-slotting", "pfill_cash_market_map"),
    ("kickouts", "pfill_kickout_guide_01"),
    ("synthetic", "pfill_syn_powerfill_guide"),
    ("trade-base", "pfill_trade_base"),
    ("constraint-blocks", "pfill_loan_constraint_pool"),
];

async fn from_events(service: &Service, run: RunId, table: &str) -> String {
    let table = named(table).unwrap();
    let mut rows = RowBatch::new(table);
    fold(service.store().as_ref(), run, async |batches, _| {
        for mut batch in batches.into_iter().filter(|batch| std::ptr::eq(batch.table, table)) {
            rows.append(&mut batch);
        }
        Ok(())
    })
    .await
    .unwrap();
    let mut text = Vec::new();
    write_file_header(table, &mut text);
    write_file_rows(run, &rows, &mut text);
    String::from_utf8(text).unwrap()
}

fn next(answer: &Answer) -> Option<String> {
    answer.headers.get("x-next-cursor").map(|next| next.to_str().unwrap().to_owned())
}

/// The header `Link` leads through the pages, and `Accept` chooses the format.
#[tokio::test]
async fn links_and_accepted_types_do_what_parameters_do() {
    let (service, run) = Service::with_run("12-kickout-reasons").await;
    let path = format!("/runs/{run}/guide");
    let whole = service.get(&path).await.ok().json();
    let (mut rows, mut next) = (Vec::new(), Some(format!("{path}?limit=2&loan_id.ge=%20")));
    while let Some(path) = next {
        let page = service.get(&path).await.ok();
        rows.extend(page.json()["rows"].as_array().unwrap().clone());
        let link = page.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
        assert_eq!(link.is_some(), page.headers.contains_key("x-next-cursor"));
        next = link.map(|link| {
            let url = link.strip_prefix("</api/powerfill").unwrap();
            url.strip_suffix(">; rel=\"next\"").unwrap().to_owned()
        });
    }
    assert_eq!(Value::Array(rows), whole["rows"]);
    let as_parameter = service.get(&format!("{path}?format=csv")).await.ok();
    let name = format!("attachment; filename=\"guide-{run}.csv\"");
    assert_eq!(as_parameter.headers["content-disposition"], *name);
    for (accept, is_csv) in [
        ("text/csv", true),
        ("text/csv;q=0.9, application/json;q=0.5", true),
        ("application/json, text/csv", false),
        ("*/*", false),
    ] {
        let answer = service.get_with(&path, &[("accept", accept)]).await.ok();
        assert_eq!(answer.text() == as_parameter.text(), is_csv, "{accept}");
        assert!(answer.headers.get_all("vary").iter().any(|name| name == "accept"));
    }
    // All rows at once are those of all pages, in any order.
    for query in ["", "&sort=-loan_id", "&loan_amount.ge=1"] {
        let whole = service.get(&format!("{path}?format=csv&whole=true{query}")).await.ok();
        assert_eq!(whole.headers["content-disposition"], *name);
        let query = format!("limit=3{query}");
        assert_eq!(whole.text(), pages(&service, run, "guide", &query).await, "{query}");
    }
    for query in ["whole=true", "whole=yes&format=csv", "whole=true&format=csv&limit=2"] {
        let refused = service.get(&format!("{path}?{query}")).await;
        refused.expect_problem(400, "bad-request");
    }
    let doubled = service.get(&format!("{path}?limit=2&limit=3")).await;
    doubled.expect_problem(400, "bad-request");
}

/// All pages of a report as one CSV.
async fn pages(service: &Service, run: RunId, report: &str, query: &str) -> String {
    let (mut whole, mut cursor) = (String::new(), String::new());
    loop {
        let path = format!("/runs/{run}/{report}?format=csv&{query}{cursor}");
        let answer = service.get(&path).await.ok();
        let text = answer.text();
        let rows = if whole.is_empty() { &*text } else { text.split_once('\n').unwrap().1 };
        whole.push_str(rows);
        match next(&answer) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return whole,
        }
    }
}

async fn check_reports_against_events(service: &Service) {
    let before = service.run_case("41-mixed-400-price").await;
    let shown = service.run_case("42-mixed-400-carry").await;
    check_reports_of(service, &[before, shown]).await;
}

async fn check_reports_of(service: &Service, runs: &[RunId]) {
    for run in runs.iter().copied() {
        let mut rows = 0;
        for (report, table) in WHOLE {
            let expected = from_events(service, run, table).await;
            rows += expected.lines().count() - 1;
            for limit in ["limit=97", "limit=5000"] {
                assert_eq!(pages(service, run, report, limit).await, expected, "{report} {limit}");
            }
        }
        assert!(rows > 1_000, "{rows} rows");
    }
}

#[tokio::test]
async fn the_pages_of_any_run_have_its_tables() {
    check_reports_against_events(&Service::new()).await;
}

#[tokio::test]
async fn tables_that_do_not_fit_into_memory_are_the_same() {
    check_reports_against_events(&Service::with(Limits { reports: 0, ..Limits::default() })).await;
}

/// The candidates come from the events of the shown run, or from its rows.
#[tokio::test]
async fn stored_and_built_candidates_are_the_same() {
    for reports in [0, Limits::default().reports] {
        let service = Service::with(Limits { reports, ..Limits::default() });
        let run = service.run_case("41-mixed-400-price").await;
        let store = service.store();
        assert!(!store.is_stored(&candy::TABLE).await.unwrap());
        rebuild(store.as_ref(), run, LargeTables::Stored).await.unwrap();
        assert!(store.is_stored(&candy::TABLE).await.unwrap());
        check_reports_of(&service, &[run]).await;
    }
}

/// Filters and orders, from memory and from the store, of the shown run and of an earlier one.
#[tokio::test]
async fn pages_from_memory_and_from_the_store_are_equal() {
    let (cached, uncached) =
        (Service::new(), Service::with(Limits { reports: 0, ..Limits::default() }));
    let mut runs = Vec::new();
    for case in ["41-mixed-400-price", "12-kickout-reasons"] {
        runs.push((cached.run_case(case).await, uncached.run_case(case).await));
    }
    for (one, other) in runs {
        for (report, query) in [
            ("guide", "sort=loan_amount"),
            ("guide", "sort=-loan_amount&limit=7"),
            ("guide", "sort=-score&limit=11"),
            ("guide", "pass=LOCKED&pass=exact_fit&limit=5"),
            ("guide", "held_reason=&loan_amount.ge=200000&loan_amount.le=400000.5&sort=trade_id"),
            ("pool-candidates", "sort=-prx_plus_carry&limit=50"),
            ("pool-candidates", "candidate_rank.le=3&sort=loan_id&limit=13"),
            ("switching", "limit=3"),
            ("existing-pool-disposition", "pool_action=leaving&sort=-loan_id"),
            ("kickouts", "sort=reason&limit=2"),
            ("recap", "sort=-wavg_fico&limit=2"),
        ] {
            let expected = pages(&cached, one, report, query).await;
            let found = pages(&uncached, other, report, query).await;
            let found = found.replace(&other.to_string(), &one.to_string());
            assert_eq!(found, expected, "{report}?{query}");
        }
    }
}

fn column<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
    rows.iter().map(|row| &row[name]).collect()
}

async fn rows(service: &Service, run: RunId, query: &str) -> Vec<Value> {
    let answer = service.get(&format!("/runs/{run}/{query}")).await.ok();
    answer.json()["rows"].as_array().unwrap().clone()
}

#[tokio::test]
async fn filters_and_orders_select_and_sort_rows() {
    let (service, run) = Service::with_run("41-mixed-400-price").await;
    let all = rows(&service, run, "guide").await;
    let sorted = rows(&service, run, "guide?sort=-loan_amount").await;
    assert_eq!(sorted.len(), all.len());
    let cents = |value: &&Value| value.as_str().unwrap().replace('.', "").parse::<u64>().unwrap();
    let amounts: Vec<u64> = column(&sorted, "loan_amount").iter().map(cents).collect();
    assert!(amounts.is_sorted_by(|one, next| one >= next));
    let middle = rows(&service, run, "guide?loan_amount.ge=200000&loan_amount.le=300000").await;
    let between = amounts.iter().filter(|amount| (20_000_000..=30_000_000).contains(*amount));
    assert!(!middle.is_empty() && middle.len() == between.count());
    let null = rows(&service, run, "guide?held_reason=").await;
    assert!(column(&null, "held_reason").iter().all(|value| value.is_null()));
    assert_eq!(null.len(), column(&all, "held_reason").iter().filter(|v| v.is_null()).count());
    let postings = rows(&service, run, "pooling-guide").await;
    for (report, actions) in [
        ("switching", &["Switching", "Swapped In"][..]),
        ("existing-pool-disposition", &["Remaining", "Leaving", "Switching"]),
    ] {
        let is_of = |row: &&Value| actions.contains(&row["pool_action"].as_str().unwrap());
        let expected: Vec<Value> = postings.iter().filter(is_of).cloned().collect();
        assert_eq!(rows(&service, run, report).await, expected, "{report}");
    }
}

#[tokio::test]
async fn a_cursor_is_valid_for_its_query_only() {
    let (service, run) = Service::with_run("41-mixed-400-price").await;
    let page = service.get(&format!("/runs/{run}/guide?limit=3")).await.ok();
    let cursor = next(&page).unwrap();
    service.get(&format!("/runs/{run}/guide?limit=9&format=csv&cursor={cursor}")).await.ok();
    for other in ["recap?", "guide?sort=loan_id&", "guide?pass=held&"] {
        let answer = service.get(&format!("/runs/{run}/{other}cursor={cursor}")).await;
        answer.expect_problem(400, "bad-request");
    }
}

/// A page begins at any row: of a table in memory with filters and in any order, and of one that is
/// too large for it as it is.
#[tokio::test]
async fn a_page_begins_at_an_offset() {
    for reports in [0, Limits::default().reports] {
        let service = Service::with(Limits { reports, ..Limits::default() });
        let run = service.run_case("41-mixed-400-price").await;
        // Another run is shown: the tables of this one come from its events.
        service.run_case("12-kickout-reasons").await;
        let is_kept = reports > 0;
        for query in [
            "guide?sort=-loan_amount&",
            "guide?pass.ge=exact_fit&",
            "pool-candidates?",
            "pool-candidates?sort=-score&",
        ] {
            let all = rows(&service, run, &format!("{query}limit=5000")).await;
            assert!(all.len() > 2, "{query}");
            for offset in [0, 1, all.len() - 1, all.len(), all.len() + 7] {
                let path = format!("/runs/{run}/{query}limit=2&offset={offset}");
                if !is_kept && offset > 0 && query != "pool-candidates?" {
                    service.get(&path).await.expect_problem(422, "refused");
                    continue;
                }
                let page = service.get(&path).await.ok();
                let begin = offset.min(all.len());
                let end = (begin + 2).min(all.len());
                assert_eq!(page.json()["rows"], Value::from(all[begin..end].to_vec()), "{path}");
                let total = page.headers.get("x-total-count").map(|total| total.to_str().unwrap());
                let is_counted = is_kept || query == "pool-candidates?";
                assert_eq!(total, is_counted.then_some(&*all.len().to_string()), "{path}");
                let Some(cursor) = next(&page) else {
                    assert_eq!(end, all.len(), "{path}");
                    continue;
                };
                let rest = format!("{query}limit=5000&cursor={cursor}");
                let after = rows(&service, run, &rest).await;
                assert_eq!(after, all[end..], "{path}");
            }
        }
        let cursor = next(&service.get(&format!("/runs/{run}/guide?limit=1")).await.ok()).unwrap();
        for wrong in [&*format!("offset=1&cursor={cursor}"), "offset=-1", "offset=1&offset=2"] {
            let answer = service.get(&format!("/runs/{run}/guide?{wrong}")).await;
            answer.expect_problem(400, "bad-request");
        }
    }
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let (service, run) = Service::with_run("12-kickout-reasons").await;
    let path = format!("/runs/{run}/guide");
    let send = async |tag: &str, path: &str| {
        service.get_with(path, &[("if-none-match", tag), ("accept-encoding", "gzip")]).await
    };
    let first = send("W/\"other\"", &path).await.ok();
    assert_eq!(first.headers["content-encoding"], "gzip");
    let tag = first.headers["etag"].to_str().unwrap();
    let again = send(&format!("W/\"x\", {tag}"), &path).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    send(tag, &format!("{path}?limit=1")).await.ok();
    // Another tenant must not learn that the page is unchanged.
    let foreign = ("GET", &*path, &*service.other_tenant);
    let refused = service.send_with(foreign, &[("if-none-match", tag)], None).await;
    refused.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn a_run_that_is_not_complete_has_no_reports_and_says_why() {
    let (service, failed) = Service::with_run("39-preflight-errors").await;
    for (report, _) in WHOLE {
        let answer = service.get(&format!("/runs/{failed}/{report}")).await;
        let body = answer.expect_problem(409, "run-not-complete");
        assert_eq!((&body["run_status"], &body["step"]), (&"Failed".into(), &"preflight".into()));
        assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
    }
    service.set_source("12-kickout-reasons");
    let accepted = service.post("/run", Some("{}")).await.ok().json();
    let run = accepted["run_id"].as_str().unwrap();
    let body = service.get(&format!("/runs/{run}/guide")).await;
    assert_eq!(body.expect_problem(409, "run-not-complete")["run_status"], "Pending");
    service.work().await;
    service.get(&format!("/runs/{run}/guide")).await.ok();
}
