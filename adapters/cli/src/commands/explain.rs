//! `explain`: explains a loan or a trade, from the events of a run that concern it and the run's
//! captured input (specification 3.4).

use indicatif::ProgressStyle;
use powerfill_app::explain::{explain_loan, explain_pair, explain_trade};
use powerfill_app::{explain, for_each_event, read_run};
use powerfill_engine::what_if::NoAnswer;
use powerfill_events::run::event::KickoutReason;
use powerfill_events::run::{RunEvent, RunId};
use powerfill_explain::{LoanAccount, LoanOutcome, LoanSummary, TradeSummary, change_kind_words};
use powerfill_facts::what_if::WhatIf;
use powerfill_ports::Store;

use super::open_run;
use crate::args::ExplainArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_json, print_text, print_wrapped};
use crate::progress::spinner;
use crate::settings::ProgramSettings;

pub(crate) async fn run(args: ExplainArgs, settings: &ProgramSettings) -> CliResult<()> {
    let (store, run) = open_run(&args.common.store, &args.run, settings).await?;
    let as_json = match args.common.print.format {
        Format::Text => false,
        Format::Json => true,
        Format::Csv => {
            let message = "an explanation is not a table: choose --format text or json";
            return Err(CliError::environment(message));
        }
    };
    let store = store.as_ref();
    let is_unknown = match (&args.subject.loan, &args.subject.trade) {
        (Some(loan), Some(trade)) => {
            let account = explain_pair(store, run, loan, trade).await?;
            if as_json {
                print_json(&account)?
            } else {
                print_wrapped(&account)?
            }
            account.is_unknown()
        }
        (Some(loan), None) => {
            let mut account = explain_loan(store, run, loan).await?;
            if args.what_if {
                account.what_if = Some(what_if(store, &account).await?);
            }
            match (as_json, args.all) {
                (true, _) => print_json(&account)?,
                (false, true) => print_wrapped(&account)?,
                (false, false) => print_wrapped(&LoanSummary(&account))?,
            }
            account.is_unknown()
        }
        (None, Some(trade)) => {
            let account = explain_trade(store, run, trade).await?;
            match (as_json, args.all) {
                (true, _) => print_json(&account)?,
                (false, true) => print_wrapped(&account)?,
                (false, false) => print_wrapped(&TradeSummary(&account))?,
            }
            account.is_unknown()
        }
        (None, None) => false,
    };
    if is_unknown { Err(CliError::NegativeAnswer) } else { Ok(()) }
}

/// Finds changes that would have allocated the loan; a terminal shows the number of runs.
async fn what_if(store: &dyn Store, account: &LoanAccount) -> CliResult<WhatIf> {
    let loan = &account.story.loan_id;
    let context = format!("--what-if has no answer for loan {loan}");
    if !matches!(account.story.outcome, LoanOutcome::KickedOut(_)) {
        return Err(CliError::context(context, NoAnswer::NotKickedOut.to_string()));
    }
    let input = account.story.input.as_ref();
    let no_input = || CliError::context(&context, "the run has no input yet");
    let input = input.ok_or_else(no_input)?;
    if let Some(challenge) = &input.challenge {
        let message = format!(
            "the run adopted {challenge}, and a what-if follows the passes; ask it of the run that \
             was challenged"
        );
        return Err(CliError::context(context, message));
    }
    let bar = spinner();
    let style = ProgressStyle::with_template("{spinner} {pos} re-runs, {msg} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let counted = bar.clone();
    let progress = move |kind| {
        counted.inc(1);
        counted.set_message(change_kind_words(kind));
    };
    let answer = explain::what_if(store, input, loan.as_str(), progress).await;
    bar.finish_and_clear();
    answer?.map_err(|reason| CliError::context(context, reason.to_string()))
}

/// Explains one loan of a run: the first that a limit kicked out, else the first other kickout with
/// a candidate, else the first loan that moved.
pub(crate) async fn explain_sample(store: &dyn Store, run: RunId) -> CliResult<()> {
    let (mut limited, mut kicked_out, mut switching) = (None, None, None);
    for_each_event(run, read_run(store, run), |recorded| match recorded.event {
        RunEvent::LoanKickedOut(e) if e.reason == KickoutReason::LimitReached => {
            limited.get_or_insert_with(|| e.loan_id.clone());
        }
        RunEvent::LoanKickedOut(e) if e.candidates > 0 => {
            kicked_out.get_or_insert_with(|| e.loan_id.clone());
        }
        RunEvent::LoanMoved(e) => {
            switching.get_or_insert_with(|| e.loan_id.clone());
        }
        _ => {}
    })
    .await?;
    let Some(loan) = limited.or(kicked_out).or(switching) else { return Ok(()) };
    print_text(format_args!("\n$ powerfill explain latest --loan {loan}\n"))?;
    print_wrapped(&LoanSummary(&explain_loan(store, run, loan.as_str()).await?))
}
