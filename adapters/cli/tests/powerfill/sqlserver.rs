//! What the binary says of SQL Servers without one: URLs, settings, servers that are not there.
//! `tests/sqlserver` has the rest.

use std::net::TcpListener;

use crate::desk::{Desk, case, options, source};

/// A port where nobody listens.
fn nobody() -> String {
    let port =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("a port").port();
    format!("mssql://desk:s3cret@127.0.0.1:{port}/Lender?timeout=2")
}

#[test]
fn a_url_that_is_none_is_refused_without_its_password() {
    let desk = Desk::new();
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
            let answer = desk.powerfill(&args);
            answer.refuses(2, &[words]);
            assert!(
                !answer.err.contains("s3cret") && !answer.out.contains("s3cret"),
                "{}",
                answer.err
            );
        }
    }
}

#[test]
fn a_server_that_is_not_there_leaves_the_run_and_says_how_to_go_on() {
    let (desk, case, url) = (Desk::new(), case("41"), nobody());
    for args in [vec!["check", &url], vec!["migrate", "--target", &url]] {
        let answer = desk.powerfill(&args);
        answer.refuses(2, &["mssql://desk@127.0.0.1", "check host and port"]);
        assert!(!answer.err.contains("s3cret"), "{}", answer.err);
    }
    let (source, options) = (source(&case), options(&case));
    let ran = desk.powerfill(["run", &source, "--options", &options, "--publish", &url]);
    ran.refuses(2, &["the run is recorded", "powerfill publish", "check host and port"]);
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
    let runs = desk.ask("runs --format csv");
    assert!(runs.contains("Complete"), "{runs}");
    desk.powerfill(["publish", "--to", &url]).refuses(2, &["connecting", "check host and port"]);
    desk.powerfill(["diff", "latest", "--against", &url]).refuses(2, &["connecting"]);
}

#[test]
fn where_to_publish_comes_from_the_tenant_and_is_asked_for_where_nobody_says() {
    let desk = Desk::new();
    desk.ask("migrate");
    desk.type_in("publish").refuses(2, &["where to?", "--to mssql://"]);
    let settings = |publish: &str| {
        let text = format!("[tenants.W]\nstore = \"sqlite:w.db\"\n{publish}");
        std::fs::write(desk.path("powerfill.toml"), text).expect("settings are written");
    };
    settings("");
    desk.type_in("publish --tenant W").refuses(2, &["where to?", "[tenants.ID]"]);
    desk.type_in("publish --follow --all-tenants").refuses(2, &["no tenant", "set publish"]);
    settings("publish = \"mssql://desk:s3cret@db.example\"\n");
    let refused = desk.type_in("runs --tenant W");
    refused.refuses(2, &["powerfill.toml, tenants.W.publish", "has no database"]);
    assert!(!refused.err.contains("s3cret"), "{}", refused.err);
    settings("publish = \"mssql://desk@db.example/Lender\"\npublish_password_file = \"nowhere\"\n");
    desk.type_in("publish --tenant W").refuses(2, &["publish_password_file nowhere"]);
}
