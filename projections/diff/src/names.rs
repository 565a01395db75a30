//! Every text of both sides once: a cell of text is a number, and equal names are equal numbers.

use std::collections::HashMap;
use std::sync::Arc;

use powerfill_domain::values::fold;

/// Texts by number. Two that compare as equal text (1.1: without case and trailing blanks) have one number, and the
/// spelling that came first.
#[derive(Debug, Default)]
pub struct Names {
    spelled: Vec<Arc<str>>,
    folded: Vec<Arc<str>>,
    /// By spelling, so that a name that comes again costs one look.
    known: HashMap<Arc<str>, u32>,
    by_folded: HashMap<Arc<str>, u32>,
}

impl Names {
    /// The number of a text.
    ///
    /// # Panics
    /// At four billion different texts, which no memory holds.
    pub fn number(&mut self, text: &str) -> u32 {
        let text = text.trim_end_matches(' ');
        if let Some(number) = self.known.get(text) {
            return *number;
        }
        let spelled: Arc<str> = text.into();
        let folded = fold(text);
        let folded: Arc<str> =
            if folded == *spelled { Arc::clone(&spelled) } else { folded.into() };
        let number = match self.by_folded.get(&folded) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.spelled.len()).expect("fewer than 2^32 texts");
                self.spelled.push(Arc::clone(&spelled));
                self.folded.push(Arc::clone(&folded));
                self.by_folded.insert(folded, number);
                number
            }
        };
        self.known.insert(spelled, number);
        number
    }

    /// The number of a text that is there already.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.by_folded.get(fold(text).as_str()).copied()
    }

    /// As first spelled.
    pub fn spelled(&self, number: u32) -> &Arc<str> {
        &self.spelled[number as usize]
    }

    /// As it compares and orders.
    pub fn folded(&self, number: u32) -> &str {
        &self.folded[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_text_is_one_number_with_the_first_spelling() {
        let mut names = Names::default();
        let street = names.number("Straße ");
        assert_eq!(names.number("STRASSE"), street);
        assert_eq!(names.number("straße"), street);
        assert_ne!(names.number(" straße"), street);
        assert_eq!(&**names.spelled(street), "Straße");
        assert_eq!(names.folded(street), "STRASSE");
        assert_eq!(names.find("strasse  "), Some(street));
        assert_eq!(names.find("elsewhere"), None);
    }
}
