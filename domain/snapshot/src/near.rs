//! Names that look alike: what a misnamed column, table, option, or id was likely meant to be.

use powerfill_events::values::fold;
use strsim::osa_distance;

use crate::usual_names::{is_usual_name, table_words};

/// A name without what people vary: case, blanks, signs, and the plural of its words.
fn plain(name: &str) -> String {
    words(name).concat()
}

fn words(name: &str) -> Vec<String> {
    let name = name.replace(['\'', '’'], "");
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| usual(singular(fold(word)))).collect()
}

fn singular(mut word: String) -> String {
    if word.len() > 3 && word.ends_with('S') && !word.ends_with("SS") && !word.ends_with("US") {
        word.pop();
    }
    word
}

/// The word that the tables use for it.
fn usual(word: String) -> String {
    let usual = match &*word {
        "NUMBER" | "NUM" | "NO" | "NBR" => "ID",
        "AMT" => "AMOUNT",
        "DT" => "DATE",
        "EXP" => "EXPIRATION",
        "PCT" | "PERCENT" => "",
        _ => return word,
    };
    usual.to_owned()
}

/// Whether a name is another one up to case, blanks, signs (`#` may stand for an id), plurals, and
/// a slip of the keyboard.
pub(crate) fn looks_like(name: &str, other: &str) -> bool {
    let (one, wanted) = (plain(name), plain(other));
    let numbered = || plain(&name.replace('#', " id ")) == wanted;
    !one.is_empty() && (one == wanted || numbered() || is_slip(&one, &wanted))
}

/// One wrong, missing, doubled, or swapped character; two in a long name.
fn is_slip(one: &str, other: &str) -> bool {
    let shorter = one.chars().count().min(other.chars().count());
    let most = match shorter {
        0..5 => return false,
        5..9 => 1,
        _ => 2,
    };
    one.len().abs_diff(other.len()) <= 4 * most && osa_distance(one, other) <= most
}

/// The most names or ids that are given for one that does not exist.
const NEAREST: usize = 3;

/// The ids that an id was likely meant to be, the nearest first: other zeros before its number, a
/// beginning of one, a digit too many at its end, or a slip of the keyboard.
pub fn nearest_ids<'c>(id: &str, known: impl IntoIterator<Item = &'c str>) -> Vec<String> {
    let (wanted, without_zeros) = (fold(id), without_zeros(&fold(id)));
    let distance = |known: &str| {
        let other = fold(known);
        if self::without_zeros(&other) == without_zeros {
            return Some(0);
        }
        let is_longer = wanted.starts_with(&other) && wanted.len() <= other.len() + 2;
        if wanted.len() > 2 && (other.starts_with(&wanted) || is_longer) {
            return Some(1);
        }
        is_slip(&wanted, &other).then(|| 1 + osa_distance(&wanted, &other))
    };
    let mut near: Vec<(usize, &str)> =
        known.into_iter().filter_map(|known| Some((distance(known)?, known))).collect();
    near.sort_unstable();
    near.into_iter().take(NEAREST).map(|(_, known)| known.to_owned()).collect()
}

/// An id without the zeros that begin its numbers: `L001` and `L1` are alike.
fn without_zeros(id: &str) -> String {
    let mut short = String::with_capacity(id.len());
    let mut in_number = false;
    for character in id.chars() {
        if character != '0' || in_number {
            short.push(character);
        }
        in_number = character.is_ascii_digit() && (in_number || character != '0');
    }
    short
}

