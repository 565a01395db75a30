//! The outputs of a run under their legacy names (specification 4.1, BR-10): staged, read back and held against what was
//! sent, then put in the place of the former run's in one transaction, under a lock of the application.
//!
//! Nothing is taken on trust: the digests of the staged rows must be those of the projections before anything is shown.

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
use crate::staged::{self, StageFault, column_list};
use crate::types::{PUBLICATION, staging};
use crate::url::MssqlUrl;

/// What every session of a publication begins with.
const OPTIONS: &str = "SET NOCOUNT ON; SET XACT_ABORT ON; SET ANSI_NULLS ON; SET ANSI_PADDING ON; \
     SET ANSI_WARNINGS ON; SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON; SET QUOTED_IDENTIFIER ON; \
     SET NUMERIC_ROUNDABORT OFF";

/// A schema of a database that shows a tenant's outputs.
#[derive(Debug, Clone)]
pub struct SqlServerTarget {
    url: MssqlUrl,
}

impl SqlServerTarget {
    /// In the URL's schema. Nothing is connected yet.
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
            |doing: &'static str| move |error: Error| publish_error(&self.url, doing, &error);
        let mut client = connect(&self.url).await.map_err(failed("connecting"))?;
        batch(&mut client, OPTIONS).await.map_err(failed("connecting"))?;
        check(&mut client, &self.url).await?;
        let mut session = Session {
            client,
            url: self.url.clone(),
            publication: publication.clone(),
            rows: [0; ALL.len()],
        };
        session.lock().await?;
        session.must_be_the_tenants().await?;
        session.clear().await.map_err(failed("clearing what was staged before"))?;
        for table in ALL {
            let begun = staged::begin(&mut session.client, table).await;
            begun.map_err(failed("making room for the rows"))?;
        }
        Ok(Box::new(session))
    }
}

/// A publication under way, which holds the lock as long as its connection is there.
struct Session {
    client: Connection,
    url: MssqlUrl,
    publication: Publication,
    /// Rows that were sent, by table.
    rows: [u64; ALL.len()],
}

#[async_trait]
impl Publishing for Session {
    async fn stage(&mut self, rows: &RowBatch) -> Result<(), PublishError> {
        if rows.is_empty() {
            return Ok(());
        }
        let at = ALL.iter().position(|table| std::ptr::eq(*table, rows.table));
        let sent = &mut self.rows[at.expect("it is one of all")];
        let first = i64::try_from(*sent).unwrap_or(i64::MAX);
        *sent += rows.len() as u64;
        match staged::send(&mut self.client, rows, first).await {
            Ok(()) => Ok(()),
            Err(StageFault::Server(error)) => Err(self.fault("sending the rows", &error)),
            Err(too_long) => Err(PublishError::Failed(format!("{}: {too_long}", self.url))),
        }
    }

    async fn show(
        mut self: Box<Self>,
        sent: &[TableDigest],
    ) -> Result<PublishOutcome, PublishError> {
        for digest in sent {
            self.verified(digest).await?;
        }
        match self.shown(sent).await {
            Ok(Some(later)) => Ok(PublishOutcome::Later(later)),
            Ok(None) => {
                // What is left there costs room, and nothing else.
                let _ = self.clear().await;
                Ok(PublishOutcome::This)
            }
            Err(error) => Err(self.fault("putting the run in the place of the former one", &error)),
        }
    }
}

impl Session {
    fn fault(&self, doing: &str, error: &Error) -> PublishError {
        publish_error(&self.url, doing, error)
    }

