//! Published formats: every event in every version ever written, the digests of captures, and the
//! generated reference.
//!
//! `UPDATE=1 cargo test -p powerfill-tests --test contracts` writes the files again, for a review
//! of their diff.

mod asyncapi;
mod captures;
mod edits;
mod events;
mod file;
mod golden;
mod inputs;
mod json;
mod openapi;
mod overview;
mod published;
mod released;
mod tables;
