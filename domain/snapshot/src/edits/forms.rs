//! Every form of an edit, as the reference and the faults show it.

/// A form of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditForm {
    /// What it begins with; empty for an option.
    pub kind: &'static str,
    /// The form. Words in capitals stand for names and values.
    pub form: &'static str,
    /// An edit of the demo book.
    pub example: &'static str,
    /// What it does.
    pub description: &'static str,
}

macro_rules! forms {
    ($($kind:literal: $form:literal, $example:literal, $description:literal;)*) => {
        /// Every form, in the order of the reference.
        pub const FORMS: &[EditForm] = &[$(EditForm {
            kind: $kind,
            form: $form,
            example: $example,
            description: $description,
        }),*];
    };
}

forms! {
    "": "OPTION=VALUE", "price_mode=pc",
        "Sets an option of the run. An option can be named by words of its name, or the beginning \
         of one, that no other option has: `buffer=3`, `max_elig=10`.";
    "constraint": "constraint:NODE:COLUMN=VALUE", "constraint:FNMA/FN30 6.0:hi_limit=0.5",
        "Sets `constraint_priority` (`priority`), `lo_limit` (`lo`), or `hi_limit` (`hi`) of a \
         node. NODE is INVESTOR, INVESTOR/INSTRUMENT, or INVESTOR/INSTRUMENT/NAME.";
    "constraint": "constraint:NODE:add=PRIORITY", "constraint:FNMA/FN30 6.0/TRY:add=15",
        "Adds a node without limits and rules.";
    "constraint": "constraint:NODE=out", "constraint:FNMA/FN30 6.0=out",
        "Removes a node and its rules.";
    "constraint": "constraint:NODE:rules+=RULE", "constraint:FNMA/FN30 6.0:rules+=conforming",
        "Gives a node a further rule.";
    "constraint": "constraint:NODE:rules-=RULE", "constraint:FNMA:rules-=conforming",
        "Takes a rule from a node.";
    "rule": "rule:RULE=EXPRESSION", "rule:conforming=loan_amount <= 900000",
        "Defines a rule, or changes its expression.";
    "trade": "trade:TRADE:COLUMN=VALUE", "trade:T0008643:amount=5000000",
        "Sets a column of a trade: `trade_amount` (`amount`), `tolerance`, `tolerance_amount`, \
         `tolerance_rule`, `tolerance_side`, `trade_price` (`price`), `settlement_date` (`date`), \
         `pair_off_amount`, `priced_only`, `status`, `trade_type` (`type`), \
         `investor_instrument_name` (`instrument`).";
    "trade": "trade:TRADE:add=COLUMN=VALUE, …",
        "trade:TRY1:add=instrument=FN30 6.0, amount=5000000, tolerance=1, date=2026-02-12, price=101",
        "Adds a trade with these columns, by the same names. Without others, it is an `open` \
         `forward` trade. A value with a comma is in double quotes.";
    "trade": "trade:TRADE:like=OTHER", "trade:TRY1:like=T0008643",
        "Adds a trade with the values of another one; its pools stay with the other one.";
    "trade": "trade:TRADE=in|out", "trade:T0008643=out",
        "Takes a trade into the run (its status becomes `open`), or out of it (`phantom`: its pools \
         count as designated to no trade).";
    "prices": "prices:INSTRUMENT=+N/32|-N/32", "prices:FN30 6.0=+4/32",
        "Shifts the prices of the grid of an instrument. N may have 3 decimals. Prices of forward \
         trades and of single loans stay.";
    "prices": "prices:INSTRUMENT/DATE=+N/32|-N/32", "prices:FN30 6.0/2026-02-12=-1.5/32",
        "The same, for one day of settlement.";
    "prices": "prices=+N/32|-N/32", "prices=-8/32", "The same, for the whole grid.";
    "payup": "payup:INSTRUMENT/NAME:COLUMN=VALUE",
        "payup:FN CASH 30 5.5/balance to 85k payup:points=2",
        "Sets `payup` (`points`) or `rule_name` (`rule`) of a pay-up.";
    "payup": "payup:INSTRUMENT/NAME:add=rule=RULE, points=POINTS",
        "payup:FN30 6.0/TRY:add=rule=balance to 85k, points=0.25",
        "Adds a pay-up for the loans that a rule selects.";
    "payup": "payup:INSTRUMENT/NAME=out", "payup:FN CASH 30 5.5/balance to 85k payup=out",
        "Removes a pay-up.";
    "carry": "carry:INSTRUMENT=RATE", "carry:FN30 6.0=1.25",
        "Sets the rate of every carry bucket of an instrument; an empty rate is NULL.";
    "carry": "carry:INSTRUMENT/ON_DAY=RATE", "carry:FN30 6.0/0=1.25",
        "The same, for the bucket that begins on this day.";
    "carry": "carry:INSTRUMENT/ON_DAY:COLUMN=VALUE", "carry:FN30 6.0/0:to=20",
        "Sets `to_day` (`to`) or `annual_rate` (`rate`) of a carry bucket.";
    "carry": "carry:INSTRUMENT/ON_DAY:add=to=TO_DAY, rate=RATE",
        "carry:FN30 6.0/61:add=to=90, rate=1.5", "Adds a carry bucket.";
    "carry": "carry:INSTRUMENT/ON_DAY=out", "carry:FN30 6.0/0=out", "Removes a carry bucket.";
    "loan": "loan:LOAN:COLUMN=VALUE", "loan:L00000002:status=Funded",
        "Sets a column of a loan: `loan_amount` (`amount`), `curr_status` (`status`), or any \
         other one, additional ones included.";
    "loan": "loan:LOAN:like=OTHER", "loan:TRY1:like=L00000002",
        "Adds a loan with the values of another one.";
    "loan": "loan:LOAN=out", "loan:L00000002=out", "Removes a loan and its own prices.";
    "lockdown": "lockdown:POOL=Y|N", "lockdown:P0004124=Y",
        "Says whether the loans of a pool stay in it.";
    "lockdown": "lockdown:POOL=out", "lockdown:P0000127=out",
        "Removes a pool from the lockdown guide.";
}
