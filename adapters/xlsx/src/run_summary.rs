//! The first sheets of a run's workbook, for people: what the run decided and is worth, and what
//! moves between pools.

use powerfill_events::challenge::RunCertificate;
use powerfill_events::run::event::FillStatus;
use powerfill_events::values::Money;
use powerfill_overview::{Overview, OverviewTrade};
use rust_decimal::RoundingStrategy;
use rust_xlsxwriter::{Format, FormatAlign, Worksheet, XlsxError as WriterError};

use crate::run_workbook::{TOO_MANY_DIGITS, print_wide};

/// The sheet of the summary.
pub const SUMMARY_SHEET: &str = "summary";
/// The sheet of the moves between pools.
pub const MOVES_SHEET: &str = "moves";

/// The formats of the cells.
struct SummaryFormats {
    title: Format,
    header: Format,
    count: [Format; 2],
    dollars: [Format; 2],
    text: [Format; 2],
}

impl SummaryFormats {
    fn new() -> Self {
        // Plain, and as a total.
        let both = |code: &str| {
            let plain = Format::new().set_num_format(code);
            [plain.clone(), plain.set_bold()]
        };
        Self {
            title: Format::new().set_bold().set_font_size(14),
            header: Format::new().set_bold(),
            count: both("#,##0"),
            dollars: both("#,##0.00"),
            text: both("@"),
        }
    }
}

/// A sheet that is written line by line.
struct SheetLines {
    sheet: Worksheet,
    formats: SummaryFormats,
    row: u32,
}

/// What a line has after its texts.
struct Figures {
    count: Option<u64>,
    dollars: Option<Money>,
    is_total: bool,
}

fn figures(count: u64, dollars: Money) -> Figures {
    Figures { count: Some(count), dollars: Some(dollars), is_total: false }
}

impl Figures {
    fn total(self) -> Self {
        Self { is_total: true, ..self }
    }
}

impl SheetLines {
    fn new(name: &str, widths: &[f64]) -> Result<Self, WriterError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(name)?;
        print_wide(&mut sheet);
        for (column, width) in (0..).zip(widths) {
            sheet.set_column_width(column, *width)?;
        }
        Ok(Self { sheet, formats: SummaryFormats::new(), row: 0 })
    }

    fn title(&mut self, text: &str) -> Result<(), WriterError> {
        self.sheet.write_string_with_format(self.row, 0, text, &self.formats.title)?;
        self.row += 1;
        Ok(())
    }

    /// A header, after a blank line unless it is the first.
    fn header(&mut self, names: &[&str]) -> Result<(), WriterError> {
        self.row += u32::from(self.row > 0);
        for (column, name) in (0..).zip(names) {
            self.sheet.write_string_with_format(self.row, column, *name, &self.formats.header)?;
        }
        self.row += 1;
        Ok(())
    }

    /// Texts, then a count, then dollars, then a note.
    fn line(&mut self, texts: &[&str], figures: &Figures, note: &str) -> Result<(), WriterError> {
        let at = usize::from(figures.is_total);
        let SummaryFormats { count, dollars, text, .. } = &self.formats;
        let mut column = 0;
        for cell in texts {
            if !cell.is_empty() {
                self.sheet.write_string_with_format(self.row, column, *cell, &text[at])?;
            }
            column += 1;
        }
        if let Some(number) = figures.count {
            self.sheet.write_number_with_format(self.row, column, number as f64, &count[at])?;
        }
        if let Some(amount) = figures.dollars {
            write_amount(&mut self.sheet, (self.row, column + 1), amount, &dollars[at])?;
        }
        if !note.is_empty() {
            self.sheet.write_string(self.row, column + 2, note)?;
        }
        self.row += 1;
        Ok(())
    }
}

/// An amount as a number, or as a text if a number of a workbook cannot have all its digits.
fn write_amount(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    amount: Money,
    format: &Format,
) -> Result<(), WriterError> {
    match amount.to_string().parse::<f64>() {
        Ok(number) if amount.units().unsigned_abs() < TOO_MANY_DIGITS => {
            sheet.write_number_with_format(row, column, number, format)?;
        }
        _ => {
            sheet.write_string(row, column, amount.to_string())?;
        }
    }
    Ok(())
}

