//! Headers that are not quite those of their table: what they likely mean (specification 1.2).

use std::collections::HashMap;

use powerfill_events::values::fold;

use super::context::PlacedFault;
use super::layout::TableLayout;
use super::loan_columns::is_additional;
use crate::near::{headers_near, looks_like};
use crate::report::{FaultCode, Severity, shortened};
use crate::usual_names::is_usual_name;

/// The rows below the first in which a header is searched.
const SEARCHED_ROWS: usize = 30;

impl TableLayout<'_> {
    /// The fault of a first row without any column of the table: a title, the first data row, or
    /// names of another system.
    pub(super) fn missing_header(&self) -> Option<PlacedFault> {
        let header = self.raw.columns();
        let is_column = |name: &String| {
            let mut columns = self.schema.columns.iter();
            columns.any(|c| fold(c.name) == fold(name) || looks_like(name, c.name))
        };
        if header.is_empty() || header.iter().any(is_column) {
            return None;
        }
        let names = self.schema.column_names();
        let first = names.iter().take(4).copied().collect::<Vec<_>>().join(", ");
        let (dots, name) = (if names.len() > 4 { ", …" } else { "" }, self.schema.name);
        let remedy = match self.row_of_header() {
            Some(row) => {
                let place = self.raw.place(Some(row), &[]).unwrap_or_default();
                let has_them = match (place.split_once('!'), row) {
                    (Some((_, place)), _) => {
                        format!("row {}", place.split(':').next().unwrap_or_default())
                    }
                    // The rows of a file are counted below its first row.
                    (None, 0) => "the row below it".to_owned(),
                    (None, row) => format!("row {} below it", row + 1),
                };
                format!("{has_them} has them: put it into the first row, without rows above it")
            }
            None => "write the names of the columns into the first row".to_owned(),
        };
        let reason = format!("the first row has no column of {name} ({first}{dots}); {remedy}");
        let mut fault = self.header_fault("".into(), None, FaultCode::MissingHeader, reason);
        fault.fault.row = self.raw.place(None, &[]).unwrap_or_default();
        let names: Vec<&str> =
            header.iter().map(String::as_str).filter(|n| !n.is_empty()).collect();
        fault.fault.value = shortened(&names.join(","));
        Some(fault)
    }

    /// The first row that has several names of columns.
    fn row_of_header(&self) -> Option<usize> {
        let is_header = |row: &usize| {
            let cells = (0..self.raw.columns().len()).map(|column| self.raw.cell(*row, column));
            cells.filter(|cell| self.schema.position(cell).is_some()).count() >= 2
        };
        (0..self.raw.rows().min(SEARCHED_ROWS)).find(is_header)
    }

    /// The listed columns that the header does not have.
    pub(super) fn absent_columns(&self) -> impl Iterator<Item = &'static str> {
        let header = self.raw.columns();
        let is_absent = |name: &&str| !header.iter().any(|other| fold(other) == fold(name));
        self.schema.columns.iter().map(|column| column.name).filter(is_absent)
    }

    /// Why a required column is missing, with the headers that may be it.
    pub(super) fn missing_column(&self, column: &str) -> String {
        let is_of_another = |name: &String| {
            self.schema.columns.iter().any(|c| c.name != column && looks_like(name, c.name))
        };
        let unlisted = self.raw.columns().iter().filter(|name| !is_of_another(name));
        let unlisted: Vec<String> = unlisted.filter(|name| !name.is_empty()).cloned().collect();
        let must = "this column must be there";
        match (headers_near(self.schema.name, column, &unlisted).as_slice(), unlisted.as_slice()) {
            ([], []) => must.to_owned(),
            ([], others) => {
                let shown: Vec<&str> = others.iter().take(6).map(String::as_str).collect();
                let dots = if others.len() > shown.len() { ", …" } else { "" };
                format!("{must}; no other header looks like it: {}{dots}", shown.join(", "))
            }
            ([one], _) => format!("{must}; rename the header {one:?} if it is this column"),
            (several, _) => {
                let shown: Vec<String> = several.iter().map(|name| format!("{name:?}")).collect();
                format!("{must}; rename the header that it is: {}?", shown.join(" or "))
            }
        }
    }

    /// Warns of additional columns of `loan` that look like an optional listed one that is absent,
    /// or have a usual name of it: the loans would lose its values without a word. A column
    /// whose type `loan_columns` declares has the name that is meant, and so has one that is
    /// written as columns are, as `score`.
    pub(super) fn check_near_names(
        &self,
        sources: &HashMap<String, usize>,
        faults: &mut Vec<PlacedFault>,
    ) {
        let is_optional = |name: &&str| {
            self.columns.iter().any(|column| column.name == *name && !column.is_required)
        };
        for absent in self.absent_columns().filter(is_optional) {
            for (at, spelled) in self.raw.columns().iter().enumerate() {
                let is_used = sources.get(&fold(spelled)) == Some(&at);
                if !(is_used && is_additional(spelled)) {
                    continue;
                }
                let is_declared = self.context.declared_types.declares(&fold(spelled));
                let reason = if looks_like(spelled, absent) {
                    format!("looks like {absent}, which is absent; rename it to {absent}")
                } else if !is_declared
                    && !is_column_name(&fold(spelled))
                    && is_usual_name(self.schema.name, absent, spelled)
                {
                    format!(
                        "a usual name of {absent}, which is absent; rename it to {absent} if it is \
                         this column"
                    )
                } else {
                    continue;
                };
                let column = spelled.clone().into();
                let mut fault = self.header_fault(column, Some(at), FaultCode::NearName, reason);
                fault.fault.severity = Severity::Warning;
                faults.push(fault);
            }
        }
    }

    /// Warns of rows and columns that the source hides, and that were read.
    pub(super) fn check_hidden(&self, faults: &mut Vec<PlacedFault>) {
        let warn = |row: Option<usize>, columns: &[usize], reason: String| {
            let code = FaultCode::HiddenData;
            let mut fault = self.header_fault("".into(), None, code, reason);
            fault.fault.severity = Severity::Warning;
            fault.fault.row = self.raw.place(row, columns).unwrap_or_default();
            fault
        };
        let what = |parts: usize, what: &str| match parts {
            1 => format!("1 hidden {what} is read too; unhide it, or delete it if it is not meant"),
            _ => format!(
                "{parts} hidden {what}s are read too; unhide them, or delete them if they are not \
                 meant"
            ),
        };
        if let [first, ..] = self.raw.hidden_rows() {
            let reason = what(self.raw.hidden_rows().len(), "or filtered row");
            faults.push(warn(Some(*first), &[], reason));
        }
        if let [first, ..] = self.raw.hidden_columns() {
            let hidden = self.raw.hidden_columns();
            let names: Vec<&str> = hidden.iter().map(|at| &*self.raw.columns()[*at]).collect();
            let mut fault = warn(None, &[*first], what(hidden.len(), "column"));
            fault.fault.value = shortened(&names.join(", "));
            faults.push(fault);
        }
    }
}

/// Whether a folded header is written as the names of listed columns are.
fn is_column_name(header: &str) -> bool {
    header.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
