//! The run and the configuration behind `eventually`'s `Aggregate`.

use eventually::aggregate::Aggregate;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use powerfill_events::config::ConfigEvent;
use powerfill_events::run::{Run, RunCommand, RunEvent, RunId, RunRejection, RunState};
use powerfill_events::values::TenantId;
use powerfill_snapshot::config::{Config, ConfigCommand, ConfigRejection, ConfigState};

/// [`Run`] as `eventually` sees an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunAggregate;

impl Aggregate for RunAggregate {
    type Id = RunId;
    type State = RunState;
    type Event = RunEvent;
    type Command = RunCommand;
    type Error = RunRejection;

    fn apply(mut state: RunState, event: RunEvent) -> Result<RunState, RunRejection> {
        state.accept(&event)?;
        Ok(state)
    }

    fn handle<'a, 's: 'a>(
        &'a self,
        _id: &'s RunId,
        state: &'s RunState,
        command: RunCommand,
    ) -> BoxFuture<'a, Result<Option<Vec<RunEvent>>, RunRejection>> {
        ready(Run::decide(state, command).map(Some)).boxed()
    }
}

/// [`Config`] as `eventually` sees an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConfigAggregate;

impl Aggregate for ConfigAggregate {
    type Id = TenantId;
    type State = ConfigState;
    type Event = ConfigEvent;
    type Command = ConfigCommand;
    type Error = ConfigRejection;

    fn apply(mut state: ConfigState, event: ConfigEvent) -> Result<ConfigState, ConfigRejection> {
        state.accept(&event)?;
        Ok(state)
    }

    fn handle<'a, 's: 'a>(
        &'a self,
        _id: &'s TenantId,
        state: &'s ConfigState,
        command: ConfigCommand,
    ) -> BoxFuture<'a, Result<Option<Vec<ConfigEvent>>, ConfigRejection>> {
        let decided = Config::decide(state, &command);
        ready(decided.map(|events| (!events.is_empty()).then_some(events))).boxed()
    }
}
