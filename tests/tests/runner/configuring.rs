//! A tenant's configuration over real stores: concurrent changes, past states, and one log with the
//! runs.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use powerfill_app::configure::{
    ConfigAsOf, ConfigOutcome, ConfigRequest, ConfigureError, configure, preview_change,
    read_config_history, read_configuration,
};
use powerfill_app::rebuild::rebuild;
use powerfill_app::replay::replay;
use powerfill_app::{AppError, NoObserver};
use powerfill_events::values::TenantId;
use powerfill_ports::StoreError;
use powerfill_ports::events::EventStore;
use powerfill_snapshot::config::{
    ConfigChange, ConfigCommand, ConfigRejection, ConfigTable, ConfigTables, GivenRow, LeftOut,
    Precondition,
};
use powerfill_snapshot::validate;
use powerfill_tables::table::LargeTables;
use powerfill_tests::all_runs::AllRuns;
use uuid::Uuid;

use crate::books::{self, Book};
use crate::desk::Desk;
use crate::faulty_store::{CallOutcome, FaultyStore};

fn lock(pool: &str, lock_pool: &str, precondition: Precondition) -> ConfigCommand {
    let cells = [("pool_name", pool), ("lock_pool", lock_pool)];
    let row: GivenRow = cells.map(|(column, text)| (column.into(), text.into())).into();
    let (table, left_out) = (ConfigTable::Lockdown, LeftOut::Empty);
    ConfigChange::Write { table, rows: vec![row], left_out, precondition }.into()
}

async fn change_in(
    store: &dyn EventStore,
    desk: &Desk,
    actor: &str,
    command: &ConfigCommand,
) -> Result<ConfigOutcome, ConfigureError> {
    let tenant = TenantId::from("WATERMARK");
    let command_id = Uuid::now_v7();
    let request = ConfigRequest { command_id, tenant: &tenant, command, requested_by: actor };
    configure(store, desk.clock(), &request).await
}

async fn change(desk: &Desk, actor: &str, command: &ConfigCommand) -> ConfigOutcome {
    change_in(desk.store.as_ref(), desk, actor, command).await.expect("the change is accepted")
}

fn locks(configured: &powerfill_snapshot::config::ConfigState) -> Vec<(String, bool)> {
    let rows = configured.lockdown().values().map(|held| &held.row);
    rows.map(|row| (row.pool_name.to_string(), row.lock_pool)).collect()
}

/// Eight writers make ten changes each.
pub(crate) async fn concurrent_changes_are_all_recorded(desk: &Desk) {
    let writer = async |number: usize| {
        for at in 0..10 {
            let command = lock(&format!("P{number}-{at}"), "Y", Precondition::Absent);
            change(desk, &format!("writer {number}"), &command).await;
        }
    };
    futures::future::join_all((0..8).map(writer)).await;
    let history = read_config_history(desk.store.as_ref()).await.unwrap();
    assert!((1..=80).eq(history.iter().map(|record| record.version)));
    for number in 0..8 {
        let actor = format!("writer {number}");
        assert_eq!(history.iter().filter(|record| record.actor == actor).count(), 10);
    }
    let state = read_configuration(desk.store.as_ref(), ConfigAsOf::Now).await.unwrap();
    assert_eq!((locks(&state).len(), state.version()), (80, 80));
    desk.verify().await;
}

/// Nothing of the later change is written, and its error names the newest token.
pub(crate) async fn of_two_changes_with_one_token_one_is_stale(desk: &Desk) {
    change(desk, "dana", &lock("P1", "N", Precondition::Absent)).await;
    change(desk, "dana", &lock("P2", "N", Precondition::Absent)).await;
    let with_token = lock("P1", "Y", Precondition::Token(1));
    let other = lock("P1", "y", Precondition::Token(1));
    let both = futures::join!(
        change_in(desk.store.as_ref(), desk, "dana", &with_token),
        change_in(desk.store.as_ref(), desk, "lee", &other),
    );
    let (accepted, refused) = match both {
        (Ok(accepted), Err(refused)) | (Err(refused), Ok(accepted)) => (accepted, refused),
        both => panic!("{both:?}"),
    };
    assert_eq!(accepted.state.version(), 3);
    assert!(matches!(
        refused,
        ConfigureError::Rejected(ConfigRejection::Stale { given: 1, present: Some(3), .. })
    ));
    let state = read_configuration(desk.store.as_ref(), ConfigAsOf::Now).await.unwrap();
    assert_eq!(state, accepted.state);
    // A token stays valid while other rows change.
    change(desk, "lee", &lock("P2", "Y", Precondition::Token(2))).await;
}

pub(crate) async fn a_change_with_a_lost_answer_is_recorded_once(desk: &Desk) {
    let unavailable = || StoreError::Unavailable("no answer".into());
    let store = FaultyStore::wrap(&desk.store, move |call, before, _| match (call, before) {
        ("append", 0) => CallOutcome::Unanswered(unavailable()),
        (_, 0) => CallOutcome::Refused(unavailable()),
        _ => CallOutcome::Done,
    });
    let command = lock("P1", "Y", Precondition::Absent);
    let configured = change_in(store.as_ref(), desk, "dana", &command).await.unwrap();
    assert_eq!(configured.state.version(), 1);
    assert_eq!(desk.store.stream_version("config").await.unwrap(), 1);
}

