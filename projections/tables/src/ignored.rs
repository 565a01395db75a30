//! Projections match every event by name. There is no wildcard: a new event breaks the build of each projection that
//! has not said whether it matters to it.

/// The events that a projection has nothing to do with, as a pattern.
#[macro_export]
macro_rules! ignored {
    ($($event:ident)+) => {
        $(powerfill_events::run::RunEvent::$event(_))|+
    };
}
