//! Tables `pfill_constraints` and `pfill_constraint_sec_rule_rel`: the tree of 2.4.

use crate::catalog::Catalog;
use crate::data::MARGINALS;
use crate::dice::{Dice, Topic};
use crate::error::GenerateError;
use crate::figures::decimal;
use crate::folder::{Folder, Table};
use crate::kinds::{Family, INVESTOR_RULES};
use crate::rules::{MANUFACTURED_HOME, desk_rule};

/// A node below an instrument: its rule, and the least and greatest share per thousand.
struct Stipulation {
    rule: &'static str,
    lo: Option<i64>,
    hi: Option<(i64, i64)>,
}

const fn at_most(rule: &'static str, least: i64, greatest: i64) -> Stipulation {
    Stipulation { rule, lo: None, hi: Some((least, greatest)) }
}

/// California is first, because most investors cap it.
const STIPULATIONS: [Stipulation; 12] = [
    at_most("california", 150, 200),
    at_most("not owner occupied", 120, 220),
    at_most("high ltv", 180, 320),
    Stipulation { rule: "owner occupied", lo: Some(800), hi: None },
    at_most("low fico", 150, 250),
    at_most("condo", 120, 250),
    Stipulation { rule: "retail", lo: Some(300), hi: Some((700, 850)) },
    at_most("high dti", 300, 450),
    at_most("cash out", 200, 350),
    at_most("two to four units", 80, 150),
    Stipulation { rule: "coastal", lo: Some(50), hi: Some((350, 500)) },
    Stipulation { rule: "not yet due", lo: Some(20), hi: None },
];

struct Tables {
    constraints: Table,
    relation: Table,
    left: u32,
}

impl Tables {
    fn node(
        &mut self,
        key: [&str; 3],
        priority: u32,
        limits: (Option<i64>, Option<i64>),
        rules: &[&str],
    ) -> Result<(), GenerateError> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        let [investor, instrument, name] = key;
        let share = |limit: Option<i64>| limit.map(|at| decimal(at, 3)).unwrap_or_default();
        self.constraints.row(&[
            investor,
            instrument,
            name,
            &priority.to_string(),
            &share(limits.0),
            &share(limits.1),
        ])?;
        rules.iter().try_for_each(|rule| self.relation.row(&[investor, instrument, name, rule]))
    }
}

/// Writes investor nodes, then instrument nodes, then stipulations on the instruments with the most
/// loans.
pub(crate) fn write(
    folder: &mut Folder,
    catalog: &Catalog,
    by_demand: &[u32],
    constraints: u32,
    seed: u64,
) -> Result<(), GenerateError> {
    let mut tables = Tables {
        constraints: folder.table("pfill_constraints")?,
        relation: folder.table("pfill_constraint_sec_rule_rel")?,
        left: constraints,
    };
    for (investor, rules) in INVESTOR_RULES {
        tables.node([investor, "", ""], 0, (None, None), rules)?;
    }
    write_instruments(&mut tables, catalog)?;
    write_exclusions(&mut tables, catalog, by_demand)?;
    write_stipulations(&mut tables, catalog, by_demand, seed)?;
    folder.close(tables.constraints)?;
    folder.close(tables.relation)
}

fn write_instruments(tables: &mut Tables, catalog: &Catalog) -> Result<(), GenerateError> {
    for (at, instrument) in catalog.instruments.iter().enumerate() {
        let mut rules = instrument.kind.rules.clone();
        let (desk, _) = desk_rule(instrument.desk);
        if catalog.desks > 1 {
            rules.push(&desk);
        }
        // A few instruments accept nothing beyond the open amount.
        let limits = (None, (at % 40 == 17).then_some(1_000));
        let kind = instrument.kind;
        tables.node([kind.investor, &instrument.name, ""], kind.priority, limits, &rules)?;
    }
    Ok(())
}

/// The lowest government coupon of each desk excludes manufactured homes.
fn write_exclusions(
    tables: &mut Tables,
    catalog: &Catalog,
    by_demand: &[u32],
) -> Result<(), GenerateError> {
    let lowest = MARGINALS.coupon_30.iter().map(|coupon| coupon.0).min();
    for at in by_demand {
        let instrument = &catalog.instruments[*at as usize];
        let kind = instrument.kind;
        if kind.family == Family::Government && Some(instrument.coupon) == lowest {
            let key = [kind.investor, &instrument.name, MANUFACTURED_HOME];
            tables.node(key, kind.priority, (None, Some(0)), &[MANUFACTURED_HOME])?;
        }
    }
    Ok(())
}

fn write_stipulations(
    tables: &mut Tables,
    catalog: &Catalog,
    by_demand: &[u32],
    seed: u64,
) -> Result<(), GenerateError> {
    let mut dice = Dice::new(seed, Topic::Constraints);
    let bound: Vec<u32> = by_demand
        .iter()
        .copied()
        .filter(|at| {
            matches!(
                catalog.instruments[*at as usize].kind.family,
                Family::Plain30
                    | Family::Plain15
                    | Family::Government
                    | Family::Window30
                    | Family::Bank
            )
        })
        .collect();
    if bound.is_empty() {
        return Ok(());
    }
    // Two per instrument; after the last instrument, two more for each.
    for row in 0..tables.left as usize {
        let rank = row / 2 % bound.len();
        let ordinal = row / 2 / bound.len() * 2 + row % 2;
        let instrument = &catalog.instruments[bound[rank] as usize];
        let (which, repeat) = stipulation_of(rank, ordinal);
        let Stipulation { rule, lo, hi } = &STIPULATIONS[which];
        let hi = hi.map(|(least, greatest)| dice.between(least / 10, greatest / 10) * 10);
        let name = if repeat == 0 { (*rule).to_owned() } else { format!("{rule} {repeat}") };
        let kind = instrument.kind;
        // Some stipulations also have priority over the other nodes of their instrument.
        let claims_first = kind.family == Family::Plain30 && ordinal % 2 == 1 && rank % 8 == 4;
        let priority = if claims_first { kind.priority - 5 } else { kind.priority };
        tables.node([kind.investor, &instrument.name, &name], priority, (*lo, hi), &[rule])?;
    }
    Ok(())
}

/// The position of the n-th stipulation of an instrument of this rank, and how often the instrument
/// has had it before: California first, then the others from a start that depends on the rank.
const fn stipulation_of(rank: usize, ordinal: usize) -> (usize, usize) {
    let others = STIPULATIONS.len() - 1;
    let repeat = ordinal / STIPULATIONS.len();
    match ordinal % STIPULATIONS.len() {
        0 => (0, repeat),
        nth => (1 + (rank + nth - 1) % others, repeat),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::stipulation_of;

    #[test]
    fn stipulations_of_an_instrument_are_unique() {
        for rank in 0..40 {
            let made: BTreeSet<_> = (0..100).map(|nth| stipulation_of(rank, nth)).collect();
            assert_eq!(made.len(), 100);
        }
    }
}
