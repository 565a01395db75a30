//! Closed lists of values. Each value is declared once, with its spelling in the specification,
//! which reading, writing, events, rows, and reports share.

/// An enumeration whose values are spelled in the specification.
pub trait Choice: Copy + 'static {
    /// Every value, in the order of the specification.
    const ALL: &'static [Self];

    /// The spelling.
    fn spelling(self) -> &'static str;
}

/// Declares enumerations: variant, spelling, and description. Spelling and description are part of
/// the published schemas.
#[macro_export]
macro_rules! choices {
    ($(
        $(#[$attribute:meta])*
        $name:ident { $($(#[$documented:meta])* $variant:ident = $text:literal,)* }
    )*) => {$(
        $(#[$attribute])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize,
            serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $name {
            $($(#[$documented])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every value, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The spellings of all values.
            pub const WORDS: &'static [&'static str] = &[$($text),*];

            /// The spelling in the specification, in input, events, rows, and reports.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl $crate::values::Choice for $name {
            const ALL: &'static [Self] = Self::ALL;

            fn spelling(self) -> &'static str {
                self.as_str()
            }
        }
    )*};
}

/// Declares reasons, in ascending rank: variant, spelling, words for a report, and description.
macro_rules! reasons {
    ($(
        $(#[$attribute:meta])*
        $name:ident {
            $($(#[$documented:meta])* $variant:ident = $text:literal, $words:literal;)*
        }
    )*) => {
        $crate::choices! {
            $($(#[$attribute])* $name { $($(#[$documented])* $variant = $text,)* })*
        }
        $(impl $name {
            /// The rank among the reasons, from 0. Of several reasons the one with the highest
            /// rank counts.
            pub const fn rank(self) -> u8 {
                self as u8
            }

            /// The reason as a clause of a sentence.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)*
                }
            }
        })*
    };
}

pub(crate) use reasons;
