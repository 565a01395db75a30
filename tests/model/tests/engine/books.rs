//! Small adversarial books from a seed: few distinct amounts, prices, and dates, so that scores tie
//! and trades are hard to fill; tight limits, pools, locks, exclusions, grids, carry, floors,
//! thresholds, and both price modes.
//!
//! Half of the books are busy: nearly everything takes part and little is excluded, so that every
//! pass has work to do. The other half has exceptions everywhere.
//!
//! A book is made as text tables, so that reading and validation are tested too, and a failing book
//! can be kept as a folder of CSV files.

use powerfill_snapshot::{RawSnapshot, RawTable, RunOptions, Snapshot, validate};

use crate::dice::Dice;

/// A table as text.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A snapshot and the options of a run, as text.
#[derive(Clone)]
pub(crate) struct Book {
    pub(crate) tables: Vec<Table>,
    pub(crate) options: String,
}

/// What a metamorphic test changes in the book of a seed. The choices stay the same.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// The factor of every amount of money.
    pub(crate) scale: usize,
    /// Whether odd cents occur, which do not scale exactly.
    pub(crate) cents: bool,
    /// Hundredths of a point that are added to every price.
    pub(crate) shift: usize,
}

impl Terms {
    pub(crate) const PLAIN: Self = Self { scale: 1, cents: true, shift: 0 };
}

impl Book {
    pub(crate) fn typed(&self) -> (Snapshot, RunOptions) {
        let mut raw = RawSnapshot::default();
        for table in &self.tables {
            let columns = table.columns.iter().map(ToString::to_string).collect();
            let mut to = RawTable::new(table.name, columns, true);
            for row in &table.rows {
                to.push_row(row.iter()).unwrap();
            }
            raw.tables.push(to);
        }
        let validated = validate(raw).unwrap_or_else(|report| panic!("{report}"));
        let options =
            powerfill_snapshot::options_from_json(&self.options).unwrap_or_else(|r| panic!("{r}"));
        (validated.snapshot, options)
    }

    /// Writes the book as a case's folder.
    pub(crate) fn keep(&self, folder: &std::path::Path) {
        let snapshot = folder.join("snapshot");
        std::fs::create_dir_all(&snapshot).unwrap();
        for table in &self.tables {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",");
            let mut lines = vec![table.columns.join(",")];
            lines.extend(table.rows.iter().map(line));
            let file = snapshot.join(format!("{}.csv", table.name));
            std::fs::write(file, lines.join("\n") + "\n").unwrap();
        }
        std::fs::write(folder.join("options.json"), &self.options).unwrap();
    }
}

/// The book of a seed.
pub(crate) fn book(seed: u64, terms: Terms) -> Book {
    let mut maker = Maker::new(seed, terms);
    maker.snapshot();
    maker.stages();
    maker.rules();
    maker.instruments();
    maker.trades();
    maker.pools();
    maker.loans();
    maker.constraints();
    maker.prices();
    maker.payups();
    maker.own_prices();
    maker.carry();
    maker.settings();
    let options = maker.options();
    Book { tables: maker.tables, options }
}

const AS_OF: &str = "2026-01-15";
const SETTLEMENTS: [&str; 6] =
    ["2026-01-15", "2026-01-21", "2026-02-12", "2026-02-12", "2026-02-18", "2026-03-12"];
const RULES: [&str; 8] = [
    "state = 'CA'",
    "state IN ('CA', 'NY')",
    "fico >= 700",
    "ltv <= 80 AND NOT state = 'TX'",
    "occupancy LIKE 'O%'",
    "state IS NULL OR fico < 720",
    "note_rate BETWEEN 6 AND 6.5",
    "loan_amount <= {150000}",
];

struct Maker {
    dice: Dice,
    /// Whether nearly everything takes part.
    busy: bool,
    terms: Terms,
    tables: Vec<Table>,
    instruments: Vec<(String, &'static str)>,
    trades: Vec<(String, String)>,
    pools: Vec<String>,
    loans: Vec<String>,
}

impl Maker {
    fn new(seed: u64, terms: Terms) -> Self {
        let mut dice = Dice::new(seed);
        Self {
            busy: dice.chance(50),
            dice,
            terms,
            tables: vec![],
            instruments: vec![],
            trades: vec![],
            pools: vec![],
            loans: vec![],
        }
    }

    fn table(&mut self, name: &'static str, columns: &'static str, rows: Vec<Vec<String>>) {
        self.tables.push(Table { name, columns: columns.split(' ').collect(), rows });
    }

    fn money(&self, dollars: usize) -> String {
        (dollars * self.terms.scale).to_string()
    }