/// The candidate that a name was likely meant to be. Of equals, the first.
pub fn closest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = plain(name);
    let near = candidates.into_iter().filter_map(|c| Some((distance(&wanted, &plain(c))?, c)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// The candidates that a name was likely meant to be, at most three: those that are like it, the
/// nearest first, then those that are a part of it, or of which it is a part.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Vec<&'c str> {
    let wanted = plain(name);
    let rank = |candidate: &str| {
        let other = plain(candidate);
        let is_part = wanted.len().min(other.len()) > 2
            && (other.contains(&wanted) || wanted.contains(&other));
        distance(&wanted, &other).or(is_part.then(|| osa_distance(&wanted, &other)))
    };
    let near = candidates.into_iter().filter_map(|c| Some((rank(c)?, c)));
    let mut near: Vec<(usize, &str)> = near.collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(NEAREST).map(|(_, candidate)| candidate).collect()
}

/// How many characters differ; `None` if it is more than a third of them.
fn distance(one: &str, other: &str) -> Option<usize> {
    let most = one.chars().count().max(other.chars().count()) / 3;
    let without_zeros = |text: &str| text.trim_start_matches('0').to_owned();
    if without_zeros(one) == without_zeros(other) && !one.is_empty() {
        return Some(0);
    }
    Some(osa_distance(one, other)).filter(|distance| *distance <= most)
}

/// `; did you mean CLOSEST?`, or nothing.
pub fn suggestion<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    suggestion_of(closest(name, candidates))
}

/// `; did you mean NEAR?`, or nothing.
pub(crate) fn suggestion_of(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("{DID_YOU_MEAN}{near}?"))
}

/// Whether a name is one of the words of another one, up to a slip of the keyboard.
pub(crate) fn has_word_like(name: &str, other: &str) -> bool {
    let name = fold(name);
    fold(other).split('_').any(|word| is_slip(&name, word))
}

/// What divides a reason from the name that it suggests.
pub(crate) const DID_YOU_MEAN: &str = "; did you mean ";

/// The headers that a missing column may be under, the likeliest first: those that look like it,
/// then those that share a word with it.
pub(crate) fn headers_near<'h>(table: &str, column: &str, headers: &'h [String]) -> Vec<&'h str> {
    // Too many columns are about loans.
    let telling = |name: &str| -> Vec<String> {
        words(name).into_iter().filter(|word| !matches!(&**word, "LOAN" | "ID" | "")).collect()
    };
    let wanted = telling(column);
    let rank = |header: &str| {
        let shared = telling(header).iter().filter(|word| wanted.contains(word)).count();
        let is_likely = looks_like(header, column) || is_usual_name(table, column, header);
        match (is_likely, shared) {
            (true, _) => Some(0),
            (false, 0) => None,
            (false, shared) => Some(wanted.len() - shared.min(wanted.len()) + 1),
        }
    };
    let ranked = headers.iter().filter_map(|header| Some((rank(header)?, header.as_str())));
    let mut near: Vec<(usize, &str)> = ranked.collect();
    near.sort_by_key(|(rank, _)| *rank);
    near.into_iter().map(|(_, header)| header).take(3).collect()
}

