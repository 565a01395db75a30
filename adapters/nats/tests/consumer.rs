//! The example of a consumer, as a process: it prints each event once and in order, also if it is
//! killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use powerfill_nats::{NatsAccess, NatsBroker, STREAM};
use powerfill_tests::nats::NatsServer;

/// Starts the example, which is built with the tests.
fn start_consumer(server: &NatsServer) -> Child {
    let here = std::env::current_exe().expect("a path");
    let example = here.ancestors().nth(2).expect("a folder").join("examples/consumer");
    let mut command = Command::new(example);
    command.args([&server.url(), "acme"]).stdout(Stdio::piped());
    command.spawn().expect("the example is built")
}

/// Kills the consumer after it has printed this many lines, and returns the positions that it has
/// printed. These may be more.
fn kill_after(mut consumer: Child, enough: usize) -> Vec<u64> {
    let mut out = BufReader::new(consumer.stdout.take().expect("it is piped")).lines();
    let mut lines: Vec<_> = out.by_ref().take(enough).map(|line| line.expect("text")).collect();
    consumer.kill().and_then(|()| consumer.wait()).expect("it is killed");
    lines.extend(out.map(|line| line.expect("text")));
    let position = |line: &String| line.strip_suffix(" a.type").and_then(|at| at.parse().ok());
    lines.iter().map(|line| position(line).unwrap_or_else(|| panic!("{line:?}"))).collect()
}

#[tokio::test]
async fn each_event_is_printed_once_across_a_restart() {
    let server = NatsServer::start("");
    let access = NatsAccess { url: server.url(), ..NatsAccess::default() };
    NatsBroker::connect(&access).await.expect("it creates the stream");
    let jetstream = server.jetstream().await;
    let send = async |tenant: &str, position: u64| {
        let subject = format!("powerfill.{tenant}.run.LoanAllocated");
        let event = format!("{{\"globalposition\":\"{position}\",\"type\":\"a.type\"}}");
        jetstream.publish(subject, event.into()).await.expect("sent").await.expect("acknowledged");
    };
    for position in 1..=60 {
        send("acme", position).await;
        send("other", position).await;
    }
    let first = kill_after(start_consumer(&server), 20);
    let last = *first.last().expect("a line");
    assert_eq!(first, (1..=last).collect::<Vec<_>>());
    // An event that was not acknowledged before the kill is delivered again; none is left out.
    for position in 61..=80 {
        send("acme", position).await;
    }
    let second = kill_after(start_consumer(&server), 20);
    let resumed = second[0];
    assert!((last..=last + 1).contains(&resumed), "{resumed} after {last}");
    assert_eq!(second, (resumed..).take(second.len()).collect::<Vec<_>>());
    assert_eq!(server.messages(STREAM).await.len(), 140);
}
