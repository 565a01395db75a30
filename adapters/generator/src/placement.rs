//! Where a desk means to sell a loan: the demand that trades are sized by, and the pools that loans
//! are found in.

use crate::catalog::{Catalog, draw_desk};
use crate::dice::{Dice, Topic};
use crate::sizes::Sizes;
use crate::traits::{Product, Traits};

/// The instruments that loans can be sold to, by desk and coupon, and the coupons of each desk's
/// products.
pub(crate) struct Markets<'a> {
    catalog: &'a Catalog,
    /// By desk, then product: coupons with their shares.
    coupons: Vec<[Vec<(i64, u64)>; Product::COUNT]>,
    /// By desk: positions of the instruments that are sold to.
    sold: Vec<Vec<u32>>,
}

impl<'a> Markets<'a> {
    /// Of the instruments that `is_sold` holds for.
    pub(crate) fn new(catalog: &'a Catalog, is_sold: impl Fn(usize) -> bool) -> Self {
        let mut sold = vec![Vec::new(); catalog.desks as usize];
        for (at, instrument) in catalog.instruments.iter().enumerate() {
            if is_sold(at) && !instrument.is_off_the_run() {
                sold[instrument.desk as usize].push(at as u32);
            }
        }
        let coupons = (0..catalog.desks)
            .map(|desk| Product::SHARES.map(|(product, _)| catalog.coupons(desk, product)))
            .collect();
        Self { catalog, coupons, sold }
    }

    /// A loan of some desk, with the coupon that its rate was struck for.
    pub(crate) fn draw_loan(&self, dice: &mut Dice) -> (Traits, i64) {
        let desk = draw_desk(dice, self.catalog.desks);
        let product = dice.weighted(&Product::SHARES);
        self.loan_of(dice, desk, product)
    }

    /// A loan of that product; of a plain 30-year one where the desk has no market for the product.
    pub(crate) fn loan_of(&self, dice: &mut Dice, desk: u32, product: Product) -> (Traits, i64) {
        const SOME_COUPON: i64 = 5_500;
        let of_desk = &self.coupons[desk as usize];
        let product = if of_desk[product as usize].is_empty() { Product::Conv30 } else { product };
        let coupons = &of_desk[product as usize];
        let coupon = if coupons.is_empty() { SOME_COUPON } else { dice.weighted(coupons) };
        (Traits::draw(dice, desk, product, coupon), coupon)
    }

    /// The lowest coupon that the desk sells of the product.
    pub(crate) fn lowest_coupon(&self, desk: u32, product: Product) -> Option<i64> {
        self.coupons[desk as usize][product as usize].iter().map(|coupon| coupon.0).min()
    }

    /// The instrument that the desk means to sell the loan to: of its coupon, by appeal.
    pub(crate) fn choose(&self, dice: &mut Dice, loan: &Traits, coupon: i64) -> Option<u32> {
        self.choose_where(dice, loan, |at| {
            let instrument = &self.catalog.instruments[at as usize];
            instrument.coupon == coupon || instrument.shape.any_note_rate()
        })
    }

    /// Some instrument that takes the loan and that `fits`, by appeal.
    pub(crate) fn choose_where(
        &self,
        dice: &mut Dice,
        loan: &Traits,
        fits: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let choices: Vec<(u32, u64)> = self.sold[loan.desk as usize]
            .iter()
            .filter(|at| fits(**at))
            .map(|at| (*at, &self.catalog.instruments[*at as usize]))
            .filter(|(_, instrument)| instrument.takes(loan))
            .map(|(at, instrument)| (at, instrument.appeal(loan)))
            .collect();
        if choices.is_empty() { None } else { Some(dice.weighted(&choices)) }
    }
}

/// What each instrument would get of a trial run of loans: trades are handed out in this
/// proportion, so that demand follows supply in every corner of the market.
pub(crate) fn pilot(catalog: &Catalog, sizes: &Sizes, seed: u64) -> Vec<u64> {
    let mut dice = Dice::new(seed, Topic::Pilot);
    let markets = Markets::new(catalog, |_| true);
    let mut counts = vec![0; catalog.instruments.len()];
    if catalog.instruments.is_empty() {
        return counts;
    }
    for _ in 0..20_000 + 60 * u64::from(sizes.open_trades) {
        let (loan, coupon) = markets.draw_loan(&mut dice);
        if let Some(at) = markets.choose(&mut dice, &loan, coupon) {
            counts[at as usize] += catalog.instruments[at as usize].shape.trades_for_loans();
        }
    }
    counts
}

/// Shares `total` out by weight, whole numbers, largest remainders first; ties to the earlier.
pub(crate) fn apportion(weights: &[u64], total: u64) -> Vec<u64> {
    let sum: u64 = weights.iter().sum();
    if sum == 0 {
        let mut shares = vec![0; weights.len()];
        if let Some(first) = shares.first_mut() {
            *first = total;
        }
        return shares;
    }
    let mut shares: Vec<u64> = weights.iter().map(|weight| weight * total / sum).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|at| (std::cmp::Reverse(weights[*at] * total % sum), *at));
    let left = total - shares.iter().sum::<u64>();
    // Fewer are left over than there are shares.
    for at in by_remainder.into_iter().take(left as usize) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::apportion;

    #[test]
    fn every_part_is_handed_out() {
        assert_eq!(apportion(&[1, 1, 1], 10), [4, 3, 3]);
        assert_eq!(apportion(&[5, 0, 3], 4), [3, 0, 1]);
        assert_eq!(apportion(&[0, 0], 4), [4, 0]);
        assert_eq!(apportion(&[], 0), [0_u64; 0]);
    }
}
