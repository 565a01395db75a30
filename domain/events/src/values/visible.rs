//! Characters that are not seen, or that a terminal obeys.

/// Whether a character is a control, a mark without width, or a mark of the writing direction. A
/// text with it looks like another text, or changes the terminal that shows it.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffd}')
}
