//! Sessions of browsers: a token becomes a cookie, which changes nothing without a CSRF token and
//! ends with its tokens.

use axum::body::Body;
use axum::http::Request;
use powerfill_events::values::Timestamp;
use powerfill_http::tokens::TokenRole;
use serde_json::{Value, json};

use crate::service::{Answer, HOUR, NOW, Service};

const SESSION: &str = "/api/powerfill/session";

/// A browser: it keeps the cookie, and the CSRF token of the last session that it saw.
struct Browser<'s> {
    service: &'s Service,
    cookie: Option<String>,
    csrf: Option<String>,
}

impl<'s> Browser<'s> {
    const fn new(service: &'s Service) -> Self {
        Self { service, cookie: None, csrf: None }
    }

    async fn send(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let headers = [("x-tenant-id", "one"), ("host", "powerfill.example")];
        self.send_with(method, path, body, &headers).await
    }

    async fn send_with(
        &mut self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("theme=dark; {cookie}; other=1"));
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        let body = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header("content-type", "application/json");
                body.to_string().into()
            }
        };
        let answer = self.service.send(request.body(body).unwrap()).await;
        if let Some(cookie) = answer.headers.get("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = (!cookie.ends_with('=')).then(|| cookie.to_owned());
        }
        if path == SESSION && answer.status == 200 {
            self.csrf = answer.json()["csrf"].as_str().map(str::to_owned);
        }
        answer
    }

    async fn enter(&mut self, token: &str) -> Answer {
        self.send("POST", SESSION, Some(json!({ "token": token }))).await
    }

    async fn session(&mut self) -> Value {
        self.send("GET", SESSION, None).await.ok().json()
    }

    async fn status(&mut self) -> Answer {
        self.send("GET", "/api/powerfill/status", None).await
    }
}

#[tokio::test]
async fn a_token_becomes_a_cookie_that_ends_when_the_browser_says_so() {
    let service = Service::new();
    let mut browser = Browser::new(&service);
    let stranger = browser.session().await;
    assert_eq!(stranger["required"], true);
    assert_eq!(stranger["authenticated"], false);
    assert_eq!(stranger["tenants"], json!([]));
    browser.status().await.expect_problem(401, "unauthorized");
    for wrong in ["", "pf_0", &service.viewer[..10]] {
        browser.enter(wrong).await.expect_problem(401, "unauthorized");
    }
    let entered = browser.enter(&service.operator).await.ok();
    let cookie = entered.headers["set-cookie"].to_str().unwrap();
    for part in ["powerfill=", "; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=3600"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains(&service.operator), "{cookie}");
    assert_eq!(entered.headers["cache-control"], "no-store");
    let session = browser.session().await;
    assert_eq!(session, entered.json());
    assert_eq!(session["authenticated"], true);
    let tenant = &session["tenants"][0];
    assert_eq!(
        [&tenant["tenant_id"], &tenant["role"], &tenant["actor"]],
        ["one", "operator", "otto"]
    );
    assert_eq!(browser.status().await.ok().json()["actor"], "otto");
    let kept = browser.cookie.clone();
    assert_eq!(browser.send("DELETE", SESSION, None).await.status, 204);
    assert_eq!(browser.cookie, None);
    // The service has forgotten it too, not only the browser.
    browser.cookie = kept;
    browser.status().await.expect_problem(401, "unauthorized");
    assert_eq!(browser.send("DELETE", SESSION, None).await.status, 204);
}

#[tokio::test]
async fn over_tls_the_cookie_is_secure_and_of_this_host_only() {
    let service = Service::new();
    for header in [("origin", "https://powerfill.example"), ("x-forwarded-proto", "https")] {
        let mut browser = Browser::new(&service);
        let token = json!({ "token": service.viewer });
        let entered = browser.send_with("POST", SESSION, Some(token), &[header]).await.ok();
        let cookie = entered.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with("__Host-powerfill="), "{cookie}");
        assert!(cookie.contains("; Secure"), "{cookie}");
        browser.status().await.ok();
        let ended = browser.send_with("DELETE", SESSION, None, &[header]).await;
        let cookie = ended.headers["set-cookie"].to_str().unwrap();
        assert!(
            cookie.starts_with("__Host-powerfill=;") && cookie.contains("Max-Age=0"),
            "{cookie}"
        );
    }
}

