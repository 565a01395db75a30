//! best_fit (2.7): goes through the open candidates in rank order, once.

use super::allocation::{Allocation, PassEnd};
use super::turn::Turn;
use crate::recorder::Cancelled;

pub(super) fn run(allocation: &mut Allocation<'_, '_>, turn: &Turn) -> Result<PassEnd, Cancelled> {
    for idx in turn.candidates.iter() {
        let candidate = allocation.candidate(idx);
        let below_open = allocation.capacity.fill(candidate.trade).is_below_open();
        if below_open && allocation.is_open(candidate) && allocation.fits(candidate) {
            allocation.allocate(idx)?;
        }
    }
    Ok(PassEnd::ONCE)
}