/// The summary: value, waterfall, certificate, trades, kickouts, pool actions, and options.
pub(crate) fn summary_sheet(overview: &Overview) -> Result<Worksheet, WriterError> {
    let mut lines = SheetLines::new(SUMMARY_SHEET, &[44.0, 10.0, 20.0, 70.0])?;
    let run = &overview.run;
    let as_of = run.as_of.map_or_else(String::new, |day| format!(", as of {day}"));
    lines.title(&format!("{}{as_of}", run.tenant_id))?;
    let request = format!("Run {}, requested by {}", run.run_id, run.requested_by);
    lines.line(&[&request], &Figures { count: None, dollars: None, is_total: false }, "")?;
    value(overview, &mut lines)?;
    certificate(overview, &mut lines)?;
    trades(overview, &mut lines)?;
    kickouts(overview, &mut lines)?;
    lines.header(&["Pool action", "Loans", "Dollars"])?;
    for action in &overview.moves.actions {
        let figures = figures(action.loans, action.amount);
        lines.line(&[action.pool_action.as_str()], &figures, "")?;
    }
    lines.header(&["Option", "", "", "Value"])?;
    for option in &run.options {
        let changed = if option.is_changed { ", not the default" } else { "" };
        let value = option.value.as_deref().unwrap_or("none");
        let none = Figures { count: None, dollars: None, is_total: option.is_changed };
        lines.line(&[&option.name], &none, &format!("{value}{changed}"))?;
    }
    Ok(lines.sheet)
}

fn value(overview: &Overview, lines: &mut SheetLines) -> Result<(), WriterError> {
    let all = &overview.value.all;
    lines.header(&["Value", "Loans", "Dollars"])?;
    for (name, loans, amount) in [
        ("Proceeds", all.loans, all.proceeds_amount),
        ("of them pay-ups", all.loans, all.payup_amount),
        ("Carry", all.loans, all.carry_amount),
    ] {
        lines.line(&[name], &figures(loans, amount), "")?;
    }
    lines.line(&["Value"], &figures(all.loans, all.value_amount).total(), "")?;
    let pick_up = figures(all.pick_up_loans, all.pick_up_amount);
    lines.line(&["Pick-up"], &pick_up, "against the trade of the present pool")?;
    let give_up = figures(all.give_up_loans, all.give_up_amount);
    lines.line(&["Give-up"], &give_up, "against the best synthetic option")?;
    lines.header(&["How the value comes about", "Loans", "Dollars"])?;
    for step in &overview.waterfall {
        let is_total = &*step.step == "total";
        let figures = Figures { count: step.loans, dollars: Some(step.amount), is_total };
        lines.line(&[step_words(&step.step)], &figures, "")?;
    }
    Ok(())
}

/// How far the run is from the best possible (10.2), if a challenge says so.
fn certificate(overview: &Overview, lines: &mut SheetLines) -> Result<(), WriterError> {
    let Some(of) = &overview.certificate else { return Ok(()) };
    let RunCertificate { challenge, gap_bp, certified } = &of.certificate;
    let gap = certified.gap.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let dollars = Money::parse(&gap.to_string()).ok();
    lines.header(&["How good the run is", "", "Dollars"])?;
    let text = format!("Within {gap_bp} bp of the best possible");
    let figures = Figures { count: None, dollars, is_total: false };
    lines.line(&[&text], &figures, &format!("says {challenge}"))
}

/// A step of the waterfall in words.
fn step_words(step: &str) -> &str {
    match step {
        "as_is" => "Loans where they are now",
        "switches" => "Switches to other trades",
        "leaving" => "Loans that leave and are kicked out",
        "joins" => "Loans that join a trade",
        "payups" => "Pay-ups",
        "carry" => "Carry",
        "total" => "Value of the run",
        other => other,
    }
}

