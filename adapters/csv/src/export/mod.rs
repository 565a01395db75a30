//! The files of an export as raw tables (specification 3.4): written by the Desktop App, a
//! spreadsheet or a database tool, in whatever encoding and with whatever delimiter. Lenient where
//! the snapshot's CSV ([1.2]) is strict, for the files are evidence that nobody can have written
//! again.
//!
//! * [`read_folder`]: every CSV file of a folder, and the workbooks that lie beside them
//! * [`read_text`]: one file's bytes
//!
//! [1.2]: powerfill_snapshot

mod encoding;
mod folder;
mod text;

pub use folder::{Export, ExportFault, ExportTable, digest, read_folder};
pub use text::{Unreadable, read_text};
