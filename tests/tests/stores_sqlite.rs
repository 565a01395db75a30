//! The store in an SQLite file, against the suite.

use powerfill_sqlite::SqliteStore;
use powerfill_tests::store_suite::StoreLocation;

struct File(tempfile::TempDir);

impl StoreLocation for File {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.0.path().join("acme.db")).expect("the store opens")
    }
}

powerfill_tests::store_suite!(File(tempfile::tempdir().expect("a folder")));
