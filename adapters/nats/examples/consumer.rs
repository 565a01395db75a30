//! Follows a tenant's runs on NATS and prints each event once: position and type.
//!
//!     cargo run -p powerfill-nats --example consumer -- nats://127.0.0.1:4222 GENERATED
//!
//! The consumer is durable: the server keeps its position, and delivers an event again if it was
//! not acknowledged. An event that was printed but not acknowledged before a break is delivered
//! twice; the consumer recognizes it by its position.

use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::{self, consumer::AckPolicy};
use futures::StreamExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(tenant)) = (args.next(), args.next()) else {
        return Err("consumer nats://HOST:PORT TENANT".into());
    };
    let stream = jetstream::new(async_nats::connect(url).await?).get_stream("POWERFILL").await?;
    let durable = "desk-screen".to_owned();
    let config = pull::Config {
        durable_name: Some(durable.clone()),
        filter_subject: format!("powerfill.{tenant}.run.>"),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        // One event at a time, in the order of the stream.
        max_ack_pending: 1,
        // The time after which an event is delivered again.
        ack_wait: Duration::from_secs(3),
        ..pull::Config::default()
    };
    let consumer = stream.get_or_create_consumer(&durable, config).await?;
    let mut messages = consumer.messages().await?;
    let mut done = 0;
    while let Some(message) = messages.next().await {
        let message = message?;
        let event: serde_json::Value = serde_json::from_slice(&message.payload)?;
        let position: u64 = event["globalposition"].as_str().unwrap_or_default().parse()?;
        if position > done {
            println!("{position} {}", event["type"].as_str().unwrap_or_default());
            done = position;
        }
        message.double_ack().await?;
    }
    Ok(())
}
