//! Errors about SQL Server that need no server: URLs, settings, unreachable servers.
//! `tests/sqlserver` has the other tests.

use std::net::TcpListener;

use crate::sandbox::{Sandbox, case, options, source};

/// The URL of a server that does not exist.
fn unreachable_url() -> String {
    let port =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("a port").port();
    format!("mssql://desk:s3cret@127.0.0.1:{port}/Lender?timeout=2")
}

#[test]
fn an_invalid_url_is_refused_without_its_password() {
    let sandbox = Sandbox::new();
    for (url, words) in [
        ("mssql://desk:s3cret@db.example", "has no database"),
        ("mssql://:s3cret@db.example/Lender", "has no user"),
        ("mssql://desk:s3cret@db.example/Lender?encrypt=perhaps", "encrypt has an invalid value"),
        ("mssql://desk:s3cret@db.example/Lender?s3cret=1", "schema=NAME"),
        ("mssql://desk:s3cret@db.example/Lender?schema=a'b", "schema has an invalid value"),
        ("mssql://desk:s3cret@db.example/Lender?timeout=soon", "timeout must be a number"),
    ] {
        for args in [
            vec!["check", url],
            vec!["publish", "--to", url, "--store", "sqlite:books.db"],
            vec!["migrate", "--target", url],
        ] {
            let answer = sandbox.run(&args);
            answer.fails_with(2, &[words]);
            assert!(
                !answer.err.contains("s3cret") && !answer.out.contains("s3cret"),
                "{}",
                answer.err
            );
        }
    }
}

#[test]
fn a_run_is_recorded_even_if_the_server_is_unreachable() {
    let (sandbox, case, url) = (Sandbox::new(), case("41"), unreachable_url());
    for args in [vec!["check", &url], vec!["migrate", "--target", &url]] {
        let answer = sandbox.run(&args);
        answer.fails_with(2, &["mssql://desk@127.0.0.1", "check host and port"]);
        assert!(!answer.err.contains("s3cret"), "{}", answer.err);
    }
    let (source, options) = (source(&case), options(&case));
    let ran = sandbox.run(["run", &source, "--options", &options, "--publish", &url]);
    ran.fails_with(2, &["the run is recorded", "powerfill publish", "check host and port"]);
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
    sandbox.prints("runs --format csv", &["Complete"]);
    sandbox.run(["publish", "--to", &url]).fails_with(2, &["connecting", "check host and port"]);
    sandbox.run(["diff", "latest", "--against", &url]).fails_with(2, &["connecting"]);
}

#[test]
fn the_publishing_target_comes_from_the_tenant_or_the_flag() {
    let sandbox = Sandbox::new();
    sandbox.run_ok("migrate");
    sandbox.run_line("publish").fails_with(2, &["where to?", "--to mssql://"]);
    let settings = |publish: &str| {
        let text = format!("[tenants.W]\nstore = \"sqlite:w.db\"\n{publish}");
        sandbox.write("powerfill.toml", text);
    };
    settings("");
    sandbox.run_line("publish --tenant W").fails_with(2, &["where to?", "[tenants.ID]"]);
    sandbox.run_line("publish --follow --all-tenants").fails_with(2, &["no tenant", "set publish"]);
    settings("publish = \"mssql://desk:s3cret@db.example\"\n");
    let refused = sandbox.run_line("runs --tenant W");
    refused.fails_with(2, &["powerfill.toml, tenants.W.publish", "has no database"]);
    assert!(!refused.err.contains("s3cret"), "{}", refused.err);
    settings("publish = \"mssql://desk@db.example/Lender\"\npublish_password_file = \"nowhere\"\n");
    sandbox.run_line("publish --tenant W").fails_with(2, &["publish_password_file nowhere"]);
}
