//! The data of the generator: text files, which are parsed once.

use std::fmt::Debug;
use std::str::FromStr;
use std::sync::LazyLock;

/// Entries with their weights.
pub(crate) type WeightedList<T> = Vec<(T, u64)>;

/// Points of an inverse distribution: the share below a value, in basis points, and the value.
pub(crate) type Curve = Vec<(i64, i64)>;

/// The lines of a data file that are neither blank nor comments.
pub(crate) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The rules: name and syntax.
pub(crate) fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    lines(include_str!("rules.txt")).map(|line| line.split_once(": ").expect("a rule has a name"))
}

/// Parses a number of a data file.
pub(crate) fn number<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.trim().parse().unwrap_or_else(|error| panic!("{text:?} in a data file: {error:?}"))
}

fn entries(name: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = || lines(include_str!("marginals.txt"));
    let entry = lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let entry = entry.unwrap_or_else(|| panic!("marginals.txt has no entry {name}"));
    entry.split(' ').map(|pair| pair.split_once('=').expect("an entry has values"))
}

fn curve(name: &str) -> Curve {
    entries(name).map(|(share, value)| (number(share), number(value))).collect()
}

fn numbers(name: &str) -> WeightedList<i64> {
    entries(name).map(|(value, weight)| (number(value), number(weight))).collect()
}

fn texts(name: &str) -> WeightedList<&'static str> {
    let text = |word: &'static str| match word {
        "_" => "",
        "Docs_Out" => "Docs Out",
        word => word,
    };
    entries(name).map(|(word, weight)| (text(word), number(weight))).collect()
}

macro_rules! marginals {
    ($($field:ident: $kind:ty = $read:ident),* $(,)?) => {
        /// The marginals of 5.1, by the names of the file.
        pub(crate) struct Marginals {
            $(pub(crate) $field: $kind,)*
        }

        /// The parsed file `marginals.txt`.
        pub(crate) static MARGINALS: LazyLock<Marginals> =
            LazyLock::new(|| Marginals { $($field: $read(stringify!($field)),)* });
    };
}

marginals! {
    amount: Curve = curve,
    fico: Curve = curve,
    ltv: Curve = curve,
    dti: Curve = curve,
    coupon_30: WeightedList<i64> = numbers,
    coupon_15: WeightedList<i64> = numbers,
    coupon_20: WeightedList<i64> = numbers,
    eighths: WeightedList<i64> = numbers,
    units: WeightedList<i64> = numbers,
    state: WeightedList<&'static str> = texts,
    property_type: WeightedList<&'static str> = texts,
    occupancy: WeightedList<&'static str> = texts,
    purpose: WeightedList<&'static str> = texts,
    government_type: WeightedList<&'static str> = texts,
    channel: WeightedList<&'static str> = texts,
    eligible_status: WeightedList<&'static str> = texts,
    delivered_status: WeightedList<&'static str> = texts,
    pending_status: WeightedList<&'static str> = texts,
    tolerance: WeightedList<&'static str> = texts,
    tolerance_rule: WeightedList<&'static str> = texts,
    tolerance_side: WeightedList<&'static str> = texts,
}
