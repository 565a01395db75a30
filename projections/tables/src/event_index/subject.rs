//! The subjects by which the index lists events.

use std::fmt;

use powerfill_events::values::fold;

/// The kind of a subject, which says what its events are about. Ordered by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// The fill of a trade: its assessment, pinned loans, placements, moves, releases, limits, and
    /// result.
    Fill,
    /// A loan: all other events that name it, above all its candidates.
    Loan,
    /// The place of a loan: its placements, moves, releases, and kickout.
    Place,
    /// The run itself: request, start, preflight, nodes, passes, invariants, and end; also the
    /// first event of each status, and the first event after the last pass.
    Run,
    /// A trade: all other events that name it, above all its candidates and rejected pairs.
    Trade,
}

impl SubjectKind {
    /// All kinds, by name.
    pub const ALL: [Self; 5] = [Self::Fill, Self::Loan, Self::Place, Self::Run, Self::Trade];

    /// The stored name.
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

/// A loan, a trade, or the run, with the kind of its events. Ordered by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The kind of the events.
    pub kind: SubjectKind,
    /// The folded id of the loan or the trade (1.1); empty for the run.
    pub name: String,
}

impl Subject {
    /// The run itself.
    pub const fn run() -> Self {
        Self { kind: SubjectKind::Run, name: String::new() }
    }

    /// A loan or a trade, in any spelling.
    pub fn named(kind: SubjectKind, id: &str) -> Self {
        Self { kind, name: fold(id) }
    }
}

impl fmt::Display for Subject {
    /// A text such as `fill of trade T1`.
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
