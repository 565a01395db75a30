//! The server, and a schema for each test.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use powerfill_sqlserver::MssqlUrl;
use powerfill_sqlserver::connect::{Connection, batch, connect};
use tokio::runtime::Runtime;

/// The URL in `POWERFILL_TEST_MSSQL`.
pub(crate) fn address() -> Option<String> {
    std::env::var("POWERFILL_TEST_MSSQL").ok().filter(|url| !url.is_empty())
}

pub(crate) fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

/// A schema, dropped at the end of the test.
pub(crate) struct Schema {
    pub(crate) name: String,
    runtime: Runtime,
    client: RefCell<Connection>,
}

impl Schema {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pf_test_{}_{number}", std::process::id());
        let runtime = runtime();
        let client = RefCell::new(runtime.block_on(Self::connect()));
        let schema = Self { name, runtime, client };
        schema.sql(&format!("CREATE SCHEMA [{}]", schema.name));
        schema
    }

    /// A schema with the output tables.
    pub(crate) fn migrated() -> Self {
        let schema = Self::new();
        let sandbox = crate::sandbox::Sandbox::new();
        sandbox.run(["migrate", "--target", &schema.url()]).success();
        schema
    }

    /// The URL of the schema, with the password.
    pub(crate) fn url(&self) -> String {
        with(&address().expect("a server"), &format!("schema={}", self.name))
    }

    /// The qualified name of a table.
    pub(crate) fn table(&self, name: &str) -> String {
        format!("[{}].[{name}]", self.name)
    }

    /// A new connection.
    pub(crate) async fn connect() -> Connection {
        let url: MssqlUrl = address().expect("a server").parse().expect("a URL");
        connect(&url).await.expect("the server accepts the connection")
    }

    /// Executes T-SQL. Returns the first column of the last result, as text.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) -> Vec<String> {
        let rows = self.runtime.block_on(batch(&mut self.client.borrow_mut(), sql));
        let rows = rows.unwrap_or_else(|error| panic!("{error}\n{sql}"));
        rows.iter()
            .map(|row| row.try_get::<&str, _>(0).expect("text").unwrap_or("").to_owned())
            .collect()
    }

    /// Executes T-SQL, and ignores errors.
    pub(crate) fn try_sql(&self, sql: &str) {
        let _ = self.runtime.block_on(batch(&mut self.client.borrow_mut(), sql));
    }

    /// The value of an expression over the schema's tables.
    pub(crate) fn one(&self, sql: &str) -> String {
        self.sql(&format!("SELECT CAST(({sql}) AS NVARCHAR(100))")).concat().to_lowercase()
    }

    /// The run that the tables show. Expects that no table shows another run.
    pub(crate) fn shown(&self) -> String {
        let run = self.one(&format!(
            "SELECT MAX(CAST(run_id AS NVARCHAR(36))) FROM {}",
            self.table("pfill_publication")
        ));
        for table in [
            "pfill_trade_base",
            "pfill_powerfill_guide",
            "pfill_loan2trade_candy_level_01",
            "pfill_powerfill_log",
        ] {
            let others = format!(
                "SELECT COUNT(*) FROM {} WHERE CAST(run_id AS NVARCHAR(36)) <> N'{run}'",
                self.table(table)
            );
            assert_eq!(self.one(&others), "0", "{table}");
        }
        run
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let named = format!(
            "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = N'{}' ORDER BY CASE TABLE_TYPE WHEN \
             'VIEW' THEN 0 ELSE 1 END",
            self.name
        );
        let client = self.client.get_mut();
        self.runtime.block_on(async {
            let Ok(rows) = batch(client, &named).await else { return };
            for row in rows {
                let name = row.try_get::<&str, _>(0).ok().flatten().unwrap_or_default().to_owned();
                for kind in ["VIEW", "TABLE"] {
                    let _ = batch(client, &format!("DROP {kind} [{}].[{name}]", self.name)).await;
                }
            }
            let _ = batch(client, &format!("DROP SCHEMA [{}]", self.name)).await;
            for role in ["_r", "_p"] {
                let _ = batch(client, &format!("DROP ROLE [{}{role}]", self.name)).await;
            }
        });
    }
}

/// Adds an option to a URL.
pub(crate) fn with(url: &str, option: &str) -> String {
    format!("{url}{}{option}", if url.contains('?') { '&' } else { '?' })
}
