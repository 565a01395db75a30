//! The reports, from the declarations of the output tables.

use std::sync::LazyLock;

use powerfill_tables::table::TableSpec;
use powerfill_tables::tables::reports;

/// A report: the rows of an output table, or some of them.
#[derive(Debug)]
pub(crate) struct Report {
    /// The last part of its path.
    pub(crate) name: &'static str,
    /// What a row is.
    pub(crate) about: &'static str,
    pub(crate) table: &'static TableSpec,
    /// Only rows whose column has one of these values.
    pub(crate) only: Option<(&'static str, &'static [&'static str])>,
}

/// The reports, in the order of 4.3.
pub(crate) static ALL: LazyLock<Vec<Report>> = LazyLock::new(|| {
    let report = |(table, report): (_, &'static powerfill_tables::table::ReportSpec)| Report {
        name: report.name,
        about: report.about,
        table,
        only: report.only,
    };
    reports().into_iter().map(report).collect()
});
