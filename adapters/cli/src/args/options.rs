//! The options of a run as flags, from their declaration (specification 1.3).

use std::path::PathBuf;

use clap::error::Error;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use powerfill_events::input::{InputColumn, InputType, Presence};
use powerfill_snapshot::options;

const HEADING: &str = "Run options";

/// The options of a run: a file, and flags that come after it.
#[derive(Debug, Clone, Default)]
pub(crate) struct OptionArgs {
    /// A JSON object.
    pub(crate) file: Option<PathBuf>,
    /// Names of options and their texts.
    pub(crate) flags: Vec<(&'static str, String)>,
}

impl FromArgMatches for OptionArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let flag = |option: &InputColumn| {
            let text = matches.get_one::<String>(option.name)?;
            Some((option.name, text.clone()))
        };
        let file = matches.get_one::<PathBuf>("options").cloned();
        Ok(Self { file, flags: options().iter().filter_map(flag).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for OptionArgs {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("options")
            .long("options")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Run options as a JSON object; flags come after it")
            .help_heading(HEADING);
        options().iter().map(flag).fold(command.arg(file), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(option: &InputColumn) -> Arg {
    let flag = Arg::new(option.name)
        .long(option.name.replace('_', "-"))
        .help(help(option))
        .help_heading(HEADING);
    match option.input_type {
        InputType::Whole => flag.value_name("N"),
        InputType::Decimal { .. } | InputType::Number => flag.value_name("NUMBER"),
        InputType::Day => flag.value_name("DATE"),
        InputType::Text | InputType::OneOf(_) | InputType::Rule => flag,
    }
}

/// The description, the values, and the default.
fn help(option: &InputColumn) -> String {
    let description: Vec<&str> = option.description.split_whitespace().collect();
    let description = description.join(" ");
    let (description, allowed) = (description.trim_end_matches('.'), option.allowed());
    match (option.presence, option.input_type) {
        (Presence::Default(text), InputType::Decimal { .. }) => {
            let text = text();
            let text = text.trim_end_matches('0').trim_end_matches('.');
            format!("{description}; {allowed} [default: {text}]")
        }
        (Presence::Default(text), _) => format!("{description}; {allowed} [default: {}]", text()),
        _ => format!("{description}; {allowed}"),
    }
}
