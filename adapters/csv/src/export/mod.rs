//! Exports as raw tables (specification 3.4): files of the Desktop App, of a spreadsheet, or of a
//! database tool, in any encoding and with any delimiter. The reader is lenient where that of a
//! snapshot is strict, because an export is evidence that cannot be written again.
//!
//! * [`read_folder`]: every CSV file of a folder, and the paths of its workbooks
//! * [`read_text`]: the bytes of one file

mod encoding;
mod folder;
mod text;

pub use folder::{Export, ExportTable, digest, read_folder};
pub use text::read_text;
