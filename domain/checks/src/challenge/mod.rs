//! The second opinion on a challenge (specification 10.4): bound, worth, gap terms, and the
//! priority rule are computed again from the snapshot and the events, exactly.
//!
//! This crate cannot see the search that found prices and allocation, and needs nothing of it: any
//! prices that are not negative give a bound, and an allocation is right or wrong by itself.

mod account;
mod allocation;
mod fault;

use powerfill_events::challenge::{BoundCertified, ChallengeEvent, ChallengerVerified};
use powerfill_events::run::RunEvent;
use powerfill_events::values::Money;
use powerfill_snapshot::{RunOptions, Snapshot};
use rust_decimal::Decimal;

pub use fault::ChallengeFault;

use crate::decisions::Decisions;
use crate::terms::RunTerms;
use crate::tree::NodeTree;
use account::{Account, Prices, check_gap};
use allocation::FinalAllocation;

/// What follows from the events of a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeJudgment {
    /// The bound, the worth of the run, and the gap between them.
    pub certified: BoundCertified,
    /// The worth of the challenger's allocation, if the challenge has a search.
    pub challenger: Option<ChallengerVerified>,
}

/// Checks a challenge of a complete run by the events of both. What the challenge's events do not
/// say yet (its verification and its end) is not required.
///
/// # Errors
/// The first statement that does not hold: a price that is none, a bound, worth, or term that comes
/// out otherwise, an allocation that is not within rooms, limits, or the priority rule.
pub fn judge_challenge<C: AsRef<[RunEvent]>>(
    snapshot: &Snapshot,
    options: &RunOptions,
    run: &[C],
    challenge: &[ChallengeEvent],
) -> Result<ChallengeJudgment, ChallengeFault> {
    let chunks: Vec<&[RunEvent]> = run.iter().map(AsRef::as_ref).collect();
    let terms = RunTerms::new(snapshot, options);
    let tree = NodeTree::new(&terms);
    let decisions = Decisions::read(&terms, &chunks).map_err(ChallengeFault::Run)?;
    let weights = match challenge.first() {
        Some(ChallengeEvent::ChallengeRequested(requested)) => requested.weights,
        _ => return Err(ChallengeFault::new("the first event", "ChallengeRequested", "another")),
    };
    let account = Account::new(&terms, &tree, &decisions, &chunks, weights)?;
    let prices = account.prices(challenge)?;
    let run = account.run_allocation(&decisions)?;
    let best_nets = account.best_nets(&prices);
    let (bound, run_worth) = (account.bound(&prices, &best_nets), account.worth(&run));
    let certified = BoundCertified {
        bound: dollars(bound),
        run_worth: dollars(run_worth),
        gap: dollars(bound - run_worth),
        eligible_amount: account.eligible_amount(),
    };
    let run_terms = account.gap_terms(&prices, &best_nets, &run);
    check_gap("the run", bound - run_worth, &run_terms)?;
    account.check_run_gaps(challenge, run_terms)?;
    for event in challenge {
        if let ChallengeEvent::BoundCertified(event) = event {
            expect_same("the certified bound", &certified, event)?;
        }
    }
    let has_search = challenge.iter().any(|event| match event {
        ChallengeEvent::ChallengeRequested(requested) => requested.steps > 0,
        _ => false,
    });
    // The run's own allocation where nothing is decided otherwise.
    let own = account.challenger(&run, challenge, &prices)?;
    let challenger = if has_search {
        Some(judge_challenger(&account, &prices, &best_nets, bound, &own)?)
    } else {
        None
    };
    check_end(&account, challenge, &run, &own, challenger.as_ref())?;
    Ok(ChallengeJudgment { certified, challenger })
}

/// What the events say at the end: the verification, and the sums of both allocations.
fn check_end(
    account: &Account<'_>,
    challenge: &[ChallengeEvent],
    run: &FinalAllocation,
    own: &FinalAllocation,
    challenger: Option<&ChallengerVerified>,
) -> Result<(), ChallengeFault> {
    for event in challenge {
        match event {
            ChallengeEvent::ChallengerVerified(event) => {
                expect_same("the verified challenger", &challenger, &Some(event.as_ref()))?;
            }
            ChallengeEvent::ChallengeCompleted(event) => {
                expect_same("the run's sums", &account.totals(run), &event.run)?;
                if let Some(found) = &event.challenger {
                    expect_same("the challenger's sums", &account.totals(own), found)?;
                }
            }
            ChallengeEvent::ChallengeRequested(_)
            | ChallengeEvent::ShadowPriceFound(_)
            | ChallengeEvent::BoundCertified(_)
            | ChallengeEvent::ChallengerPlaced(_)
            | ChallengeEvent::ChallengerReleased(_) => {}
        }
    }
    Ok(())
}

fn judge_challenger(
    account: &Account<'_>,
    prices: &Prices,
    best_nets: &[i128],
    bound: i128,
    own: &FinalAllocation,
) -> Result<ChallengerVerified, ChallengeFault> {
    account.check_rooms(own)?;
    let worth = account.worth(own);
    let margins = account.priority_margins(own);
    if let Some((turn, margin)) = (1..).zip(&margins).find(|(_, margin)| **margin < Money::ZERO) {
        let subject = format!("the priority of turn {turn}");
        return Err(ChallengeFault::new(subject, "as much as the run", format!("{margin}")));
    }
    check_gap("the challenger", bound - worth, &account.gap_terms(prices, best_nets, own))?;
    Ok(ChallengerVerified {
        worth: dollars(worth),
        gap: dollars(bound - worth),
        priority_margins: margins,
    })
}

fn expect_same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: &T,
    found: &T,
) -> Result<(), ChallengeFault> {
    if expected == found {
        return Ok(());
    }
    Err(ChallengeFault::new(what, format!("{expected:?}"), format!("{found:?}")))
}

/// Units of 10^−12 dollars as exact dollars.
fn dollars(units: i128) -> Decimal {
    Decimal::from_i128_with_scale(units, 12).normalize()
}
