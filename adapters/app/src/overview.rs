//! The overview of a Complete run: from the shown tables if the store shows the run, and else from
//! its events, with the certificate of the run.

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_overview::{Overview, OverviewBuilder, OverviewCertificate};
use powerfill_ports::{Store, StoreResult};

use crate::AppResult;
use crate::certificate::certificate_with_prices;
use crate::events::read_types;
use crate::rebuild::fold;

/// The overview of a run; `None` if the run is not Complete.
///
/// # Errors
/// [`NotFound`](powerfill_ports::StoreError::NotFound) if the run has no events; an event cannot be
/// read; the store fails.
pub async fn overview(store: &dyn Store, run: RunId) -> AppResult<Option<Overview>> {
    let Some(mut overview) = of_run(store, run).await? else { return Ok(None) };
    if let Some((certificate, prices)) = certificate_with_prices(store, run).await? {
        overview.certificate = Some(OverviewCertificate::new(certificate, prices));
    }
    Ok(Some(overview))
}

async fn of_run(store: &dyn Store, run: RunId) -> AppResult<Option<Overview>> {
    if is_shown(store, run).await? {
        let mut overview = read_head(store, run).await?;
        if take_shown(store, run, &mut overview).await? {
            return Ok(overview.finish());
        }
    }
    let mut overview = read_head(store, run).await?;
    let mut batches = Vec::new();
    let wanted = OverviewBuilder::TABLES;
    fold(store, run, async |rows, _| {
        let is_wanted = |table| wanted.iter().any(|wanted| std::ptr::eq(*wanted, table));
        batches.extend(rows.into_iter().filter(|batch| is_wanted(batch.table)));
        Ok(())
    })
    .await?;
    for table in wanted {
        let of_table = batches.iter().filter(|batch| std::ptr::eq(batch.table, table));
        of_table.for_each(|batch| overview.take(batch));
    }
    Ok(overview.finish())
}

/// Reads the events that an overview needs.
async fn read_head(store: &dyn Store, run: RunId) -> AppResult<OverviewBuilder> {
    let mut overview = OverviewBuilder::new(run);
    let types = OverviewBuilder::EVENTS.map(|event_type| event_type.name().to_owned());
    let mut batches = read_types(store, run, 1, types.to_vec());
    while let Some(batch) = batches.try_next().await? {
        batch.iter().for_each(|event| overview.apply(&event.recorded(run)));
    }
    Ok(overview)
}

/// Whether the store shows the tables of the run.
async fn is_shown(store: &dyn Store, run: RunId) -> StoreResult<bool> {
    Ok(store.published().await?.is_some_and(|(shown, _)| shown == run))
}

/// Takes the rows of the shown tables. Returns false if they are not those of the run, or if the
/// store lacks one.
async fn take_shown(
    store: &dyn Store,
    run: RunId,
    overview: &mut OverviewBuilder,
) -> StoreResult<bool> {
    for table in OverviewBuilder::TABLES {
        if !store.is_stored(table).await? {
            return Ok(false);
        }
        let mut batches = store.rows(table);
        while let Some(batch) = batches.try_next().await? {
            if batch.run_id != run {
                // Another run was published in between.
                return Ok(false);
            }
            overview.take(&batch.rows);
        }
    }
    // An empty table could also belong to a run that was published in between.
    is_shown(store, run).await
}