#[tokio::test]
async fn a_change_by_cookie_needs_the_csrf_token_of_its_session() {
    let service = Service::new();
    let mut browser = Browser::new(&service);
    browser.enter(&service.operator).await.ok();
    let other = {
        let mut other = Browser::new(&service);
        other.enter(&service.operator).await.ok();
        other.csrf
    };
    let own = browser.csrf.clone();
    for csrf in [None, Some(String::new()), Some("0".repeat(64)), other] {
        browser.csrf = csrf;
        let run = browser.send("POST", "/api/powerfill/run", Some(json!({}))).await;
        run.expect_problem(403, "csrf");
        browser.send("DELETE", SESSION, None).await.expect_problem(403, "csrf");
        // Another token cannot be slipped into a session either.
        browser.enter(&service.viewer).await.expect_problem(403, "csrf");
        browser.status().await.ok();
    }
    browser.csrf = own;
    browser.send("POST", "/api/powerfill/run", Some(json!({}))).await.ok();
    // A bearer token needs none, and comes before a cookie.
    let by_bearer = service.send_with(("POST", "/preflight", &service.viewer), &[], Some("{}"));
    by_bearer.await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn a_session_ends_with_its_token_or_after_twelve_hours() {
    let service = Service::new();
    let mut browser = Browser::new(&service);
    browser.enter(&service.operator).await.ok();
    let tokens = service.tokens().all().unwrap();
    let operator = tokens.iter().find(|token| token.name == "otto").unwrap();
    service.tokens().revoke(&operator.id).unwrap();
    browser.status().await.expect_problem(401, "unauthorized");
    let session = browser.session().await;
    assert_eq!([&session["authenticated"], &session["csrf"]], [&json!(false), &Value::Null]);
    let late = Timestamp::from_micros(NOW + 100 * HOUR);
    let (now, role) = (Timestamp::from_micros(NOW), TokenRole::Viewer);
    let (_, lasting) = service.tokens().create("one", role, "lena", now, late).unwrap();
    // The cookie of the revoked token does not stand in the way.
    let entered = browser.enter(&lasting).await.ok();
    assert!(entered.headers["set-cookie"].to_str().unwrap().contains("Max-Age=43200"));
    service.advance_clock(12 * HOUR - 1);
    browser.status().await.ok();
    service.advance_clock(1);
    browser.status().await.expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn tokens_of_several_tenants_are_one_session() {
    let service = Service::new();
    let mut browser = Browser::new(&service);
    browser.enter(&service.viewer).await.ok();
    let first = browser.cookie.clone();
    let both = browser.enter(&service.other_tenant).await.ok().json();
    assert_ne!(browser.cookie, first, "a session that grows gets another secret");
    let roles: Vec<[&str; 2]> = both["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tenant| ["tenant_id", "role"].map(|name| tenant[name].as_str().unwrap()))
        .collect();
    assert_eq!(roles, [["one", "viewer"], ["other", "admin"]]);
    for tenant in ["one", "other"] {
        let header = [("x-tenant-id", tenant)];
        let status = browser.send_with("GET", "/api/powerfill/status", None, &header).await;
        assert_eq!(status.ok().json()["tenant_id"], tenant);
        let path = format!("/api/powerfill/status?X-Tenant-Id={tenant}");
        let status = browser.send_with("GET", &path, None, &[]).await;
        assert_eq!(status.ok().json()["tenant_id"], tenant);
    }
    // A role counts for its own tenant only.
    let path = "/metrics";
    browser.send("GET", path, None).await.expect_problem(403, "forbidden");
    browser.send_with("GET", path, None, &[("x-tenant-id", "other")]).await.ok();
    // Another token of the same tenant takes the place of the first.
    let stronger = browser.enter(&service.operator).await.ok().json();
    assert_eq!(stronger["tenants"][0]["role"], "operator");
    assert_eq!(stronger["tenants"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_tenant_of_a_query_counts_for_reading_only() {
    let service = Service::new();
    let send = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let bearer = format!("Bearer {}", service.operator);
        let request =
            request.header("authorization", bearer).header("content-type", "application/json");
        service.send(request.body(Body::from("{}")).unwrap())
    };
    send("GET", "/api/powerfill/runs?limit=5&x-tenant-id=one").await.ok();
    send("GET", "/api/powerfill/runs?x-tenant-id=%6fne&limit=0")
        .await
        .expect_problem(400, "bad-request");
    send("GET", "/api/powerfill/runs?x-tenant-id=other").await.expect_problem(403, "forbidden");
    let twice = "/api/powerfill/runs?x-tenant-id=one&x-tenant-id=other";
    send("GET", twice).await.expect_problem(400, "bad-request");
    let change = "/api/powerfill/run?x-tenant-id=one";
    send("POST", change).await.expect_problem(400, "bad-request");
}

#[tokio::test]
async fn a_session_outlasts_a_restart_and_its_file_makes_no_cookie() {
    let service = Service::new();
    let mut browser = Browser::new(&service);
    browser.enter(&service.viewer).await.ok();
    let file = service.file("powerfill-sessions.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let secret = browser.cookie.clone().unwrap().replace("powerfill=", "");
    assert!(!text.contains(&secret) && !text.contains(&service.viewer), "{text}");
    let hash = text.split("hash = \"").nth(1).unwrap().split('"').next().unwrap();
    browser.cookie = Some(format!("powerfill={hash}"));
    browser.status().await.expect_problem(401, "unauthorized");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0);
    }
    let restarted = service.restarted();
    let mut again = Browser::new(&restarted);
    again.cookie = Some(format!("powerfill={secret}"));
    again.status().await.ok();
    // A file that cannot be read lets no caller in.
    std::fs::write(&file, "session = 1").unwrap();
    again.status().await.expect_problem(500, "internal");
}

#[tokio::test]
async fn without_tokens_this_machine_needs_no_session() {
    let service = Service::without_tokens();
    let mut browser = Browser::new(&service);
    let local = [("host", "127.0.0.1:7878")];
    let answer = browser.send_with("GET", SESSION, None, &local).await.ok().json();
    assert_eq!([&answer["required"], &answer["authenticated"]], [&json!(false), &json!(true)]);
    assert_eq!(answer["tenants"].as_array().unwrap().len(), 2);
    assert_eq!(answer["tenants"][0]["role"], "admin");
    let entered = json!({ "token": "pf_0" });
    let begun = browser.send_with("POST", SESSION, Some(entered), &local).await.ok();
    assert!(!begun.headers.contains_key("set-cookie"));
    // A page of another name that resolves to this machine learns nothing.
    browser.send("GET", SESSION, None).await.expect_problem(403, "forbidden");
}
