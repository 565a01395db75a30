//! Enumerations of the input (1.2, 1.3): the words of each stand in its declaration only.

/// Declares enumerations with the word of each variant, in the order in which messages list them.
#[macro_export]
macro_rules! word_enums {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident {$(
            $(#[doc = $variant_doc:literal])*
            $variant:ident = $word:literal,
        )*}
    )*) => {$(
        $crate::choices! {
            $(#[doc = $doc])*
            $name { $($(#[doc = $variant_doc])* $variant = $word,)* }
        }

        impl $crate::input::InputValue for $name {
            const TYPE: $crate::input::InputType = $crate::input::InputType::OneOf(Self::WORDS);

            fn from_cell(cell: $crate::input::InputCell) -> Option<Self> {
                match cell {
                    $crate::input::InputCell::Word(position) => Self::ALL.get(position).copied(),
                    _ => None,
                }
            }

            fn write(&self, out: &mut String) {
                out.push_str(self.as_str());
            }

            fn is_same(&self, other: &Self) -> bool {
                self == other
            }
        }
    )*};
}

word_enums! {
    /// The kind of an instrument.
    InstrumentKind {
        /// To-be-announced agency delivery.
        Tba = "tba",
        /// Cash window.
        Cash = "cash",
        /// Whole loan.
        WholeLoan = "whole_loan",
    }

    /// Whether a trade has its own price or takes that of the grid.
    TradeType {
        /// Sold forward at a trade price.
        Forward = "forward",
        /// Best execution: priced from the grid.
        Bx = "bx",
    }
}
