//! Input tables, each declared once (specification 1.2): [`input_table!`](crate::input_table) makes
//! the typed row and the [`InputTable`] that sources, the validation, the canonical form, the SQL
//! scripts, and the reference follow.

mod address;
mod input_type;
mod limit;
mod raw;
mod row;
mod schema;
mod value;
mod word;

pub use address::address;
pub use input_type::InputType;
pub use limit::{TableLimit, TableTooLarge, TooLarge};
pub use raw::{CellDisplay, RawTable, RowOrigin, ShownCell};
pub use row::{InputCells, InputRow, RowCells, cells_of};
pub use schema::{Bounds, InputColumn, InputReference, InputTable, Measure, Presence, RowCount};
pub use value::{InputCell, InputValue, RuleOnly, text_of};
pub use word::{InstrumentKind, TradeType};
