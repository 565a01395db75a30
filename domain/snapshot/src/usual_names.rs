//! The names that loan tapes and trade sheets usually give to our tables and columns.

use powerfill_events::values::fold;

/// Words in the names of files and sheets that usually have a table.
pub fn table_words(table: &str) -> &'static [&'static str] {
    match table {
        "loan" => &["LOAN", "LOANS", "LOANDATA", "PIPELINE", "TAPE", "LOANTAPE"],
        "pscat_trades" => &["TRADE", "TRADES", "TBA", "COMMITMENTS"],
        "pscat_pools" => &["POOL", "POOLS"],
        "pscat_instruments" => &["INSTRUMENT", "INSTRUMENTS", "PRODUCTS", "SECURITIES"],
        "pscat_loan_stages" => &["STAGES", "STATUSES", "MILESTONES"],
        "pscat_securitization_rules" => &["RULES"],
        "rmcat_todays_prices" => &["PRICES", "GRID", "RATESHEET"],
        "rmusr_payups" => &["PAYUPS", "PAYUP"],
        "pfill_constraints" => &["CONSTRAINTS", "CAPACITIES"],
        "pfill_carry_cost" => &["CARRY"],
        "snapshot" => &["SNAPSHOT"],
        _ => &[],
    }
}

/// The usual names of a column, as words, in some tables, or in all tables if none is listed.
struct UsualNames(&'static [&'static str], &'static str, &'static str);

/// Whether a name is a usual one for a column of a table, up to case and the signs between words.
pub fn is_usual_name(table: &str, column: &str, name: &str) -> bool {
    let compact =
        |text: &str| fold(text).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let name = compact(name);
    let of_column =
        |usual: &&UsualNames| usual.1 == column && (usual.0.is_empty() || usual.0.contains(&table));
    let mut names =
        USUAL_NAMES.iter().filter(of_column).flat_map(|usual| usual.2.split_whitespace());
    names.any(|usual| compact(usual) == name)
}

const USUAL_NAMES: &[UsualNames] = &[
    UsualNames(
        &["loan", "loan_price"],
        "loan_id",
        "LOAN LOAN_NO LOAN_NUMBER LOAN_NUM LOAN_NBR LOAN_IDENTIFIER LOAN_SEQUENCE_NUMBER \
         SELLER_LOAN_NUMBER LENDER_LOAN_NUMBER ACCOUNT_NUMBER",
    ),
    UsualNames(
        &["loan"],
        "curr_status",
        "STATUS MILESTONE LOAN_STATUS CURRENT_STATUS STAGE CURRENT_MILESTONE LAST_MILESTONE \
         PIPELINE_STATUS",
    ),
    UsualNames(
        &["loan"],
        "loan_amount",
        "AMOUNT LOAN_AMT BALANCE UPB CURRENT_UPB UNPAID_PRINCIPAL_BALANCE CURRENT_BALANCE \
         NOTE_AMOUNT BASE_LOAN_AMOUNT TOTAL_LOAN_AMOUNT PRINCIPAL",
    ),
    UsualNames(
        &["loan"],
        "note_rate",
        "RATE INTEREST_RATE INT_RATE NOTE_RATE_PERCENT CURRENT_RATE CURRENT_INTEREST_RATE \
         GROSS_RATE",
    ),
    UsualNames(
        &["loan"],
        "close_date",
        "CLOSED_DATE CLOSING_DATE CLOSING CLOSING_DT FUND_DT CLOSE_DT CLOSED_DT FUNDED_DATE \
         FUNDED_DT FUNDING_DATE FUND_DATE EST_CLOSING_DATE CLOSED FUNDED",
    ),
    UsualNames(
        &["loan"],
        "lock_expiration_date",
        "LOCK_EXP LOCK_EXP_DATE LOCK_EXP_DT LOCK_EXPIRATION LOCK_EXPIRES LOCK_EXPIRY \
         LOCK_EXPIRY_DATE",
    ),
    UsualNames(&["loan", "pscat_pools"], "pool_name", "POOL POOL_NO POOL_NUMBER POOL_ID POOL_NUM"),
    UsualNames(
        &["loan"],
        "fico",
        "CREDIT_SCORE FICO_SCORE SCORE DECISION_FICO MID_FICO BORROWER_FICO",
    ),
    UsualNames(&["loan"], "ltv", "LTV_RATIO LOAN_TO_VALUE ORIGINAL_LTV ORIG_LTV LTV_PCT"),
    UsualNames(&["loan"], "dti", "DTI_RATIO DEBT_TO_INCOME ORIGINAL_DTI TOTAL_DTI"),
    UsualNames(&["loan"], "units", "NUMBER_OF_UNITS UNIT_COUNT NO_OF_UNITS NUM_UNITS"),
    UsualNames(
        &["loan"],
        "term_months",
        "TERM LOAN_TERM ORIG_TERM ORIGINAL_TERM ORIGINAL_LOAN_TERM AMORT_TERM",
    ),
    UsualNames(&["loan"], "state", "ST PROP_STATE PROPERTY_STATE SUBJECT_STATE PROP_ST"),
    UsualNames(&["loan"], "property_type", "PROP_TYPE PROPERTY SUBJECT_PROPERTY_TYPE"),
    UsualNames(
        &["loan"],
        "occupancy",
        "OCC PROP_OCC OCCUPANCY_TYPE OCCUPANCY_STATUS OCC_TYPE OCCUP",
    ),
    UsualNames(&["loan"], "purpose", "LOAN_PURPOSE PURP PURPOSE_TYPE"),
    UsualNames(&["loan"], "loan_type", "TYPE PRODUCT_TYPE MORTGAGE_TYPE LOAN_PROGRAM"),
    UsualNames(
        &["pscat_trades", "loan_price", "pscat_trades_pools_relation"],
        "trade_id",
        "TRADE TRADE_NO TRADE_NUMBER TRADE_NUM TICKET COMMITMENT_NUMBER",
    ),
    UsualNames(
        &["pscat_trades"],
        "settlement_date",
        "SETTLE SETTLE_DATE SETTLE_DT SETTLEMENT SETTLES DELIVERY_DATE",
    ),
    UsualNames(
        &["pscat_trades"],
        "trade_amount",
        "AMOUNT FACE FACE_AMOUNT NOTIONAL TRADE_AMT PAR PAR_AMOUNT FACE_000S FACE_000 AMOUNT_000S \
         COMMITMENT_AMOUNT",
    ),
    UsualNames(&["pscat_trades"], "trade_price", "PRICE PX TRADE_PX SELL_PRICE"),
    UsualNames(&["pscat_trades"], "tolerance", "TOL TOL_PCT TOLERANCE_PCT VARIANCE"),
    UsualNames(&["pscat_trades"], "pair_off_amount", "PAIR_OFF PAIROFF PAIROFF_AMOUNT"),
    UsualNames(&["pscat_trades"], "trade_type", "TYPE"),
    UsualNames(&[], "investor_id", "INVESTOR INV AGENCY"),
    UsualNames(&[], "investor_instrument_name", "INSTRUMENT SECURITY PRODUCT TBA"),
    UsualNames(&[], "coupon", "CPN PASS_THROUGH PASS_THRU_RATE"),
];
