//! The worth of groups of loans, and the waterfall, from `pfill_value_summary`.

use powerfill_events::values::Money;
use powerfill_tables::named_row::NamedRow;

use crate::document::{NamedWorth, OverviewValue, WaterfallStep, Worth};

/// The rows so far.
#[derive(Default)]
pub(crate) struct Values {
    pub(crate) value: OverviewValue,
    pub(crate) waterfall: Vec<WaterfallStep>,
}

impl Values {
    pub(crate) fn take(&mut self, row: NamedRow<'_>) {
        let name = row.name("group_name");
        let groups = match row.str("grouping") {
            "run" if &*name == "all" => {
                self.value.all = worth(row);
                return;
            }
            "run" => {
                self.value.placed = worth(row);
                return;
            }
            "waterfall" => {
                self.take_step(row);
                return;
            }
            "investor" => &mut self.value.investors,
            "instrument" => &mut self.value.instruments,
            "settlement_date" => &mut self.value.settlement_dates,
            "pass" => &mut self.value.passes,
            "pool_action" => &mut self.value.pool_actions,
            _ => return,
        };
        groups.push(NamedWorth { name, worth: worth(row) });
    }

    fn take_step(&mut self, row: NamedRow<'_>) {
        let (step, amount) = (row.name("group_name"), row.amount("value_amount"));
        let so_far = self.waterfall.last().map_or(Money::ZERO, |last| last.to_amount);
        let from_amount = if &*step == "total" { Money::ZERO } else { so_far };
        let to_amount = from_amount + amount;
        let loans = row.count("loans");
        self.waterfall.push(WaterfallStep { step, loans, amount, from_amount, to_amount });
    }
}

fn worth(row: NamedRow<'_>) -> Worth {
    let count = |column| row.count(column).unwrap_or_default();
    Worth {
        loans: count("loans"),
        unpriced_loans: count("unpriced_loans"),
        loan_amount: row.amount("loan_amount"),
        proceeds_amount: row.amount("proceeds_amount"),
        wavg_price: row.fixed("wavg_price"),
        payup_amount: row.amount("payup_amount"),
        carry_amount: row.amount("carry_amount"),
        value_amount: row.amount("value_amount"),
        pick_up_loans: count("pick_up_loans"),
        pick_up_amount: row.amount("pick_up_amount"),
        give_up_loans: count("give_up_loans"),
        give_up_amount: row.amount("give_up_amount"),
    }
}
