//! The OpenAPI document in the hands of tools from npm: a linter accepts it, and a client in
//! TypeScript that a generator makes from it is well typed and works (specification 5.4).
//! `tests/run.sh` installs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{CommandOutput, Sandbox};
use crate::served::{Server, sandbox};

/// Lists runs and events, tries an edit, and asks for what does not exist.
const SCRIPT: &str = r#"
import { createClient } from "./client/client";
import { list, ofAll, tryEdits } from "./client/sdk.gen";

declare const process: { argv: string[] };
const [, , baseUrl, token] = process.argv;
const client = createClient({ baseUrl, auth: () => token });
const headers = { "X-Tenant-Id": "GENERATED" };

async function main() {
  const runs = await list({ client, headers });
  const run = runs.data?.runs[0];
  console.log(runs.data?.runs.length, run?.status);
  const page = await ofAll({ client, headers, query: { limit: 2 } });
  console.log(page.data?.events.length, page.data?.next_after);
  const body = { base_run: run?.run_id, tries: [{ edits: ["price_mode=pc"] }] };
  const tried = await tryEdits({ client, headers, body });
  console.log(tried.data?.tries[0]?.name, tried.data?.base.failure);
  const ahead = await ofAll({ client, headers, query: { after: 99999 } });
  console.log(ahead.response.status, ahead.error?.type);
}

void main();
"#;

/// The compiler checks the client with the script; no other types are there.
const SETTINGS: &str = r#"{
  "compilerOptions": {
    "strict": true, "target": "es2022", "lib": ["es2022", "dom", "dom.iterable"], "types": [],
    "module": "commonjs", "moduleResolution": "node10", "outDir": "built"
  },
  "files": ["ask.ts"]
}"#;

pub(crate) fn tools() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var_os("POWERFILL_OPENAPI_NPM").map(PathBuf::from);
    let tools = given.unwrap_or_else(|| top.join("target/openapi-npm")).join("node_modules/.bin");
    assert!(
        tools.join("redocly").is_file(),
        "the tools for OpenAPI are not there: tests/run.sh installs them, or name their folder in \
         POWERFILL_OPENAPI_NPM"
    );
    tools.canonicalize().expect("a folder")
}

/// Runs a program in the sandbox. It asks no server for news about itself.
fn run(sandbox: &Sandbox, program: impl AsRef<Path>, args: &[&str]) -> CommandOutput {
    let mut command = Command::new(program.as_ref());
    command.args(args).current_dir(sandbox.path(""));
    command.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    CommandOutput::from(command.output().expect("the tool starts")).success()
}

#[test]
fn a_linter_accepts_the_document_and_a_typed_client_works() {
    let sandbox = sandbox();
    sandbox.run_ok("run --tenant GENERATED");
    let token = sandbox.run_ok("token create --tenant GENERATED --name ann --role operator");
    let server = Server::start(&sandbox, &["--no-workers"]);
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    fs::copy(document, sandbox.path("openapi.json")).expect("the document is there");
    let tools = tools();
    run(&sandbox, tools.join("redocly"), &["lint", "openapi.json"]);
    let generate = ["-i", "openapi.json", "-o", "client", "-c", "@hey-api/client-fetch"];
    run(&sandbox, tools.join("openapi-ts"), &generate);
    sandbox.write("ask.ts", SCRIPT);
    sandbox.write("tsconfig.json", SETTINGS);
    run(&sandbox, tools.join("tsc"), &["-p", "."]);
    let address = format!("http://{}", server.address);
    let asked = run(&sandbox, "node", &["built/ask.js", &address, token.trim()]);
    let expected =
        "1 Complete\n2 2\nprice_mode=pc null\n409 urn:powerfill:problem:position-ahead\n";
    assert_eq!(asked.out, expected, "{}", asked.err);
    server.stop();
}
