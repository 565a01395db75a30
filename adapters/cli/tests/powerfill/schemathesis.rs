//! The service against its OpenAPI document: schemathesis derives valid and invalid requests from
//! it, and checks the responses (specification 5.4). `tests/run.sh` installs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::served::{Server, sandbox};

/// The checks of a response. That the service accepts every request that the document allows is not
/// checked, because no schema can say that a cursor or a run must exist.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,missing_required_header,\
    unsupported_method,allow_header_conformance,ignored_auth";

/// The statuses that refuse invalid input: the default ones, that of a stale token, which is
/// checked first, and 503, which refuses a request whose caller has too many others unfinished.
const REFUSALS: &str = "[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 415, 422, 429, 503]
[checks.not_a_server_error]
expected-statuses = [\"2xx\", \"3xx\", \"4xx\", 503]
";

fn schemathesis() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var_os("POWERFILL_SCHEMATHESIS").map(PathBuf::from);
    let program = given.unwrap_or_else(|| top.join("target/schemathesis/bin/schemathesis"));
    assert!(
        program.is_file(),
        "schemathesis is not there: tests/run.sh installs it, or name it in POWERFILL_SCHEMATHESIS"
    );
    program
}

#[test]
fn every_response_conforms_to_the_document() {
    let sandbox = sandbox();
    let settings = sandbox.read("powerfill.toml");
    sandbox.write("powerfill.toml", settings + "configuration = \"managed\"\n");
    sandbox.run_ok("config import --tenant GENERATED");
    sandbox.run_ok("run --tenant GENERATED");
    let token = sandbox.run_ok("token create --tenant GENERATED --name ann --role admin");
    let server = Server::start(&sandbox, &["--requests-per-second", "100000"]);
    sandbox.write("schemathesis.toml", REFUSALS);
    let ran = Command::new(schemathesis())
        .current_dir(sandbox.path(""))
        .arg("run")
        .arg(format!("http://{}/api/powerfill/openapi.json", server.address))
        .args(["--header", &format!("Authorization: Bearer {}", token.trim())])
        .args(["--header", "X-Tenant-Id: GENERATED", "--checks", CHECKS, "--seed", "7"])
        // This response never ends; tests/tests/http/streams.rs tests it.
        .args(["--exclude-path", "/api/powerfill/events/stream"])
        .args(["--max-examples", "10", "--request-timeout", "60", "--no-color"])
        .output()
        .expect("schemathesis runs");
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{printed}{}", String::from_utf8_lossy(&ran.stderr));
    // A run without requests proves nothing.
    let generated = printed.lines().find_map(|line| line.trim().split_once(" generated, "));
    let generated: usize =
        generated.and_then(|(count, _)| count.parse().ok()).unwrap_or_else(|| panic!("{printed}"));
    assert!(generated > 500, "{generated} requests\n{printed}");
    server.stop();
}
