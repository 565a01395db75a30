//! The values of the domain and the events of the log (specification 1.1, 3.1): what a store, a
//! projection, and the engine have in common. No I/O, clock, randomness, or binary floats.
//!
//! From bottom to top: [`values`]; [`log`], which knows no aggregate; [`run`], [`config`], and
//! [`retention`], the events of the kinds of streams; [`stream`] and [`cloud_event`], which know
//! all kinds.

#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

pub mod annotation;
pub mod challenge;
pub mod cloud_event;
pub mod config;
pub mod input;
pub mod log;
pub mod retention;
pub mod run;
pub mod stream;
pub mod values;

/// The events that a projection does not use, as one pattern: names of groups and of events, as
/// their declaration spells them. Projections match every event and have no wildcard, so that a new
/// event must be put into a group, and a new group breaks the build of every projection.
///
/// ```
/// use powerfill_events::{ignored, run::RunEvent};
///
/// fn kicks_out(event: &RunEvent) -> bool {
///     match event {
///         RunEvent::LoanKickedOut(_) => true,
///         ignored!(
///             Opening Positions CashGrids Candidates Passes ConstraintBlockEvaluated
///             TradeFillEvaluated PoolActionDerived Synthetic Verification End
///         ) => false,
///     }
/// }
/// ```
#[macro_export]
macro_rules! ignored {
    ($($name:ident)+) => {
        $($crate::run_event_pattern!($name))|+
    };
}
