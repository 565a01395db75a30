//! The certificate of a run as one page: what an auditor files. It says who ran what and when, on
//! which input, that the log verifies, that the run is reproduced, and why chosen loans went where
//! they went; it has room to sign.

use maud::{DOCTYPE, Markup, html as markup};
use powerfill_app::replay::{ReplayOutcome, ReplayReport};
use powerfill_app::verify::VerifyReport;
use powerfill_diff::report::page_head;
use powerfill_events::challenge::RunCertificate;
use powerfill_events::log::LogHead;
use powerfill_events::run::event::{Scenario, SourceProvenance};
use powerfill_events::values::Timestamp;
use powerfill_explain::{LoanAccount, usd};
use powerfill_overview::{Overview, OverviewCertificate, OverviewRun};

use crate::commands::challenge::whole_dollars;
use crate::summary::count;
use crate::words::seconds;

const STYLE: &str = include_str!("certificate.css");

/// Those who sign, and what they sign for.
const SIGNERS: [&str; 2] = ["Prepared by", "Reviewed by"];

/// What a certificate says.
pub(crate) struct Certificate {
    /// When the log was verified and the run replayed.
    pub(crate) checked_at: Timestamp,
    pub(crate) overview: Overview,
    pub(crate) verified: VerifyReport,
    /// The first damage of the log, or the first difference of what is kept beside it.
    pub(crate) damage: Option<String>,
    pub(crate) replayed: ReplayReport,
    /// The last append of the log, whose seal covers all before it.
    pub(crate) head: LogHead,
    pub(crate) accounts: Vec<LoanAccount>,
}

impl Certificate {
    /// Whether everything verifies, and the run is reproduced.
    pub(crate) fn is_good(&self) -> bool {
        self.damage.is_none() && self.replayed.is_reproduced()
    }
}

/// The page. It needs no script and no network, and no text of it can act as markup.
pub(crate) fn page(certificate: &Certificate) -> String {
    let run = &certificate.overview.run;
    let document = markup! {
        (DOCTYPE)
        html lang="en" {
            (page_head(&format!("Certificate of run {}", run.run_id), STYLE, None))
            body {
                h1 { "Certificate of an allocation run" }
                p.faint { (run.tenant_id) ", as of " (optional(run.as_of)) ", run " code { (run.run_id) } }
                (verdict(certificate))
                (head(run))
                (input(run))
                (options(run))
                (results(&certificate.overview))
                (checks(certificate))
                (loans(&certificate.accounts))
                (signatures(certificate.checked_at))
            }
        }
    };
    document.into_string()
}

