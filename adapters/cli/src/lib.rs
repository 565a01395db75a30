//! The program `powerfill`: the command line, which puts sources, stores, and use cases together
//! (specification 4.1, 4.2).
//!
//! * [`args`]: commands, flags, and help
//! * [`commands`]: one file per command
//! * [`urls`]: the URLs of sources and stores
//! * [`settings`]: the settings of `powerfill.toml`
//! * [`retention_policy`]: which runs leave a store by those settings
//! * [`tenancy`]: the store and the source of a command
//! * [`error`]: errors and exit statuses
//! * [`log`]: the log of long-running commands
//! * [`report`]: reports of faults as text
//! * [`provenance`]: where a snapshot is read
//! * [`output`]: text for people, JSON and CSV for programs
//! * [`value`]: what a run is worth, as text
//! * [`certificate`]: what an auditor files about a run, as a page
//! * [`workbook`]: the tables of a run as a workbook

mod args;
mod certificate;
mod commands;
mod error;
mod foreign;
mod format;
mod hints;
mod log;
mod long_lived;
mod mapped;
mod out_folder;
mod out_place;
mod output;
mod progress;
mod provenance;
mod report;
mod retention_policy;
mod selection;
mod settings;
mod shutdown;
mod source_reading;
mod summary;
mod telemetry;
mod tenancy;
mod terminal;
mod urls;
mod value;
mod words;
mod workbook;

use std::future::ready;
use std::num::NonZero;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Builder;

use args::{Cli, Command};
use error::CliResult;
use settings::ProgramSettings;

/// The smallest number of threads that run commands: a command may block one of them on a terminal
/// or a pipe, and signals and progress need another.
const MIN_WORKER_THREADS: usize = 2;

/// How long the process waits for threads that block, once its command has ended.
const BLOCKED_THREADS_LIMIT: Duration = Duration::from_secs(1);

/// Runs the command of the process and returns its exit status.
pub fn main() -> ExitCode {
    let cli = Cli::of_process();
    // Commands that go on for long have a log.
    if cli.command.has_log() {
        long_lived::restart_with_settings();
    }
    let cores = std::thread::available_parallelism().map_or(MIN_WORKER_THREADS, NonZero::get);
    let workers = cores.max(MIN_WORKER_THREADS);
    match Builder::new_multi_thread().worker_threads(workers).enable_all().build() {
        Ok(runtime) => {
            let status = match runtime.block_on(run(cli.command)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => {
                    failure.print();
                    failure.exit_code()
                }
            };
            // A thread that reads a file of a server that is silent does not end.
            runtime.shutdown_timeout(BLOCKED_THREADS_LIMIT);
            status
        }
        Err(error) => {
            eprintln!("error: the async runtime cannot start: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(command: Command) -> CliResult<()> {
    if !command.has_log() {
        log::start_for_person();
    }
    let settings = ProgramSettings::read()?;
    dispatch(command, &settings).await
}

/// The future of a command. It is boxed so that the future of `run` does not contain the state of
/// every command, which would multiply machine code and stack.
type CommandFuture<'a> = Pin<Box<dyn Future<Output = CliResult<()>> + 'a>>;

fn dispatch(command: Command, settings: &ProgramSettings) -> CommandFuture<'_> {
    match command {
        Command::Demo(args) => Box::pin(commands::demo::run(args, settings)),
        Command::Generate(args) => Box::pin(ready(commands::generate::run(&args))),
        Command::Template(args) => Box::pin(ready(commands::template::run(&args))),
        Command::Schema(args) => Box::pin(ready(commands::schema::run(&args))),
        Command::Check(args) => Box::pin(commands::check::run(args, settings)),
        Command::Preflight(args) => Box::pin(commands::preflight::run(args, settings)),
        Command::Preprocess(args) => Box::pin(commands::preprocess::run(args, settings)),
        Command::Run(args) => Box::pin(commands::run::run(args, settings)),
        Command::Try(args) => Box::pin(commands::tries::run(args, settings)),
        Command::Work(args) => Box::pin(commands::work::run(args, settings)),
        #[cfg(feature = "nats")]
        Command::Relay(args) => Box::pin(commands::relay::run(args, settings)),
        Command::Serve(args) => Box::pin(commands::serve::run(args, settings)),
        Command::Token(command) => Box::pin(ready(commands::token::run(&command, settings))),
        Command::Cancel(args) => Box::pin(commands::cancel::run(args, settings)),
        Command::Runs(args) => Box::pin(commands::runs::run(args, settings)),
        Command::Brief(args) => Box::pin(commands::brief::run(args, settings)),
        Command::Annotate(args) => Box::pin(commands::annotate::run(args, settings)),
        Command::Show(args) => Box::pin(commands::show::run(args, settings)),
        Command::Tables(args) => Box::pin(commands::tables::run(args, settings)),
        Command::Events(args) => Box::pin(commands::events::run(args, settings)),
        #[cfg(feature = "parquet")]
        Command::Export(args) => Box::pin(commands::export::run(args, settings)),
        Command::Explain(args) => Box::pin(commands::explain::run(args, settings)),
        Command::Challenge(args) => Box::pin(commands::challenge::run(args, settings)),
        Command::Adopt(args) => Box::pin(commands::adopt::run(args, settings)),
        Command::Diff(args) => Box::pin(commands::diff::run(args, settings)),
        Command::Report(args) => Box::pin(commands::report::run(args, settings)),
        Command::Rebuild(args) => Box::pin(commands::rebuild::run(args, settings)),
        Command::Replay(args) => Box::pin(commands::replay::run(args, settings)),
        Command::Step(args) => Box::pin(commands::step::run(args, settings)),
        Command::Verify(args) => Box::pin(commands::verify::run(args, settings)),
        Command::Seal(command) => commands::seal::run(command, settings),
        Command::Hold(args) => Box::pin(commands::retention::hold(args, settings)),
        Command::Archive(args) => Box::pin(commands::retention::archive(args, settings)),
        Command::Restore(args) => Box::pin(commands::retention::restore_file(args, settings)),
        Command::Snapshot(command) => commands::snapshot::run(command, settings),
        Command::Evidence(command) => commands::evidence::run(command, settings),
        Command::Config(command) => commands::config::run(command, settings),
        Command::Publish(args) => Box::pin(commands::publish::run(args, settings)),
        Command::Migrate(args) => Box::pin(commands::migrate::run(args, settings)),
        Command::CopyStore(args) => Box::pin(commands::copy_store::run(args)),
        Command::Completions { shell } => Box::pin(ready(commands::completions(shell))),
    }
}
