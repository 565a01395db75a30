//! `publish`: publishes the outputs of a run to a tenant's database, once or for each completed
//! run.

use powerfill_app::publish::{Publisher, PublisherEvent, publish};
use powerfill_ports::Store;
use powerfill_ports::publishing::OutputTarget;
use powerfill_sqlserver::SqlServerTarget;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{find_run, join_all};
use crate::args::PublishArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;
use crate::urls::{TargetUrl, UrlText};
use crate::{log, shutdown};

pub(crate) async fn run(args: PublishArgs, settings: &ProgramSettings) -> CliResult<()> {
    if args.follow {
        return follow(args, settings).await;
    }
    let store = TenantStore::resolve(&args.common.store, settings)?;
    let target = target(args.to.as_ref(), &store)?;
    let store = store.open_for_reading().await?;
    let run = find_run(store.as_ref(), &args.run).await?;
    let published = publish(store.as_ref(), run, &target).await?;
    let (run, digest) = (published.run_id.to_string(), published.output_digest);
    let target = target.place();
    match args.common.print.format {
        Format::Text => print_text(format!("{target} shows run {run}\n")),
        Format::Json => {
            print_json(&json!({ "run_id": run, "output_digest": digest, "target": target }))
        }
        Format::Csv => print_csv(
            &["run_id", "output_digest", "target"],
            [[run.as_str(), digest.as_str(), target.as_str()]],
        ),
    }
}

/// The target of the command line, else that of the store's tenant.
fn target(url: Option<&UrlText>, store: &TenantStore) -> CliResult<SqlServerTarget> {
    let url = match url {
        Some(url) => Some(url.parse::<TargetUrl>("--to")?.0),
        None => store.publish_url()?,
    };
    url.map(SqlServerTarget::new).ok_or_else(|| {
        CliError::environment(
            "where to? Name the database with --to mssql://USER@HOST/DATABASE, or set publish \
             under [tenants.ID] in powerfill.toml",
        )
    })
}

async fn follow(args: PublishArgs, settings: &ProgramSettings) -> CliResult<()> {
    let stores = TenantStore::resolve_all(args.all_tenants, &args.common.store, settings)?;
    let mut pairs = Vec::new();
    for store in stores {
        // With --all-tenants, tenants without a target are left out.
        if !args.all_tenants || store.publish_url()?.is_some() {
            pairs.push((target(args.to.as_ref(), &store)?, store));
        }
    }
    if pairs.is_empty() {
        return Err(CliError::environment(
            "--all-tenants: no tenant of powerfill.toml has a target; set publish under \
             [tenants.ID]",
        ));
    }
    log::start(args.log.log_format);
    let shutdown = shutdown::on_signal()?;
    let mut publishers = JoinSet::new();
    for (target, store) in pairs {
        let shutdown = shutdown.clone();
        publishers.spawn(async move {
            let store = store.open_for_reading().await?;
            follow_store(store.as_ref(), &target, &shutdown).await
        });
    }
    join_all(publishers, "a publisher").await
}

/// Publishes each completed run of a store, and logs it.
pub(super) async fn follow_store(
    store: &dyn Store,
    target: &SqlServerTarget,
    shutdown: &CancellationToken,
) -> CliResult<()> {
    let publisher = Publisher::new(store, target, shutdown.clone());
    Ok(publisher.follow(|event| log_publish_event(target, &event)).await?)
}

pub(super) fn log_publish_event(target: &SqlServerTarget, event: &PublisherEvent<'_>) {
    let target = target.place();
    match event {
        PublisherEvent::Published(publication) => {
            tracing::info!("{target} shows run {}", publication.run_id)
        }
        PublisherEvent::Superseded(publication, later) => {
            let run = publication.run_id;
            tracing::info!("{target} shows run {later}, which is later than {run}");
        }
        PublisherEvent::Waiting(error) => tracing::warn!("{error}; trying again until it succeeds"),
    }
}
