//! The search for the edge between a change that does and one that does not.

/// Where the edge is, or that none was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edge<T> {
    /// With this lever `at` does and `not_at` does not; they are one unit apart unless the tries were used up.
    Found { lever: usize, at: i64, not_at: i64, what: T },
    /// No guess does: of each lever the largest that was tried, 0 where none was.
    NotFound { furthest: Vec<i64> },
}

/// A search over some levers, each with guesses. A change of 0 does not do.
pub(super) struct Search<'s, F> {
    /// Counted down; the search ends at 0.
    pub(super) tries: &'s mut u32,
    /// Whether a change of a lever does.
    pub(super) attempt: F,
}

impl<T, F: FnMut(usize, i64) -> Option<T>> Search<'_, F> {
    /// Tries the guesses of all levers, the smallest first, until one does; closes in on the edge between it and the
    /// largest that does not; and looks whether another lever does with less.
    pub(super) fn edge(mut self, guesses: &[Vec<i64>]) -> Edge<T> {
        let mut not_at = vec![0; guesses.len()];
        let mut found = None;
        let mut ahead: Vec<(i64, usize)> = guesses
            .iter()
            .enumerate()
            .flat_map(|(lever, guesses)| guesses.iter().map(move |units| (*units, lever)))
            .filter(|(units, _)| *units > 0)
            .collect();
        ahead.sort_unstable();
        for (units, lever) in ahead {
            match self.attempt(lever, units) {
                Some(Some(what)) => {
                    found = Some((lever, units, what));
                    break;
                }
                Some(None) => not_at[lever] = units,
                None => break,
            }
        }
        let Some((lever, at, what)) = found else { return Edge::NotFound { furthest: not_at } };
        let mut best = self.close_in(lever, not_at[lever], at, what);
        for (lever, not_at) in not_at.into_iter().enumerate() {
            let less = best.1 - 1;
            if lever == best.0 || not_at >= less {
                continue;
            }
            if let Some(Some(what)) = self.attempt(lever, less) {
                best = self.close_in(lever, not_at, less, what);
            }
        }
        let (lever, at, not_at, what) = best;
        Edge::Found { lever, at, not_at, what }
    }

    /// `None` where the tries are used up.
    fn attempt(&mut self, lever: usize, units: i64) -> Option<Option<T>> {
        *self.tries = self.tries.checked_sub(1)?;
        Some((self.attempt)(lever, units))
    }

    /// The edge between what does not and what does: lever, does, does not.
    fn close_in(
        &mut self,
        lever: usize,
        mut not_at: i64,
        mut at: i64,
        mut what: T,
    ) -> (usize, i64, i64, T) {
        // A guess is most often the edge itself, so the unit below it comes first.
        let mut next = at - 1;
        while at - not_at > 1 {
            match self.attempt(lever, next) {
                Some(Some(closer)) => (at, what) = (next, closer),
                Some(None) => not_at = next,
                None => break,
            }
            next = not_at + (at - not_at) / 2;
        }
        (lever, at, not_at, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found is the change itself, with the lever that it is of.
    fn found(
        guesses: &[&[i64]],
        mut tries: u32,
        does: impl Fn(usize, i64) -> bool,
    ) -> (Edge<(usize, i64)>, u32) {
        let guesses: Vec<Vec<i64>> = guesses.iter().map(|guesses| guesses.to_vec()).collect();
        let attempt = |lever, at| does(lever, at).then_some((lever, at));
        let edge = Search { tries: &mut tries, attempt }.edge(&guesses);
        (edge, tries)
    }

    fn edge(lever: usize, at: i64, not_at: i64) -> Edge<(usize, i64)> {
        Edge::Found { lever, at, not_at, what: (lever, at) }
    }

    #[test]
    fn a_guess_at_the_edge_takes_two_tries() {
        assert_eq!(found(&[&[700, 900]], 9, |_, at| at >= 700), (edge(0, 700, 699), 7));
        assert_eq!(found(&[&[1]], 9, |_, _| true), (edge(0, 1, 0), 8));
    }

    #[test]
    fn the_edge_between_guesses_is_found_by_halving() {
        for edge_at in 101..=1000 {
            let (found, left) = found(&[&[100, 1000]], 20, |_, at| at >= edge_at);
            assert_eq!(found, edge(0, edge_at, edge_at - 1));
            assert!(left >= 7, "{left} tries left for {edge_at}");
        }
    }

    #[test]
    fn the_lever_that_does_with_least_is_found() {
        // 0 needs 500, 1 needs 300, 2 does at no guess.
        let does = |lever: usize, at: i64| at >= [500, 300, i64::MAX][lever];
        assert_eq!(found(&[&[500], &[300, 900], &[20]], 99, does).0, edge(1, 300, 299));
        // Where 1 is not guessed well, it is asked about what 0 does with.
        assert_eq!(found(&[&[500], &[200, 900], &[20]], 99, does).0, edge(1, 300, 299));
        assert_eq!(found(&[&[400, 600], &[700], &[20]], 99, does).0, edge(1, 300, 299));
    }

    #[test]
    fn what_is_found_is_an_edge_even_where_there_are_many() {
        let does = |lever: usize, at: i64| at % (7 + lever as i64) > 3;
        for guess in 1..200 {
            match found(&[&[guess, 2 * guess], &[guess + 3]], 60, does).0 {
                Edge::Found { lever, at, not_at, .. } => {
                    assert!(does(lever, at) && !does(lever, not_at) && at == not_at + 1, "{guess}");
                }
                Edge::NotFound { furthest } => {
                    assert!(!does(0, guess) && !does(0, 2 * guess) && !does(1, guess + 3));
                    assert_eq!(furthest, [2 * guess, guess + 3]);
                }
            }
        }
    }

    #[test]
    fn used_up_tries_leave_what_was_tried() {
        assert_eq!(found(&[&[1000]], 4, |_, at| at >= 10), (edge(0, 249, 0), 0));
        let furthest = |guesses: &[&[i64]], tries| found(guesses, tries, |_, _| false).0;
        assert_eq!(furthest(&[&[1, 2, 3]], 2), Edge::NotFound { furthest: vec![2] });
        assert_eq!(furthest(&[&[0], &[5]], 1), Edge::NotFound { furthest: vec![0, 5] });
    }
}