    /// A price in hundredths of a point.
    fn price(&self, hundredths: usize) -> String {
        let all = hundredths + self.terms.shift;
        format!("{}.{:02}", all / 100, all % 100)
    }

    /// One of the percentages; 0 in a busy book.
    fn trouble(&mut self, percents: &[u64]) -> u64 {
        let percent = self.dice.pick(percents);
        if self.busy { 0 } else { percent }
    }

    /// The text, or NULL in `percent` of the cases.
    fn or_null(&mut self, percent: u64, text: String) -> String {
        if self.dice.chance(percent) { String::new() } else { text }
    }

    fn one_of(&mut self, choices: &[&str]) -> String {
        self.dice.pick(choices).to_owned()
    }

    fn instrument(&mut self) -> (String, &'static str) {
        let at = self.dice.within(0, self.instruments.len() - 1);
        self.instruments[at].clone()
    }

    fn snapshot(&mut self) {
        let prices_as_of = self.one_of(&["", AS_OF, "2026-01-10"]);
        let row = vec!["DESK".to_owned(), AS_OF.to_owned(), prices_as_of];
        self.table("snapshot", "tenant_id as_of prices_as_of", vec![row]);
    }

    fn stages(&mut self) {
        let rows = [("Locked", "40"), ("Closed", "60"), ("Funded", "70"), ("Purchased", "")]
            .map(|(stage, rank)| vec![stage.to_owned(), rank.to_owned()]);
        self.table("pscat_loan_stages", "stage_name stage_rank", rows.to_vec());
    }

    fn rules(&mut self) {
        let rows = RULES.iter().enumerate().map(|(at, rule)| {
            let syntax = rule.replace("{150000}", &self.money(150_000));
            vec![format!("R{at}"), syntax]
        });
        let rows = rows.collect();
        self.table("pscat_securitization_rules", "rule_name rule_syntax", rows);
    }

    fn instruments(&mut self) {
        let mut rows = vec![];
        for at in 0..self.dice.within(1, 4) {
            let investor = self.dice.pick(&["FNMA", "FHLMC"]);
            // The order of names differs from that of their numbers.
            let name = self.dice.pick(&["fn", "FN", "Cash", "a_"]).to_owned() + &format!(" {at}");
            let kind = self.one_of(&["tba", "cash", "whole_loan"]);
            let bound = |maker: &mut Self, choices: &[&str]| {
                let text = maker.one_of(choices);
                {
                    let open = if maker.busy { 97 } else { 70 };
                    maker.or_null(open, text)
                }
            };
            let (lowest, highest) = (bound(self, &["5.5", "6"]), bound(self, &["6.5", "7"]));
            let (shortest, longest) = (bound(self, &["180", "181"]), bound(self, &["240", "360"]));
            let (base, multiple) = match self.dice.chance(20) {
                true => ("6.25".to_owned(), self.one_of(&["2", "0.33333333", "1.5"])),
                false => (String::new(), String::new()),
            };
            rows.push(vec![
                investor.to_owned(),
                name.clone(),
                kind,
                lowest,
                highest,
                shortest,
                longest,
                base,
                multiple,
            ]);
            self.instruments.push((name, investor));
        }
        self.table(
            "pscat_instruments",
            "investor_id investor_instrument_name kind min_note_rate max_note_rate min_term_months \
             max_term_months base_note_rate rate_multiple",
            rows,
        );
    }

    fn trades(&mut self) {
        let mut rows = vec![];
        let priced_only = self.trouble(&[0, 0, 20, 60]);
        let excluded = self.trouble(&[0, 10, 30]);
        for at in 0..self.dice.within(2, 10) {
            let id = format!("{}{at}", self.dice.pick(&["T", "t", "T-"]));
            let (instrument, _) = self.instrument();
            let bx = self.dice.chance(if self.busy { 8 } else { 25 });
            let status = match self.dice.chance(excluded) {
                true => self.one_of(&["cancelled", "phantom", "settled"]),
                false => "open".to_owned(),
            };
            let date = self.settlement(bx, excluded);
            let mut dollars = self.dice.pick(&[200_000, 300_000, 500_000, 600_000, 1_000_000]);
            if self.busy {
                dollars = 10_000 * self.dice.within(15, 90);
            }
            let odd = self.dice.chance(15) && self.terms.cents;
            let amount = self.money(dollars) + if odd { ".05" } else { "" };
            let [tolerance, tolerance_amount, rule, side] = self.tolerance();
            let price = self.dice.pick(&[9_900, 10_000, 10_050, 10_100, 10_100, 10_150]);
            let pair_off = match self.dice.chance(if self.busy { 0 } else { 15 }) {
                true => self.dice.pick(&[100_000, 200_000, dollars]),
                false => 0,
            };
            rows.push(vec![
                id.clone(),
                instrument.clone(),
                if bx { "bx" } else { "forward" }.to_owned(),
                status,
                date,
                amount,
                tolerance,
                tolerance_amount,
                rule,
                side,
                if bx { String::new() } else { self.price(price) },
                self.money(pair_off),
                if self.dice.chance(priced_only) { "Y" } else { "" }.to_owned(),
            ]);
            self.trades.push((id, instrument));
        }
        self.table(
            "pscat_trades",
            "trade_id investor_instrument_name trade_type status settlement_date trade_amount \
             tolerance tolerance_amount tolerance_rule tolerance_side trade_price pair_off_amount \
             priced_only",
            rows,
        );
    }

