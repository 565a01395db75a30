//! Text files of other systems (specification 3.4, 4.1): of the Desktop App, a spreadsheet, an
//! agency, or a database tool, in any encoding and with any delimiter. A mapping says how to read
//! what is not detected.
//!
//! * [`read_folder`]: the files of a folder that a mapping wants, and the paths of its workbooks
//! * [`read_text`]: the bytes of one file

mod encoding;
mod folder;
mod layout;
mod text;

pub(crate) use encoding::utf16_without_mark;
pub use folder::{TolerantFolder, read_folder};
pub use text::read_text;