pub(crate) async fn another_tenants_store_is_refused(desk: &Desk) {
    desk.complete(&books::small()).await;
    let (tenant, command) = (TenantId::from("ACME"), lock("P1", "Y", Precondition::Any));
    let request = ConfigRequest {
        command_id: Uuid::now_v7(),
        tenant: &tenant,
        command: &command,
        requested_by: "dana",
    };
    let refused = [
        configure(desk.store.as_ref(), desk.clock(), &request).await,
        preview_change(desk.store.as_ref(), &tenant, &command).await,
    ];
    for refused in refused {
        assert!(matches!(
            refused,
            Err(ConfigureError::App(AppError::Store(StoreError::AnotherTenant(_))))
        ));
    }
    assert_eq!(desk.store.stream_version("config").await.unwrap(), 0);
}

/// After any event, and at any moment. A preview is not recorded.
pub(crate) async fn the_configuration_is_read_as_of_any_moment(desk: &Desk) {
    let store = desk.store.as_ref();
    let before = desk.now();
    change(desk, "dana", &lock("P1", "N", Precondition::Any)).await;
    let between = desk.now();
    change(desk, "lee", &lock("P1", "Y", Precondition::Any)).await;
    change(desk, "lee", &lock("P1", "Y", Precondition::Any)).await;
    let tenant = TenantId::from("WATERMARK");
    let previewed =
        preview_change(store, &tenant, &lock("P2", "Y", Precondition::Any)).await.unwrap();
    assert_eq!((previewed.events.len(), previewed.state.version()), (1, 3));
    let at = async |as_of| locks(&read_configuration(store, as_of).await.unwrap());
    let is = |lock_pool| vec![("P1".to_owned(), lock_pool)];
    assert_eq!(at(ConfigAsOf::Moment(before)).await, []);
    assert_eq!(at(ConfigAsOf::Version(0)).await, []);
    assert_eq!(at(ConfigAsOf::Moment(between)).await, is(false));
    assert_eq!(at(ConfigAsOf::Version(1)).await, is(false));
    assert_eq!(at(ConfigAsOf::Version(2)).await, is(true));
    assert_eq!(at(ConfigAsOf::Moment(desk.now())).await, is(true));
    assert!(matches!(
        read_configuration(store, ConfigAsOf::Version(3)).await,
        Err(ConfigureError::NoSuchVersion { version: 3, versions: 2 })
    ));
    let history = read_config_history(store).await.unwrap();
    let actors: Vec<&str> = history.iter().map(|record| record.actor.as_str()).collect();
    assert_eq!(actors, ["dana", "lee"]);
    let columns = powerfill_snapshot::config::RowChange::of_event(&history[1].event).remove(0);
    assert_eq!(columns.columns(), [("lock_pool", Some("N"), Some("Y"))]);
}

/// Readers of the whole log distinguish both.
pub(crate) async fn runs_and_configuration_share_a_log(desk: &Desk) {
    let store = desk.store.as_ref();
    let mut live = store.subscribe(0);
    change(desk, "dana", &lock("P1", "Y", Precondition::Any)).await;
    let run = desk.complete(&books::with_every_table()).await;
    change(desk, "dana", &lock("P1", "N", Precondition::Any)).await;
    let other = desk.request(&books::small()).await;
    change(desk, "dana", &lock("P2", "N", Precondition::Any)).await;
    desk.work().await.expect("a run is queued");
    desk.verify().await;

    let shown = desk.published_tables().await;
    rebuild(store, run, LargeTables::Stored).await.unwrap();
    rebuild(store, other, LargeTables::Stored).await.unwrap();
    assert_eq!(desk.published_tables().await, shown);
    for run in [run, other] {
        assert!(replay(store, run, Arc::new(NoObserver)).await.unwrap().is_reproduced());
    }
    assert_eq!(store.all_runs().await.unwrap().len(), 2);
    desk.verify().await;

    let end = store.head().await.unwrap().position;
    let mut seen = Vec::new();
    while (seen.len() as u64) < end {
        let batch = tokio::time::timeout(Duration::from_secs(30), live.try_next()).await;
        seen.extend(
            batch.expect("the event arrives").unwrap().expect("a subscription does not end"),
        );
    }
    assert!((1..=end).eq(seen.iter().map(|event| event.global_position)));
    let versions = seen.iter().filter(|event| event.stream == "config");
    assert!((1..=3).eq(versions.map(|event| event.stream_version)));
}

/// A run with the six tables of the managed configuration has the same digest and the same events
/// as one whose source has these tables. Tables of the source with these names are ignored.
pub(crate) async fn a_managed_run_equals_that_of_its_source(desk: &Desk) {
    const CASE: &str = "41-mixed-400-price";
    let from_source = books::case(CASE);
    let tables = ConfigTables::read(books::raw(CASE)).expect("the six tables are valid");
    let import = ConfigChange::Import { source: "dir:case".into(), tables: Box::new(tables) };
    change(desk, "dana", &import.into()).await;
    let managed = read_configuration(desk.store.as_ref(), ConfigAsOf::Now).await.unwrap().tables();
    let mut source = books::raw(CASE);
    source.tables.retain(|table| table.name() != "pfill_constraints");
    let input = managed.override_source_tables(source).unwrap();
    let mut snapshot = validate(input).expect("the snapshot is valid").snapshot;
    snapshot.header.tenant_id = "WATERMARK".into();
    assert_eq!(snapshot.digest(), from_source.snapshot.digest());
    let managed = Book { snapshot: Arc::new(snapshot), options: from_source.options.clone() };
    let run = desk.complete(&managed).await;
    let other = desk.another().await;
    let same = other.complete(&from_source).await;
    assert!(desk.payloads(run).await == other.payloads(same).await, "the events differ");
}
