//! The example of a consumer, as a process of its own: it prints each event once and in order, also when it is killed.

use std::io::{BufRead, BufReader};
use std::ops::RangeInclusive;
use std::process::{Child, Command, Stdio};

use powerfill_nats::{Access, Broker, STREAM};
use powerfill_tests::nats::OwnNats;

/// The example, which is built with the tests.
fn consumer(server: &OwnNats) -> Child {
    let here = std::env::current_exe().expect("a path");
    let example = here.ancestors().nth(2).expect("a folder").join("examples/consumer");
    let mut command = Command::new(example);
    command.args([&server.url(), "acme"]).stdout(Stdio::piped());
    command.spawn().expect("the example is built")
}

/// The first lines that it prints; then it is killed.
fn lines(mut consumer: Child, count: usize) -> Vec<String> {
    let out = BufReader::new(consumer.stdout.take().expect("it is piped"));
    let lines = out.lines().take(count).map(|line| line.expect("text")).collect();
    consumer.kill().and_then(|()| consumer.wait()).expect("it is killed");
    lines
}

#[tokio::test]
async fn it_takes_each_event_once_and_goes_on_where_it_was() {
    let server = OwnNats::start("");
    let access = Access { url: server.url(), ..Access::default() };
    Broker::connect(&access).await.expect("it makes the stream");
    let jetstream = server.jetstream().await;
    let send = async |tenant: &str, position: u64| {
        let subject = format!("powerfill.{tenant}.run.LoanAllocated");
        let event = format!("{{\"globalposition\":\"{position}\",\"type\":\"a.type\"}}");
        jetstream.publish(subject, event.into()).await.expect("sent").await.expect("taken");
    };
    for position in 1..=60 {
        send("acme", position).await;
        send("other", position).await;
    }
    let expected =
        |range: RangeInclusive<u64>| range.map(|at| format!("{at} a.type")).collect::<Vec<_>>();
    let first = lines(consumer(&server), 40);
    assert_eq!(first, expected(1..=40));
    // What it did not acknowledge before it was killed may come again; nothing is left out.
    let second = lines(consumer(&server), 15);
    let resumed: u64 = second[0].split(' ').next().and_then(|at| at.parse().ok()).expect("one");
    assert!((40..=42).contains(&resumed), "{second:?}");
    assert_eq!(second, expected(resumed..=resumed + 14));
    assert_eq!(server.messages(STREAM).await.len(), 120);
}
