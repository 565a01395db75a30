//! Every text of both sides once: a cell of text is a number, and equal names are equal numbers.

use std::collections::HashMap;
use std::sync::Arc;

use powerfill_events::values::fold;

/// Texts by number. Two of a column that compare as equal text (1.1: without case and trailing
/// blanks) have one number, and the spelling that came first. Each column is for itself, so that
/// the reason `Locked` is not spelled as the pass `locked`; columns of the same name are one,
/// whatever their table.
#[derive(Debug, Default)]
pub struct Interner {
    spelled: Vec<Arc<str>>,
    folded: Vec<Arc<str>>,
    columns: Vec<OfColumn>,
}

#[derive(Debug)]
struct OfColumn {
    name: String,
    /// By spelling, so that a name that comes again costs one look.
    known: HashMap<Arc<str>, u32>,
    by_folded: HashMap<Arc<str>, u32>,
}

/// A column whose texts are numbered together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextSpace(usize);

impl Interner {
    /// The space of a column.
    pub fn space(&mut self, column: &str) -> TextSpace {
        let known = self.columns.iter().position(|of| of.name == column);
        TextSpace(known.unwrap_or_else(|| {
            let (known, by_folded) = (HashMap::new(), HashMap::new());
            self.columns.push(OfColumn { name: column.to_owned(), known, by_folded });
            self.columns.len() - 1
        }))
    }

    /// The number of a text.
    ///
    /// # Panics
    /// At four billion different texts, which no memory holds.
    pub fn number(&mut self, text: &str, space: TextSpace) -> u32 {
        let text = text.trim_end_matches(' ');
        let column = &mut self.columns[space.0];
        if let Some(number) = column.known.get(text) {
            return *number;
        }
        let spelled: Arc<str> = text.into();
        let folded = fold(text);
        let folded: Arc<str> =
            if folded == *spelled { Arc::clone(&spelled) } else { folded.into() };
        let number = match column.by_folded.get(&folded) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.spelled.len()).expect("fewer than 2^32 texts");
                self.spelled.push(Arc::clone(&spelled));
                self.folded.push(Arc::clone(&folded));
                column.by_folded.insert(folded, number);
                number
            }
        };
        column.known.insert(spelled, number);
        number
    }

    /// The number of a column's text that is there already.
    pub fn find(&self, text: &str, column: &str) -> Option<u32> {
        let of = self.columns.iter().find(|of| of.name == column)?;
        of.by_folded.get(fold(text).as_str()).copied()
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
    fn equal_text_of_a_column_is_one_number_with_the_first_spelling() {
        let mut names = Interner::default();
        let (loans, trades) = (names.space("loan_id"), names.space("trade_id"));
        assert_eq!(names.space("loan_id"), loans);
        let street = names.number("Straße ", loans);
        assert_eq!(names.number("STRASSE", loans), street);
        assert_eq!(names.number("straße", loans), street);
        assert_ne!(names.number(" straße", loans), street);
        let trade = names.number("STRASSE", trades);
        assert_ne!(trade, street);
        assert_eq!((&**names.spelled(street), &**names.spelled(trade)), ("Straße", "STRASSE"));
        assert_eq!(names.folded(street), "STRASSE");
        assert_eq!(names.find("strasse  ", "loan_id"), Some(street));
        assert_eq!(names.find("elsewhere", "loan_id"), None);
        assert_eq!(names.find("strasse", "pool_name"), None);
    }
}
