//! The outputs of a run under their legacy names (specification 4.1, BR-10): staged, read back and
//! compared with what was sent, then exchanged for those of the former run in one transaction,
//! under an application lock.
//!
//! The digests of the staged rows must equal those of the projections before readers see anything.

use async_trait::async_trait;
use powerfill_events::run::RunId;
use powerfill_ports::publishing::{
    OutputTarget, Publication, PublishError, PublishOutcome, Publishing,
};
use powerfill_tables::digest::TableDigest;
use powerfill_tables::table::{RowBatch, TableSpec};
use powerfill_tables::tables::ALL;
use tiberius::error::Error;

use crate::connect::{Connection, batch, connect, publish_error, quoted};
use crate::migrate::check;
use crate::staged::{self, StagingError, column_list};
use crate::types::{PUBLICATION, staging};
use crate::url::MssqlUrl;

/// The options of every publishing session.
const SESSION_OPTIONS: &str = "SET NOCOUNT ON; SET XACT_ABORT ON; SET ANSI_NULLS ON; \
     SET ANSI_PADDING ON; SET ANSI_WARNINGS ON; SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON; \
     SET QUOTED_IDENTIFIER ON; SET NUMERIC_ROUNDABORT OFF";

/// A schema of a database that shows a tenant's outputs.
#[derive(Debug, Clone)]
pub struct SqlServerTarget {
    url: MssqlUrl,
}

impl SqlServerTarget {
    /// The URL's schema. Does not connect.
    pub const fn new(url: MssqlUrl) -> Self {
        Self { url }
    }
}

#[async_trait]
impl OutputTarget for SqlServerTarget {
    fn place(&self) -> String {
        self.url.to_string()
    }

    async fn begin(&self, publication: &Publication) -> Result<Box<dyn Publishing>, PublishError> {
        let failed =
            |activity: &'static str| move |error: Error| publish_error(&self.url, activity, &error);
        let mut client = connect(&self.url).await.map_err(failed("connecting"))?;
        batch(&mut client, SESSION_OPTIONS).await.map_err(failed("connecting"))?;
        check(&mut client, &self.url).await?;
        let mut session = PublishingSession {
            client,
            url: self.url.clone(),
            publication: publication.clone(),
            sent_rows: [0; ALL.len()],
        };
        session.lock().await?;
        session.ensure_tenant().await?;
        session.clear_staging().await.map_err(failed("clearing the staging tables"))?;
        for table in ALL {
            let begun = staged::begin(&mut session.client, table).await;
            begun.map_err(failed("creating a temporary table"))?;
        }
        Ok(Box::new(session))
    }
}

/// A publication in progress. It holds the application lock until its connection is closed.
struct PublishingSession {
    client: Connection,
    url: MssqlUrl,
    publication: Publication,
    /// Rows sent so far, by table, in the order of [`ALL`].
    sent_rows: [u64; ALL.len()],
}

#[async_trait]
impl Publishing for PublishingSession {
    async fn stage(&mut self, rows: &RowBatch) -> Result<(), PublishError> {
        if rows.is_empty() {
            return Ok(());
        }
        let at = ALL.iter().position(|table| std::ptr::eq(*table, rows.table));
        let sent = &mut self.sent_rows[at.expect("ALL contains every output table")];
        let first = i64::try_from(*sent).unwrap_or(i64::MAX);
        *sent += rows.len() as u64;
        match staged::send(&mut self.client, rows, first).await {
            Ok(()) => Ok(()),
            Err(StagingError::Server(error)) => Err(self.error("sending the rows", &error)),
            Err(too_long) => Err(PublishError::Failed(format!("{}: {too_long}", self.url))),
        }
    }

    async fn show(
        mut self: Box<Self>,
        sent: &[TableDigest],
    ) -> Result<PublishOutcome, PublishError> {
        for digest in sent {
            self.verify_staged(digest).await?;
        }
        match self.exchange(sent).await {
            Ok(Some(later)) => Ok(PublishOutcome::Later(later)),
            Ok(None) => {
                // Rows that remain staged only take space; the next publication clears them.
                let _ = self.clear_staging().await;
                Ok(PublishOutcome::This)
            }
            Err(error) => Err(self.error("replacing the former run", &error)),
        }
    }
}

impl PublishingSession {
    fn error(&self, activity: &str, error: &Error) -> PublishError {
        publish_error(&self.url, activity, error)
    }

    fn qualified(&self, table: &str) -> String {
        format!("{}.{}", quoted(&self.url.schema), quoted(table))
    }

    /// Waits until no other session publishes to the schema.
    async fn lock(&mut self) -> Result<(), PublishError> {
        let sql = format!(
            "DECLARE @taken INT; EXEC @taken = sp_getapplock @Resource = N'powerfill:{}', \
             @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = {}; SELECT @taken",
            self.url.schema,
            self.url.lock_timeout()
        );
        let rows = batch(&mut self.client, &sql).await;
        let rows = rows.map_err(|error| self.error("waiting for another publication", &error))?;
        match rows.first().and_then(|row| row.try_get::<i32, _>(0).ok().flatten()) {
            Some(0..) => Ok(()),
            _ => Err(PublishError::Transient(format!(
                "{}: another publication is in progress; try again when it has ended",
                self.url
            ))),
        }
    }

