//! The instrument to which a desk intends to sell a loan. The demand for instruments, the amounts
//! of trades, and the pools of loans follow from it.

use crate::catalog::{Catalog, draw_desk};
use crate::dice::{Dice, Topic};
use crate::sizes::Sizes;
use crate::traits::{LoanTraits, Product};

/// The instruments to which loans can be sold, by desk, and the coupons of each desk's products.
pub(crate) struct Markets<'a> {
    catalog: &'a Catalog,
    /// The coupons with their shares, by desk and product.
    coupons: Vec<[Vec<(i64, u64)>; Product::COUNT]>,
    /// The positions of the instruments, by desk.
    sold: Vec<Vec<u32>>,
}

impl<'a> Markets<'a> {
    /// The markets of the instruments for which `is_sold` is true.
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

    /// Draws a loan of any desk, and the coupon for which its rate was agreed.
    pub(crate) fn draw_loan(&self, dice: &mut Dice) -> (LoanTraits, i64) {
        let desk = draw_desk(dice, self.catalog.desks);
        let product = dice.weighted(&Product::SHARES);
        self.draw_loan_of(dice, desk, product)
    }

    /// Draws a loan of this product, or of a 30-year one if the desk has no market for the product.
    pub(crate) fn draw_loan_of(
        &self,
        dice: &mut Dice,
        desk: u32,
        product: Product,
    ) -> (LoanTraits, i64) {
        const SOME_COUPON: i64 = 5_500;
        let of_desk = &self.coupons[desk as usize];
        let product = if of_desk[product as usize].is_empty() { Product::Conv30 } else { product };
        let coupons = &of_desk[product as usize];
        let coupon = if coupons.is_empty() { SOME_COUPON } else { dice.weighted(coupons) };
        (LoanTraits::draw(dice, desk, product, coupon), coupon)
    }

    /// The lowest coupon that the desk sells of the product.
    pub(crate) fn lowest_coupon(&self, desk: u32, product: Product) -> Option<i64> {
        self.coupons[desk as usize][product as usize].iter().map(|coupon| coupon.0).min()
    }

    /// Draws the instrument of this coupon to which the desk intends to sell the loan, by appeal.
    pub(crate) fn choose(&self, dice: &mut Dice, loan: &LoanTraits, coupon: i64) -> Option<u32> {
        self.choose_where(dice, loan, |at| {
            let instrument = &self.catalog.instruments[at as usize];
            instrument.coupon == coupon || instrument.kind.any_note_rate()
        })
    }

    /// Draws an instrument that takes the loan and `fits`, by appeal.
    pub(crate) fn choose_where(
        &self,
        dice: &mut Dice,
        loan: &LoanTraits,
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

/// Counts how many loans of a sample each instrument gets. Trades are distributed in this
/// proportion, so that demand follows supply everywhere in the market.
pub(crate) fn estimate_demand(catalog: &Catalog, sizes: &Sizes, seed: u64) -> Vec<u64> {
    let mut dice = Dice::new(seed, Topic::Pilot);
    let markets = Markets::new(catalog, |_| true);
    let mut counts = vec![0; catalog.instruments.len()];
    if catalog.instruments.is_empty() {
        return counts;
    }
    for _ in 0..20_000 + 60 * u64::from(sizes.open_trades) {
        let (loan, coupon) = markets.draw_loan(&mut dice);
        if let Some(at) = markets.choose(&mut dice, &loan, coupon) {
            counts[at as usize] += catalog.instruments[at as usize].kind.lots;
        }
    }
    counts
}

/// Distributes `total` by weight in whole numbers. The largest remainders are rounded up; ties go
/// to the earlier position.
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
    // The rest is smaller than the number of shares.
    for at in by_remainder.into_iter().take(left as usize) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::apportion;

    #[test]
    fn the_whole_total_is_distributed() {
        assert_eq!(apportion(&[1, 1, 1], 10), [4, 3, 3]);
        assert_eq!(apportion(&[5, 0, 3], 4), [3, 0, 1]);
        assert_eq!(apportion(&[0, 0], 4), [4, 0]);
        assert_eq!(apportion(&[], 0), [0_u64; 0]);
    }
}
