//! The run and the configuration as aggregates of `eventually`.

use eventually::aggregate::Aggregate;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use powerfill_events::config::ConfigEvent;
use powerfill_events::run::{Run, RunCommand, RunEvent, RunId, RunRejection, RunState};
use powerfill_events::values::TenantId;
use powerfill_snapshot::config::{Config, ConfigCommand, ConfigRejection, ConfigState};

/// Declares an aggregate: its types, and how a command is decided.
macro_rules! aggregate {
    (
        $(#[$doc:meta])* $name:ident($id:ty, $state:ty, $event:ty, $command:ty, $error:ty),
        $decide:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name;

        impl Aggregate for $name {
            type Id = $id;
            type State = $state;
            type Event = $event;
            type Command = $command;
            type Error = $error;

            fn apply(mut state: $state, event: $event) -> Result<$state, $error> {
                state.accept(&event)?;
                Ok(state)
            }

            fn handle<'a, 's: 'a>(
                &'a self,
                _id: &'s $id,
                state: &'s $state,
                command: $command,
            ) -> BoxFuture<'a, Result<Option<Vec<$event>>, $error>> {
                let decide: fn(&$state, $command) -> Result<Option<Vec<$event>>, $error> = $decide;
                ready(decide(state, command)).boxed()
            }
        }
    };
}

aggregate! {
    /// [`Run`] as an aggregate of `eventually`.
    RunAggregate(RunId, RunState, RunEvent, RunCommand, RunRejection),
    |state, command| Run::decide(state, command).map(Some)
}

aggregate! {
    /// [`Config`] as an aggregate of `eventually`.
    ConfigAggregate(TenantId, ConfigState, ConfigEvent, ConfigCommand, ConfigRejection),
    |state, command| {
        let events = Config::decide(state, &command)?;
        Ok((!events.is_empty()).then_some(events))
    }
}
