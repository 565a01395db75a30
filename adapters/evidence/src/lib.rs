//! The evidence of one run in one file, which a receiver can check without the store (specification
//! 3.4). Decision 11 and `docs/guides/answering-an-auditor.md` describe the file.
//!
//! * [`container`]: the file, a zip archive of parts with their sums
//! * [`parts`]: the content of the parts
//! * [`export()`]: writes the evidence of a run of a store
//! * [`verify()`]: checks a file, and names the first thing that is wrong
//! * [`signature`]: SSH signatures over the sums
//! * [`archive`]: holds, and runs whose payloads leave the store
//! * [`store`]: a file as a store that can only be read

pub mod archive;
pub mod container;
mod error;
mod evidence_file;
pub mod export;
mod input;
pub mod parts;
mod run_fold;
pub mod signature;
pub mod store;
pub mod verify;

pub use error::EvidenceError;
pub use export::{ExportRequest, export};
pub use signature::{Signer, sign};
pub use store::EvidenceStore;
pub use verify::{EvidenceReport, Expectation, verify};
