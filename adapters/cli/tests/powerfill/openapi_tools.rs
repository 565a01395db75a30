//! The OpenAPI document in the hands of other tools: a strict validator accepts it, and a client
//! that a generator makes from it works (specification 5.4). `tests/run.sh` installs both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{CommandOutput, Sandbox};
use crate::served::{Server, sandbox};

/// The generator knows no media types of metrics and of files.
const CONFIG: &str = "content_type_overrides:
  application/openmetrics-text: text/plain
  application/zip: application/octet-stream
  application/vnd.openxmlformats-officedocument.spreadsheetml.sheet: application/octet-stream
";

/// Lists runs and events, and asks for what does not exist, with the generated client.
const SCRIPT: &str = r#"
import sys
from client import AuthenticatedClient
from client.api.events import of_all
from client.api.runs import list_
from client.api.service import status

c = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
tenant = {"client": c, "x_tenant_id": "GENERATED"}
runs = list_.sync(**tenant)
print(len(runs.runs), runs.runs[0].status)
page = of_all.sync(**tenant, limit=2)
print(len(page.events), page.next_after)
print(status.sync(**tenant).tenant_id)
ahead = of_all.sync_detailed(**tenant, after=99999)
print(ahead.status_code.value, ahead.parsed.type_.value, ahead.parsed.head > 2)
"#;

fn tools() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var_os("POWERFILL_OPENAPI_TOOLS").map(PathBuf::from);
    let tools = given.unwrap_or_else(|| top.join("target/openapi/bin"));
    assert!(
        tools.join("openapi-python-client").is_file(),
        "the tools for OpenAPI are not there: tests/run.sh installs them, or name their folder in \
         POWERFILL_OPENAPI_TOOLS"
    );
    tools.canonicalize().expect("a folder")
}

/// Runs a tool in the sandbox. It finds the other tools by the path.
fn run(sandbox: &Sandbox, tool: &str, args: &[&str]) -> CommandOutput {
    let tools = tools();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(tools.join(tool));
    command.args(args).current_dir(sandbox.path("")).env("PATH", path);
    CommandOutput::from(command.output().expect("the tool starts")).success()
}

#[test]
fn a_validator_accepts_the_document_and_a_generated_client_works() {
    let sandbox = sandbox();
    sandbox.run_ok("run --tenant GENERATED");
    let token = sandbox.run_ok("token create --tenant GENERATED --name ann --role viewer");
    let server = Server::start(&sandbox, &["--no-workers"]);
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    fs::copy(document, sandbox.path("openapi.json")).expect("the document is there");
    sandbox.write("config.yaml", CONFIG);
    run(&sandbox, "openapi-spec-validator", &["openapi.json"]);
    let generate = ["generate", "--path", "openapi.json", "--output-path", "client"];
    let strictly = ["--meta", "none", "--config", "config.yaml", "--fail-on-warning"];
    run(&sandbox, "openapi-python-client", &[&generate[..], &strictly].concat());
    sandbox.write("ask.py", SCRIPT);
    let address = format!("http://{}", server.address);
    let asked = run(&sandbox, "python", &["ask.py", &address, token.trim()]);
    let expected = "1 Complete\n2 2\nGENERATED\n409 urn:powerfill:problem:position-ahead True\n";
    assert_eq!(asked.out, expected, "{}", asked.err);
    server.stop();
}
