//! The suite with the store in an SQLite file.

use powerfill_sqlite::SqliteStore;
use powerfill_tests::store_suite::StoreLocation;

struct StoreFile(tempfile::TempDir);

impl StoreLocation for StoreFile {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.0.path().join("acme.db")).expect("the store opens")
    }
}

powerfill_tests::store_suite!(StoreFile(tempfile::tempdir().expect("a folder")));