    fn settlement(&mut self, bx: bool, excluded: u64) -> String {
        let mut date = self.one_of(&SETTLEMENTS);
        if self.dice.chance(excluded / 2) {
            date = self.one_of(&["2026-01-14", "2026-03-16", "2026-03-17"]);
        }
        if bx && self.dice.chance(50) {
            date.clear();
        }
        date
    }

    /// tolerance, tolerance_amount, tolerance_rule, tolerance_side
    fn tolerance(&mut self) -> [String; 4] {
        let tolerance = match self.busy {
            true => self.one_of(&["0.5", "1", "2", "2", "5", "10"]),
            false => self.one_of(&["0", "1", "5", "10", "10", "25", "100"]),
        };
        let rule = self.one_of(&["", "percent", "greater_of", "lesser_of"]);
        let needs_amount = matches!(rule.as_str(), "greater_of" | "lesser_of");
        let mut amount = String::new();
        if needs_amount || self.dice.chance(10) {
            let dollars = self.dice.pick(&[0, 20_000, 50_000, 100_000]);
            amount = self.money(dollars);
        }
        [tolerance, amount, rule, self.one_of(&["", "both", "both", "over", "under", "none"])]
    }

    fn pools(&mut self) {
        let (mut rows, mut relations, mut lockdown) = (vec![], vec![], vec![]);
        let (closed, locked) = (self.trouble(&[0, 20, 50]), self.trouble(&[0, 10, 30]));
        for at in 0..self.dice.within(0, 8) {
            let name = format!("{}{at}", self.dice.pick(&["P", "p", "Pool "]));
            let (instrument, _) = self.instrument();
            let status = if self.dice.chance(closed) { "closed" } else { "open" };
            rows.push(vec![name.clone(), instrument, status.to_owned()]);
            let at = self.dice.within(0, self.trades.len() - 1);
            let trade = self.trades[at].0.clone();
            if self.dice.chance(80) {
                relations.push(vec![name.to_uppercase(), trade.to_lowercase()]);
            }
            if self.dice.chance(locked) {
                let trade = self.or_null(50, trade);
                lockdown.push(vec![name.clone(), trade, self.one_of(&["Y", "N"])]);
            }
            self.pools.push(name);
        }
        if self.dice.chance(10) {
            lockdown.push(vec!["no pool".to_owned(), String::new(), "Y".to_owned()]);
        }
        self.table("pscat_pools", "pool_name investor_instrument_name status", rows);
        self.table("pscat_trades_pools_relation", "pool_name trade_id", relations);
        self.table("pfill_lockdown_guide", "pool_name trade_id lock_pool", lockdown);
    }

