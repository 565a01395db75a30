//! The store in a PostgreSQL database, against the suite.

use powerfill_tests::postgres::Database;

powerfill_tests::store_suite!(Database::new());
