//! Why a command ends with another exit status than 0: 1 the answer is no, 2 usage or environment.

use std::process::ExitCode;

use powerfill_app::AppError;
use powerfill_app::configure::ConfigureError;
use powerfill_ports::StoreError;
use powerfill_snapshot::FaultReport;
use powerfill_snapshot::config::ConfigRejection;

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The answer is no, and has been printed.
    Answered,
    /// The answer is no: the faults of a snapshot or of options.
    Faults { what: String, report: FaultReport },
    /// The answer is no: what was refused, and what to do.
    Refused(String),
    /// Something about the call or the machine: what is wrong, where, and what to do.
    Environment(String),
}

impl Failure {
    pub(crate) fn print(&self) {
        match self {
            Self::Answered => {}
            Self::Faults { what, report } => {
                eprintln!(
                    "error: {what}; {} errors, {} warnings",
                    report.errors(),
                    report.warnings()
                );
                eprint!("{report}");
            }
            Self::Refused(message) | Self::Environment(message) => eprintln!("error: {message}"),
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Answered | Self::Faults { .. } | Self::Refused(_) => ExitCode::from(1),
            Self::Environment(_) => ExitCode::from(2),
        }
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::Environment(error.to_string())
    }
}

impl From<ConfigureError> for Failure {
    fn from(error: ConfigureError) -> Self {
        match error {
            ConfigureError::Rejected(ConfigRejection::Faulty(report)) => {
                Self::Faults { what: "the configuration would not be sound".to_owned(), report }
            }
            ConfigureError::Rejected(rejection) => Self::Refused(rejection.to_string()),
            ConfigureError::NoSuchVersion { .. } | ConfigureError::App(_) => {
                Self::Environment(error.to_string())
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Environment(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // A reader that has seen enough (`| head`) is no failure.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        Self::Environment(format!("cannot write the output: {error}"))
    }
}
