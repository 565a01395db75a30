//! Objects of answers, each declared once.

/// Declares an object of an answer: its fields, and how each is made from a value.
macro_rules! answer_object {
    ($(#[$attribute:meta])* $name:ident($value:ident: $from:ty) {$(
        $(#[$field_attribute:meta])* $field:ident: $type:ty = $expression:expr,
    )*}) => {
        #[derive(serde::Serialize, utoipa::ToSchema)]
        $(#[$attribute])*
        pub(crate) struct $name {
            $($(#[$field_attribute])* pub(crate) $field: $type,)*
        }

        impl From<$from> for $name {
            fn from($value: $from) -> Self {
                Self { $($field: $expression,)* }
            }
        }
    };
}

pub(crate) use answer_object;

/// The text of a value, if there is one.
pub(crate) fn text<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}
