//! Reports: page by page the rows that the events amount to, whichever way they are read.

use powerfill_app::rebuild::fold;
use powerfill_events::run::RunId;
use powerfill_http::Limits;
use powerfill_tables::csv::{write_file_header, write_file_rows};
use powerfill_tables::table::RowBatch;
use powerfill_tables::tables::named;
use serde_json::Value;

use crate::desk::{Answer, Service};

/// The reports that are whole tables.
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

/// All pages of a report as one CSV.
async fn pages(service: &Service, run: RunId, report: &str, query: &str) -> String {
    let (mut whole, mut cursor) = (String::new(), String::new());
    loop {
        let path = format!("/runs/{run}/{report}?format=csv&{query}{cursor}");
        let answer = service.get(&path).await.well();
        let text = answer.text();
        let rows = if whole.is_empty() { &*text } else { text.split_once('\n').unwrap().1 };
        whole.push_str(rows);
        match next(&answer) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return whole,
        }
    }
}

async fn reports_are_the_tables(service: &Service) {
    let before = service.ran("41-mixed-400-price").await;
    let shown = service.ran("42-mixed-400-carry").await;
    for run in [before, shown] {
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
async fn the_pages_of_any_run_are_its_tables() {
    reports_are_the_tables(&Service::new()).await;
}

#[tokio::test]
async fn tables_without_room_in_memory_are_the_same() {
    reports_are_the_tables(&Service::with(Limits { reports: 0, ..Limits::default() })).await;
}

/// Filters and orders, answered from memory and by reading through, of the shown run and of one
/// before it.
#[tokio::test]
async fn both_ways_answer_alike() {
    let (kept, read) = (Service::new(), Service::with(Limits { reports: 0, ..Limits::default() }));
    let mut runs = Vec::new();
    for case in ["41-mixed-400-price", "12-kickout-reasons"] {
        runs.push((kept.ran(case).await, read.ran(case).await));
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
            let expected = pages(&kept, one, report, query).await;
            let found = pages(&read, other, report, query).await;
            let found = found.replace(&other.to_string(), &one.to_string());
            assert_eq!(found, expected, "{report}?{query}");
        }
    }
}

fn column<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
    rows.iter().map(|row| &row[name]).collect()
}

async fn rows(service: &Service, run: RunId, question: &str) -> Vec<Value> {
    let answer = service.get(&format!("/runs/{run}/{question}")).await.well();
    answer.json()["rows"].as_array().unwrap().clone()
}

#[tokio::test]
async fn filters_and_orders_mean_what_they_say() {
    let service = Service::new();
    let run = service.ran("41-mixed-400-price").await;
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
async fn a_cursor_is_of_its_question_alone() {
    let service = Service::new();
    let run = service.ran("41-mixed-400-price").await;
    let page = service.get(&format!("/runs/{run}/guide?limit=3")).await.well();
    let cursor = next(&page).unwrap();
    service.get(&format!("/runs/{run}/guide?limit=9&format=csv&cursor={cursor}")).await.well();
    for other in ["recap?", "guide?sort=loan_id&", "guide?pass=held&"] {
        let answer = service.get(&format!("/runs/{run}/{other}cursor={cursor}")).await;
        answer.is_problem(400, "bad-request");
    }
}

#[tokio::test]
async fn a_page_that_is_known_is_not_sent_again() {
    let service = Service::new();
    let run = service.ran("12-kickout-reasons").await;
    let path = format!("/api/powerfill/runs/{run}/guide");
    let ask = |tag: &str, path: &str| {
        let mut request = service.request("GET", path, &service.viewer, None);
        request.headers_mut().insert("if-none-match", tag.parse().unwrap());
        request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
        service.send(request)
    };
    let first = ask("W/\"other\"", &path).await.well();
    assert_eq!(first.headers["content-encoding"], "gzip");
    let tag = first.headers["etag"].to_str().unwrap();
    let again = ask(&format!("W/\"x\", {tag}"), &path).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    ask(tag, &format!("{path}?limit=1")).await.well();
    // What is the same for another tenant is not another tenant's to know.
    let mut strange = service.request("GET", &path, &service.stranger, None);
    strange.headers_mut().insert("if-none-match", tag.parse().unwrap());
    service.send(strange).await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_run_that_is_not_complete_has_no_reports_and_says_why() {
    let service = Service::new();
    let failed = service.ran("39-preflight-errors").await;
    for (report, _) in WHOLE {
        let answer = service.get(&format!("/runs/{failed}/{report}")).await;
        let body = answer.is_problem(409, "run-not-complete");
        assert_eq!((&body["run_status"], &body["step"]), (&"Failed".into(), &"preflight".into()));
        assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
    }
    service.take("12-kickout-reasons");
    let asked = service.post("/run", Some("{}")).await.well().json();
    let run = asked["run_id"].as_str().unwrap();
    let body = service.get(&format!("/runs/{run}/guide")).await;
    assert_eq!(body.is_problem(409, "run-not-complete")["run_status"], "Pending");
    service.worked().await;
    service.get(&format!("/runs/{run}/guide")).await.well();
}
