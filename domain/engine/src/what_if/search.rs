//! The search for the edge between a change that is enough and one that is not.

/// The edge, or the largest changes that are not enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edge<T> {
    /// Of this lever, `enough` units are and `not_enough` units are not. The two are one unit apart
    /// unless the attempts ran out.
    Found { lever: usize, enough: i64, not_enough: i64, result: T },
    /// No guess is enough. Per lever the largest change that was tried, 0 for none.
    NotFound { largest: Vec<i64> },
}

/// A search over some levers, each with guesses. A change of 0 is never enough.
pub(super) struct Search<'s, F> {
    /// Counted down; the search ends at 0.
    pub(super) attempts_left: &'s mut u32,
    /// The result of a change of a lever, where the change is enough.
    pub(super) attempt: F,
}

/// The end of one attempt.
enum Attempt<T> {
    Enough(T),
    NotEnough,
    /// No attempts are left.
    NotMade,
}

/// A change that is enough, and a smaller one that is not.
struct Bracket<T> {
    lever: usize,
    enough: i64,
    not_enough: i64,
    result: T,
}

impl<T, F: FnMut(usize, i64) -> Option<T>> Search<'_, F> {
    /// Tries the guesses of all levers, the smallest first, until one is enough. Then bisects
    /// between it and the largest one that is not, and tries whether another lever needs less.
    pub(super) fn edge(mut self, guesses: &[Vec<i64>]) -> Edge<T> {
        let mut largest = vec![0; guesses.len()];
        let mut found = None;
        for (units, lever) in ascending(guesses) {
            match self.attempt(lever, units) {
                Attempt::Enough(result) => {
                    found = Some((lever, units, result));
                    break;
                }
                Attempt::NotEnough => largest[lever] = units,
                Attempt::NotMade => break,
            }
        }
        let Some((lever, enough, result)) = found else { return Edge::NotFound { largest } };
        let mut best = self.bisect(Bracket { lever, enough, not_enough: largest[lever], result });
        for (lever, not_enough) in largest.into_iter().enumerate() {
            let enough = best.enough - 1;
            if lever == best.lever || not_enough >= enough {
                continue;
            }
            if let Attempt::Enough(result) = self.attempt(lever, enough) {
                best = self.bisect(Bracket { lever, enough, not_enough, result });
            }
        }
        let Bracket { lever, enough, not_enough, result } = best;
        Edge::Found { lever, enough, not_enough, result }
    }

    fn attempt(&mut self, lever: usize, units: i64) -> Attempt<T> {
        let Some(left) = self.attempts_left.checked_sub(1) else { return Attempt::NotMade };
        *self.attempts_left = left;
        (self.attempt)(lever, units).map_or(Attempt::NotEnough, Attempt::Enough)
    }

    /// Narrows a bracket to one unit, as far as the attempts allow.
    fn bisect(&mut self, mut bracket: Bracket<T>) -> Bracket<T> {
        // A guess is most often the edge itself, so the unit below it comes first.
        let mut next = bracket.enough - 1;
        while bracket.enough - bracket.not_enough > 1 {
            match self.attempt(bracket.lever, next) {
                Attempt::Enough(result) => (bracket.enough, bracket.result) = (next, result),
                Attempt::NotEnough => bracket.not_enough = next,
                Attempt::NotMade => break,
            }
            next = bracket.not_enough + (bracket.enough - bracket.not_enough) / 2;
        }
        bracket
    }
}

/// The positive guesses of all levers, the smallest first.
fn ascending(guesses: &[Vec<i64>]) -> Vec<(i64, usize)> {
    let guesses = guesses.iter().enumerate();
    let mut guesses: Vec<(i64, usize)> = guesses
        .flat_map(|(lever, guesses)| guesses.iter().map(move |units| (*units, lever)))
        .filter(|(units, _)| *units > 0)
        .collect();
    guesses.sort_unstable();
    guesses
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The edge that a search finds, with the lever and the change as its result, and the number of
    /// attempts left.
    fn search(
        guesses: &[&[i64]],
        mut attempts: u32,
        is_enough: impl Fn(usize, i64) -> bool,
    ) -> (Edge<(usize, i64)>, u32) {
        let guesses: Vec<Vec<i64>> = guesses.iter().map(|guesses| guesses.to_vec()).collect();
        let attempt = |lever, units| is_enough(lever, units).then_some((lever, units));
        let edge = Search { attempts_left: &mut attempts, attempt }.edge(&guesses);
        (edge, attempts)
    }

    fn edge(lever: usize, enough: i64, not_enough: i64) -> Edge<(usize, i64)> {
        Edge::Found { lever, enough, not_enough, result: (lever, enough) }
    }

    #[test]
    fn a_guess_at_the_edge_takes_two_attempts() {
        assert_eq!(search(&[&[700, 900]], 9, |_, units| units >= 700), (edge(0, 700, 699), 7));
        assert_eq!(search(&[&[1]], 9, |_, _| true), (edge(0, 1, 0), 8));
    }

    #[test]
    fn bisection_finds_the_edge_between_guesses() {
        for edge_at in 101..=1000 {
            let (found, left) = search(&[&[100, 1000]], 20, |_, units| units >= edge_at);
            assert_eq!(found, edge(0, edge_at, edge_at - 1));
            assert!(left >= 7, "{left} attempts left for {edge_at}");
        }
    }

    #[test]
    fn the_lever_that_needs_least_is_found() {
        // Lever 0 needs 500, lever 1 needs 300, and no guess of lever 2 is enough.
        let is_enough = |lever: usize, units: i64| units >= [500, 300, i64::MAX][lever];
        assert_eq!(search(&[&[500], &[300, 900], &[20]], 99, is_enough).0, edge(1, 300, 299));
        // With poor guesses, lever 1 is tried with one unit less than what lever 0 needs.
        assert_eq!(search(&[&[500], &[200, 900], &[20]], 99, is_enough).0, edge(1, 300, 299));
        assert_eq!(search(&[&[400, 600], &[700], &[20]], 99, is_enough).0, edge(1, 300, 299));
    }

    #[test]
    fn the_result_is_an_edge_also_where_there_are_many() {
        let is_enough = |lever: usize, units: i64| units % (7 + i64::try_from(lever).unwrap()) > 3;
        for guess in 1..200 {
            match search(&[&[guess, 2 * guess], &[guess + 3]], 60, is_enough).0 {
                Edge::Found { lever, enough, not_enough, .. } => {
                    assert!(is_enough(lever, enough) && !is_enough(lever, not_enough), "{guess}");
                    assert_eq!(enough, not_enough + 1, "{guess}");
                }
                Edge::NotFound { largest } => {
                    assert!(!is_enough(0, guess) && !is_enough(0, 2 * guess));
                    assert!(!is_enough(1, guess + 3));
                    assert_eq!(largest, [2 * guess, guess + 3]);
                }
            }
        }
    }

    #[test]
    fn a_search_without_attempts_left_reports_what_it_tried() {
        assert_eq!(search(&[&[1000]], 4, |_, units| units >= 10), (edge(0, 249, 0), 0));
        let largest = |guesses: &[&[i64]], attempts| search(guesses, attempts, |_, _| false).0;
        assert_eq!(largest(&[&[1, 2, 3]], 2), Edge::NotFound { largest: vec![2] });
        assert_eq!(largest(&[&[0], &[5]], 1), Edge::NotFound { largest: vec![0, 5] });
    }
}