    fn loans(&mut self) {
        let mut rows = vec![];
        let pooled = self.dice.pick(&[0, 30, 70]);
        let out = self.trouble(&[0, 10, 30]);
        let sizes: &[usize] = match self.dice.within(0, 3) {
            0 => &[100_000],
            1 => &[100_000, 150_000, 200_000],
            2 => &[80_000, 90_000, 110_000, 240_000, 250_000, 320_000],
            _ => &[50_000, 100_000, 400_000, 700_000],
        };
        let various = self.busy && self.dice.chance(70);
        for at in 0..self.dice.within(5, 60) {
            let id = format!("{}{at:02}", self.dice.pick(&["L", "L", "l"]));
            let status = match self.dice.chance(out) {
                true => self.one_of(&["Locked", "Purchased", "Nowhere"]),
                false => self.one_of(&["Closed", "closed ", "Funded"]),
            };
            let mut dollars = self.dice.pick(sizes);
            if various {
                dollars = 10_000 * self.dice.within(4, 40);
            }
            let odd = self.dice.chance(10) && self.terms.cents;
            let amount = self.money(dollars) + if odd { ".01" } else { "" };
            let closed = match self.dice.chance(out) {
                true => self.one_of(&["", "", "2026-01-16", "2026-02-14", "2026-02-15"]),
                false => self.one_of(&["2026-01-05", "2026-01-15", "2026-01-25", "2026-02-09"]),
            };
            let locked_until = self.one_of(&["", "2026-01-30", "2026-02-10"]);
            let pool = match self.dice.chance(pooled) && !self.pools.is_empty() {
                true => self.pools[self.dice.within(0, self.pools.len() - 1)].to_lowercase(),
                false => String::new(),
            };
            rows.push(vec![
                id.clone(),
                status,
                amount,
                self.one_of(&["5.5", "6", "6.125", "6.25", "6.5", "7", "7.000001"]),
                closed,
                locked_until,
                pool,
                self.one_of(&["", "640", "700", "719.5", "780"]),
                self.one_of(&["", "60", "80", "80.01", "95"]),
                self.one_of(&["", "180", "240", "360", "360"]),
                self.one_of(&["", "CA", "ca", "NY", "TX"]),
                self.one_of(&["", "Owner", "Investor"]),
            ]);
            self.loans.push(id);
        }
        self.table(
            "loan",
            "loan_id curr_status loan_amount note_rate close_date lock_expiration_date pool_name \
             fico ltv term_months state occupancy",
            rows,
        );
    }

    fn constraints(&mut self) {
        let (mut rows, mut rules) = (vec![], vec![]);
        let priorities: &[&str] =
            self.dice.pick(&[&["1"][..], &["0", "1", "1", "2"][..], &["3", "5", "7", "9"][..]]);
        for (instrument, investor) in self.instruments.clone() {
            let (absent, present, ruled) = if self.busy { (0, 100, 5) } else { (10, 85, 20) };
            if self.dice.chance(absent) {
                continue;
            }
            if self.dice.chance(present) {
                self.node(&mut rows, &mut rules, [investor, &instrument, ""], priorities, ruled);
            }
            for sub in 0..self.dice.pick(&[0, 0, 1, 2, 3]) {
                let name = format!("{}{sub}", self.dice.pick(&["s", "S", "B"]));
                self.node(&mut rows, &mut rules, [investor, &instrument, &name], priorities, 90);
            }
        }
        if self.dice.chance(15) {
            self.node(&mut rows, &mut rules, ["NOBODY", "no such", ""], priorities, 0);
        }
        if self.dice.chance(15) {
            let (instrument, _) = self.instrument();
            self.node(&mut rows, &mut rules, ["NOBODY", &instrument, ""], priorities, 0);
        }
        if self.dice.chance(if self.busy { 2 } else { 15 }) {
            self.node(&mut rows, &mut rules, ["FNMA", "", ""], priorities, 100);
        }
        self.table(
            "pfill_constraints",
            "investor_id investor_instrument_name constraint_name constraint_priority lo_limit \
             hi_limit",
            rows,
        );
        self.table(
            "pfill_constraint_sec_rule_rel",
            "investor_id investor_instrument_name constraint_name rule_name",
            rules,
        );
    }

    /// A node, with limits where its level has them, and with rules in a percentage of the cases.
    fn node(
        &mut self,
        rows: &mut Vec<Vec<String>>,
        rules: &mut Vec<Vec<String>>,
        key: [&str; 3],
        priorities: &[&str],
        ruled: u64,
    ) {
        let key = key.map(str::to_owned);
        let (mut lo, mut hi) = (String::new(), String::new());
        if !key[1].is_empty() {
            if self.busy && self.dice.chance(25) {
                hi = self.one_of(&["0.2", "0.333333", "0.5", "0.9"]);
            } else if !self.busy && self.dice.chance(50) {
                hi = self.one_of(&["0", "0.1", "0.2", "0.333333", "0.5", "0.9", "1"]);
            }
            if self.dice.chance(20) {
                lo = if hi.is_empty() { "0.3".to_owned() } else { hi.clone() };
            }
            if !self.terms.cents && hi == "0.333333" {
                (lo, hi) = ("0.25".to_owned(), "0.25".to_owned());
            }
        }
        let mut row = key.to_vec();
        row.extend([self.one_of(priorities), lo, hi]);
        rows.push(row);
        if self.dice.chance(ruled) {
            let mut row = key.to_vec();
            row.push(format!("R{}", self.dice.within(0, RULES.len() - 1)));
            rules.push(row);
        }
    }

