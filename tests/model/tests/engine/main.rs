//! The engine against the model, the checker and itself, on small adversarial books and on the conformance cases.
//!
//! * [`books`] makes a book from a seed; [`compare`] finds where engine and model differ
//! * [`seeds`]: engine == model on every table and decision, and the checker agrees, for thousands of seeds
//! * [`metamorphic`]: shuffled rows, renamed ids, scaled amounts and shifted prices change nothing that they should not
//! * [`facts`]: what the input says of loans and trades agrees with what was decided, and with excerpts
//! * [`what_if`]: what would have changed a kickout does so when it is typed in, by the model
//! * [`tampering`]: the checker refuses a run that was tampered with, by the right invariant
//!
//! A failing seed prints the command that replays it. `POWERFILL_SEEDS` asks for more of them.

mod books;
mod cases;
mod compare;
mod dice;
mod facts;
mod metamorphic;
mod seeds;
mod tampering;
mod what_if;