    fn table(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.url.schema), quoted(name))
    }

    /// Waits for others who publish here.
    async fn lock(&mut self) -> Result<(), PublishError> {
        let sql = format!(
            "DECLARE @taken INT; EXEC @taken = sp_getapplock @Resource = N'powerfill:{}', @LockMode = N'Exclusive', \
             @LockOwner = N'Session', @LockTimeout = {}; SELECT @taken",
            self.url.schema,
            self.url.lock_timeout()
        );
        let taken = batch(&mut self.client, &sql).await;
        let taken = taken.map_err(|error| self.fault("waiting for others who publish", &error))?;
        let taken = taken.first().and_then(|row| row.try_get::<i32, _>(0).ok().flatten());
        match taken {
            Some(0..) => Ok(()),
            _ => Err(PublishError::Transient(format!(
                "{}: another publication is under way; try again when it is over",
                self.url
            ))),
        }
    }

    /// One tenant's outputs are never replaced by another's.
    async fn must_be_the_tenants(&mut self) -> Result<(), PublishError> {
        let sql = format!("SELECT tenant_id FROM {}", self.table(PUBLICATION));
        let rows = batch(&mut self.client, &sql).await;
        let rows = rows.map_err(|error| self.fault("looking at what is shown", &error))?;
        let found = rows.first().and_then(|row| row.try_get::<&str, _>(0).ok().flatten());
        match found {
            Some(tenant) if tenant != self.publication.tenant_id.as_str() => {
                Err(PublishError::Failed(format!(
                    "{}: schema {} shows the outputs of tenant {tenant}, not of {}; name another database, or another \
                     schema with ?schema=NAME",
                    self.url, self.url.schema, self.publication.tenant_id
                )))
            }
            _ => Ok(()),
        }
    }

    async fn clear(&mut self) -> Result<(), Error> {
        for table in ALL {
            let sql = format!("DELETE FROM {}", self.table(&staging(table)));
            batch(&mut self.client, &sql).await?;
        }
        Ok(())
    }

    /// Has the rows of a table cast, reads them back, and holds them against what was sent.
    async fn verified(&mut self, sent: &TableDigest) -> Result<(), PublishError> {
        let (table, run) = (sent.table(), self.publication.run_id);
        let cast = staged::cast(&mut self.client, &self.url.schema, table, run).await;
        cast.map_err(|error| self.fault("taking the rows in", &error))?;
        let stored = staged::read_back(&mut self.client, &self.url.schema, table).await;
        let stored = stored.map_err(|error| self.fault("reading the rows back", &error))?;
        if stored.rows() == sent.rows() && stored.hash() == sent.hash() {
            return Ok(());
        }
        Err(PublishError::Failed(format!(
            "{}: what {} holds is not what was sent ({} rows were sent, {} are there); the former run is still shown",
            self.url,
            staging(table),
            sent.rows(),
            stored.rows()
        )))
    }

    /// Puts the staged rows in the place of the former ones; the later run where one is shown that is to stay.
    async fn shown(&mut self, sent: &[TableDigest]) -> Result<Option<RunId>, Error> {
        let begin = format!("SET LOCK_TIMEOUT {}; BEGIN TRANSACTION", self.url.lock_timeout());
        batch(&mut self.client, &begin).await?;
        let switched = self.switched(sent).await;
        let end = match &switched {
            Ok(None) => "COMMIT TRANSACTION",
            _ => "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION",
        };
        let ended = batch(&mut self.client, end).await;
        let later = switched?;
        ended.map(|_| later)
    }

    async fn switched(&mut self, sent: &[TableDigest]) -> Result<Option<RunId>, Error> {
        if let Some(later) = self.later().await? {
            return Ok(Some(later));
        }
        for digest in sent {
            let table = digest.table();
            let sql = self.replacing(table);
            let shown = batch(&mut self.client, &sql).await?;
            let shown = shown.first().and_then(|row| row.try_get::<i64, _>(0).ok().flatten());
            let expected = i64::try_from(digest.rows()).ok();
            if shown != expected {
                let message = format!("{} would have {shown:?} rows, not {expected:?}", table.name);
                return Err(Error::Conversion(message.into()));
            }
        }
        let Publication { run_id, tenant_id, position, output_digest, .. } = &self.publication;
        let sql = format!(
            "DELETE FROM {0}; INSERT INTO {0} (tenant_id, run_id, position, output_digest, published_at) \
             VALUES (@P1, CAST(N'{run_id}' AS UNIQUEIDENTIFIER), {position}, N'{output_digest}', SYSUTCDATETIME())",
            self.table(PUBLICATION)
        );
        self.client.execute(sql, &[&tenant_id.as_str()]).await?;
        Ok(None)
    }

    /// The run that is shown, where it is a later one and is to stay.
    async fn later(&mut self) -> Result<Option<RunId>, Error> {
        if !self.publication.only_if_later {
            return Ok(None);
        }
        let sql = format!(
            "SELECT CAST(run_id AS NVARCHAR(36)) FROM {} WHERE position > {}",
            self.table(PUBLICATION),
            self.publication.position
        );
        let rows = batch(&mut self.client, &sql).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let run = row.try_get::<&str, _>(0)?.unwrap_or_default().to_ascii_lowercase();
        run.parse().map(Some).map_err(|_| Error::Conversion(format!("{run} is no run").into()))
    }

    /// Replaces the rows of a table, and counts those that are there then: of the run, where the table keeps every run's.
    /// The lock of the whole table lets no reader see half of it.
    fn replacing(&self, table: &TableSpec) -> String {
        let run = format!("run_id = CAST(N'{}' AS UNIQUEIDENTIFIER)", self.publication.run_id);
        let which = if table.keeps_every_run { format!(" WHERE {run}") } else { String::new() };
        let (shown, columns) = (self.table(table.name), column_list(table));
        let staged = self.table(&staging(table));
        format!(
            "DELETE FROM {shown} WITH (TABLOCKX){which}; \
             INSERT INTO {shown} (run_id, {columns}) SELECT run_id, {columns} FROM {staged}; \
             SELECT COUNT_BIG(*) FROM {shown}{which}"
        )
    }
}