/// The table that a sheet, a file, or a table of a database was likely meant to be: up to case,
/// signs, plurals, a copy's number, a schema, and the prefix of the table's name, or by a usual
/// word in it.
pub(crate) fn table_near<'t>(
    name: &str,
    tables: impl IntoIterator<Item = &'t str>,
) -> Option<&'t str> {
    let name = name.rsplit_once("dbo.").map_or(name, |(_, name)| name);
    let name = name.split(" (").next().unwrap_or(name);
    let name = name.split(" - Copy").next().unwrap_or(name);
    let is_near = |table: &str| {
        let short = table.split_once('_').filter(|(prefix, _)| prefix.len() == 5);
        looks_like(name, table) || short.is_some_and(|(_, short)| plain(name) == plain(short))
    };
    let tables: Vec<&str> = tables.into_iter().collect();
    let words = words(name);
    let has_usual_word = |table: &&&str| {
        table_words(table).iter().any(|usual| words.contains(&singular((*usual).to_owned())))
    };
    let near = tables.iter().find(|table| is_near(table));
    near.or_else(|| tables.iter().find(has_usual_word)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_before_their_parts() {
        let names = ["loan_id", "loan_amount", "note_rate", "current_note_rate_percent"];
        assert_eq!(nearest("note_rte", names), ["note_rate"]);
        assert_eq!(nearest("note rate", names), ["note_rate", "current_note_rate_percent"]);
        assert_eq!(nearest("Loan Amt", names), ["loan_amount"]);
        assert!(nearest("xyz", names).is_empty());
    }

    #[test]
    fn ids_are_near_with_other_zeros_as_beginnings_and_with_a_slip() {
        let known = ["L00000123", "L00000124", "L00001230", "L10000123", "X1"];
        let near = |id| nearest_ids(id, known);
        assert_eq!(near("L123"), ["L00000123"]);
        assert_eq!(near("l0000012"), ["L00000123", "L00000124"]);
        assert_eq!(near("L00000132"), ["L00000123", "L00000124", "L10000123"]);
        assert_eq!(near("L0000012x"), ["L00000123", "L00000124", "L10000123"]);
        assert!(near("Z9").is_empty());
        let known = ["T0007970", "T0008770", "T0008790", "T0008797"];
        assert_eq!(nearest_ids("T00087970", known)[0], "T0008797");
    }

    #[test]
    fn names_look_alike_up_to_case_signs_plurals_and_slips() {
        for (name, other) in [
            ("Pool Name", "pool_name"),
            ("POOL-NAME", "pool_name"),
            ("poolName", "pool_name"),
            ("pool.names", "pool_name"),
            ("Loan #", "loan_id"),
            ("Loan No.", "loan_id"),
            ("LTV %", "ltv"),
            ("Unit", "units"),
            ("Close Date\u{a0}", "close_date"),
            ("close_dtae", "close_date"),
            ("lock_expiraton_dat", "lock_expiration_date"),
        ] {
            assert!(looks_like(name, other), "{name} {other}");
        }
        for (name, other) in [
            ("mi", "dti"),
            ("orig_ltv", "ltv"),
            ("zip", "fico"),
            ("", "ltv"),
            ("--", "ltv"),
            ("statue", "units"),
            ("Status", "state"),
        ] {
            assert!(!looks_like(name, other), "{name} {other}");
        }
    }

    #[test]
    fn the_closest_candidate_is_found_or_none() {
        let names = ["FN30 6.0", "FN15 5.5", "GN"];
        assert_eq!(closest("FN30-6.0", names), Some("FN30 6.0"));
        assert_eq!(closest("FN 6.0", names), Some("FN30 6.0"));
        assert_eq!(closest("Jumbo", names), None);
        assert_eq!(suggestion("opne", ["open", "closed"]), "; did you mean open?");
        assert_eq!(suggestion("zzz", ["open"]), "");
    }

    #[test]
    fn tables_are_found_under_other_names() {
        let tables = ["loan", "pscat_trades", "rmcat_todays_prices", "loan_price"];
        for (name, table) in [
            ("Loans", "loan"),
            ("LOAN (2)", "loan"),
            ("dbo.loan", "loan"),
            ("loan - Copy", "loan"),
            ("Trades", "pscat_trades"),
            ("pscat trade", "pscat_trades"),
            ("Today's Prices", "rmcat_todays_prices"),
            ("Loan Prices", "loan_price"),
            ("Loan Tape", "loan"),
            ("tbl_loan", "loan"),
            ("Pipeline 1-15-26", "loan"),
            ("TBA", "pscat_trades"),
        ] {
            assert_eq!(table_near(name, tables), Some(table), "{name}");
        }
        assert_eq!(table_near("Notes", tables), None);
    }

    #[test]
    fn headers_near_a_column_come_likeliest_first() {
        let headers = ["Status", "Loan Number", "loanid", "Rate"].map(str::to_owned);
        let near = |column| headers_near("loan", column, &headers);
        assert_eq!(near("loan_id"), ["Loan Number", "loanid"]);
        assert_eq!(near("curr_status"), ["Status"]);
        assert_eq!(near("note_rate"), ["Rate"]);
        assert_eq!(near("loan_amount"), [""; 0]);
        let headers = ["UPB", "Unpaid Principal Balance", "Term"].map(str::to_owned);
        assert_eq!(headers_near("loan", "loan_amount", &headers), headers[..2]);
    }
}
