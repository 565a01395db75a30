//! The log of long-running commands on standard error: lines for people, or JSON objects for
//! programs.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines of text.
    Text,
    /// One object per line.
    Json,
}

/// Shows what a command of a person waits for: a line of text on standard error.
pub(crate) fn start_for_person() {
    let layer = tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(false);
    let layer = layer.without_time().with_level(false).with_target(false);
    let filter = Targets::new().with_target("powerfill_ports::waiting", LevelFilter::WARN);
    tracing_subscriber::registry().with(layer.with_filter(filter)).init();
}

/// Starts logging; earlier messages are lost.
pub(crate) fn start(format: LogFormat) {
    let color = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(color);
    let layer = match format {
        LogFormat::Text => layer.with_target(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    // The relay and the publisher log errors of these libraries themselves.
    let filter = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("async_nats", LevelFilter::OFF)
        .with_target("tiberius", LevelFilter::OFF);
    tracing_subscriber::registry().with(layer.with_filter(filter)).init();
}
