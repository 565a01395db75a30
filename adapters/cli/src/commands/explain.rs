//! `explain`: the whole story of a loan or a trade, from the events of a run (specification 3.4).

use powerfill_domain::run::event::KickoutReason;
use powerfill_domain::run::{RunEvent, RunId};
use powerfill_ports::Store;
use powerfill_projections::explain::{LoanStory, TradeStory};

use super::find_run;
use super::show::fold;
use crate::args::ExplainArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_json, say};
use crate::places::StoreUrl;
use crate::settings::Settings;

pub(crate) async fn run(args: &ExplainArgs, settings: &Settings) -> Result<(), Failure> {
    let store = StoreUrl::resolve(args.store.store.as_ref(), settings)?.open_existing().await?;
    let run = find_run(store.as_ref(), &args.run).await?;
    let as_json = match args.store.print.format {
        Format::Text => false,
        Format::Json => true,
        Format::Csv => {
            let message = "a story is no table: --format text or json".to_owned();
            return Err(Failure::Environment(message));
        }
    };
    if let Some(loan) = &args.subject.loan {
        let mut story = LoanStory::new(loan);
        fold(store.as_ref(), run, |recorded| story.apply(recorded)).await?;
        let explanation = story.finish();
        if as_json { print_json(&explanation)? } else { say(explanation)? }
    }
    if let Some(trade) = &args.subject.trade {
        let mut story = TradeStory::new(trade);
        fold(store.as_ref(), run, |recorded| story.apply(recorded)).await?;
        let explanation = story.finish();
        if as_json { print_json(&explanation)? } else { say(explanation)? }
    }
    Ok(())
}

/// Explains one loan of a run that has a story to tell: the first that a limit kept out; where there is none, the
/// first kickout that was a candidate; else the first loan that switches.
pub(crate) async fn sample(store: &dyn Store, run: RunId) -> Result<(), Failure> {
    let (mut limited, mut kicked_out, mut switching) = (None, None, None);
    fold(store, run, |recorded| match recorded.event {
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
    let mut story = LoanStory::new(loan.as_str());
    fold(store, run, |recorded| story.apply(recorded)).await?;
    println!("\n$ powerfill explain latest --loan {loan}");
    say(story.finish())
}
