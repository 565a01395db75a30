//! The OpenAPI document in the hands of openapi-generator: its client for Python lives a whole day
//! with a service, and a strict compiler accepts its client for TypeScript (specification 5.4).
//! `tests/run.sh` installs the generator, with a runtime of Java.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::openapi_npm;
use crate::sandbox::{CommandOutput, Sandbox};
use crate::served::{Server, sandbox};

const EXPECTED: &str = "\
configure: 412 stale
history: RuleLinked ann
preflight refuses: False
again: True
run: Complete 1.00 True
pages: True
value: True True
loan: allocated True True
pair: candidate chosen
trade: True True
what if: True
replay: reproduced
diff: different True ['price_mode']
classes: True True
try: price_mode=po True
challenge: Complete True
found: True
verify: whole True
export: same
files: b'PK' b'PK'
";

fn tool(name: &str) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var_os("POWERFILL_OPENAPI_GENERATOR").map(PathBuf::from);
    let tools = given.unwrap_or_else(|| top.join("target/openapi-generator/bin"));
    assert!(
        tools.join("openapi-generator-cli").is_file(),
        "openapi-generator is not there: tests/run.sh installs it, or name its folder in \
         POWERFILL_OPENAPI_GENERATOR"
    );
    // The interpreter is a link to that of the system, and knows its packages by its place.
    fs::canonicalize(tools).expect("a folder").join(name)
}

fn run(sandbox: &Sandbox, program: &Path, args: &[&str]) -> CommandOutput {
    let mut command = Command::new(program);
    command.args(args).current_dir(sandbox.path("")).env("PYTHONPATH", "python");
    CommandOutput::from(command.output().expect("the tool starts")).success()
}

/// A client for a language in a folder of the sandbox.
fn generate(sandbox: &Sandbox, generator: &str, folder: &str) {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    fs::copy(document, sandbox.path("openapi.json")).expect("the document is there");
    let args = ["generate", "-i", "openapi.json", "-g", generator, "-o", folder];
    run(sandbox, &tool("openapi-generator-cli"), &args);
}

#[test]
fn a_client_for_python_lives_a_day() {
    let sandbox = sandbox();
    let settings = sandbox.read("powerfill.toml");
    let managed = format!("{settings}configuration = \"managed\"\n");
    sandbox.write("powerfill.toml", managed);
    sandbox.run_ok("config import --tenant GENERATED");
    let token = sandbox.run_ok("token create --tenant GENERATED --name ann --role admin");
    let server = Server::start(&sandbox, &[]);
    generate(&sandbox, "python", "python");
    sandbox.write("day.py", include_str!("day.py"));
    let address = format!("http://{}", server.address);
    let day = run(&sandbox, &tool("python"), &["day.py", &address, token.trim()]);
    assert_eq!(day.out, EXPECTED, "{}", day.err);
    server.stop();
}

#[test]
fn a_compiler_accepts_the_client_for_typescript() {
    let sandbox = sandbox();
    generate(&sandbox, "typescript-fetch", "typescript");
    let strictly = ["--noEmit", "--strict", "--target", "es2022"];
    let modules = ["--module", "esnext", "--moduleResolution", "bundler"];
    let client = ["--lib", "es2022,dom,dom.iterable", "typescript/index.ts"];
    run(&sandbox, &openapi_npm::tools().join("tsc"), &[&strictly[..], &modules, &client].concat());
}
