//! The section with the loans that have another place, one entry each.

use maud::{Markup, html as markup};

use super::Page;

/// The loans that the section lists at most.
const LISTED: usize = 500;

impl Page<'_> {
    /// The loans of two runs that have another place, and why; nothing if there is none.
    pub(super) fn loans(&self) -> Markup {
        let comparison = self.comparison;
        let [old, new] = comparison.labels();
        let loans = &comparison.loans;
        let all = comparison.diverging_loan_count;
        markup! {
            @if comparison.run_differences.is_some() && !loans.is_empty() {
                section aria-labelledby="loans" {
                    h2 id="loans" { "Loans with another place" }
                    @if all > LISTED as u64 { p.note { "The first " (LISTED) " of " (all) "." } }
                    div.scroll {
                        table.counts {
                            thead {
                                tr {
                                    th scope="col" { "loan" } th.number scope="col" { "amount" }
                                    th scope="col" { (old) } th scope="col" { (new) }
                                    th scope="col" { "because it" }
                                }
                            }
                            tbody {
                                @for path in loans.iter().take(LISTED) {
                                    tr {
                                        th scope="row" { (path.loan_id) }
                                        td.number { (path.loan_amount.as_deref().unwrap_or("")) }
                                        td { (path.here) } td { (path.there) }
                                        td { (path.because) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
