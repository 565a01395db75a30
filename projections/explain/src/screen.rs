//! A text for one screen of 80 columns: a section that does not fit any more is left out.

use std::fmt::{Display, Formatter, Result};

/// The width of the screen.
const COLUMNS: usize = 80;

/// What a broken line has less, because it goes on under its text.
const INDENT: usize = 12;

/// The lines of the sections. A screen has 40; the last ones say how to ask for more.
const LINES: usize = 37;

/// A section, from the function that writes it.
pub(super) struct Section<F>(pub(super) F);

impl<F: Fn(&mut Formatter<'_>) -> Result> Display for Section<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        (self.0)(f)
    }
}

/// The sections that fit, the most important ones first.
#[derive(Debug, Default)]
pub(super) struct Screen {
    text: String,
    lines: usize,
}

impl Screen {
    /// Adds a section if it fits.
    pub(super) fn add(&mut self, write: impl Fn(&mut Formatter<'_>) -> Result) {
        let section = Section(write).to_string();
        let broken = |line: &str| {
            1 + line.chars().count().saturating_sub(COLUMNS).div_ceil(COLUMNS - INDENT)
        };
        let lines = self.lines + section.lines().map(broken).sum::<usize>();
        if lines <= LINES {
            self.text.push_str(&section);
            self.lines = lines;
        }
    }
}

impl Display for Screen {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_that_does_not_fit_is_left_out_as_a_whole() {
        let mut screen = Screen::default();
        screen.add(|f| f.write_str(&"a\n".repeat(30)));
        // Four lines of 160 columns are 8 or more on the screen.
        screen.add(|f| f.write_str(&format!("{}\n", "b".repeat(160)).repeat(4)));
        screen.add(|f| f.write_str(&"c\n".repeat(7)));
        assert_eq!(screen.to_string(), "a\n".repeat(30) + &"c\n".repeat(7));
    }
}