fn trades(overview: &Overview, lines: &mut SheetLines) -> Result<(), WriterError> {
    lines.header(&["Trades", "Number", "Filled"])?;
    let sum = |trades: &[&OverviewTrade]| {
        let amounts = trades.iter().map(|trade| trade.filled_amount);
        figures(trades.len() as u64, amounts.fold(Money::ZERO, |sum, amount| sum + amount))
    };
    let all: Vec<&OverviewTrade> = overview.trades.iter().collect();
    for status in FillStatus::ALL {
        let of: Vec<_> = all.iter().copied().filter(|t| t.fill_status == *status).collect();
        lines.line(&[status.as_str()], &sum(&of), "")?;
    }
    lines.line(&["In the run"], &sum(&all).total(), "")?;
    let short = || all.iter().filter(|trade| trade.fill_status == FillStatus::Under);
    if short().next().is_some() {
        lines.header(&["Short trades", "Loans", "Short of min", "Worth today"])?;
        let mut total = Money::ZERO;
        for trade in short() {
            total += trade.shortfall_amount;
            let figures = figures(trade.loans, trade.shortfall_amount);
            let name = format!("{} ({})", trade.trade_id, trade.investor_instrument_name);
            match trade.shortfall_value_amount {
                Some(worth) => {
                    let format = lines.formats.dollars[0].clone().set_align(FormatAlign::Left);
                    write_amount(&mut lines.sheet, (lines.row, 3), worth, &format)?;
                    lines.line(&[&name], &figures, "")?;
                }
                None => lines.line(&[&name], &figures, "no price")?,
            }
        }
        let total = Figures { count: None, dollars: Some(total), is_total: true };
        lines.line(&["Together"], &total, "")?;
    }
    Ok(())
}

fn kickouts(overview: &Overview, lines: &mut SheetLines) -> Result<(), WriterError> {
    let kickouts = &overview.kickouts;
    lines.header(&["Kickouts by reason", "Loans", "Dollars", "What would place them"])?;
    for group in &kickouts.reasons {
        let figures = figures(group.loans, group.loan_amount);
        lines.line(&[group.reason.as_str()], &figures, group.remedy)?;
    }
    lines.line(&["Kicked out"], &figures(kickouts.loans, kickouts.loan_amount).total(), "")
}

/// The moves between pools, grouped, with their total.
pub(crate) fn moves_sheet(overview: &Overview) -> Result<Worksheet, WriterError> {
    let widths = [14.0, 24.0, 16.0, 24.0, 16.0, 10.0, 20.0];
    let mut lines = SheetLines::new(MOVES_SHEET, &widths)?;
    lines.sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
    let names = ["Action", "From pool", "Its trade", "To pool", "Its trade", "Loans", "Dollars"];
    lines.header(&names)?;
    let moves = &overview.moves;
    let (mut loans, mut amount) = (moves.other_loans, moves.other_amount);
    for pool_move in &moves.moves {
        let name = |name: &Option<std::sync::Arc<str>>| name.as_deref().unwrap_or("").to_owned();
        let ends = [
            name(&pool_move.from_pool_name),
            name(&pool_move.from_trade_id),
            name(&pool_move.to_pool_name),
            name(&pool_move.to_trade_id),
        ];
        let [from, from_trade, to, to_trade] = ends.each_ref().map(String::as_str);
        let texts = [pool_move.pool_action.as_str(), from, from_trade, to, to_trade];
        lines.line(&texts, &figures(pool_move.loans, pool_move.amount), "")?;
        loans += pool_move.loans;
        amount += pool_move.amount;
    }
    if moves.other_moves > 0 {
        let others = format!("{} smaller moves", moves.other_moves);
        let texts = ["Others", &others, "", "", ""];
        lines.line(&texts, &figures(moves.other_loans, moves.other_amount), "")?;
    }
    lines.line(&["Together", "", "", "", ""], &figures(loans, amount).total(), "")?;
    Ok(lines.sheet)
}
