//! Lost connections, servers that do not respond, and their error messages (specification 5.3).

use std::net::TcpListener;

use powerfill_snapshot::validate;
use powerfill_tests::proxy::{ProxyFault, TcpProxy};

use crate::Test;
use crate::loading::load;
use crate::publishing::{assert_shown, publish, run_case};
use crate::sandbox::{Sandbox, case};
use crate::server::{Schema, address, runtime, with};

pub(crate) const TESTS: &[Test] = tests! {
    faults:
    a_connection_lost_while_reading_is_repeated,
    a_connection_lost_while_publishing_is_repeated,
    a_server_that_stops_responding_keeps_the_former_run,
    errors_name_the_cause_without_secrets,
};

/// The URL with another port.
pub(crate) fn with_port(url: &str, port: u16) -> String {
    let parsed: url::Url = url.parse().expect("a URL");
    let own = parsed.port().expect("the test's URL names the port");
    url.replacen(&format!(":{own}/"), &format!(":{port}/"), 1)
}

pub(crate) fn server_port() -> u16 {
    let url: url::Url = address().expect("a server").parse().expect("a URL");
    url.port().expect("the test's URL names the port")
}

fn a_connection_lost_while_reading_is_repeated() {
    let schema = Schema::new();
    let raw = || {
        powerfill_csv::read_folder(&case("41").join("snapshot")).expect("the case has a snapshot")
    };
    load(&raw(), &schema);
    let digest = validate(raw()).expect("the snapshot has no faults").snapshot.digest();
    runtime().block_on(async {
        let mut cuts = 0;
        for message in (1..).step_by(4) {
            for cut in [ProxyFault::DropRequest, ProxyFault::DropResponse] {
                let proxy = TcpProxy::to_port(server_port()).await;
                proxy.fail_at_message(message, cut);
                let url = with_port(&schema.url(), proxy.port()).parse().expect("a URL");
                let read =
                    powerfill_sqlserver::source::read(&url).await.expect("the snapshot is read");
                assert_eq!(
                    validate(read).expect("the snapshot has no faults").snapshot.digest(),
                    digest
                );
                cuts += u32::from(proxy.has_failed());
            }
            if cuts < message as u32 / 2 {
                break;
            }
        }
        assert!(cuts > 10, "{cuts} cuts");
    });
}

fn a_connection_lost_while_publishing_is_repeated() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let runs = [run_case(&sandbox, "41", &[]), run_case(&sandbox, "41", &["--price-mode", "pc"])];
    publish(&sandbox, &runs[1], &schema.url()).success();
    let runtime = runtime();
    let mut cuts = 0;
    for (turn, message) in (3..).step_by(11).enumerate() {
        let cut = [ProxyFault::DropRequest, ProxyFault::DropResponse][turn % 2];
        let proxy = runtime.block_on(TcpProxy::to_port(server_port()));
        proxy.fail_at_message(message, cut);
        let run = &runs[turn % 2];
        publish(&sandbox, run, &with_port(&schema.url(), proxy.port())).success();
        assert_eq!(&schema.shown(), run, "cut at {message}");
        if !proxy.has_failed() {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 5, "{cuts} cuts");
    assert_shown(&sandbox, &schema, &schema.shown());
}

fn a_server_that_stops_responding_keeps_the_former_run() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let former = run_case(&sandbox, "41", &["--publish", &schema.url()]);
    let run = run_case(&sandbox, "41", &["--price-mode", "pc"]);
    let runtime = runtime();
    for message in [8, 110] {
        let proxy = runtime.block_on(TcpProxy::to_port(server_port()));
        proxy.fail_at_message(message, ProxyFault::Stall);
        let url = with(&with_port(&schema.url(), proxy.port()), "timeout=1");
        let published = publish(&sandbox, &run, &url);
        assert!(proxy.has_failed(), "message {message}");
        published.fails_with(2, &["timeout=SECONDS"]);
        // The stalled sessions hold locks until they end.
        proxy.disconnect_all();
        publish(&sandbox, &former, &schema.url()).success();
        assert_shown(&sandbox, &schema, &former);
    }
}

fn errors_name_the_cause_without_secrets() {
    let (schema, sandbox) = (Schema::migrated(), Sandbox::new());
    let run = run_case(&sandbox, "41", &[]);
    let url = schema.url();
    let (before, after) = url.split_once('@').expect("a user");
    let (user, secret) = before.rsplit_once(':').expect("a password");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let unused =
        TcpListener::bind("127.0.0.1:0").map(|port| port.local_addr().expect("a port").port());
    let mut cases = vec![
        (format!("{user}:n0t-{secret}@{after}"), vec!["check the user and the password"]),
        (format!("{user}@{after}"), vec!["there is no password", "MSSQL_PASSWORD"]),
        (with_port(&url, unused.expect("a port")), vec!["check host and port"]),
        (
            with(&with_port(&url, silent.local_addr().expect("a port").port()), "timeout=1"),
            vec!["no answer within 1 s"],
        ),
        (with_unknown_database(&url), vec!["check the database's name"]),
    ];
    let has = |option| url.contains(option);
    if (has("ca=") || has("trust=")) && !has("encrypt=false") {
        cases.push((without_authority(&url), vec!["check encrypt, trust, and ca"]));
    }
    for (url, words) in cases {
        for answer in [sandbox.run(["check", &url]), publish(&sandbox, &run, &url)] {
            answer.fails_with(2, &words);
            assert!(!answer.err.contains(secret), "{}", answer.err);
        }
    }
}

/// The URL of a database that does not exist.
fn with_unknown_database(url: &str) -> String {
    let mut parsed: url::Url = url.parse().expect("a URL");
    parsed.set_path("/no_such_database");
    parsed.to_string()
}

/// The URL without the options that say which certificate to trust.
fn without_authority(url: &str) -> String {
    let mut parsed: url::Url = url.parse().expect("a URL");
    let kept: Vec<(String, String)> = parsed
        .query_pairs()
        .filter(|(name, _)| name != "ca" && name != "trust")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    parsed.query_pairs_mut().clear().extend_pairs(kept);
    parsed.to_string()
}
