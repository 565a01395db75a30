//! Three-valued logic.

/// What three-valued logic answers (1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Satisfied.
    True,
    /// Not satisfied.
    False,
    /// Undecided, because a value is NULL: not satisfied either.
    Unknown,
}

impl Truth {
    /// The answer of a comparison: `None` where a value is NULL.
    pub fn of(answer: Option<bool>) -> Self {
        match answer {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }

    /// TRUE where each is TRUE, FALSE where one is FALSE, else UNKNOWN. Stops at the first FALSE.
    pub fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut together = Self::True;
        for answer in answers {
            match answer {
                Self::False => return Self::False,
                Self::Unknown => together = Self::Unknown,
                Self::True => {}
            }
        }
        together
    }

    /// TRUE where one is TRUE, FALSE where each is FALSE, else UNKNOWN. Stops at the first TRUE.
    pub fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut together = Self::False;
        for answer in answers {
            match answer {
                Self::True => return Self::True,
                Self::Unknown => together = Self::Unknown,
                Self::False => {}
            }
        }
        together
    }
}

impl std::ops::Not for Truth {
    type Output = Self;
    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}
