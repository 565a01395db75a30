//! The log of a process that goes on, on standard error: for people, or a JSON object a line for
//! programs.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// An object a line.
    Json,
}

/// Begins to log; what is logged before goes nowhere.
pub(crate) fn begin(format: LogFormat) {
    let colour = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(colour);
    let log = match format {
        LogFormat::Text => log.with_target(false).boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    // What the relay has to say of its broker, and the publisher of its server, they say
    // themselves.
    let wanted = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("async_nats", LevelFilter::OFF)
        .with_target("tiberius", LevelFilter::OFF);
    tracing_subscriber::registry().with(log.with_filter(wanted)).init();
}