    fn prices(&mut self) {
        let mut rows = vec![];
        let missing = self.dice.pick(&[0, 30, 80]);
        let mut names: Vec<String> =
            self.instruments.iter().map(|(name, _)| name.clone()).collect();
        names.push("no such".to_owned());
        for name in names {
            for date in ["2026-01-14", "2026-01-21", "2026-02-12", "2026-03-12", "2026-03-17"] {
                if self.dice.chance(missing) {
                    continue;
                }
                for rate in ["6", "6.25", "6.5"] {
                    if self.dice.chance(70) {
                        let price = self.dice.pick(&[9_850, 10_000, 10_100, 10_150]);
                        let price = self.price(price);
                        rows.push(vec![name.clone(), date.to_owned(), rate.to_owned(), price]);
                    }
                }
            }
        }
        self.table(
            "rmcat_todays_prices",
            "investor_instrument_name settlement_date note_rate price",
            rows,
        );
    }

    fn payups(&mut self) {
        let mut rows = vec![];
        for at in 0..self.dice.pick(&[0, 0, 2, 5]) {
            let (instrument, _) = self.instrument();
            rows.push(vec![
                instrument,
                format!("story {at}"),
                format!("R{}", self.dice.within(0, RULES.len() - 1)),
                self.one_of(&["0.5", "0.25", "1", "-0.125"]),
            ]);
        }
        self.table("rmusr_payups", "investor_instrument_name payup_name rule_name payup", rows);
    }

    fn own_prices(&mut self) {
        let mut rows = vec![];
        let priced = self.dice.pick(&[0, 10, 60, 90]);
        let various = self.dice.chance(50);
        for loan in self.loans.clone() {
            for (trade, _) in self.trades.clone() {
                if self.dice.chance(priced) {
                    let mut price = self.dice.pick(&[10_000, 10_050, 10_080, 10_100, 10_175]);
                    if various {
                        price = 9_900 + self.dice.within(0, 300);
                    }
                    rows.push(vec![loan.to_uppercase(), trade.clone(), self.price(price)]);
                }
            }
        }
        if self.dice.chance(10) {
            rows.push(vec!["unknown".to_owned(), "nothing".to_owned(), "100".to_owned()]);
        }
        self.table("loan_price", "loan_id trade_id price", rows);
    }

    fn carry(&mut self) {
        let mut rows = vec![];
        for (instrument, _) in self.instruments.clone() {
            for (from, to) in [("-40", "0"), ("1", "30"), ("20", "45"), ("31", "90")] {
                if self.dice.chance(50) {
                    let rate = self.one_of(&["", "3.5", "-1.25", "4.333333", "0.000001"]);
                    rows.push(vec![instrument.clone(), from.to_owned(), to.to_owned(), rate]);
                }
            }
        }
        self.table("pfill_carry_cost", "investor_instrument_name on_day to_day annual_rate", rows);
    }

    fn settings(&mut self) {
        let rows = match self.dice.chance(20) {
            true => vec![vec![self.one_of(&["0", "1", "3"]), self.one_of(&["0", "3"])]],
            false => vec![],
        };
        let columns = "min_pipeline_loans max_snapshot_age_days";
        self.table("pfill_preflight_settings", columns, rows);
    }

    fn options(&mut self) -> String {
        let mut options = vec![];
        let mut option = |maker: &mut Self, percent, name: &str, choices: &[&str]| {
            let value = maker.one_of(choices);
            if maker.dice.chance(percent) {
                options.push(format!("\"{name}\": {value}"));
            }
        };
        let rare = if self.busy { 0 } else { 15 };
        option(self, rare, "scope", &["\"closed_only\""]);
        option(self, 50, "price_mode", &["\"pc\""]);
        option(
            self,
            rare,
            "min_status",
            &["\"locked\"", "\"Purchased\"", "\"Funded\"", "\"Nowhere\""],
        );
        option(self, rare, "max_eligible_days", &["0", "10", "40"]);
        option(self, rare, "max_trade_settle_days", &["0", "28", "61"]);
        option(self, 2 * rare, "eligible_settle_buffer_days", &["1", "3", "10"]);
        let floor = self.dice.pick(&[9_900, 10_000, 10_100]);
        let floor = format!("\"{}\"", self.price(floor));
        option(self, 25, "bx_price_floor", &[&floor]);
        option(self, 40, "exact_fit_variance", &["\"0\"", "\"1\"", "\"5\"", "\"100\""]);
        option(self, 30, "max_fill_iterations", &["0", "1", "2", "1000"]);
        option(self, 40, "switch_threshold", &["\"0.25\"", "\"0.5\"", "\"5\""]);
        option(self, 10, "as_of", &["\"2026-01-16\"", "\"2026-01-20\""]);
        format!("{{{}}}", options.join(", "))
    }
}