fn optional(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn fact(name: &str, value: impl maud::Render) -> Markup {
    markup! { tr { th scope="row" { (name) } td { (value) } } }
}

fn verdict(certificate: &Certificate) -> Markup {
    let at = seconds(certificate.checked_at);
    match certificate.is_good() {
        true => markup! {
            p.verdict.good {
                "Verified and reproduced: the log is whole, and PowerFill " (env!("CARGO_PKG_VERSION"))
                " decides the same events from the captured input. Checked " (at) "."
            }
        },
        false => markup! {
            p.verdict.bad { "Not verified, or not reproduced: see Checks. Checked " (at) "." }
        },
    }
}

fn head(run: &OverviewRun) -> Markup {
    markup! {
        h2 { "Run" }
        table.facts { tbody {
            (fact("Status", &run.status))
            @if let Some(Scenario { name, base_run, edits, .. }) = &run.origin.scenario {
                (fact("Scenario", format!("{name}, never official")))
                (fact("Edits", edits.join(" ")))
                (fact("Edits of", base_run.as_deref().unwrap_or("the input below")))
            }
            @if let Some(challenge) = &run.origin.challenge {
                (fact("Allocation", markup! { "adopted from " code { (challenge) } }))
            }
            (fact("Requested by", &run.requested_by))
            (fact("Requested", seconds(run.requested_at)))
            (fact("Started", seconds(run.started_at)))
            (fact("Ended", seconds(run.ended_at)))
            (fact("Events", count(run.events)))
            (fact("Engine", &run.engine_version))
            (fact("Specification", &run.spec_version))
            (fact("Output digest", digest(&run.output_digest)))
        } }
    }
}

fn digest(digest: &str) -> Markup {
    markup! { code { (digest) } }
}

fn input(run: &OverviewRun) -> Markup {
    let provenance = run.origin.provenance.as_ref();
    markup! {
        h2 { "Input" }
        table.facts { tbody {
            (fact("Input digest", digest(&run.input_digest)))
            @if let Some(SourceProvenance { kind, place, configuration_version, .. }) = provenance {
                (fact("Read from", format!("{kind}, {place}")))
                (fact("Configuration", match configuration_version {
                    Some(version) => format!("managed, version {version}"),
                    None => "that of the source".to_owned(),
                }))
            } @else {
                (fact("Read from", "not recorded by the version that requested the run"))
            }
            @if let Some(mapping) = &run.mapping {
                (fact("Mapping", markup! { (mapping.file) ", " (digest(&mapping.digest)) }))
                @for file in &mapping.files {
                    (fact("Mapped file", markup! { (file.name) ", " (digest(&file.digest)) }))
                }
            }
            @for warning in &run.source_warnings { (fact("Warning", warning)) }
        } }
        @if let Some(provenance) = provenance { (provenance_tables(provenance)) }
    }
}

fn provenance_tables(provenance: &SourceProvenance) -> Markup {
    markup! {
        @if !provenance.files.is_empty() {
            h3 { "Files" }
            table {
                thead { tr { th { "File" } th.number { "Bytes" } th { "Last changed" } } }
                tbody { @for file in &provenance.files { tr {
                    td { (file.name) }
                    td.number { (count(file.bytes)) }
                    td { (file.modified_at.map(seconds).unwrap_or_default()) }
                } } }
            }
        }
        h3 { "Captured tables" }
        table {
            thead { tr { th { "Table" } th.number { "Rows" } th { "Digest" } } }
            tbody { @for table in &provenance.tables { tr {
                td { (table.table) }
                td.number { (count(table.rows)) }
                td { (digest(&table.digest)) }
            } } }
        }
    }
}

fn options(run: &OverviewRun) -> Markup {
    markup! {
        h2 { "Options" }
        p.faint { "Those that differ from their defaults are bold." }
        table {
            thead { tr { th { "Option" } th { "Value" } th { "Default" } } }
            tbody { @for option in &run.options {
                tr.changed[option.is_changed] {
                    td { (option.name) }
                    td { (optional(option.value.as_ref())) }
                    td { (optional(option.default.as_ref())) }
                }
            } }
        }
    }
}

fn results(overview: &Overview) -> Markup {
    let (run, value) = (&overview.run, &overview.value);
    let amount = |loans: u64, amount| format!("{} loans, {} dollars", count(loans), usd(amount));
    let short = overview.trades.iter().filter(|trade| trade.fill_loans.is_some()).count();
    let loans = run.participation.iter().map(|(name, number)| (format!("loans {name}"), *number));
    let trades = run.inclusion.iter().map(|(name, number)| (format!("trades {name}"), *number));
    markup! {
        h2 { "Result" }
        table.facts { tbody {
            (fact("Value", format!("{} dollars", usd(value.all.value_amount))))
            (fact("In trades of the run", amount(value.all.loans, value.all.loan_amount)))
            (fact("Placed by a pass", amount(value.placed.loans, value.placed.loan_amount)))
            (fact("Kicked out", amount(overview.kickouts.loans, overview.kickouts.loan_amount)))
            (fact("Best possible", best_possible(overview.certificate.as_ref())))
            (fact("Trades", format!(
                "{} in the run, {} short of their band",
                count(overview.trades.len() as u64), count(short as u64)
            )))
        } }
        h3 { "Loans and trades that were considered" }
        (counts(["Kind", "Number"], loans.chain(trades)))
        h3 { "Output tables that the digest covers" }
        (counts(["Table", "Rows"], run.table_rows.iter().map(|(table, rows)| (table, *rows))))
    }
}

/// How far the run is from the best possible.
fn best_possible(certificate: Option<&OverviewCertificate>) -> String {
    let Some(OverviewCertificate { certificate, .. }) = certificate else {
        return "not computed for this run".to_owned();
    };
    let RunCertificate { challenge, gap_bp, certified } = certificate;
    let (gap, eligible) = (whole_dollars(certified.gap), usd(certified.eligible_amount));
    format!("within {gap_bp} bp ({gap}) of {eligible} dollars that are eligible: {challenge}")
}

/// A table of names and numbers.
fn counts(titles: [&str; 2], rows: impl Iterator<Item = (impl maud::Render, u64)>) -> Markup {
    markup! {
        table {
            thead { tr { th { (titles[0]) } th.number { (titles[1]) } } }
            tbody { @for (name, number) in rows {
                tr { td { (name) } td.number { (count(number)) } }
            } }
        }
    }
}

fn checks(certificate: &Certificate) -> Markup {
    let Certificate { overview, verified, damage, replayed, head, .. } = certificate;
    let log = &verified.log;
    let invariants = overview.run.checks.iter();
    let invariants = invariants
        .map(|check| (format!("{}. {}", check.invariant, check.statement), check.checked));
    markup! {
        h2 { "Checks" }
        table.facts { tbody {
            (fact("Verification", match damage {
                None => format!(
                    "hashes and seals of {} events in {} appends match, and the kept tables and \
                     indexes of the run agree with its events",
                    count(log.events), count(log.appends)
                ),
                Some(damage) => format!("DAMAGED: {damage}"),
            }))
            (fact("Replay", replay_words(replayed)))
            (fact("Seal of the log", markup! {
                "append " (count(head.seq)) ", up to event " (count(head.position)) ": "
                (digest(&head.seal.to_hex()))
            }))
        } }
        h3 { "Invariants of the run, checked by code that shares nothing with the engine" }
        (counts(["Invariant", "Checked"], invariants))
    }
}

fn replay_words(replayed: &ReplayReport) -> String {
    let events = count(replayed.events);
    let by = format!("engine {} (specification {})", replayed.replayed_by, replayed.replayed_spec);
    match &replayed.answer {
        ReplayOutcome::Reproduced => format!("{by} decides the same {events} events"),
        ReplayOutcome::ReproducedSoFar { ending } => {
            format!("{by} decides the same {events} events, as far as the run went: {ending}")
        }
        ReplayOutcome::Differs(difference) => {
            format!("NOT REPRODUCED: {by} decides event {} otherwise", difference.stream_version)
        }
        ReplayOutcome::Damaged { message, .. } => {
            format!("NOT REPLAYED, because the recorded run was changed: {message}")
        }
        ReplayOutcome::Unreadable { message, .. } => format!("NOT REPRODUCED: {message}"),
    }
}

fn loans(accounts: &[LoanAccount]) -> Markup {
    markup! {
        @if !accounts.is_empty() { h2 { "Loans" } }
        @for account in accounts {
            h3 { (account.story.loan_id) }
            pre { (account.to_string().trim_end()) }
        }
    }
}

fn signatures(checked_at: Timestamp) -> Markup {
    markup! {
        section.signing {
            h2 { "Signatures" }
            p.faint { "This certificate was made " (seconds(checked_at)) "." }
            div.signatures {
                @for signer in SIGNERS {
                    div { div.signature {} span { (signer) ": name, place, date" } }
                }
            }
        }
    }
}
