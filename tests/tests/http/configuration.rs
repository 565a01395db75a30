//! The configuration over HTTP. Every change is an event, an ETag prevents lost updates, and faults
//! name the place.

use powerfill_http::tokens::TokenRole;
use serde_json::{Value, json};

use crate::service::{Answer, Service};

struct AdminClient<'a> {
    service: &'a Service,
    token: String,
}

impl<'a> AdminClient<'a> {
    fn new(service: &'a Service) -> Self {
        Self { service, token: service.token(TokenRole::Admin, "ada") }
    }

    async fn send(&self, method: &str, path: &str, if_match: Option<&str>, body: Value) -> Answer {
        let body = (!body.is_null()).then(|| body.to_string());
        let tag: Vec<_> = if_match.into_iter().map(|tag| ("if-match", tag)).collect();
        self.service.send_with((method, path, &self.token), &tag, body.as_deref()).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, None, body).await
    }

    async fn add_node(&self, investor: &str, instrument: &str, priority: i64) -> Answer {
        let node = json!({
            "investor_id": investor, "investor_instrument_name": instrument,
            "constraint_priority": priority
        });
        self.send("POST", "/constraints", None, node).await
    }
}

fn etag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn nodes_and_rules_are_added_changed_linked_and_removed() {
    let service = Service::new();
    let admin = AdminClient::new(&service);
    let added = admin.add_node("FNMA", "FN30", 10).await;
    assert_eq!(added.status, 201, "{}", added.text());
    admin.add_node("fnma ", "fn30", 11).await.expect_problem(409, "already-there");
    admin.add_node("FNMA", "", 5).await.ok();
    // A minus stands for an empty part of the path.
    let investor = service.get("/constraints/FNMA/-/-").await.ok().json();
    assert_eq!(investor["constraint_priority"], 5);
    let changed = admin
        .send(
            "PUT",
            "/constraints/FNMA/FN30/-",
            Some(&etag(&added)),
            json!({ "constraint_priority": 7, "hi_limit": "0.25" }),
        )
        .await
        .ok();
    assert_eq!(changed.json()["hi_limit"], "0.250000");
    assert_ne!(etag(&changed), etag(&added));
    // A change that is based on the earlier row is refused, so no update is lost.
    let late = admin
        .send(
            "PUT",
            "/constraints/FNMA/FN30/-",
            Some(&etag(&added)),
            json!({ "constraint_priority": 1 }),
        )
        .await;
    let problem = late.expect_problem(412, "stale");
    assert_eq!(format!("\"{}\"", problem["token"]), etag(&changed));
    // One of several ETags suffices, and `*` stands for any row, if there is one.
    let of_list = format!("\"99\", {}", etag(&changed));
    for (path, tags, status) in [
        ("/constraints/FNMA/FN30/-", &*of_list, 200),
        ("/constraints/FNMA/FN30/-", "*", 200),
        ("/constraints/FNMA/FN30/-", "\"98\", \"99\"", 412),
        ("/constraints/FNMA/NONE/-", "*", 412),
        ("/constraints/FNMA/FN30/-", "99", 400),
    ] {
        let limits = json!({ "constraint_priority": 7, "hi_limit": "0.25" });
        let answer = admin.send("PUT", path, Some(tags), limits).await;
        assert_eq!(answer.status, status, "{path} {tags}: {}", answer.text());
    }
    let defined =
        admin.put("/sec-rules/HIGH%20FICO", json!({ "rule_syntax": "fico >= 740" })).await;
    assert_eq!(defined.status, 201);
    let link = "/constraints/FNMA/FN30/-/sec-rules/HIGH%20FICO";
    assert_eq!(admin.put(link, Value::Null).await.status, 201);
    assert_eq!(admin.put(link, Value::Null).await.status, 200);
    assert_eq!(
        service.get("/constraints/FNMA/FN30/-").await.ok().json()["rules"],
        json!(["HIGH FICO"])
    );
    let remove = async |path: &str| admin.send("DELETE", path, None, Value::Null).await;
    let linked = remove("/constraints/FNMA/FN30/-").await.expect_problem(409, "in-use");
    assert_eq!(linked["rules"], json!(["HIGH FICO"]));
    remove("/sec-rules/HIGH%20FICO").await.expect_problem(409, "in-use");
    for path in [link, "/sec-rules/HIGH%20FICO", "/constraints/FNMA/FN30/-"] {
        assert_eq!(remove(path).await.status, 204, "{path}");
        service.get(path).await.expect_problem(404, "not-found");
        remove(path).await.expect_problem(404, "not-found");
    }
    let history = service.get("/configuration/history").await.ok().json();
    let changes = history["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["actor"] == "ada"));
    let events: Vec<&str> =
        changes.iter().map(|change| change["event"].as_str().unwrap()).collect();
    assert_eq!(
        events,
        [
            "ConstraintAdded",
            "ConstraintAdded",
            "ConstraintChanged",
            "SecuritizationRuleDefined",
            "RuleLinked",
            "RuleUnlinked",
            "SecuritizationRuleRemoved",
            "ConstraintRemoved"
        ]
    );
    assert_eq!(changes[2]["rows"][0]["before"]["constraint_priority"], "10");
    assert_eq!(changes[2]["rows"][0]["after"]["constraint_priority"], "7");
    // An earlier version.
    let before = service.get("/configuration?version=5").await.ok().json();
    assert_eq!(before["tables"]["pfill_constraint_sec_rule_rel"].as_array().unwrap().len(), 1);
    service.get("/configuration?version=9").await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_refused_change_names_the_fault_and_changes_nothing() {
    let service = Service::new();
    let admin = AdminClient::new(&service);
    let wrong = admin.put("/sec-rules/R", json!({ "rule_syntax": "fico >= AND" })).await;
    let fault = &wrong.expect_problem(422, "refused")["faults"][0];
    assert_eq!(fault["table"], "pscat_securitization_rules");
    assert_eq!(fault["code"], "rule_syntax");
    assert!(!fault["reason"].as_str().unwrap().is_empty(), "{fault}");
    admin.add_node("", "", 1).await.expect_problem(422, "refused");
    admin.add_node("FNMA", "", -1).await.expect_problem(422, "refused");
    let limits = json!({ "constraint_priority": 1, "lo_limit": "0.5", "hi_limit": "0.4" });
    admin.add_node("FNMA", "FN30", 1).await.ok();
    admin.put("/constraints/FNMA/FN30/-", limits).await.expect_problem(422, "refused");
    admin
        .put("/constraints/FNMA/NONE/-", json!({ "constraint_priority": 1 }))
        .await
        .expect_problem(404, "not-found");
    admin
        .put("/constraints/FNMA/FN30/-/sec-rules/R", Value::Null)
        .await
        .expect_problem(404, "not-found");
    let float = json!({ "constraint_priority": 1, "hi_limit": 0.5 });
    admin.put("/constraints/FNMA/FN30/-", float).await.expect_problem(400, "bad-request");
    let history = service.get("/configuration/history").await.ok().json();
    assert_eq!(history["changes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_order_has_every_node_and_is_accepted_once() {
    let service = Service::new();
    let admin = AdminClient::new(&service);
    for (at, instrument) in ["A", "B", "C"].iter().enumerate() {
        admin.add_node("FNMA", instrument, at as i64).await.ok();
    }
    let listed = service.get("/constraints").await.ok();
    let token = listed.json()["token"].clone();
    assert_eq!(etag(&listed), format!("\"{token}\""));
    let node = |instrument: &str, priority: i64| {
        json!({
            "investor_id": "FNMA", "investor_instrument_name": instrument,
            "constraint_priority": priority
        })
    };
    let order = async |token: &Value, order: Value| {
        let body = json!({ "token": token, "order": order });
        admin.send("POST", "/constraints/reprioritize?reason=quarter%20end", None, body).await
    };
    order(&token, json!([node("A", 2), node("B", 1)])).await.expect_problem(422, "refused");
    let whole = json!([node("C", 1), node("B", 2), node("A", 3)]);
    let done = order(&token, whole.clone()).await.ok().json();
    let priorities: Vec<&Value> =
        done["rows"].as_array().unwrap().iter().map(|row| &row["constraint_priority"]).collect();
    assert_eq!(priorities, [3, 2, 1]);
    order(&token, whole.clone()).await.expect_problem(412, "stale");
    assert_eq!(service.get("/constraints").await.ok().json(), done);
    let history = service.get("/configuration/history?after=3").await.ok().json();
    assert_eq!(history["changes"][0]["event"], "ConstraintsReprioritised");
    assert_eq!(history["changes"][0]["reason"], "quarter end");
}

#[tokio::test]
async fn carry_curves_have_warnings_and_a_preview() {
    let service = Service::new();
    let admin = AdminClient::new(&service);
    let bucket = |to: i64, rate: &str| json!({ "to_day": to, "annual_rate": rate });
    let first = admin.put("/carry-cost/FN30/0", bucket(30, "1.25")).await;
    assert_eq!((first.status, &first.json()["warnings"]), (201, &json!([])));
    let over = admin.put("/carry-cost/FN30/20", bucket(60, "2.75")).await.ok().json();
    assert_eq!(over["warnings"][0]["code"], "overlap");
    assert_eq!(over["annual_rate"], "2.750000");
    let turned = admin.put("/carry-cost/FN30/61", bucket(90, "0.5")).await.ok().json();
    assert_eq!(turned["warnings"][1]["code"], "not_monotone");
    admin.put("/carry-cost/FN30/5", bucket(4, "1")).await.expect_problem(422, "refused");
    // By hand: days 20 to 30 have the mean of both rates; 25 / 365 is cut to 0.068493.
    let request = json!({ "investor_instrument_name": "fn30", "days": [10, 25, 61, 91] });
    let preview = service.post("/carry-cost/preview", Some(&request.to_string())).await.ok().json();
    let of = |at: usize| {
        (preview["days"][at]["annual_rate"].as_str(), preview["days"][at]["carry_cost"].as_str())
    };
    assert_eq!(of(0), (Some("1.250000"), Some("0.03424625")));
    assert_eq!(of(1), (Some("2.000000"), Some("0.13698600")));
    assert_eq!(of(3), (Some("0.000000"), Some("0.00000000")));
    let proposed = json!({
        "investor_instrument_name": "FN30",
        "buckets": [{ "on_day": 20, "to_day": 60, "annual_rate": "3.25" }],
        "days": [25]
    });
    let preview =
        service.post("/carry-cost/preview", Some(&proposed.to_string())).await.ok().json();
    assert_eq!(preview["days"][0]["annual_rate"], "2.250000");
    // A preview changes nothing.
    let kept = service.get("/carry-cost/FN30/20").await.ok().json();
    assert_eq!(kept["annual_rate"], "2.750000");
}

#[tokio::test]
async fn many_pools_change_at_once_and_the_settings_are_one_row() {
    let service = Service::new();
    let admin = AdminClient::new(&service);
    let pools = json!({ "pools": [
        { "pool_name": "P1", "lock_pool": true },
        { "pool_name": "P2", "lock_pool": false, "trade_id": "T1" },
    ] });
    let locked = admin.send("POST", "/lockdown/bulk", None, pools).await.ok().json();
    assert_eq!(locked["rows"].as_array().unwrap().len(), 2);
    assert_eq!(service.get("/lockdown/p2").await.ok().json()["trade_id"], "T1");
    let faulty = json!({ "pools": [
        { "pool_name": "P3", "lock_pool": true },
        { "pool_name": "", "lock_pool": true },
    ] });
    admin.send("POST", "/lockdown/bulk", None, faulty).await.expect_problem(422, "refused");
    service.get("/lockdown/P3").await.expect_problem(404, "not-found");
    assert_eq!(admin.send("DELETE", "/lockdown/P1", None, Value::Null).await.status, 204);
    let before = service.get("/settings/preflight").await.ok();
    assert_eq!(before.json()["lockdown_days"], 2);
    let after = admin
        .send("PUT", "/settings/preflight", Some(&etag(&before)), json!({ "lockdown_days": 3 }))
        .await;
    assert_eq!(
        after.ok().json(),
        json!({
            "min_pipeline_loans": 1, "max_snapshot_age_days": 3, "max_price_age_days": 1,
            "lockdown_days": 3
        })
    );
    let late = admin.send("PUT", "/settings/preflight", Some(&etag(&before)), json!({})).await;
    late.expect_problem(412, "stale");
}

#[tokio::test]
async fn the_candidates_of_a_node_equal_those_of_a_run() {
    let (service, run) = Service::with_run("03-best-fit").await;
    let rows = service.get(&format!("/runs/{run}/pool-candidates?limit=5000")).await.ok().json();
    let rows = rows["rows"].as_array().unwrap();
    assert!(!rows.is_empty());
    let node = ["investor_id", "investor_instrument_name", "constraint_name"];
    let of = |row: &Value| node.map(|column| row[column].as_str().unwrap_or_default().to_owned());
    let first = of(&rows[0]);
    let own: Vec<&Value> = rows.iter().filter(|row| of(row) == first).collect();
    let request = json!({
        "investor_id": first[0], "investor_instrument_name": first[1], "constraint_name": first[2]
    });
    let preview = service.post("/candidates/preview", Some(&request.to_string())).await.ok().json();
    assert_eq!(preview["count"], own.len());
    let mut pairs: Vec<_> =
        own.iter().map(|row| [&row["loan_id"], &row["trade_id"], &row["score"]]).collect();
    let candidates = preview["candidates"].as_array().unwrap();
    let mut found: Vec<_> =
        candidates.iter().map(|row| [&row["loan_id"], &row["trade_id"], &row["score"]]).collect();
    let text = |pair: &[&Value; 3]| pair.map(Value::to_string);
    pairs.sort_by_key(text);
    found.sort_by_key(text);
    assert_eq!(found, pairs);
    let none = json!({ "investor_id": "NONE" });
    let preview = service.post("/candidates/preview", Some(&none.to_string())).await.ok().json();
    assert_eq!(preview, json!({ "candidates": [], "count": 0 }));
}
