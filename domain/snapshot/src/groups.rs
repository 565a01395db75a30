//! A report for people: equal faults are one group, and a cause comes before its consequences.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::near::DID_YOU_MEAN;
use crate::remedies::remedy;
use crate::report::{Fault, FaultCode, FaultReport, Severity};

/// The places of a group that are shown.
const SHOWN_PLACES: usize = 4;

/// Faults of one table, column, code, and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultGroup<'r> {
    /// The first of them.
    pub first: &'r Fault,
    /// Their number.
    pub count: usize,
    /// The rows and values of the first ones.
    pub places: Vec<FaultPlace<'r>>,
    /// What to do about the first; empty if the reason says so.
    pub remedy: String,
}

/// A row and its value at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultPlace<'r> {
    /// As [`Fault::row`].
    pub row: &'r str,
    /// As [`Fault::value`].
    pub value: &'r str,
    /// `; did you mean …?`, or nothing.
    pub suggestion: &'r str,
}

/// A report as groups.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GroupedReport<'r> {
    /// Causes first, errors before warnings, then in the order of the report.
    pub groups: Vec<FaultGroup<'r>>,
    /// Tables whose header has faults, with the number of faults in their rows, which may come from
    /// the header.
    pub behind_header: BTreeMap<&'r str, usize>,
}

impl FaultGroup<'_> {
    /// The reason without a suggestion for one value.
    pub fn reason(&self) -> &str {
        base(&self.first.reason)
    }
}

fn base(reason: &str) -> &str {
    reason.split_once(DID_YOU_MEAN).map_or(reason, |(base, _)| base)
}

/// What a fault may be the cause of: lower ones come first.
fn rank(code: FaultCode) -> u8 {
    match code {
        FaultCode::MissingTable
        | FaultCode::Unreadable
        | FaultCode::MissingHeader
        | FaultCode::HiddenData => 0,
        FaultCode::DuplicateColumn
        | FaultCode::UnknownColumn
        | FaultCode::MissingColumn
        | FaultCode::NearName
        | FaultCode::RowCount => 1,
        FaultCode::RaggedRow => 2,
        FaultCode::DuplicateKey | FaultCode::UnknownReference => 4,
        _ => 3,
    }
}

impl FaultReport {
    /// The report as groups. It leaves out the faults of rows below a faulty header.
    pub fn grouped(&self) -> GroupedReport<'_> {
        let is_header = |fault: &&Fault| {
            let missing =
                matches!(fault.code, FaultCode::MissingColumn | FaultCode::DuplicateColumn);
            let nameless = fault.code == FaultCode::UnknownColumn && fault.column.is_empty();
            missing || nameless
        };
        let faulty: BTreeSet<&Cow<'static, str>> =
            self.faults.iter().filter(is_header).map(|fault| &fault.table).collect();
        let mut report = GroupedReport::default();
        let mut positions: BTreeMap<_, usize> = BTreeMap::new();
        for fault in &self.faults {
            let is_error = fault.severity == Severity::Error;
            if is_error && rank(fault.code) >= 2 && faulty.contains(&fault.table) {
                *report.behind_header.entry(&fault.table).or_default() += 1;
                continue;
            }
            let reason = base(&fault.reason);
            // Each cell has numbers of its own in the reason.
            let shared = if fault.code == FaultCode::ScaledDisplay { "" } else { reason };
            let key = (is_error, &fault.table, &fault.column, fault.code, shared);
            let at = *positions.entry(key).or_insert(report.groups.len());
            if at == report.groups.len() {
                let remedy = remedy(fault).unwrap_or_default();
                report.groups.push(FaultGroup {
                    first: fault,
                    count: 0,
                    places: Vec::new(),
                    remedy,
                });
            }
            let group = &mut report.groups[at];
            group.count += 1;
            if group.places.len() < SHOWN_PLACES {
                let suggestion = &fault.reason[reason.len()..];
                group.places.push(FaultPlace { row: &fault.row, value: &fault.value, suggestion });
            }
        }
        report.groups.sort_by_key(|group| {
            (group.first.severity == Severity::Warning, rank(group.first.code))
        });
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(table: &'static str, row: usize, column: &'static str, code: FaultCode) -> Fault {
        Fault {
            severity: Severity::Error,
            table: table.into(),
            row: if row == 0 { String::new() } else { row.to_string() },
            column: column.into(),
            value: format!("$1,00{row}.00"),
            code,
            reason: "a plain decimal number is expected".into(),
        }
    }

    #[test]
    fn equal_faults_are_one_group_and_causes_come_first() {
        let mut faults: Vec<Fault> = (1..=3_000)
            .map(|row| fault("loan", row, "loan_amount", FaultCode::NotANumber))
            .collect();
        faults.push(fault("pscat_trades", 0, "", FaultCode::Unreadable));
        let report = FaultReport { faults };
        let grouped = report.grouped();
        let counts: Vec<_> = grouped.groups.iter().map(|g| (g.first.code, g.count)).collect();
        assert_eq!(counts, [(FaultCode::Unreadable, 1), (FaultCode::NotANumber, 3_000)]);
        let numbers = &grouped.groups[1];
        assert_eq!(numbers.places.len(), SHOWN_PLACES);
        assert_eq!((numbers.places[1].row, numbers.places[1].value), ("2", "$1,002.00"));
        assert_eq!(numbers.remedy, "write 1001.00, without a currency sign and commas");
    }

    #[test]
    fn rows_below_a_faulty_header_are_counted_and_not_listed() {
        let mut faults = vec![fault("loan", 0, "note_rate", FaultCode::MissingColumn)];
        faults.extend((1..=9).map(|row| fault("loan", row, "ltv", FaultCode::NotANumber)));
        let report = FaultReport { faults };
        let grouped = report.grouped();
        assert_eq!(grouped.groups.len(), 1);
        assert_eq!(grouped.behind_header, BTreeMap::from([("loan", 9)]));
    }

    #[test]
    fn a_suggestion_belongs_to_its_place() {
        let with = |row: usize, reason: &'static str| Fault {
            reason: reason.into(),
            ..fault("pscat_trades", row, "trade_type", FaultCode::NotOneOf)
        };
        let faults = vec![with(1, "one of a, b; did you mean a?"), with(2, "one of a, b")];
        let report = FaultReport { faults };
        let grouped = report.grouped();
        assert_eq!(grouped.groups.len(), 1);
        assert_eq!(grouped.groups[0].reason(), "one of a, b");
        assert_eq!(grouped.groups[0].places[0].suggestion, "; did you mean a?");
    }
}
