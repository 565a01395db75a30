//! The store in a PostgreSQL database, against the suite.

use powerfill_tests::postgres::TestDatabase;

powerfill_tests::store_suite!(TestDatabase::new());
