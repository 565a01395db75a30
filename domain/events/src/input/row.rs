//! Typed rows, and the declaration of a table that makes them.

use std::cmp::Ordering;

use super::schema::InputTable;
use super::value::{InputCell, InputValue};

/// A typed row of an input table; [`input_table!`](crate::input_table) implements it.
pub trait InputRow: Sized + Send + Sync {
    /// What the table declares.
    const TABLE: &'static InputTable;

    /// Takes the cells in the order of the columns. They are without fault.
    fn read(cells: &mut InputCells<'_>) -> Self;

    /// Gives the canonical text of each cell, in the same order.
    fn write(&self, cell: &mut dyn FnMut(&str));

    /// The order of the table: by its key.
    fn order(&self, other: &Self) -> Ordering;

    /// Whether all cells are written the same: a name that is spelled otherwise is a change.
    fn is_same(&self, other: &Self) -> bool;
}

/// The checked cells of a row, which its fields take one after the other.
#[derive(Debug)]
pub struct InputCells<'a> {
    cells: &'a mut [InputCell],
    next: usize,
}

impl<'a> InputCells<'a> {
    /// Before the first cell.
    pub fn new(cells: &'a mut [InputCell]) -> Self {
        Self { cells, next: 0 }
    }

    /// All cells, those that were taken as NULL.
    pub fn all(&self) -> &[InputCell] {
        self.cells
    }

    /// The next cell.
    ///
    /// # Panics
    /// Where the cell has another type. The type of a column follows from that of its field, so
    /// that a checked cell has the type of the field.
    pub fn take<T: InputValue>(&mut self) -> T {
        let cell = std::mem::replace(&mut self.cells[self.next], InputCell::Null);
        self.next += 1;
        T::from_cell(cell).unwrap_or_else(|| panic!("cell {} has another type", self.next))
    }
}

/// The cells of a row with their columns, in the table's order. An empty text is NULL.
pub type RowCells = Vec<(&'static str, String)>;

/// The cells of a row, as an export writes them.
pub fn cells_of<R: InputRow>(row: &R) -> RowCells {
    let mut columns = R::TABLE.columns.iter();
    let mut cells = Vec::with_capacity(columns.len());
    row.write(&mut |text| {
        cells.extend(columns.next().map(|column| (column.name, text.to_owned())));
    });
    cells
}

/// Declares an input table: the struct of its rows, and its [`InputRow`] with the [`InputTable`].
///
/// A column is `name: type`, then perhaps `= default`, then calls of [`InputColumn`]'s methods, as
/// `above(0)`. `Option` makes it nullable. A documented `defaults;` before the columns implements
/// [`Default`]; `cells` after them adds a field that is read from, and written as, the whole row.
///
/// [`InputColumn`]: crate::input::InputColumn
#[macro_export]
macro_rules! input_table {
    (
        $(#[doc = $description:literal])*
        $(#[derive($($derive:path),* $(,)?)])?
        table $row:ident = $table:literal, key($($key:ident),*)
            $(, $setting:ident $(($argument:literal))?)*;
        $(reference ($($from:ident),*) = $to:literal, unknown $unknown:ident;)*
        $(defaults $defaults:tt)?
        columns {$(
            $(#[doc = $doc:literal])*
            $column:ident: $type:ty $(= $default:expr)? $(, $rule:ident($($value:expr),*))*;
        )*}
        $(
            $(#[doc = $cells_doc:literal])*
            cells $cells:ident: $cells_type:ty, read $read:path, write $write:path;
        )?
    ) => {
        $(#[doc = $description])*
        #[derive(Debug, Clone $($(, $derive)*)?)]
        pub struct $row {
            $($(#[doc = $doc])* pub $column: $type,)*
            $($(#[doc = $cells_doc])* pub $cells: $cells_type,)?
        }

        impl $crate::input::InputRow for $row {
            const TABLE: &'static $crate::input::InputTable = &$crate::input::InputTable::new(
                $table,
                concat!($($description),*).trim_ascii(),
                &[$(stringify!($key)),*],
                &[$($crate::input::InputReference {
                    columns: &[$(stringify!($from)),*],
                    table: $to,
                    unknown: $crate::values::Severity::$unknown,
                }),*],
                &[$(
                    $crate::input::InputColumn::of::<$type>(
                        stringify!($column),
                        concat!($($doc),*),
                    )
                    $(.default(|| $crate::input::text_of::<$type>(&$default)))?
                    $(.$rule($($value),*))*
                ),*],
            )
            $(.$setting($($argument)?))*;

            fn read(cells: &mut $crate::input::InputCells<'_>) -> Self {
                $(let $cells = $read(cells.all());)?
                Self {
                    $($column: cells.take(),)*
                    $($cells,)?
                }
            }

            $crate::input_table! { @write [$($cells, $write)?] $($column)* }

            #[allow(unused_variables, reason = "a table of one row has no key")]
            fn order(&self, other: &Self) -> std::cmp::Ordering {
                std::cmp::Ordering::Equal$(.then_with(|| self.$key.cmp(&other.$key)))*
            }

            fn is_same(&self, other: &Self) -> bool {
                $($crate::input::InputValue::is_same(&self.$column, &other.$column))&&*
            }
        }

        $crate::input_table! { @default [$($defaults)?] $row $($column: $type $(= $default)?;)* }
    };

    (@write [] $($column:ident)*) => {
        fn write(&self, cell: &mut dyn FnMut(&str)) {
            let mut text = String::new();
            $(
                text.clear();
                $crate::input::InputValue::write(&self.$column, &mut text);
                cell(&text);
            )*
        }
    };
    (@write [$cells:ident, $write:path] $($column:ident)*) => {
        fn write(&self, cell: &mut dyn FnMut(&str)) {
            $write(&self.$cells, cell);
        }
    };

    (@default [] $($rest:tt)*) => {};
    (@default [;] $row:ident $($column:ident: $type:ty $(= $default:expr)?;)*) => {
        impl Default for $row {
            fn default() -> Self {
                Self { $($column: $crate::input_table!(@value $type $(= $default)?),)* }
            }
        }
    };

    (@value $type:ty) => { <$type>::default() };
    (@value $type:ty = $default:expr) => { $default };
}
