//! best_fit (2.7): through the open candidates in rank order, once.

use super::{Allocation, Ended, Turn};
use crate::Cancelled;

pub(super) fn run(allocation: &mut Allocation<'_, '_>, turn: &Turn) -> Result<Ended, Cancelled> {
    for ix in turn.positions() {
        let candidate = allocation.candidate(ix);
        let below_open = allocation.capacity.fill(candidate.trade).is_below_open();
        if below_open && allocation.is_open(candidate) && allocation.fits(candidate) {
            allocation.allocate(ix)?;
        }
    }
    Ok(Ended::ONCE)
}
