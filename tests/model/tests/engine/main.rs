//! The engine against the model, the checks, and itself, on small adversarial books and on the
//! conformance cases.
//!
//! * [`books`] makes a book from a seed; [`compare`] finds differences between engine and model
//! * [`seeds`]: engine == model on every table and decision, and the checks pass, for thousands of
//!   seeds
//! * [`metamorphic`]: shuffled rows, renamed ids, scaled amounts, and shifted prices change nothing
//!   else
//! * [`facts`]: the facts about loans and trades agree with the decisions, and with excerpts
//! * [`what_if`]: a change that the search reports places the loan in the model too
//! * [`tampering`]: the checks refuse a tampered run, by the right invariant
//!
//! A failing seed prints the command that replays it. `POWERFILL_SEEDS` sets the number of seeds.

mod books;
mod cases;
mod compare;
mod dice;
mod facts;
mod metamorphic;
mod seeds;
mod tampering;
mod what_if;
