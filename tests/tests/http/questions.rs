//! What a caller asks about a run beyond its pages: a what-if, and a report as a workbook.

use serde_json::json;

use crate::service::Service;

const CASE: &str = "12-kickout-reasons";

#[tokio::test]
async fn a_what_if_finds_the_smallest_change_for_a_kickout_alone() {
    let (service, run) = Service::with_run(CASE).await;
    let ask =
        async |loan: &str| service.post(&format!("/runs/{run}/loans/{loan}/what-if"), None).await;
    let found = ask("K7").await.ok().json();
    assert_eq!(found["loan_id"], "K7");
    let kinds = found["kinds"].as_array().unwrap();
    let raised = kinds.iter().find(|result| result["kind"] == "limit_raised").unwrap();
    assert_eq!((&raised["answer"], &raised["place"]["trade_id"]), (&json!("places"), &json!("T1")));
    let unknown = ask("K99").await.expect_problem(404, "not-found");
    assert!(unknown["detail"].as_str().unwrap().contains("K99"), "{unknown}");
    let guide = service.get(&format!("/runs/{run}/guide")).await.ok().json();
    let placed = guide["rows"][0]["loan_id"].as_str().unwrap();
    let refused = ask(placed).await.expect_problem(422, "refused");
    assert!(refused["detail"].as_str().unwrap().contains("not kicked out"), "{refused}");
}

#[tokio::test]
async fn a_report_is_a_workbook_with_the_rows_of_its_filters() {
    let (service, run) = Service::with_run(CASE).await;
    let path = format!("/runs/{run}/kickouts?format=xlsx&constraints_matched.ge=1&sort=-loan_id");
    let answer = service.get(&path).await.ok();
    let name = answer.headers["content-disposition"].to_str().unwrap();
    assert_eq!(name, format!("attachment; filename=\"kickouts-{run}.xlsx\""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kickouts.xlsx");
    std::fs::write(&file, &answer.body).unwrap();
    let sheets = powerfill_xlsx::read_texts(&file).unwrap();
    let sheet = sheets.iter().find(|sheet| sheet.name == "pfill_kickout_guide_01").unwrap();
    let loans: Vec<&str> = sheet.rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(loans, ["K7", "K6", "K5", "K4", "K3", "K2"]);
    let refused = service.get(&format!("/runs/{run}/kickouts?format=xlsx&limit=5")).await;
    refused.expect_problem(400, "bad-request");
}
