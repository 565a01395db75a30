//! The arguments of the process, and how their help is broken into lines.

use clap::{CommandFactory, FromArgMatches};

use super::Cli;

impl Cli {
    /// The arguments of the process. Prints help, or what is wrong with them, and ends it then.
    pub(crate) fn of_process() -> Self {
        let matches = with_whole_paragraphs(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Puts each paragraph of the texts under the help into one line: the terminal breaks it once, at
/// its own width.
fn with_whole_paragraphs(command: clap::Command) -> clap::Command {
    let text = command.get_after_help().map(|text| whole_paragraphs(&text.to_string()));
    let command = match text {
        Some(text) => command.after_help(text),
        None => command,
    };
    command.mut_subcommands(with_whole_paragraphs)
}

/// Joins the lines of each paragraph. Indented lines are examples, and stay.
fn whole_paragraphs(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        whole.push_str(line);
        let is_text = |line: &str| !line.is_empty() && !line.starts_with(' ');
        let goes_on = is_text(line) && lines.peek().is_some_and(|next| is_text(next));
        whole.push(if goes_on { ' ' } else { '\n' });
    }
    whole.truncate(whole.trim_end().len());
    whole
}
