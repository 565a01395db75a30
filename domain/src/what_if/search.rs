//! The search for the edge between a change that does and one that does not.

/// Where the edge is, or that none was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edge<T> {
    /// `at` does, `not_at` does not; they are one unit apart unless the tries were used up.
    Found { at: i64, not_at: i64, what: T },
    /// None of the guesses does; the largest that was tried.
    NotFound { furthest: i64 },
}

/// Tries the guesses, larger and larger, until one does; then closes in on the edge between it and the largest that does
/// not. A change of 0 does not. `tries` are counted down, and end the search at 0.
pub(super) fn edge<T>(
    guesses: impl IntoIterator<Item = i64>,
    tries: &mut u32,
    mut attempt: impl FnMut(i64) -> Option<T>,
) -> Edge<T> {
    let mut attempt = |at: i64| {
        *tries = tries.checked_sub(1)?;
        Some(attempt(at))
    };
    let mut not_at = 0;
    let mut found = None;
    for guess in guesses {
        if guess <= not_at {
            continue;
        }
        match attempt(guess) {
            Some(Some(what)) => {
                found = Some((guess, what));
                break;
            }
            Some(None) => not_at = guess,
            None => break,
        }
    }
    let Some((mut at, mut what)) = found else { return Edge::NotFound { furthest: not_at } };
    // A guess is most often the edge itself, so the unit below it comes first.
    let mut next = at - 1;
    while at - not_at > 1 {
        match attempt(next) {
            Some(Some(closer)) => (at, what) = (next, closer),
            Some(None) => not_at = next,
            None => break,
        }
        next = not_at + (at - not_at) / 2;
    }
    Edge::Found { at, not_at, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(guesses: &[i64], mut tries: u32, does: impl Fn(i64) -> bool) -> (Edge<i64>, u32) {
        let edge = edge(guesses.iter().copied(), &mut tries, |at| does(at).then_some(at));
        (edge, tries)
    }

    #[test]
    fn a_guess_at_the_edge_takes_two_tries() {
        let (edge, left) = found(&[700, 900], 9, |at| at >= 700);
        assert_eq!((edge, left), (Edge::Found { at: 700, not_at: 699, what: 700 }, 7));
        let (edge, left) = found(&[1], 9, |_| true);
        assert_eq!((edge, left), (Edge::Found { at: 1, not_at: 0, what: 1 }, 8));
    }

    #[test]
    fn the_edge_between_guesses_is_found_by_halving() {
        for edge_at in 101..=1000 {
            let (edge, left) = found(&[100, 1000], 20, |at| at >= edge_at);
            assert_eq!(edge, Edge::Found { at: edge_at, not_at: edge_at - 1, what: edge_at });
            assert!(left >= 7, "{left} tries left for {edge_at}");
        }
    }

    #[test]
    fn what_is_found_is_an_edge_even_where_there_are_many() {
        let does = |at: i64| at % 7 > 3;
        for guess in 1..200 {
            match found(&[guess, 2 * guess], 40, does).0 {
                Edge::Found { at, not_at, .. } => {
                    assert!(does(at) && !(does(not_at)) && at == not_at + 1, "{guess}");
                }
                Edge::NotFound { furthest } => {
                    assert!(!does(guess) && !does(2 * guess) && furthest == 2 * guess);
                }
            }
        }
    }

    #[test]
    fn used_up_tries_leave_what_was_tried() {
        let (edge, left) = found(&[1000], 4, |at| at >= 10);
        assert_eq!((edge, left), (Edge::Found { at: 124, not_at: 0, what: 124 }, 0));
        assert_eq!(found(&[1, 2, 3], 2, |_| false).0, Edge::NotFound { furthest: 2 });
        assert_eq!(found(&[], 2, |_| false).0, Edge::NotFound { furthest: 0 });
    }
}
