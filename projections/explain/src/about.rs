//! Which events a story is told from: what to look up in the index of a run's events, so that
//! nobody has to read the whole stream. A story that is fed with these alone is the one that all
//! events give.

use powerfill_events::run::RunEvent;
use powerfill_events::values::fold;

use powerfill_tables::event_index::{Subject, SubjectKind};

/// Whom a story is about, by id in whatever case (1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorySubject<'a> {
    /// A loan.
    Loan(&'a str),
    /// A trade.
    Trade(&'a str),
}

impl StorySubject<'_> {
    /// Where the story begins.
    pub fn subjects(self) -> Vec<Subject> {
        match self {
            Self::Loan(id) => vec![
                Subject::run(),
                Subject::named(SubjectKind::Loan, id),
                Subject::named(SubjectKind::Place, id),
            ],
            Self::Trade(id) => vec![
                Subject::run(),
                Subject::named(SubjectKind::Trade, id),
                Subject::named(SubjectKind::Fill, id),
            ],
        }
    }

    /// Where an event of these leads on: from a loan's candidate to what filled that trade, from a
    /// trade's candidate to where that loan went.
    pub fn leads_to(self, event: &RunEvent) -> Option<Subject> {
        let RunEvent::CandidateScored(candidate) = event else { return None };
        let (loan_id, trade_id) = (candidate.loan_id.as_str(), candidate.trade_id.as_str());
        match self {
            Self::Loan(id) => {
                (fold(loan_id) == fold(id)).then(|| Subject::named(SubjectKind::Fill, trade_id))
            }
            Self::Trade(id) => {
                (fold(trade_id) == fold(id)).then(|| Subject::named(SubjectKind::Place, loan_id))
            }
        }
    }
}
