//! Prices: the grid, pay-ups, and prices of single loans.

use powerfill_events::input_table;
use powerfill_events::values::{
    Day, InstrumentName, Key, LoanId, Name, Price, Rate, RuleName, TradeId,
};

input_table! {
    /// The price grid.
    table GridPrice = "rmcat_todays_prices",
        key(investor_instrument_name, settlement_date, note_rate);
    reference (investor_instrument_name) = "pscat_instruments", unknown Warning;
    columns {
        /// The instrument.
        investor_instrument_name: Key<InstrumentName>, example("FN30 6.0");
        /// The day of settlement.
        settlement_date: Day, example("2026-02-12");
        /// Note rate, percent.
        note_rate: Rate, plausible(1, 30), example("6.5");
        /// Points per 100 of par.
        price: Price, plausible(0, 500), example("101.25");
    }
}

input_table! {
    /// Pay-ups for loans that a rule selects.
    table Payup = "rmusr_payups", key(investor_instrument_name, payup_name);
    reference (investor_instrument_name) = "pscat_instruments", unknown Warning;
    reference (rule_name) = "pscat_securitization_rules", unknown Error;
    columns {
        /// The instrument.
        investor_instrument_name: Key<InstrumentName>, example("FN30 6.0");
        /// The pay-up.
        payup_name: Name, example("High LTV");
        /// The rule that selects its loans.
        rule_name: Key<RuleName>, example("High LTV");
        /// Points per 100 of par, also negative.
        payup: Price, example("0.125");
    }
}

input_table! {
    /// All-in prices from an external pricing engine.
    table LoanPrice = "loan_price", key(loan_id, trade_id);
    reference (loan_id) = "loan", unknown Warning;
    reference (trade_id) = "pscat_trades", unknown Warning;
    columns {
        /// The loan.
        loan_id: Key<LoanId>, example("L000123");
        /// The trade.
        trade_id: Key<TradeId>, example("T0001");
        /// Points per 100 of par, pay-up included.
        price: Price, example("102.125");
    }
}
