//! The terminal of the output, and texts that fit it.

use std::borrow::Cow;

/// The columns of the terminal: `COLUMNS`, else those of standard output's terminal. `None` if the
/// output goes elsewhere, where nothing needs to fit.
pub(crate) fn terminal_width() -> Option<usize> {
    let given = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    given.filter(|columns| *columns > 0).or_else(|| {
        let size = terminal_size::terminal_size_of(std::io::stdout());
        size.map(|(width, _)| usize::from(width.0))
    })
}

/// A text of at most `width` characters: what is longer ends with `…`.
pub(crate) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.chars().nth(width).is_none() {
        return text.into();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect::<String>().into()
}
