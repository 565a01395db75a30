//! Connections that break, servers that do not answer, and what is said of it (specification 5.3).

use std::net::TcpListener;

use powerfill_snapshot::validate;
use powerfill_tests::proxy::{ProxyFault, TcpProxy};

use crate::Test;
use crate::desk::{Desk, case};
use crate::loading::load;
use crate::publishing::{published, ran, shows};
use crate::server::{Schema, address, runtime, with};

pub(crate) const TESTS: &[Test] = &[
    (
        "faults::a_connection_cut_while_it_reads_is_made_again",
        a_connection_cut_while_it_reads_is_made_again,
    ),
    (
        "faults::a_connection_cut_while_it_publishes_is_made_again",
        a_connection_cut_while_it_publishes_is_made_again,
    ),
    (
        "faults::a_server_that_falls_silent_leaves_the_former_run",
        a_server_that_falls_silent_leaves_the_former_run,
    ),
    ("faults::what_is_wrong_is_said_without_secrets", what_is_wrong_is_said_without_secrets),
];

/// The URL by another port.
fn by(url: &str, port: u16) -> String {
    let parsed: url::Url = url.parse().expect("a URL");
    let own = parsed.port().expect("the test's URL names the port");
    url.replacen(&format!(":{own}/"), &format!(":{port}/"), 1)
}

fn port() -> u16 {
    let url: url::Url = address().expect("a server").parse().expect("a URL");
    url.port().expect("the test's URL names the port")
}

fn a_connection_cut_while_it_reads_is_made_again() {
    let schema = Schema::new();
    let raw = || powerfill_csv::read_folder(&case("41").join("snapshot")).expect("it is there");
    load(&raw(), &schema);
    let digest = validate(raw()).expect("it is sound").snapshot.digest();
    runtime().block_on(async {
        let mut cuts = 0;
        for message in (1..).step_by(4) {
            for cut in [ProxyFault::DropRequest, ProxyFault::DropResponse] {
                let proxy = TcpProxy::to_port(port()).await;
                proxy.fail_at_message(message, cut);
                let url = by(&schema.url(), proxy.port()).parse().expect("a URL");
                let read = powerfill_sqlserver::source::read(&url).await.expect("it is read");
                assert_eq!(validate(read).expect("it is sound").snapshot.digest(), digest);
                cuts += u32::from(proxy.has_failed());
            }
            if cuts < message as u32 / 2 {
                break;
            }
        }
        assert!(cuts > 10, "{cuts} cuts");
    });
}

fn a_connection_cut_while_it_publishes_is_made_again() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let runs = [ran(&desk, "41", &[]), ran(&desk, "41", &["--price-mode", "pc"])];
    published(&desk, &runs[1], &schema.url()).well();
    let runtime = runtime();
    let mut cuts = 0;
    for (turn, message) in (3..).step_by(11).enumerate() {
        let cut = [ProxyFault::DropRequest, ProxyFault::DropResponse][turn % 2];
        let proxy = runtime.block_on(TcpProxy::to_port(port()));
        proxy.fail_at_message(message, cut);
        let run = &runs[turn % 2];
        published(&desk, run, &by(&schema.url(), proxy.port())).well();
        assert_eq!(&schema.shown(), run, "cut at {message}");
        if !proxy.has_failed() {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 5, "{cuts} cuts");
    shows(&desk, &schema, &schema.shown());
}

fn a_server_that_falls_silent_leaves_the_former_run() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let former = ran(&desk, "41", &["--publish", &schema.url()]);
    let run = ran(&desk, "41", &["--price-mode", "pc"]);
    let runtime = runtime();
    for message in [8, 110] {
        let proxy = runtime.block_on(TcpProxy::to_port(port()));
        proxy.fail_at_message(message, ProxyFault::Stall);
        let url = with(&by(&schema.url(), proxy.port()), "timeout=1");
        let said = published(&desk, &run, &url);
        assert!(proxy.has_failed(), "message {message}");
        said.refuses(2, &["timeout=SECONDS"]);
        // What the silent sessions hold is let go with them.
        proxy.disconnect_all();
        published(&desk, &former, &schema.url()).well();
        shows(&desk, &schema, &former);
    }
}

fn what_is_wrong_is_said_without_secrets() {
    let (schema, desk) = (Schema::migrated(), Desk::new());
    let run = ran(&desk, "41", &[]);
    let url = schema.url();
    let (before, after) = url.split_once('@').expect("a user");
    let (user, secret) = before.rsplit_once(':').expect("a password");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody =
        TcpListener::bind("127.0.0.1:0").map(|port| port.local_addr().expect("a port").port());
    let mut cases = vec![
        (format!("{user}:n0t-{secret}@{after}"), vec!["check the user and the password"]),
        (format!("{user}@{after}"), vec!["there is no password", "MSSQL_PASSWORD"]),
        (by(&url, nobody.expect("a port")), vec!["check host and port"]),
        (
            with(&by(&url, silent.local_addr().expect("a port").port()), "timeout=1"),
            vec!["no answer within 1 s"],
        ),
        (elsewhere(&url), vec!["check the database's name"]),
    ];
    let says = |option| url.contains(option);
    if (says("ca=") || says("trust=")) && !says("encrypt=false") {
        cases.push((without_authority(&url), vec!["check encrypt, trust, and ca"]));
    }
    for (url, words) in cases {
        for answer in [desk.powerfill(["check", &url]), published(&desk, &run, &url)] {
            answer.refuses(2, &words);
            assert!(!answer.err.contains(secret), "{}", answer.err);
        }
    }
}

/// The URL of a database that there is not.
fn elsewhere(url: &str) -> String {
    let mut parsed: url::Url = url.parse().expect("a URL");
    parsed.set_path("/no_such_database");
    parsed.to_string()
}

/// The URL without what says whose certificate is to be believed.
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
