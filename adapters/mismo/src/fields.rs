//! Which elements of a message become which columns.

/// The columns of the table, and the elements that they come from.
pub const COLUMNS: &[(&str, &str)] = &[
    ("loan_id", "LOAN_IDENTIFIER: SellerLoanIdentifier, or LoanIdentifier of the type LenderLoan"),
    ("loan_amount", "NoteAmount, else BaseLoanAmount"),
    ("note_rate", "NoteRatePercent"),
    ("close_date", "NoteDate"),
    ("lock_expiration_date", "RateLockExpirationDatetime or RateLockExpirationDate; the date"),
    ("fico", "LoanLevelCreditScoreValue"),
    ("ltv", "LTVRatioPercent"),
    ("dti", "TotalDebtExpenseRatioPercent"),
    ("units", "FinancedUnitCount"),
    ("term_months", "LoanMaturityPeriodCount, else LoanAmortizationPeriodCount; years as months"),
    ("state", "StateCode of the property's address"),
    ("property_type", "GSEPropertyType"),
    ("occupancy", "PropertyUsageType"),
    ("purpose", "LoanPurposeType"),
    ("loan_type", "MortgageType"),
    ("cltv", "CombinedLTVRatioPercent"),
    ("lien", "LienPriorityType"),
    ("amortization_type", "AmortizationType or LoanAmortizationType"),
    ("attachment_type", "AttachmentType"),
    ("construction_method", "ConstructionMethodType"),
    ("project_type", "ProjectLegalStructureType"),
    ("cash_out", "RefinanceCashOutDeterminationType"),
    ("postal_code", "PostalCode of the property's address"),
    ("mers_min", "MERS_MINIdentifier"),
    ("upb_amount", "UPBAmount"),
];

/// Elements whose content is about another property or another loan than those of the deal.
pub(crate) const ABOUT_OTHERS: &[&str] =
    &["ASSETS", "EXPENSES", "LIABILITIES", "OWNED_PROPERTY", "PROPERTY_VALUATIONS", "SERVICES"];

/// What an element of a deal belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Loan,
    /// The property, which all loans of the deal share.
    Property,
}

/// An element whose text is a value.
pub(crate) struct Field {
    pub(crate) column: &'static str,
    pub(crate) scope: Scope,
    /// The names of the element and of those around it, the element last.
    pub(crate) path: &'static [&'static str],
    /// How the text becomes the value.
    pub(crate) form: Form,
}

/// How the text of an element becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Text,
    /// The date of a date or of a moment.
    Date,
    /// A count of months or years: the element with this name, beside it, says which.
    Period(&'static str),
}

const fn loan(column: &'static str, path: &'static [&'static str]) -> Field {
    Field { column, scope: Scope::Loan, path, form: Form::Text }
}

const fn property(column: &'static str, path: &'static [&'static str]) -> Field {
    Field { column, scope: Scope::Property, path, form: Form::Text }
}

/// The elements, those of a column in the order in which they are preferred.
pub(crate) const FIELDS: &[Field] = &[
    loan("loan_id", &["LOAN_IDENTIFIER", "SellerLoanIdentifier"]),
    loan("loan_amount", &["TERMS_OF_MORTGAGE", "NoteAmount"]),
    loan("loan_amount", &["TERMS_OF_LOAN", "NoteAmount"]),
    loan("loan_amount", &["TERMS_OF_LOAN", "BaseLoanAmount"]),
    loan("note_rate", &["TERMS_OF_MORTGAGE", "NoteRatePercent"]),
    loan("note_rate", &["TERMS_OF_LOAN", "NoteRatePercent"]),
    Field { form: Form::Date, ..loan("close_date", &["TERMS_OF_MORTGAGE", "NoteDate"]) },
    Field { form: Form::Date, ..loan("close_date", &["TERMS_OF_LOAN", "NoteDate"]) },
    Field { form: Form::Date, ..loan("lock_expiration_date", &["RateLockExpirationDatetime"]) },
    Field { form: Form::Date, ..loan("lock_expiration_date", &["RateLockExpirationDate"]) },
    loan("fico", &["LOAN_LEVEL_CREDIT_DETAIL", "LoanLevelCreditScoreValue"]),
    loan("ltv", &["LTV", "LTVRatioPercent"]),
    loan("dti", &["TotalDebtExpenseRatioPercent"]),
    Field {
        form: Form::Period("LoanMaturityPeriodType"),
        ..loan("term_months", &["MATURITY_RULE", "LoanMaturityPeriodCount"])
    },
    Field {
        form: Form::Period("LoanAmortizationPeriodType"),
        ..loan("term_months", &["AMORTIZATION_RULE", "LoanAmortizationPeriodCount"])
    },
    property("units", &["PROPERTY_DETAIL", "FinancedUnitCount"]),
    property("state", &["PROPERTY", "ADDRESS", "StateCode"]),
    property("state", &["SUBJECT_PROPERTY", "ADDRESS", "StateCode"]),
    property("property_type", &["PROPERTY_DETAIL", "GSEPropertyType"]),
    loan("property_type", &["LOAN_DETAIL", "GSEPropertyType"]),
    property("occupancy", &["PROPERTY_DETAIL", "PropertyUsageType"]),
    loan("purpose", &["TERMS_OF_MORTGAGE", "LoanPurposeType"]),
    loan("purpose", &["TERMS_OF_LOAN", "LoanPurposeType"]),
    loan("loan_type", &["TERMS_OF_MORTGAGE", "MortgageType"]),
    loan("loan_type", &["TERMS_OF_LOAN", "MortgageType"]),
    property("cltv", &["COMBINED_LTV", "CombinedLTVRatioPercent"]),
    loan("lien", &["TERMS_OF_MORTGAGE", "LienPriorityType"]),
    loan("lien", &["TERMS_OF_LOAN", "LienPriorityType"]),
    loan("amortization_type", &["AMORTIZATION_RULE", "AmortizationType"]),
    loan("amortization_type", &["AMORTIZATION_RULE", "LoanAmortizationType"]),
    property("attachment_type", &["PROPERTY_DETAIL", "AttachmentType"]),
    property("construction_method", &["PROPERTY_DETAIL", "ConstructionMethodType"]),
    property("project_type", &["PROJECT_DETAIL", "ProjectLegalStructureType"]),
    loan("cash_out", &["REFINANCE", "RefinanceCashOutDeterminationType"]),
    property("postal_code", &["PROPERTY", "ADDRESS", "PostalCode"]),
    property("postal_code", &["SUBJECT_PROPERTY", "ADDRESS", "PostalCode"]),
    loan("mers_min", &["LOAN_IDENTIFIER", "MERS_MINIdentifier"]),
    loan("upb_amount", &["PAYMENT_SUMMARY", "UPBAmount"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_a_column_and_each_column_a_field() {
        assert!(FIELDS.iter().all(|f| COLUMNS.iter().any(|(name, _)| f.column == *name)));
        assert!(COLUMNS.iter().all(|(name, _)| FIELDS.iter().any(|f| f.column == *name)));
    }
}
