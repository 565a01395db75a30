//! Verifications, replays, and comparisons as jobs.

use axum::body::Body;
use axum::http::Request;
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_http::tokens::TokenRole;
use powerfill_tests::waiting::eventually;
use serde_json::{Value, json};

use crate::openapi::schema_of_job_result;
use crate::service::{Answer, HOUR, NOW, Service};

const CASE: &str = "12-kickout-reasons";
const BOUNDARY: &str = "b0undary";

/// The job that an answer accepts.
#[track_caller]
pub(crate) fn accepted(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let location = answer.headers["location"].to_str().unwrap();
    let job = location.strip_prefix("/api/powerfill").unwrap().to_owned();
    assert_eq!(job, format!("/jobs/{}", answer.json()["job_id"].as_str().unwrap()));
    job
}

/// Waits until a job is over.
pub(crate) async fn ended(service: &Service, job: &str) -> Value {
    let mut view = Value::Null;
    eventually(format!("{job} ends"), async || {
        view = service.get(job).await.ok().json();
        !view["ended_at"].is_null()
    })
    .await;
    view
}

/// Requests a job, and returns its result.
async fn result(service: &Service, path: &str, body: Option<&str>) -> (Value, Value) {
    let job = accepted(&service.post(path, body).await);
    let view = ended(service, &job).await;
    assert_eq!(view["status"], "Complete", "{view}");
    assert_eq!(view["fraction"], "1.00");
    assert_eq!(view["result"], format!("/api/powerfill{job}/result"));
    let result = service.get(&format!("{job}/result")).await.ok().json();
    assert_eq!(result["answer"], view["answer"]);
    let schema = match view["kind"].as_str().unwrap() {
        "verification" => "VerdictView",
        "replay" => "ReplayReport",
        "comparison" => "RunComparison",
        kind => panic!("a {kind}"),
    };
    assert_eq!(schema_of_job_result(&result), schema);
    (view, result)
}

/// A form with these parts: names, names of files, and contents.
fn form(service: &Service, run: RunId, token: &str, parts: &[[&str; 3]]) -> Request<Body> {
    let mut body = String::new();
    for [name, file, content] in parts {
        let file = match *file {
            "" => String::new(),
            file => format!("; filename=\"{file}\""),
        };
        body += &format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n\
             {content}\r\n"
        );
    }
    body += &format!("--{BOUNDARY}--\r\n");
    let path = format!("/runs/{run}/export-comparisons");
    let mut request = service.request("POST", &path, token, Some(&body));
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    request.headers_mut().insert("content-type", media_type.parse().unwrap());
    request
}

/// The whole guide of a run as CSV.
async fn guide(service: &Service, run: RunId) -> String {
    service.get(&format!("/runs/{run}/guide?format=csv&whole=true")).await.ok().text()
}

