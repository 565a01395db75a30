//! `publish`: a run's outputs in a tenant's database, once, or each run that completes.

use powerfill_app::publish::{Publisher, PublisherEvent, publish};
use powerfill_ports::Store;
use powerfill_ports::publishing::OutputTarget;
use powerfill_sqlserver::SqlServerTarget;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{all_ended, find_run};
use crate::args::PublishArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_csv, print_json, say};
use crate::places::TargetUrl;
use crate::settings::Settings;
use crate::tenancy::Place;
use crate::{log, shutdown};

pub(crate) async fn run(args: PublishArgs, settings: &Settings) -> Result<(), Failure> {
    if args.follow {
        return follow(args, settings).await;
    }
    let place = Place::resolve(&args.store.place, settings)?;
    let target = target(args.to, &place, settings)?;
    let store = place.open_existing().await?;
    let run = find_run(store.as_ref(), &args.run).await?;
    let published = publish(store.as_ref(), run, &target).await?;
    let (run, digest) = (published.run_id.to_string(), published.output_digest);
    match args.store.print.format {
        Format::Text => say(format!("{} shows run {run}\n", target.place())),
        Format::Json => {
            print_json(&json!({ "run_id": run, "output_digest": digest, "target": target.place() }))
        }
        Format::Csv => print_csv(
            &["run_id", "output_digest", "target"],
            [[run.as_str(), digest.as_str(), target.place().as_str()]],
        ),
    }
}

/// Where to: what is named, or what the file says of the tenant.
fn target(
    named: Option<TargetUrl>,
    place: &Place,
    settings: &Settings,
) -> Result<SqlServerTarget, Failure> {
    let of_tenant = || place.publishes_to(settings);
    let url = match named {
        Some(url) => Some(url.readable("--to")?),
        None => of_tenant()?,
    };
    url.map(SqlServerTarget::new).ok_or_else(|| {
        let message = "where to? Name the database with --to mssql://USER@HOST/DATABASE, or set publish under \
                       [tenants.ID] in powerfill.toml";
        Failure::Environment(message.to_owned())
    })
}

async fn follow(args: PublishArgs, settings: &Settings) -> Result<(), Failure> {
    let places = Place::chosen(args.all_tenants, &args.store.place, settings)?;
    let mut targets = Vec::new();
    for place in places {
        // Of all tenants, those that say where.
        if args.all_tenants && place.publishes_to(settings)?.is_none() {
            continue;
        }
        targets.push((target(args.to.clone(), &place, settings)?, place));
    }
    if targets.is_empty() {
        let message =
            "--all-tenants: no tenant of powerfill.toml says where; set publish under [tenants.ID]";
        return Err(Failure::Environment(message.to_owned()));
    }
    log::begin(args.log_format);
    let shutdown = shutdown::on_signal()?;
    let mut publishers = JoinSet::new();
    for (target, place) in targets {
        let shutdown = shutdown.clone();
        publishers.spawn(async move {
            let store = place.open_existing().await?;
            follow_one(store.as_ref(), &target, &shutdown).await
        });
    }
    all_ended(publishers, "a publisher").await
}

/// Publishes each run of a store that completes, and logs it.
pub(super) async fn follow_one(
    store: &dyn Store,
    target: &SqlServerTarget,
    shutdown: &CancellationToken,
) -> Result<(), Failure> {
    let publisher = Publisher::new(store, target, shutdown.clone());
    Ok(publisher.follow(|told| log_told(target, &told)).await?)
}

/// Says what a publisher has to say.
pub(super) fn log_told(target: &SqlServerTarget, told: &PublisherEvent<'_>) {
    let place = target.place();
    match told {
        PublisherEvent::Published(publication) => {
            tracing::info!("{place} shows run {}", publication.run_id)
        }
        PublisherEvent::Superseded(publication, later) => {
            tracing::info!("{place} shows run {later}, which is later than {}", publication.run_id);
        }
        PublisherEvent::Waiting(error) => tracing::warn!("{error}; trying again until it goes"),
    }
}
