//! The suite with the store in a PostgreSQL database.

use powerfill_tests::postgres::TestDatabase;

powerfill_tests::store_suite!(TestDatabase::new());
