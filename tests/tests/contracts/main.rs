//! What PowerFill publishes: every event in every version ever written, and the reference made from
//! the types.
//!
//! `UPDATE=1 cargo test -p powerfill-tests --test contracts` writes the files again; the diff is
//! what reviewers read.

mod asyncapi;
mod captures;
mod events;
mod file;
mod golden;
mod inputs;
mod json;
mod openapi;
mod published;
mod released;
mod tables;
