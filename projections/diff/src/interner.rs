//! The texts of both sides, each stored once. A cell of text is a number, and equal texts of a
//! column have equal numbers.

use std::collections::HashMap;
use std::sync::Arc;

use powerfill_events::values::fold;

/// Texts by number. Texts of a column that compare as equal (1.1: without case and trailing blanks)
/// have one number, and the spelling of the first. Columns have spaces of their own, so the reason
/// `Locked` does not get the spelling of the pass `locked`; columns of the same name share a space,
/// whatever their table.
#[derive(Debug, Default)]
pub struct Interner {
    spelled: Vec<Arc<str>>,
    folded: Vec<Arc<str>>,
    columns: Vec<ColumnTexts>,
}

#[derive(Debug)]
struct ColumnTexts {
    name: String,
    /// By spelling, so that a repeated text costs one look-up.
    by_spelling: HashMap<Arc<str>, u32>,
    by_folded: HashMap<Arc<str>, u32>,
}

/// The space of texts that belongs to columns of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextSpace(usize);

impl Interner {
    /// The space of the columns with this name.
    pub fn space(&mut self, column: &str) -> TextSpace {
        let known = self.columns.iter().position(|known| known.name == column);
        TextSpace(known.unwrap_or_else(|| {
            let (by_spelling, by_folded) = (HashMap::new(), HashMap::new());
            self.columns.push(ColumnTexts { name: column.to_owned(), by_spelling, by_folded });
            self.columns.len() - 1
        }))
    }

    /// The number of a text, which is stored if it is new.
    ///
    /// # Panics
    /// With 2^32 different texts, which do not fit into memory.
    pub fn number(&mut self, text: &str, space: TextSpace) -> u32 {
        let text = text.trim_end_matches(' ');
        let column = &mut self.columns[space.0];
        if let Some(number) = column.by_spelling.get(text) {
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
        column.by_spelling.insert(spelled, number);
        number
    }

    /// The number of a text that is stored already.
    pub fn find(&self, text: &str, column: &str) -> Option<u32> {
        let column = self.columns.iter().find(|known| known.name == column)?;
        column.by_folded.get(fold(text).as_str()).copied()
    }

    /// The first spelling of a text.
    pub fn spelled(&self, number: u32) -> &Arc<str> {
        &self.spelled[number as usize]
    }

    /// The folded text, by which texts compare and sort (1.1).
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
