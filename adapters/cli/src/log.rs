//! The log of a process that goes on, on standard error: for people, or a JSON object a line for programs.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;

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
    let log = tracing_subscriber::fmt().with_writer(stderr).with_ansi(colour);
    match format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
