//! What events are found by.

use std::fmt;

use powerfill_events::values::fold;

/// What the events of a subject say about it. Ordered by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// Of a trade: what fills it. That it was assessed, pinned loans, placements, moves and
    /// releases, its limits, its fill.
    Fill,
    /// Of a loan: everything else that names it, being a candidate above all.
    Loan,
    /// Of a loan: where it went. Placements, moves, releases, being kicked out.
    Place,
    /// The run itself: request, start, preflight, nodes, passes, invariants, end; and the first
    /// event of each status, and the first after the last pass.
    Run,
    /// Of a trade: everything else that names it, its candidates and who was none.
    Trade,
}

impl SubjectKind {
    /// Every kind, by name.
    pub const ALL: [Self; 5] = [Self::Fill, Self::Loan, Self::Place, Self::Run, Self::Trade];

    /// Its name, as stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fill => "fill",
            Self::Loan => "loan",
            Self::Place => "place",
            Self::Run => "run",
            Self::Trade => "trade",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A loan, a trade, or the run, and what is asked about it. Ordered by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What is asked.
    pub kind: SubjectKind,
    /// The loan's or the trade's id as it compares (1.1); empty for the run.
    pub name: String,
}

impl Subject {
    /// The run itself.
    pub const fn run() -> Self {
        Self { kind: SubjectKind::Run, name: String::new() }
    }

    /// A loan or a trade, in whatever spelling.
    pub fn named(kind: SubjectKind, id: &str) -> Self {
        Self { kind, name: fold(id) }
    }
}

impl fmt::Display for Subject {
    /// `loan L00001655`, and what is asked about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.kind {
            SubjectKind::Fill => write!(f, "fill of trade {name}"),
            SubjectKind::Loan => write!(f, "loan {name}"),
            SubjectKind::Place => write!(f, "place of loan {name}"),
            SubjectKind::Run => f.write_str("run"),
            SubjectKind::Trade => write!(f, "trade {name}"),
        }
    }
}
