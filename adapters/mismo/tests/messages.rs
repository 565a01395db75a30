//! Messages as tables, and messages that are refused.

use std::fs;
use std::path::Path;

use powerfill_events::input::TableLimit;
use powerfill_mapping::ForeignTable;
use powerfill_mismo::{COLUMNS, MismoError};

/// The cell of a row.
fn cell<'a>(read: &'a ForeignTable, row: usize, column: &str) -> &'a str {
    let at = read.table.columns().iter().position(|name| name == column).expect("a column");
    read.table.cell(row, at)
}

/// Why a cell of the first row cannot be read.
fn unfit<'a>(read: &'a ForeignTable, column: &str) -> Option<&'a str> {
    let at = read.table.columns().iter().position(|name| name == column).expect("a column");
    read.table.unfit(0, at)
}

/// Reads a message with this content.
fn read(content: impl AsRef<[u8]>) -> Result<ForeignTable, MismoError> {
    let folder = tempfile::tempdir().expect("a new folder");
    let file = folder.path().join("loans.xml");
    fs::write(&file, content).expect("the message is written");
    powerfill_mismo::read(&file, TableLimit::default())
}

/// A message with this content of its deals.
fn message(deals: &str) -> String {
    format!("<MESSAGE><DEAL_SETS><DEAL_SET><DEALS>{deals}</DEALS></DEAL_SET></DEAL_SETS></MESSAGE>")
}

#[test]
fn each_subject_loan_is_a_row() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/uldd.xml");
    let read = powerfill_mismo::read(&file, TableLimit::default()).expect("a message");
    assert_eq!(read.table.name(), "loan");
    assert_eq!(read.table.rows(), 2, "a related loan and a second state are no rows");
    let rows = [
        ("loan_id", "0001000101", "0001000102"),
        ("loan_amount", "300000.00", "150000"),
        ("note_rate", "6.5000", "5.875"),
        ("close_date", "2026-01-05", ""),
        ("lock_expiration_date", "", "2026-02-01"),
        ("fico", "742", ""),
        ("ltv", "80.00", ""),
        ("dti", "", ""),
        ("units", "1", ""),
        ("term_months", "360", "180"),
        ("state", "CA", ""),
        ("property_type", "", ""),
        ("occupancy", "PrimaryResidence", ""),
        ("purpose", "Purchase", ""),
        ("loan_type", "Conventional", ""),
        ("cltv", "85.00", ""),
        ("lien", "FirstLien", ""),
        ("amortization_type", "Fixed", ""),
        ("attachment_type", "Detached", ""),
        ("construction_method", "SiteBuilt", ""),
        ("project_type", "", ""),
        ("cash_out", "", ""),
        ("postal_code", "90001", ""),
        ("mers_min", "100000000000000001", ""),
        ("upb_amount", "299512.34", ""),
    ];
    assert_eq!(rows.map(|(name, ..)| name), *COLUMNS.iter().map(|c| c.0).collect::<Vec<_>>());
    for (column, first, second) in rows {
        assert_eq!(cell(&read, 0, column), first, "{column}");
        assert_eq!(cell(&read, 1, column), second, "{column}");
    }
    assert_eq!(read.table.position(1) + 1, 50, "the line of the second loan");
    let bytes = fs::read(&file).unwrap();
    assert_eq!(read.digest, blake3::hash(&bytes).to_hex().to_string());
}

#[test]
fn prefixes_references_and_cdata_are_read_as_xml_means_them() {
    let loan = "<m:LOAN LoanRoleType='SubjectLoan'><m:LOAN_IDENTIFIER><m:SellerLoanIdentifier>A&amp;\
                B&#x41;<![CDATA[<1>]]></m:SellerLoanIdentifier></m:LOAN_IDENTIFIER><m:LTV/></m:LOAN>";
    let deal = message(&format!("<m:DEAL>{loan}</m:DEAL>")).replace("MESSAGE>", "m:MESSAGE>");
    let deal = deal.replacen("<m:MESSAGE>", "<m:MESSAGE xmlns:m='urn:m'>", 1);
    let read = read(deal).expect("a message");
    assert_eq!(cell(&read, 0, "loan_id"), "A&BA<1>");
}

