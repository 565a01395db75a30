//! How far runs are from the best possible (specification part 10).

use powerfill_events::challenge::RunCertificate;

use crate::answer::answer_object;

answer_object! {
    /// How far a run is from the best possible: no allocation of its candidates within rooms,
    /// limits, and priorities is worth more than the bound.
    #[derive(Debug)]
    CertificateView(certificate: RunCertificate) {
        /// The challenge that says so.
        challenge: String = certificate.challenge,
        /// The gap in basis points of the amount of all eligible loans, to one decimal.
        gap_bp: String = certificate.gap_bp.to_string(),
        /// The bound less the worth of the run, in exact dollars.
        gap: String = certificate.certified.gap.to_string(),
        /// The bound, in exact dollars.
        bound: String = certificate.certified.bound.to_string(),
        /// What the run's allocation is worth, in exact dollars.
        run_worth: String = certificate.certified.run_worth.to_string(),
        /// The amount of all eligible loans.
        eligible_amount: String = certificate.certified.eligible_amount.to_string(),
    }
}
