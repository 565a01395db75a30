//! The events that a story needs, as subjects of the index of a run's events. A story of these
//! events alone equals the story of all events.

use powerfill_events::run::RunEvent;
use powerfill_events::values::fold;
use powerfill_tables::event_index::{Subject, SubjectKind};

/// The loan or the trade of a story, by id in any case (1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorySubject<'a> {
    /// A loan.
    Loan(&'a str),
    /// A trade.
    Trade(&'a str),
}

impl StorySubject<'_> {
    /// The subjects to look up first.
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

    /// The further subject that an event of the first subjects leads to: the fill of a trade that
    /// the loan is a candidate for, or the placements of a candidate of the trade.
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
