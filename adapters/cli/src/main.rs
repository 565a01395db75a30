//! `powerfill`: the command line, and the one place where sources, stores and runner come together
//! (specification 4.1, 4.2).
//!
//! * [`args`]: what can be typed, with help and examples
//! * [`commands`]: one file a command
//! * [`places`]: sources and stores by their URLs
//! * [`settings`]: what powerfill.toml can set
//! * [`tenancy`]: whose store and source a command works with
//! * [`log`]: what a process that goes on says of itself
//! * [`output`]: text for people, JSON and CSV for programs
//! * [`workbook`]: the tables of a run as a workbook

mod args;
mod commands;
mod failure;
mod format;
mod log;
mod out_folder;
mod output;
mod places;
mod progress;
mod settings;
mod stop;
mod summary;
mod tenancy;
mod workbook;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use failure::Failure;
use settings::Settings;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => match runtime.block_on(dispatch(cli)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                failure.print();
                failure.exit_code()
            }
        },
        Err(error) => {
            eprintln!("error: the async runtime cannot start: {error}");
            ExitCode::from(2)
        }
    }
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let settings = Settings::read()?;
    match cli.command {
        Command::Demo(args) => commands::demo::run(args, &settings).await,
        Command::Generate(args) => commands::generate::run(&args),
        Command::Check(args) => commands::check::run(&args, &settings),
        Command::Preflight(args) => commands::preflight::run(&args, &settings),
        Command::Preprocess(args) => commands::preprocess::run(&args, &settings),
        Command::Run(args) => commands::run::run(args, &settings).await,
        Command::Work(args) => commands::work::run(args, &settings).await,
        #[cfg(feature = "nats")]
        Command::Relay(args) => commands::relay::run(args, &settings).await,
        Command::Serve(args) => commands::serve::run(args, settings).await,
        Command::Token(command) => commands::token::run(&command, &settings),
        Command::Cancel(args) => commands::cancel::run(&args, &settings).await,
        Command::Runs(args) => commands::runs::run(&args, &settings).await,
        Command::Show(args) => commands::show::run(&args, &settings).await,
        Command::Tables(args) => commands::tables::run(&args, &settings).await,
        Command::Events(args) => commands::events::run(&args, &settings).await,
        Command::Explain(args) => commands::explain::run(&args, &settings).await,
        Command::Diff(args) => commands::diff::run(&args, &settings).await,
        Command::Rebuild(args) => commands::rebuild::run(&args, &settings).await,
        Command::Replay(args) => commands::replay::run(&args, &settings).await,
        Command::Step(args) => commands::step::run(&args, &settings).await,
        Command::Verify(args) => commands::verify::run(&args, &settings).await,
        Command::Seal(command) => commands::seal::run(&command, &settings).await,
        Command::Config(command) => commands::config::run(command, &settings).await,
        Command::Publish(args) => commands::publish::run(args, &settings).await,
        Command::Migrate(args) => commands::migrate::run(args, &settings).await,
        Command::CopyStore(args) => commands::copy_store::run(&args).await,
        Command::Completions { shell } => commands::completions(shell),
    }
}
