//! Errors of commands, and their exit statuses: 1 if the answer is no, 2 for usage and environment.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use powerfill_app::AppError;
use powerfill_app::configure::ConfigureError;
use powerfill_evidence::EvidenceError;
use powerfill_http::tokens::TokenError;
use powerfill_ports::StoreError;
use powerfill_snapshot::FaultReport;
use powerfill_snapshot::config::ConfigRejection;

use crate::hints::with_store;
use crate::output::print_note;
use crate::report;

/// Any error, as the source of a [`CliError`].
type BoxError = Box<dyn Error + Send + Sync>;

/// The result of a command, or of a part of it.
pub(crate) type CliResult<T> = Result<T, CliError>;

/// Why a command does not exit with status 0.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The answer is no, and the command has printed it.
    NegativeAnswer,
    /// The answer is no: a snapshot or options have faults.
    Faults {
        /// What was rejected.
        what: String,
        report: FaultReport,
        /// Whether to print every fault in a line of its own.
        all: bool,
    },
    /// The answer is no: a change of the configuration was rejected.
    Rejected(ConfigRejection),
    /// The command cannot work as called, or on this machine. The message says what happened,
    /// where, and what to do.
    Environment(BoxError),
}

/// An error, and what failed because of it.
#[derive(Debug, thiserror::Error)]
#[error("{context}: {source}")]
struct ContextError {
    context: String,
    source: BoxError,
}

impl CliError {
    /// The error as the source of another one.
    pub(crate) fn into_source(self) -> BoxError {
        match self {
            Self::Environment(source) => source,
            other => other.to_string().into(),
        }
    }

    /// An error of usage or environment, from an error or a message.
    pub(crate) fn environment(error: impl Into<BoxError>) -> Self {
        Self::Environment(error.into())
    }

    /// An error of usage or environment that begins with what failed.
    pub(crate) fn context(context: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::environment(ContextError { context: context.into(), source: source.into() })
    }

    /// Puts what failed in front of an error of usage or environment.
    pub(crate) fn with_context(self, context: impl Into<String>) -> Self {
        match self {
            Self::Environment(source) => Self::context(context, source),
            other => other,
        }
    }

    pub(crate) fn print(&self) {
        if !matches!(self, Self::NegativeAnswer) {
            print_note(format_args!("error: {}\n", with_store(&self.to_string())));
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::NegativeAnswer | Self::Faults { .. } | Self::Rejected(_) => ExitCode::from(1),
            Self::Environment(_) => ExitCode::from(2),
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NegativeAnswer => f.write_str("the answer is no"),
            Self::Faults { what, report, all } => {
                let (errors, warnings) = (report.errors(), report.warnings());
                let text = report::text(report, *all);
                write!(f, "{what}; {errors} errors, {warnings} warnings\n{}", text.trim_end())
            }
            Self::Rejected(rejection) => write!(f, "{rejection}"),
            Self::Environment(error) => write!(f, "{error}"),
        }
    }
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        Self::environment(error)
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::environment(error)
    }
}

impl From<EvidenceError> for CliError {
    fn from(error: EvidenceError) -> Self {
        Self::environment(error)
    }
}

impl From<TokenError> for CliError {
    fn from(error: TokenError) -> Self {
        Self::environment(error)
    }
}

impl From<ConfigureError> for CliError {
    fn from(error: ConfigureError) -> Self {
        match error {
            ConfigureError::Rejected(ConfigRejection::Faulty(report)) => {
                let what = "the configuration would not be valid".to_owned();
                Self::Faults { what, report, all: false }
            }
            ConfigureError::Rejected(rejection) => Self::Rejected(rejection),
            error @ (ConfigureError::NoSuchVersion { .. } | ConfigureError::App(_)) => {
                Self::environment(error)
            }
        }
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        // The reader of a pipe has seen enough (`| head`): that is not an error.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        Self::context("cannot write the output", error)
    }
}
