//! Arguments of `try`.

use std::path::PathBuf;

use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::{StorePrintArgs, visible_name};
use crate::urls::UrlText;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill try --set price_mode=pc
  powerfill try latest --set 'prices:FN30 6.0=+4/32' --set 'trade:T0008643=out'
  powerfill try --try wider --set buffer=3 --try cash --set price_mode=pc
  powerfill try --matrix 'price_mode=po,pc' 'buffer=0,3,5'
  powerfill try --cost-of-priorities
  powerfill try --stability
  powerfill try --set buffer=3 --keep 'three days' --note 'for the custodian'

Nothing is recorded without --keep. docs/reference/edits.md lists every edit. In PowerShell, quote as
above. Exit status 1 if an edited input is refused, or if a kept run is not Complete.")]
pub(crate) struct TryArgs {
    /// A run id, the beginning of one, `latest`, or a source (dir:FOLDER, …) with the default
    /// options
    #[arg(value_name = "RUN|SOURCE", default_value = "latest")]
    pub(crate) base: UrlText,
    #[command(flatten)]
    pub(crate) tries: TryGroups,
    /// Try every combination of these values, on top of each try: KEY=VALUE,VALUE…
    #[arg(long, value_name = "EDIT", num_args = 1..)]
    pub(crate) matrix: Vec<String>,
    /// What the order of the turns costs: each turn together with its next one
    #[arg(long, conflicts_with_all = ["set", "try", "matrix", "stability"])]
    pub(crate) cost_of_priorities: bool,
    /// Switches against value, for switch_threshold from 0 to 1
    #[arg(long, conflicts_with_all = ["set", "try", "matrix"])]
    pub(crate) stability: bool,
    /// Record the one try as a scenario of this name: a run that is never official
    #[arg(long, value_name = "NAME", conflicts_with_all = ["matrix", "cost_of_priorities", "stability"])]
    pub(crate) keep: Option<String>,
    /// Why the scenario was tried
    #[arg(long, value_name = "TEXT", requires = "keep")]
    pub(crate) note: Option<String>,
    /// Who keeps the scenario [default: the user of this machine]
    #[arg(long, env = "POWERFILL_REQUESTED_BY", value_name = "NAME", value_parser = visible_name)]
    pub(crate) requested_by: Option<String>,
    /// How the files of another system become the input tables (TOML), for a SOURCE
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

/// The edits of each try, in the order of the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TryGroups {
    /// The name of a try, unless it is the one without `--try`, and its edits.
    pub(crate) groups: Vec<(Option<String>, Vec<String>)>,
}

impl FromArgMatches for TryGroups {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let of = |id: &str| -> Vec<(usize, String)> {
            let places = matches.indices_of(id).into_iter().flatten();
            let values = matches.get_many::<String>(id).into_iter().flatten().cloned();
            places.zip(values).collect()
        };
        let names = of("try").into_iter().map(|(place, name)| (place, Some(name)));
        let mut starts: Vec<(usize, Option<String>)> = names.collect();
        starts.insert(0, (0, None));
        let mut groups: Vec<(usize, Option<String>, Vec<String>)> =
            starts.into_iter().map(|(place, name)| (place, name, Vec::new())).collect();
        for (place, edit) in of("set") {
            if let Some(group) = groups.iter_mut().rfind(|(start, ..)| *start <= place) {
                group.2.push(edit);
            }
        }
        let groups = groups.into_iter().map(|(_, name, edits)| (name, edits));
        let groups = groups.filter(|(name, edits)| name.is_some() || !edits.is_empty()).collect();
        Ok(Self { groups })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for TryGroups {
    fn augment_args(command: Command) -> Command {
        let set = Arg::new("set")
            .long("set")
            .value_name("EDIT")
            .action(ArgAction::Append)
            .help("An edit of the input; can be repeated. Before the first --try, it makes a try without a name");
        let named = Arg::new("try")
            .long("try")
            .value_name("NAME")
            .action(ArgAction::Append)
            .help("Begin a further try: the --set behind it belong to it");
        command.arg(set).arg(named)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(line: &str) -> Vec<(Option<String>, Vec<String>)> {
        let command = TryGroups::augment_args(Command::new("try"));
        let matches = command.get_matches_from(["try"].into_iter().chain(line.split(' ')));
        TryGroups::from_arg_matches(&matches).unwrap().groups
    }

    #[test]
    fn each_set_belongs_to_the_try_before_it() {
        let named = |name: &str, edits: &[&str]| {
            (Some(name.to_owned()), edits.iter().map(|edit| (*edit).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(groups("--set a=1 --set b=2"), [(None, vec!["a=1".into(), "b=2".into()])]);
        assert_eq!(
            groups("--set a=1 --try x --set b=2 --set c=3 --try y"),
            [(None, vec!["a=1".into()]), named("x", &["b=2", "c=3"]), named("y", &[])]
        );
        assert_eq!(groups("--try x --set b=2"), [named("x", &["b=2"])]);
    }
}
