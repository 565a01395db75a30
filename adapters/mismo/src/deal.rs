//! A deal of a message, and the rows of its loans.

use powerfill_events::input::{RawTable, TooLarge};

use crate::fields::{ABOUT_OTHERS, COLUMNS, FIELDS, Form, Scope};

/// A deal while it is read.
#[derive(Debug, Default)]
pub(crate) struct Deal {
    /// What all loans of the deal share.
    shared: Values,
    loans: Vec<Loan>,
    /// The loan that is being read.
    open: Option<Loan>,
}

/// A loan element.
#[derive(Debug, Default)]
struct Loan {
    /// The line of the element, from 0.
    line: u32,
    /// It describes another loan on the same property, such as one that is paid off.
    is_related: bool,
    values: Values,
    /// The identifier element that is being read, and its type.
    identifier: Option<String>,
    identifier_type: Option<String>,
    /// The type of the period that is beside a count.
    periods: Vec<(&'static str, String)>,
}

/// By field: the text of its element.
#[derive(Debug, Default)]
struct Values(Vec<(usize, String)>);

impl Values {
    fn add(&mut self, field: usize, text: &str) {
        if !self.0.iter().any(|(known, value)| *known == field && value == text) {
            self.0.push((field, text.to_owned()));
        }
    }

    /// The texts of the preferred field of a column that has any.
    fn of_column(&self, name: &str) -> (Option<usize>, Vec<&str>) {
        let fields = FIELDS.iter().enumerate().filter(|(_, field)| field.column == name);
        for (at, _) in fields {
            let texts: Vec<&str> =
                self.0.iter().filter(|(field, _)| *field == at).map(|(_, text)| &**text).collect();
            if !texts.is_empty() {
                return (Some(at), texts);
            }
        }
        (None, Vec::new())
    }
}

/// The role of a loan that is delivered. A loan without a role is one too.
const SUBJECT: &str = "SubjectLoan";

/// The field of the loan's own id.
const LOAN_ID: usize = 0;

impl Deal {
    pub(crate) fn begin_loan(&mut self, role: Option<&str>, line: u32) {
        let is_related = role.is_some_and(|role| role != SUBJECT);
        self.open = Some(Loan { line, is_related, ..Loan::default() });
    }

    /// Ends the loan. A second description of the same loan, such as its current state after that
    /// at closing, adds what the first one does not have.
    pub(crate) fn end_loan(&mut self) {
        let Some(loan) = self.open.take().filter(|loan| !loan.is_related) else { return };
        let same = |known: &&mut Loan| {
            let ids = [&**known, &loan].map(|loan| loan.values.of_column("loan_id").1);
            ids[0] == ids[1] || ids.iter().any(Vec::is_empty)
        };
        match self.loans.iter_mut().find(same) {
            Some(known) => {
                for (field, text) in loan.values.0 {
                    if known.values.of_column(FIELDS[field].column).1.is_empty() {
                        known.values.add(field, &text);
                    }
                }
                known.periods.extend(loan.periods);
            }
            None => self.loans.push(loan),
        }
    }

    /// Takes the text of an element; `path` has the names of the elements around it and its own.
    pub(crate) fn take(&mut self, path: &[String], text: &str) {
        if path.iter().any(|name| ABOUT_OTHERS.contains(&&**name)) {
            return;
        }
        let is_at = |names: &[&str]| {
            path.len() >= names.len()
                && path[path.len() - names.len()..].iter().zip(names).all(|(a, b)| a == b)
        };
        if let Some(loan) = &mut self.open {
            loan.take_identifier(&is_at, text);
            for field in FIELDS {
                if let Form::Period(name) = field.form
                    && is_at(&[field.path[0], name])
                {
                    loan.periods.push((name, text.to_owned()));
                }
            }
        }
        for (at, field) in FIELDS.iter().enumerate().filter(|(_, field)| is_at(field.path)) {
            match (field.scope, &mut self.open) {
                (Scope::Property, _) => self.shared.add(at, text),
                (Scope::Loan, Some(loan)) => loan.values.add(at, text),
                (Scope::Loan, None) => {}
            }
        }
    }

    /// Adds the rows of the deal's loans, which are in the file with this number. Returns how many.
    pub(crate) fn add_rows(self, origin: u32, table: &mut RawTable) -> Result<usize, TooLarge> {
        for loan in &self.loans {
            table.begin_row_of(origin, loan.line);
            for (name, _) in COLUMNS {
                let own = loan.values.of_column(name);
                let (field, texts) =
                    if own.1.is_empty() { self.shared.of_column(name) } else { own };
                match (field, &texts[..]) {
                    (Some(field), [text]) => loan.push(table, field, text)?,
                    (Some(_), several) => table.push_unfit(
                        several[0],
                        format!("the deal has {}; one value is expected", several.join(" and ")),
                    )?,
                    (None, _) => table.push_cell("")?,
                }
            }
            table.end_row()?;
        }
        Ok(self.loans.len())
    }
}

impl Loan {
    /// `LoanIdentifier` and the type beside it, in either order.
    fn take_identifier(&mut self, is_at: &dyn Fn(&[&str]) -> bool, text: &str) {
        if is_at(&["LOAN_IDENTIFIER", "LoanIdentifier"]) {
            self.identifier = Some(text.to_owned());
        } else if is_at(&["LOAN_IDENTIFIER", "LoanIdentifierType"]) {
            self.identifier_type = Some(text.to_owned());
        } else {
            return;
        }
        if let (Some(id), Some(of_type)) = (&self.identifier, &self.identifier_type) {
            if matches!(&**of_type, "LenderLoan" | "SellerLoan") {
                self.values.add(LOAN_ID, id);
            }
            (self.identifier, self.identifier_type) = (None, None);
        }
    }

    fn push(&self, table: &mut RawTable, field: usize, text: &str) -> Result<(), TooLarge> {
        match FIELDS[field].form {
            Form::Text => table.push_cell(text),
            Form::Date => match text.split_once('T') {
                Some((date, _)) => table.push_cell(date),
                None => table.push_cell(text),
            },
            Form::Period(name) => {
                let of_type = self.periods.iter().find(|(known, _)| *known == name);
                match (of_type.map(|(_, of_type)| &**of_type), text.parse::<u32>()) {
                    (Some("Month"), _) => table.push_cell(text),
                    (Some("Year"), Ok(years)) => table.push_cell(&(years * 12).to_string()),
                    (of_type, _) => {
                        let of_type = of_type.unwrap_or("absent");
                        table.push_unfit(
                            text,
                            format!("{name} is {of_type}; Month or Year is expected"),
                        )
                    }
                }
            }
        }
    }
}
