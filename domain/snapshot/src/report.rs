//! The report that a snapshot or options are refused with, or accepted with: every fault, not only
//! the first (1.2).

use std::borrow::Cow;
use std::fmt;

pub use powerfill_events::values::Severity;
use serde::{Deserialize, Serialize};

macro_rules! fault_codes {
    ($($(#[$doc:meta])* $code:ident = $text:literal,)*) => {
        /// What kind of fault it is. The names are frozen (1.2).
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum FaultCode {
            $($(#[$doc])* $code,)*
        }

        impl FaultCode {
            /// Every code, in the order of 1.2.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// As the report writes it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)*
                }
            }
        }
    };
}

fault_codes! {
    /// A table that must be there is not.
    MissingTable = "missing_table",
    /// A table that is there cannot be read: encoding, quotes, size, the disk.
    Unreadable = "unreadable",
    /// A table without a header.
    MissingHeader = "missing_header",
    /// A column that is there twice.
    DuplicateColumn = "duplicate_column",
    /// A column that the table does not have.
    UnknownColumn = "unknown_column",
    /// A column that must be there and is not.
    MissingColumn = "missing_column",
    /// A row with more or fewer fields than the header.
    RaggedRow = "ragged_row",
    /// An empty value where there must be one.
    Required = "required",
    /// Not a plain decimal number.
    NotANumber = "not_a_number",
    /// Decimals where a whole number is expected.
    NotWhole = "not_whole",
    /// More decimals than the scale.
    TooManyDecimals = "too_many_decimals",
    /// Not a calendar date, YYYY-MM-DD.
    NotADate = "not_a_date",
    /// Not one of the words of an enumeration.
    NotOneOf = "not_one_of",
    /// Beyond the range.
    OutOfRange = "out_of_range",
    /// A value where there must not be this one, or none.
    NotAllowed = "not_allowed",
    /// An earlier row has the same key.
    DuplicateKey = "duplicate_key",
    /// No row of the table referred to has this key.
    UnknownReference = "unknown_reference",
    /// Too many or too few rows.
    RowCount = "row_count",
    /// A rule that is not of the rule syntax (1.4).
    RuleSyntax = "rule_syntax",
    /// A rule with a column that `loan` does not have.
    RuleColumn = "rule_column",
    /// A rule with types that do not go together.
    RuleType = "rule_type",
    /// An option that there is not (1.3).
    UnknownOption = "unknown_option",
    /// A header, a sheet, or a file that looks like one that is absent.
    NearName = "near_name",
    /// Rows or columns that the source hides, and that were read; a hidden sheet that was not.
    HiddenData = "hidden_data",
    /// A cell whose number format scales what it shows.
    ScaledDisplay = "scaled_display",
    /// Texts that are words for NULL.
    NullWord = "null_word",
    /// Texts with characters that are invisible.
    InvisibleCharacter = "invisible_character",
    /// Ids that a spreadsheet changed, or that are the label of a total.
    MangledId = "mangled_id",
    /// Values outside the plausible range of their column.
    Implausible = "implausible",
    /// Percents that are all written as shares.
    SuspectScale = "suspect_scale",
    /// A pattern of LIKE with signs that are literal here.
    RulePattern = "rule_pattern",
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One fault: a row of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fault {
    /// Whether it refuses the snapshot.
    pub severity: Severity,
    /// The table; `options` for the options of a run.
    pub table: Cow<'static, str>,
    /// 1-based data row; empty for a whole table; the key where the source has no row numbers; the
    /// cells of a workbook, `loan!C17`, or its row, `loan!17:17`.
    pub row: String,
    /// The column; the names of a key joined by `+`; empty for the row.
    pub column: Cow<'static, str>,
    /// The value at fault, cut where it is very long.
    pub value: String,
    /// What kind of fault it is.
    pub code: FaultCode,
    /// The same in words, with what is allowed.
    pub reason: Cow<'static, str>,
}

impl Fault {
    /// The columns of the report.
    pub const COLUMNS: [&'static str; 7] =
        ["severity", "table", "row", "column", "value", "code", "reason"];

    /// A table that cannot be read.
    pub fn unreadable(table: String, reason: String) -> Self {
        Self {
            severity: Severity::Error,
            table: table.into(),
            row: String::new(),
            column: "".into(),
            value: String::new(),
            code: FaultCode::Unreadable,
            reason: reason.into(),
        }
    }

    /// The fault as a row of the report, in the order of [`Self::COLUMNS`].
    pub fn cells(&self) -> [&str; 7] {
        [
            self.severity.as_str(),
            &self.table,
            &self.row,
            &self.column,
            &self.value,
            self.code.as_str(),
            &self.reason,
        ]
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.severity.as_str())?;
        let sheet = self.row.split_once('!').map(|(sheet, _)| sheet);
        match &*self.row {
            "" => f.write_str(&self.table)?,
            cells if sheet.is_some_and(|sheet| sheet.eq_ignore_ascii_case(&self.table)) => {
                f.write_str(cells)?;
            }
            row => write!(f, "{}, row {row}", self.table)?,
        }
        if !self.column.is_empty() && self.column == self.value {
            write!(f, ", header {:?}", self.value)?;
        } else {
            if !self.column.is_empty() {
                write!(f, ", {}", self.column.escape_debug())?;
            }
            if !self.value.is_empty() {
                write!(f, " {:?}", self.value)?;
            }
        }
        write!(f, ": {} ({})", self.reason, self.code)
    }
}

/// Every fault of a snapshot or of options, in the order of the tables, rows and columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct FaultReport {
    /// The faults.
    pub faults: Vec<Fault>,
}

impl FaultReport {
    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// How many of the faults refuse the snapshot.
    pub fn errors(&self) -> usize {
        self.faults.iter().filter(|fault| fault.severity == Severity::Error).count()
    }

    /// How many of the faults do not.
    pub fn warnings(&self) -> usize {
        self.faults.len() - self.errors()
    }
}

impl fmt::Display for FaultReport {
    /// One line a fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(fault, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for FaultReport {}

/// The beginning of a value, where it is too long for a line of the report.
pub(super) fn shortened(value: &str) -> String {
    const LONGEST: usize = 200;
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_one_spelling_in_the_report_and_in_json() {
        for code in FaultCode::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("{:?}", code.as_str()));
        }
        assert_eq!(FaultCode::ALL.len(), 31);
    }

    #[test]
    fn a_fault_reads_as_a_sentence() {
        let fault = Fault {
            severity: Severity::Error,
            table: "loan".into(),
            row: "3".into(),
            column: "close_date".into(),
            value: "2026-02-30".into(),
            code: FaultCode::NotADate,
            reason: "a date is YYYY-MM-DD".into(),
        };
        assert_eq!(
            fault.to_string(),
            "error: loan, row 3, close_date \"2026-02-30\": a date is YYYY-MM-DD (not_a_date)"
        );
        let in_a_sheet = Fault { row: "Loan!E4".into(), ..fault };
        assert_eq!(
            in_a_sheet.to_string(),
            "error: Loan!E4, close_date \"2026-02-30\": a date is YYYY-MM-DD (not_a_date)"
        );
        let header = Fault {
            column: "Close\nDate".into(),
            value: "Close\nDate".into(),
            row: "loan!E1".into(),
            ..in_a_sheet
        };
        assert_eq!(
            header.to_string(),
            "error: loan!E1, header \"Close\\nDate\": a date is YYYY-MM-DD (not_a_date)"
        );
        assert_eq!(shortened(&"é".repeat(300)).chars().count(), 201);
    }
}
