//! The service against its own OpenAPI document: schemathesis makes requests from it, good and bad
//! ones, and looks at the answers (specification 5.4). `tests/run.sh` installs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::served::{Server, desk};

/// Everything that is asked of an answer. Left out is that whatever the document allows is
/// accepted: that a cursor is of this page, or a run of this store, no schema can say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,missing_required_header,\
    unsupported_method,allow_header_conformance,ignored_auth";

/// What counts as a refusal of bad input: what does by itself, and that a token is stale, which is
/// looked at first.
const REFUSALS: &str = "[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 415, 422, 429]
";

fn schemathesis() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var_os("POWERFILL_SCHEMATHESIS").map(PathBuf::from);
    let found = given.unwrap_or_else(|| top.join("target/schemathesis/bin/schemathesis"));
    assert!(
        found.is_file(),
        "schemathesis is not there: tests/run.sh installs it, or name it in POWERFILL_SCHEMATHESIS"
    );
    found
}

#[test]
fn no_request_is_answered_otherwise_than_the_document_says() {
    let desk = desk();
    desk.ask("run --tenant GENERATED");
    let token = desk.ask("token create --tenant GENERATED --name ann --role admin");
    let server = Server::start(&desk, &["--requests-per-second", "100000"]);
    std::fs::write(desk.path("schemathesis.toml"), REFUSALS).expect("settings are written");
    let ran = Command::new(schemathesis())
        .current_dir(desk.path(""))
        .arg("run")
        .arg(format!("http://{}/api/powerfill/openapi.json", server.address))
        .args(["--header", &format!("Authorization: Bearer {}", token.trim())])
        .args(["--header", "X-Tenant-Id: GENERATED", "--checks", CHECKS, "--seed", "7"])
        // It never ends by itself; tests/http/streams.rs asks it.
        .args(["--exclude-path", "/api/powerfill/events/stream"])
        .args(["--max-examples", "10", "--request-timeout", "60", "--no-color"])
        .output()
        .expect("schemathesis runs");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    // It did what it is there for.
    let generated = said.lines().find_map(|line| line.trim().split_once(" generated, "));
    let generated: usize =
        generated.and_then(|(count, _)| count.parse().ok()).unwrap_or_else(|| panic!("{said}"));
    assert!(generated > 500, "{generated} requests\n{said}");
    server.stop();
}
