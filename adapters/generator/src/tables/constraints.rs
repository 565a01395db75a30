//! Tables `pfill_constraints` and `pfill_constraint_sec_rule_rel`: the tree of 2.4.

use crate::catalog::{COUPONS_30, Catalog};
use crate::dice::{Dice, Topic};
use crate::error::GenerateError;
use crate::figures::decimal;
use crate::folder::{Folder, Table};
use crate::rules::{MANUFACTURED_HOME, desk_rule};
use crate::shapes::{INVESTOR_RULES, Shape};

/// A stipulation below an instrument: rule, least and greatest share in a thousand.
struct Stipulation {
    rule: &'static str,
    lo: Option<i64>,
    hi: Option<(i64, i64)>,
}

const fn at_most(rule: &'static str, least: i64, greatest: i64) -> Stipulation {
    Stipulation { rule, lo: None, hi: Some((least, greatest)) }
}

/// California first: it is what most investors cap.
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

/// Investor nodes, then instrument nodes, then stipulations on the instruments that see most loans.
pub(crate) fn write(
    folder: &mut Folder,
    catalog: &Catalog,
    by_demand: &[u32],
    constraints: u32,
    seed: u64,
) -> Result<(), GenerateError> {
    let mut tables = Tables {
        constraints: folder.table(
            "pfill_constraints",
            &[
                "investor_id",
                "investor_instrument_name",
                "constraint_name",
                "constraint_priority",
                "lo_limit",
                "hi_limit",
            ],
        )?,
        relation: folder.table(
            "pfill_constraint_sec_rule_rel",
            &["investor_id", "investor_instrument_name", "constraint_name", "rule_name"],
        )?,
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
        let mut rules = instrument.shape.rules();
        let (desk, _) = desk_rule(instrument.desk);
        if catalog.desks > 1 {
            rules.push(&desk);
        }
        // Here and there nothing past the open amount is wanted.
        let limits = (None, (at % 40 == 17).then_some(1_000));
        let shape = instrument.shape;
        tables.node([shape.investor(), &instrument.name, ""], shape.priority(), limits, &rules)?;
    }
    Ok(())
}

/// The lowest government coupon of each desk wants no manufactured homes at all.
fn write_exclusions(
    tables: &mut Tables,
    catalog: &Catalog,
    by_demand: &[u32],
) -> Result<(), GenerateError> {
    let lowest = COUPONS_30.iter().map(|coupon| coupon.0).min();
    for at in by_demand {
        let instrument = &catalog.instruments[*at as usize];
        let shape = instrument.shape;
        if shape == Shape::Gov30 && Some(instrument.coupon) == lowest {
            let key = [shape.investor(), &instrument.name, MANUFACTURED_HOME];
            tables.node(key, shape.priority(), (None, Some(0)), &[MANUFACTURED_HOME])?;
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
                catalog.instruments[*at as usize].shape,
                Shape::Plain30(_)
                    | Shape::Plain15(_)
                    | Shape::Gov30
                    | Shape::Window30(_)
                    | Shape::Bank
            )
        })
        .collect();
    if bound.is_empty() {
        return Ok(());
    }
    // Two an instrument, then the next; after the last, two more.
    for row in 0..tables.left as usize {
        let rank = row / 2 % bound.len();
        let ordinal = row / 2 / bound.len() * 2 + row % 2;
        let instrument = &catalog.instruments[bound[rank] as usize];
        let (which, repeat) = stipulation_of(rank, ordinal);
        let Stipulation { rule, lo, hi } = &STIPULATIONS[which];
        let hi = hi.map(|(least, greatest)| dice.between(least / 10, greatest / 10) * 10);
        let name = if repeat == 0 { (*rule).to_owned() } else { format!("{rule} {repeat}") };
        let shape = instrument.shape;
        // Some stipulations do not only limit: they claim their loans before the others of their
        // instrument.
        let claims_first = matches!(shape, Shape::Plain30(_)) && ordinal % 2 == 1 && rank % 8 == 4;
        let priority = if claims_first { shape.priority() - 5 } else { shape.priority() };
        tables.node([shape.investor(), &instrument.name, &name], priority, (*lo, hi), &[rule])?;
    }
    Ok(())
}

/// Which stipulation is the n-th of the instrument of that rank, and how often it came before:
/// California first, then the others from a different start each time.
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
    fn no_stipulation_is_made_twice_on_an_instrument() {
        for rank in 0..40 {
            let made: BTreeSet<_> = (0..100).map(|nth| stipulation_of(rank, nth)).collect();
            assert_eq!(made.len(), 100);
        }
    }
}