#[tokio::test]
async fn a_job_has_the_result_of_the_operation_that_answers_at_once() {
    let service = Service::new();
    let (run, later) = (service.run_case(CASE).await, service.run_case(CASE).await);
    let (view, replayed) = result(&service, &format!("/runs/{run}/replays"), None).await;
    assert_eq!((&view["kind"], &view["answer"]), (&json!("replay"), &json!("reproduced")));
    assert_eq!((&view["requested_by"], &view["run_id"]), (&json!("otto"), &json!(run)));
    let at_once = service.post(&format!("/runs/{run}/replay"), None).await.ok().json();
    assert_eq!(replayed, at_once);

    let request = json!({ "run_id": run }).to_string();
    let (_, verified) = result(&service, "/verifications", Some(&request)).await;
    let at_once = service.post(&format!("/runs/{run}/verify"), None).await.ok().json();
    assert_eq!(verified, at_once);

    let request = json!({ "against": later }).to_string();
    let (view, compared) =
        result(&service, &format!("/runs/{run}/comparisons"), Some(&request)).await;
    assert_eq!((&view["kind"], &view["answer"]), (&json!("comparison"), &json!("same")));
    let at_once = service.post(&format!("/runs/{run}/diff"), Some(&request)).await.ok().json();
    assert_eq!(compared, at_once);

    let listed = service.get("/jobs").await.ok().json();
    let kinds: Vec<&str> = listed["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["comparison", "verification", "replay"]);
    let other = service.send_of_other("GET", "/jobs", None).await.ok().json();
    assert_eq!(other, json!({ "jobs": [] }));
}

#[tokio::test]
async fn a_whole_store_is_verified_and_since_a_seal_only_what_followed() {
    let service = Service::new();
    service.run_case(CASE).await;
    let seal = service.get("/seal").await.ok().json();
    assert_eq!(seal["tenant"], "one");
    service.run_case(CASE).await;
    let (view, whole) = result(&service, "/verifications", Some("{}")).await;
    assert_eq!((&view["run_id"], &whole["answer"]), (&Value::Null, &json!("whole")));
    assert_eq!(whole["snapshots"], 1);
    let since = json!({ "since": seal }).to_string();
    let (_, part) = result(&service, "/verifications", Some(&since)).await;
    let count = |view: &Value| view["events"].as_u64().unwrap();
    assert_eq!(count(&part), count(&whole) - seal["position"].as_u64().unwrap());

    // A seal that this log never had is damage, and one of another tenant proves nothing.
    let mut forged = seal.clone();
    forged["seal"] = json!("0".repeat(64));
    let request = json!({ "since": forged }).to_string();
    let (view, found) = result(&service, "/verifications", Some(&request)).await;
    assert_eq!(view["answer"], "damaged");
    assert!(found["found"].as_str().unwrap().contains("rewritten"), "{found}");
    forged["tenant"] = json!("other");
    let request = json!({ "since": forged }).to_string();
    service.post("/verifications", Some(&request)).await.expect_problem(400, "bad-request");
    let both = json!({ "since": seal, "run_id": RunId(uuid::Uuid::nil()) }).to_string();
    service.post("/verifications", Some(&both)).await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_run_is_compared_with_the_files_of_an_export() {
    let (service, run) = Service::with_run(CASE).await;
    let guide = guide(&service, run).await;
    let compare = async |parts: &[[&str; 3]]| {
        let job = accepted(&service.send(form(&service, run, &service.viewer, parts)).await);
        let view = ended(&service, &job).await;
        (service.get(&format!("{job}/result")).await, view)
    };
    let (_, view) = compare(&[["file", "pfill_powerfill_guide.csv", &guide]]).await;
    assert_eq!(view["answer"], "same", "{view}");
    // Another name needs a mapping.
    let mapping = "[tables.pfill_powerfill_guide]\nfiles = [\"guide.csv\"]\n";
    let trade = guide.lines().nth(1).unwrap().split(',').nth(2).unwrap();
    let changed = guide.replacen(trade, "ELSEWHERE", 1);
    let parts = [
        ["mapping", "map.toml", mapping],
        ["explain", "", "10"],
        ["file", "/out/guide.csv", &changed],
    ];
    let (found, view) = compare(&parts).await;
    assert_eq!(view["answer"], "different", "{}", found.text());
    assert!(found.text().contains("ELSEWHERE"), "{}", found.text());
    // A file that cannot be read fails the job, and its message names no folder of the service.
    let (found, view) = compare(&[["file", "pfill_powerfill_guide.csv", "loan_id\n\"open"]]).await;
    assert_eq!(view["status"], "Failed", "{view}");
    let message = view["failure"]["message"].as_str().unwrap();
    assert!(message.contains("pfill_powerfill_guide.csv") && !message.contains("tmp"), "{message}");
    found.expect_problem(409, "job-not-complete");
}

#[tokio::test]
async fn an_export_is_mapped_by_a_draft_and_its_differences_get_classes() {
    let (service, run) = Service::with_run(CASE).await;
    let guide = guide(&service, run).await;
    let trade = guide.lines().nth(1).unwrap().split(',').nth(2).unwrap();
    let changed = guide.replacen(trade, "ELSEWHERE", 1);
    let file = ["file", "desk.csv", &*changed];
    let mut request = form(&service, run, &service.viewer, &[["file", "desk.csv", &guide]]);
    *request.uri_mut() = format!("/api/powerfill/runs/{run}/export-mapping").parse().unwrap();
    let drafted = service.send(request).await.ok().json()["mapping"].clone();
    let mapping = ["mapping", "", drafted.as_str().unwrap()];
    let compare = async |parts: &[[&str; 3]]| {
        let job = accepted(&service.send(form(&service, run, &service.viewer, parts)).await);
        ended(&service, &job).await;
        service.get(&format!("{job}/result")).await.ok().json()
    };
    let found = compare(&[mapping, ["rows", "", "1"], file]).await;
    assert_eq!(found["answer"], "different", "{found}");
    assert!(found["tables"][0]["differences"].as_array().unwrap().len() < 2, "{found}");
    let proposed = found["proposed_classifications"].as_str().unwrap();
    let filled = proposed.replace("class = \"\"", "class = \"bug\"");
    let found = compare(&[mapping, ["classifications", "", &filled], file]).await;
    assert_eq!(
        (&found["answer"], &found["proposed_classifications"]),
        (&json!("same"), &json!(null))
    );
    for part in ["mapping", "classifications"] {
        let answer = service.send(form(&service, run, &service.viewer, &[[part, "", "="], file]));
        assert_eq!(answer.await.expect_problem(400, "bad-request")["field"], part);
    }
}

#[tokio::test]
async fn a_form_without_the_files_of_an_export_is_refused() {
    let (service, run) = Service::with_run(CASE).await;
    let refused: [(&[[&str; 3]], &str); 6] = [
        (&[], "at least one"),
        (&[["file", "", "x"]], "has a name"),
        (&[["file", "../.hidden", "x"]], "has a name"),
        (&[["file", "a.csv", "x"], ["file", "a.csv", "y"]], "too many"),
        (&[["explain", "", "10001"]], "0 to 10000"),
        (&[["mapping", "map.toml", "[tables.unknown]"]], "unknown"),
    ];
    for (parts, why) in refused {
        let answer = service.send(form(&service, run, &service.viewer, parts)).await;
        let problem = answer.expect_problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    }
    let path = format!("/runs/{run}/export-comparisons");
    service.post(&path, Some("{}")).await.expect_problem(415, "media-type");
    let large = "x".repeat(65 << 20);
    let answer = form(&service, run, &service.viewer, &[["file", "a.csv", &large]]);
    service.send(answer).await.expect_problem(413, "too-large");
}

#[tokio::test]
async fn jobs_wait_for_their_turn_and_can_be_cancelled() {
    let (service, run) = Service::with_run(CASE).await;
    let guide = guide(&service, run).await;
    let held = service.hold_export();
    let files = [["file", "pfill_powerfill_guide.csv", &*guide]];
    let first = accepted(&service.send(form(&service, run, &service.operator, &files)).await);
    eventually("the job is worked on", async || {
        service.get(&first).await.json()["status"] == "Running"
    })
    .await;
    // The token has one audit at a time.
    let replays = format!("/runs/{run}/replays");
    let second = accepted(&service.post(&replays, None).await);
    assert_eq!(service.get(&second).await.json()["status"], "Pending");
    let no_result = service.get(&format!("{second}/result")).await;
    no_result.expect_problem(409, "job-not-complete");
    assert_eq!(no_result.headers["retry-after"], "1");
    let cancel = format!("{second}/cancel");
    let by_another = service.send_with(("POST", &cancel, &service.viewer), &[], None).await;
    by_another.expect_problem(403, "forbidden");
    let cancelled = service.post(&cancel, None).await;
    assert_eq!(accepted(&cancelled), second);
    let view = cancelled.json();
    assert_eq!((&view["status"], &view["cancelled_by"]), (&json!("Cancelled"), &json!("otto")));
    service.post(&cancel, None).await.expect_problem(409, "job-over");

    // A token has few unfinished jobs, and another one still has its own.
    let mut accepted_jobs = 1;
    let refused = loop {
        let answer = service.post(&replays, None).await;
        if answer.status != 202 {
            break answer;
        }
        accepted_jobs += 1;
    };
    refused.expect_problem(503, "unavailable");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(accepted_jobs, 8);
    let of_another = service.send_with(("POST", &replays, &service.viewer), &[], None).await;
    assert_eq!(ended(&service, &accepted(&of_another)).await["answer"], "reproduced");

    // What was cancelled while it was worked on has ended too.
    service.post(&format!("{first}/cancel"), None).await.ok();
    drop(held);
    let third = accepted(&service.send(form(&service, run, &service.viewer, &files)).await);
    assert_eq!(ended(&service, &third).await["answer"], "same");
}

#[tokio::test]
async fn a_job_ends_with_its_token_and_is_forgotten_after_an_hour() {
    let (service, run) = Service::with_run(CASE).await;
    let guide = guide(&service, run).await;
    let token = service.token(TokenRole::Viewer, "vito");
    let held = service.hold_export();
    let files = [["file", "pfill_powerfill_guide.csv", &*guide]];
    accepted(&service.send(form(&service, run, &token, &files)).await);
    let path = format!("/runs/{run}/replays");
    let waiting = accepted(&service.send_with(("POST", &path, &token), &[], None).await);
    let id = service.tokens().all().unwrap().last().unwrap().id.clone();
    service.tokens().revoke(&id).unwrap();
    drop(held);
    let view = ended(&service, &waiting).await;
    assert_eq!(view["failure"]["code"], "unauthorized", "{view}");

    let (view, _) = result(&service, &format!("/runs/{run}/replays"), None).await;
    let job = format!("/jobs/{}", view["job_id"].as_str().unwrap());
    let [from, until] = [NOW, NOW + 3 * HOUR].map(Timestamp::from_micros);
    let (_, late) = service.tokens().create("one", TokenRole::Viewer, "late", from, until).unwrap();
    let get = || service.send_with(("GET", &job, &late), &[], None);
    service.advance_clock(HOUR - 1);
    get().await.ok();
    service.advance_clock(1);
    get().await.expect_problem(404, "not-found");
}
