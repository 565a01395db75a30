//! An export like those of the Desktop App, made from the tables of a run: other names, order,
//! encodings, numbers, and dates.

use std::fs;
use std::path::Path;

use crate::table::Table;

/// The mapping of the export.
pub(crate) const MAPPING: &str = r#"
[formats]
null = ["NULL", "n/a"]

[tables.pfill_powerfill_guide]
name = "dbo.PowerFill Guide"

[tables.pfill_powerfill_guide.rename]
"Loan Number" = "loan_id"
"To Trade" = "trade_id"
"Action" = "pool_action"
"Balance" = "loan_amount"
"Px" = "price"
"Settles" = "settlement_date"

[tables.pfill_powerfill_guide.values.pool_action]
STAY = "Remaining"
NEW = "Joining"
SWAP = "Swapped In"

[tables.pfill_kickout_guide_01.rename]
Why = "reason"

[tables.pfill_trade_recap.tolerance]
wavg_price = "0.005"
"#;

/// The exported columns of the guide with their names in the export, in its order.
const GUIDE: [(&str, &str); 8] = [
    ("settlement_date", "Settles"),
    ("price", "Px"),
    ("pool_name", "POOL_NAME"),
    ("pool_action", "Action"),
    ("loan_id", "Loan Number"),
    ("loan_amount", "Balance"),
    ("trade_id", "To Trade"),
    ("held_reason", "Held Reason"),
];

/// Writes the export of the tables in a folder to another folder.
pub(crate) fn write(tables: &Path, export: &Path) {
    fs::create_dir_all(export).unwrap();
    let read = |table: &str| Table::read(&tables.join(format!("{table}.csv")));
    guide(&read("pfill_powerfill_guide"), export);
    kickouts(&read("pfill_kickout_guide_01"), export);
    recap(&read("pfill_trade_recap"), export);
    fs::write(export.join("readme.pdf"), "%PDF").unwrap();
}

/// Tabs, UTF-16 with a byte order mark, fixed width, thousands separators, times of day, reversed
/// rows.
fn guide(table: &Table, export: &Path) {
    let mut text = GUIDE.map(|(_, exported)| exported).join("\t") + "\r\n";
    for row in (0..table.rows.len()).rev() {
        let cells = GUIDE.map(|(column, _)| {
            let cell = table.rows[row][table.index(column)].as_str();
            match (column, cell) {
                (_, "") if row % 2 == 0 => "NULL".to_owned(),
                (_, "") => String::new(),
                ("settlement_date", day) => midnight(day),
                ("loan_amount", amount) => format!("${}", thousands(amount)),
                ("price", price) => price.trim_end_matches('0').trim_end_matches('.').to_owned(),
                ("pool_action", action) => match action {
                    "Remaining" => "STAY".to_owned(),
                    "Joining" => "NEW".to_owned(),
                    "Swapped In" => "SWAP".to_owned(),
                    other => other.to_uppercase(),
                },
                (_, text) => format!("{:<20}", text.to_lowercase()),
            }
        });
        text.push_str(&cells.join("\t"));
        text.push_str("\r\n");
    }
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    fs::write(export.join("DBO.PowerFill Guide.TXT"), bytes).unwrap();
}

/// Semicolons, Windows-1252, a line of dashes under the header, the number of rows at the end.
fn kickouts(table: &Table, export: &Path) {
    let mut text = "Why;Loan_ID;BEST_SCORE;Comment\n---;-------;----------;-------\n".to_owned();
    for row in &table.rows {
        let cell = |column: &str| row[table.index(column)].as_str();
        let score = match cell("best_score") {
            "" => "n/a".to_owned(),
            score => format!("+{score}00"),
        };
        text += &format!("{};{:<12};{score};geprüft\n", cell("reason"), cell("loan_id"));
    }
    text += &format!("\n({} rows affected)\n", table.rows.len());
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    fs::write(export.join("tenant.dbo.PFILL_KICKOUT_GUIDE_01.csv"), bytes).unwrap();
}

/// UTF-8 with a byte order mark, quoted thousands separators, prices rounded to cents.
fn recap(table: &Table, export: &Path) {
    let mut text =
        "\u{feff}TRADE_ID,\"Open Amount\",Filled Amount,loan_count,wavg_price,fill_status\n"
            .to_owned();
    for row in &table.rows {
        let cell = |column: &str| row[table.index(column)].as_str();
        let price = match cell("wavg_price") {
            "" => String::new(),
            price => format!("{:.2}", price.parse::<f64>().unwrap()),
        };
        let (open, filled) = (thousands(cell("open_amount")), thousands(cell("filled_amount")));
        let (trade, loans, status) = (cell("trade_id"), cell("loan_count"), cell("fill_status"));
        text += &format!("{trade},\"{open}\",\"{filled}\",{loans}.000,{price},{status}\n");
    }
    fs::write(export.join("pfill_trade_recap.csv"), text).unwrap();
}

/// `2026-02-12` as `2/12/2026 12:00:00 AM`.
fn midnight(day: &str) -> String {
    let parts: Vec<&str> = day.split('-').collect();
    let plain = |text: &str| text.trim_start_matches('0').to_owned();
    format!("{}/{}/{} 12:00:00 AM", plain(parts[1]), plain(parts[2]), parts[0])
}

fn thousands(amount: &str) -> String {
    let (whole, cents) = amount.split_once('.').unwrap();
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text}.{cents}")
}
