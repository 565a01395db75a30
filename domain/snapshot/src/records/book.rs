//! What the desk sells: stages, instruments, trades, pools, designations, and their prices.

use std::cmp::Ordering;

use super::{Cells, Record, RowWriter};
use crate::RuleText;
use crate::choices::yes_no;
use crate::tables::{
    BuyUp, Designation, GridPrice, Instrument, LoanPrice, Payup, Pool, SecuritizationRule, Stage,
    Trade,
};

impl Record for Stage {
    const TABLE: &'static str = "pscat_loan_stages";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self { stage_name: cells.name(), stage_rank: cells.maybe_whole() }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.stage_name);
        row.maybe_shown(self.stage_rank);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.stage_name.cmp(&other.stage_name)
    }
}

impl Record for Instrument {
    const TABLE: &'static str = "pscat_instruments";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self {
            investor_id: cells.name(),
            investor_instrument_name: cells.name(),
            kind: cells.choice(),
            coupon: cells.maybe_fixed(),
            min_note_rate: cells.maybe_fixed(),
            max_note_rate: cells.maybe_fixed(),
            min_term_months: cells.maybe_whole(),
            max_term_months: cells.maybe_whole(),
            buy_up: match (cells.maybe_fixed(), cells.maybe_fixed()) {
                (Some(base_note_rate), Some(rate_multiple)) => {
                    Some(BuyUp { base_note_rate, rate_multiple })
                }
                _ => None,
            },
        }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.investor_id);
        row.name(&self.investor_instrument_name);
        row.text(self.kind.as_str());
        row.maybe_fixed(self.coupon);
        row.maybe_fixed(self.min_note_rate);
        row.maybe_fixed(self.max_note_rate);
        row.maybe_shown(self.min_term_months);
        row.maybe_shown(self.max_term_months);
        row.maybe_fixed(self.buy_up.map(|buy_up| buy_up.base_note_rate));
        row.maybe_fixed(self.buy_up.map(|buy_up| buy_up.rate_multiple));
    }

    fn order(&self, other: &Self) -> Ordering {
        self.investor_instrument_name.cmp(&other.investor_instrument_name)
    }
}

impl Record for Trade {
    const TABLE: &'static str = "pscat_trades";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self {
            trade_id: cells.name(),
            investor_instrument_name: cells.name(),
            trade_type: cells.choice(),
            status: cells.choice(),
            settlement_date: cells.maybe_day(),
            trade_amount: cells.fixed(),
            tolerance: cells.fixed(),
            tolerance_amount: cells.maybe_fixed(),
            tolerance_rule: cells.choice(),
            tolerance_side: cells.choice(),
            trade_price: cells.maybe_fixed(),
            pair_off_amount: cells.fixed(),
            priced_only: cells.choice(),
        }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.trade_id);
        row.name(&self.investor_instrument_name);
        row.text(self.trade_type.as_str());
        row.text(self.status.as_str());
        row.maybe_shown(self.settlement_date);
        row.fixed(self.trade_amount);
        row.fixed(self.tolerance);
        row.maybe_fixed(self.tolerance_amount);
        row.text(self.tolerance_rule.as_str());
        row.text(self.tolerance_side.as_str());
        row.maybe_fixed(self.trade_price);
        row.fixed(self.pair_off_amount);
        row.text(yes_no(self.priced_only));
    }

    fn order(&self, other: &Self) -> Ordering {
        self.trade_id.cmp(&other.trade_id)
    }
}

impl Record for Pool {
    const TABLE: &'static str = "pscat_pools";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self {
            pool_name: cells.name(),
            investor_instrument_name: cells.name(),
            status: cells.choice(),
        }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.pool_name);
        row.name(&self.investor_instrument_name);
        row.text(self.status.as_str());
    }

    fn order(&self, other: &Self) -> Ordering {
        self.pool_name.cmp(&other.pool_name)
    }
}

impl Record for Designation {
    const TABLE: &'static str = "pscat_trades_pools_relation";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self { pool_name: cells.name(), trade_id: cells.name() }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.pool_name);
        row.name(&self.trade_id);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.pool_name.cmp(&other.pool_name)
    }
}

impl Record for SecuritizationRule {
    const TABLE: &'static str = "pscat_securitization_rules";

    fn read(cells: &mut Cells<'_>) -> Self {
        let rule_name = cells.name();
        let (rule_syntax, predicate) = cells.rule();
        Self { rule_name, rule_syntax, predicate }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.rule_name);
        row.text(&self.rule_syntax);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.rule_name.cmp(&other.rule_name)
    }
}

impl Record for RuleText {
    const TABLE: &'static str = SecuritizationRule::TABLE;

    fn read(cells: &mut Cells<'_>) -> Self {
        Self { rule_name: cells.name(), rule_syntax: cells.rule_text() }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.rule_name);
        row.text(&self.rule_syntax);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.rule_name.cmp(&other.rule_name)
    }
}

impl Record for GridPrice {
    const TABLE: &'static str = "rmcat_todays_prices";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self {
            investor_instrument_name: cells.name(),
            settlement_date: cells.day(),
            note_rate: cells.fixed(),
            price: cells.fixed(),
        }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.investor_instrument_name);
        row.shown(self.settlement_date);
        row.fixed(self.note_rate);
        row.fixed(self.price);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.investor_instrument_name
            .cmp(&other.investor_instrument_name)
            .then(self.settlement_date.cmp(&other.settlement_date))
            .then(self.note_rate.cmp(&other.note_rate))
    }
}

impl Record for Payup {
    const TABLE: &'static str = "rmusr_payups";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self {
            investor_instrument_name: cells.name(),
            payup_name: cells.name(),
            rule_name: cells.name(),
            payup: cells.fixed(),
        }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.investor_instrument_name);
        row.name(&self.payup_name);
        row.name(&self.rule_name);
        row.fixed(self.payup);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.investor_instrument_name
            .cmp(&other.investor_instrument_name)
            .then_with(|| self.payup_name.cmp(&other.payup_name))
    }
}

impl Record for LoanPrice {
    const TABLE: &'static str = "loan_price";

    fn read(cells: &mut Cells<'_>) -> Self {
        Self { loan_id: cells.name(), trade_id: cells.name(), price: cells.fixed() }
    }

    fn write(&self, row: &mut RowWriter) {
        row.name(&self.loan_id);
        row.name(&self.trade_id);
        row.fixed(self.price);
    }

    fn order(&self, other: &Self) -> Ordering {
        self.loan_id.cmp(&other.loan_id).then_with(|| self.trade_id.cmp(&other.trade_id))
    }
}
