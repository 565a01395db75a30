//! The loans of a comparison whose decision differs, and their paths (specification 3.4).

use powerfill_explain::{LoanStories, OutcomeClause, RelationClause};
use powerfill_tables::table::{TableRef, TableSpec};

use crate::compare::RowVerdict;
use crate::comparison::Comparison;
use crate::divergence;
use crate::grid::Grid;
use crate::interner::Interner;
use crate::loan_path::{LoanPath, LoanPosition};
use crate::side::by_name;

/// The tables of one side that say where loans are.
struct PositionTables<'a> {
    guide: Option<TableByLoan<'a>>,
    kickouts: Option<TableByLoan<'a>>,
}

/// A table whose rows are looked up by loan.
struct TableByLoan<'a> {
    table: TableRef,
    grid: &'a Grid,
    /// The number of a loan's id, and its row; in ascending order.
    rows: Vec<(u32, u32)>,
}

impl TableByLoan<'_> {
    fn row(&self, loan: u32) -> Option<u32> {
        let at = self.rows.binary_search_by_key(&loan, |(name, _)| *name).ok()?;
        Some(self.rows[at].1)
    }

    fn cell(&self, row: u32, column: &str, names: &Interner) -> Option<String> {
        let text = self.grid.text(row, self.table.position(column)?, names);
        Some(text).filter(|text| !text.is_empty())
    }
}

const GUIDE: &str = "pfill_powerfill_guide";
const KICKOUTS: &str = "pfill_kickout_guide_01";
const POOL_GUIDE: &str = "pfill_pool_guide";

/// Whether the rows say what becomes of a loan. Candidates, synthetic options, and the cash market
/// map only say what a loan could do.
fn decides_loans(table: &TableSpec) -> bool {
    [GUIDE, KICKOUTS, POOL_GUIDE].contains(&table.name)
}

impl Comparison {
    /// The first `most` loans whose decision differs, by id, and the number of all of them.
    pub fn diverging_loans(&self, most: usize) -> (Vec<String>, u64) {
        let mut loans: Vec<u32> = Vec::new();
        for table in self.tables.iter().filter(|table| decides_loans(table.spec)) {
            let Some(column) = table.spec.position("loan_id") else { continue };
            let differences = table.differences.iter();
            let decisions = differences.filter(|d| d.verdict != RowVerdict::OtherNumbers);
            loans.extend(decisions.filter_map(|difference| {
                let (grid, row) = table.row_of(difference);
                grid.row(row)[column].name()
            }));
        }
        loans.sort_unstable();
        loans.dedup();
        loans.sort_by(|a, b| self.names.folded(*a).cmp(self.names.folded(*b)));
        let all = loans.len() as u64;
        let spelled = loans.into_iter().take(most).map(|loan| self.names.spelled(loan).to_string());
        (spelled.collect(), all)
    }

    /// Explains the paths of these loans, from the events of the run here, and of the other side if
    /// that is a run too.
    pub fn explain_loans(
        &mut self,
        loans: &[String],
        here: &LoanStories,
        there: Option<&LoanStories>,
    ) {
        let (tables_here, tables_there) = (self.position_tables(0), self.position_tables(1));
        let path = |loan: &String| {
            let number = self.names.find(loan, "loan_id")?;
            let position_here = self.position(&tables_here, number);
            let position_there = self.position(&tables_there, number);
            // Of two runs, the new one is there.
            let (stories, other_place) = match there {
                Some(there) => (there, &position_here),
                None => (here, &position_there),
            };
            let outcome = stories.outcome(loan);
            let mut because =
                outcome.map_or_else(String::new, |outcome| OutcomeClause(&outcome).to_string());
            let mut parted = None;
            if !position_here.is_same(&position_there) {
                parted = Some(match there {
                    Some(there) => divergence::between_runs(
                        loan,
                        (here, &position_here),
                        (there, &position_there),
                    ),
                    None => divergence::from_export(loan, here, &position_there),
                });
                if let Some(trade_id) = other_place.trade()
                    && let Some(relation) = &stories.relation(loan, trade_id)
                {
                    because.push_str("; ");
                    because.push_str(&RelationClause { trade_id, relation }.to_string());
                }
            }
            let loan_id = loan.clone();
            let amounts = [&tables_there, &tables_here].map(|tables| self.amount(tables, number));
            let loan_amount = amounts.into_iter().flatten().next();
            Some(LoanPath {
                loan_id,
                loan_amount,
                here: position_here,
                there: position_there,
                parted,
                because,
            })
        };
        self.loans = loans.iter().filter_map(path).collect();
    }

    /// A table of a side by loan, compared or not.
    fn by_loan(&self, side: usize, name: &str) -> Option<TableByLoan<'_>> {
        let (at, table) = by_name(name)?;
        let compared = self.tables.iter().find(|compared| compared.spec.name == name);
        let compared = compared.map(|compared| [&compared.here, &compared.there][side]);
        let rest = || [&self.here, &self.there][side].tables[at].as_ref();
        let grid = &compared.or_else(rest)?.grid;
        Some(TableByLoan { table, grid, rows: grid.by_name(table.position("loan_id")?) })
    }

    fn position_tables(&self, side: usize) -> PositionTables<'_> {
        let (guide, kickouts) = (self.by_loan(side, GUIDE), self.by_loan(side, KICKOUTS));
        PositionTables { guide, kickouts }
    }

    fn amount(&self, tables: &PositionTables<'_>, loan: u32) -> Option<String> {
        let tables = [&tables.guide, &tables.kickouts].into_iter().flatten();
        let mut amounts =
            tables.filter_map(|table| table.cell(table.row(loan)?, "loan_amount", &self.names));
        amounts.next()
    }

    fn position(&self, tables: &PositionTables<'_>, loan: u32) -> LoanPosition {
        if let Some(guide) = &tables.guide
            && let Some(row) = guide.row(loan)
        {
            let cell = |column| guide.cell(row, column, &self.names);
            let (trade_id, pool_name) = (cell("trade_id"), cell("pool_name"));
            return match cell("held_reason") {
                Some(held_reason) => LoanPosition::Held { held_reason, pool_name, trade_id },
                None => LoanPosition::Allocated {
                    trade_id,
                    pool_name,
                    pool_action: cell("pool_action"),
                },
            };
        }
        let kicked_out = tables.kickouts.as_ref().and_then(|kickouts| {
            let row = kickouts.row(loan)?;
            Some(LoanPosition::KickedOut { reason: kickouts.cell(row, "reason", &self.names) })
        });
        kicked_out.unwrap_or(LoanPosition::Absent)
    }
}