#[test]
fn values_that_differ_are_not_chosen_from() {
    let address = |state| {
        format!(
            "<COLLATERAL><PROPERTY><ADDRESS><StateCode>{state}</StateCode></ADDRESS></PROPERTY></COLLATERAL>"
        )
    };
    let deal =
        |second| message(&format!("<DEAL>{}{}<LOAN/></DEAL>", address("CA"), address(second)));
    let same = read(deal("CA")).expect("a message");
    assert_eq!((cell(&same, 0, "state"), unfit(&same, "state")), ("CA", None));
    let differ = read(deal("NV")).expect("a message");
    let reason = "the deal has CA and NV; one value is expected";
    assert_eq!(unfit(&differ, "state"), Some(reason));
    let weeks = "<DEAL><LOAN><MATURITY_RULE><LoanMaturityPeriodCount>52</LoanMaturityPeriodCount>\
                 <LoanMaturityPeriodType>Week</LoanMaturityPeriodType></MATURITY_RULE></LOAN></DEAL>";
    let weeks = read(message(weeks)).expect("a message");
    let reason = "LoanMaturityPeriodType is Week; Month or Year is expected";
    assert_eq!(unfit(&weeks, "term_months"), Some(reason));
}

#[test]
fn what_is_no_message_is_refused_with_its_line() {
    let whole = message("<DEAL>\n<LOANS>\n<LOAN>\n</LOAN></LOANS></DEAL>");
    for (content, line, reason) in [
        ("<LOAN_APPLICATION/>", 1, "begins with the element MESSAGE, and this file with LOAN_APPL"),
        ("<MESSAGE/>", 1, "it has no subject loan"),
        ("<!DOCTYPE x SYSTEM 'file:///etc/passwd'><MESSAGE/>", 1, "document type declaration"),
        (&whole[..whole.len() - 10], 4, "ends within the element MESSAGE"),
        (&whole.replace("</LOAN>", "</LOANS>"), 4, "it is not well-formed XML"),
        (&whole.replace("<LOAN>", "<LOAN>&secret;"), 3, "the entity secret"),
        ("loan_id,loan_amount\n", 2, "it is not XML"),
    ] {
        let error = read(content).expect_err(content).to_string();
        assert!(error.contains(&format!("loans.xml:{line} cannot be read: ")), "{error}");
        assert!(error.contains(reason), "{error}");
    }
    let error = read(b"<MESSAGE>\xe9</MESSAGE>").unwrap_err().to_string();
    assert!(error.contains("it is not UTF-8; save the message as XML in UTF-8"), "{error}");
    let deep = "<MESSAGE>".to_owned() + &"<A>".repeat(100_000);
    let error = read(deep).unwrap_err().to_string();
    assert!(error.contains("more than 200 elements are within one another"), "{error}");
}

#[test]
fn a_folder_gives_its_messages_by_name() {
    let folder = tempfile::tempdir().expect("a new folder");
    let error =
        powerfill_mismo::read(folder.path(), TableLimit::default()).unwrap_err().to_string();
    assert!(error.contains("has no MISMO message"), "{error}");
    for name in ["b.xml", "a.XML", "c.csv"] {
        fs::write(folder.path().join(name), message("<DEAL><LOAN/></DEAL>")).unwrap();
    }
    let read = powerfill_mismo::read(folder.path(), TableLimit::default()).expect("messages");
    let places = [0, 1].map(|row| read.table.place(Some(row), &[0]));
    assert_eq!(places, [Some("a.XML:1".to_owned()), Some("b.xml:1".to_owned())]);
}