    /// Ensures that the schema does not show another tenant's outputs, which must never be
    /// replaced.
    async fn ensure_tenant(&mut self) -> Result<(), PublishError> {
        let sql = format!("SELECT tenant_id FROM {}", self.qualified(PUBLICATION));
        let rows = batch(&mut self.client, &sql).await;
        let rows = rows.map_err(|error| self.error("reading the published run", &error))?;
        match rows.first().and_then(|row| row.try_get::<&str, _>(0).ok().flatten()) {
            Some(tenant) if tenant != self.publication.tenant_id.as_str() => {
                Err(PublishError::Failed(format!(
                    "{}: schema {} shows the outputs of tenant {tenant}, not of {}; name another \
                     database, or another schema with ?schema=NAME",
                    self.url, self.url.schema, self.publication.tenant_id
                )))
            }
            _ => Ok(()),
        }
    }

    async fn clear_staging(&mut self) -> Result<(), Error> {
        for table in ALL {
            let sql = format!("DELETE FROM {}", self.qualified(&staging(table)));
            batch(&mut self.client, &sql).await?;
        }
        Ok(())
    }

    /// Casts the rows of a table, reads them back, and compares them with what was sent.
    async fn verify_staged(&mut self, sent: &TableDigest) -> Result<(), PublishError> {
        let (table, run) = (sent.table(), self.publication.run_id);
        let cast = staged::cast(&mut self.client, &self.url.schema, table, run).await;
        cast.map_err(|error| self.error("converting the rows", &error))?;
        let stored = staged::read_back(&mut self.client, &self.url.schema, table).await;
        let stored = stored.map_err(|error| self.error("reading the rows back", &error))?;
        if stored.rows() == sent.rows() && stored.hash() == sent.hash() {
            return Ok(());
        }
        Err(PublishError::Failed(format!(
            "{}: {} does not have the rows that were sent ({} sent, {} stored); the former run is \
             still published",
            self.url,
            staging(table),
            sent.rows(),
            stored.rows()
        )))
    }

    /// Replaces the published rows by the staged ones in one transaction. Returns the later run if
    /// one is published and must stay.
    async fn exchange(&mut self, sent: &[TableDigest]) -> Result<Option<RunId>, Error> {
        let begin = format!("SET LOCK_TIMEOUT {}; BEGIN TRANSACTION", self.url.lock_timeout());
        batch(&mut self.client, &begin).await?;
        let exchanged = self.exchange_rows(sent).await;
        let end = match &exchanged {
            Ok(None) => "COMMIT TRANSACTION",
            _ => "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION",
        };
        let ended = batch(&mut self.client, end).await;
        let later = exchanged?;
        ended.map(|_| later)
    }

    async fn exchange_rows(&mut self, sent: &[TableDigest]) -> Result<Option<RunId>, Error> {
        if let Some(later) = self.later_run().await? {
            return Ok(Some(later));
        }
        for digest in sent {
            let table = digest.table();
            let sql = self.exchange_sql(table);
            let rows = batch(&mut self.client, &sql).await?;
            let stored = rows.first().and_then(|row| row.try_get::<i64, _>(0).ok().flatten());
            let expected = i64::try_from(digest.rows()).ok();
            if stored != expected {
                let message =
                    format!("{} would have {stored:?} rows, not {expected:?}", table.name);
                return Err(Error::Conversion(message.into()));
            }
        }
        let Publication { run_id, tenant_id, position, output_digest, .. } = &self.publication;
        let sql = format!(
            "DELETE FROM {0}; INSERT INTO {0} (tenant_id, run_id, position, output_digest, \
             published_at) VALUES (@P1, CAST(N'{run_id}' AS UNIQUEIDENTIFIER), {position}, \
             N'{output_digest}', SYSUTCDATETIME())",
            self.qualified(PUBLICATION)
        );
        self.client.execute(sql, &[&tenant_id.as_str()]).await?;
        Ok(None)
    }

    /// The published run, if it is later than this one and must stay.
    async fn later_run(&mut self) -> Result<Option<RunId>, Error> {
        if !self.publication.only_if_later {
            return Ok(None);
        }
        let sql = format!(
            "SELECT CAST(run_id AS NVARCHAR(36)) FROM {} WHERE position > {}",
            self.qualified(PUBLICATION),
            self.publication.position
        );
        let rows = batch(&mut self.client, &sql).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let run = row.try_get::<&str, _>(0)?.unwrap_or_default().to_ascii_lowercase();
        let invalid = |_| Error::Conversion(format!("{run} is not a run id").into());
        run.parse().map(Some).map_err(invalid)
    }

    /// Replaces the rows of a table, and selects their count; only the run's rows if the table
    /// keeps every run. The table lock prevents readers from seeing some of the rows.
    fn exchange_sql(&self, table: &TableSpec) -> String {
        let run = format!("run_id = CAST(N'{}' AS UNIQUEIDENTIFIER)", self.publication.run_id);
        let filter = if table.keeps_every_run { format!(" WHERE {run}") } else { String::new() };
        let (published, columns) = (self.qualified(table.name), column_list(table));
        let staged = self.qualified(&staging(table));
        format!(
            "DELETE FROM {published} WITH (TABLOCKX){filter}; \
             INSERT INTO {published} (run_id, {columns}) SELECT run_id, {columns} FROM {staged}; \
             SELECT COUNT_BIG(*) FROM {published}{filter}"
        )
    }
}
