//! Which runs leave the store by the policy of `powerfill.toml` (specification 3.5): how long runs
//! stay, and where their evidence goes. Only `archive` and `work --archive` carry it out.

use std::path::PathBuf;

use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::runs::QueuedRun;
use toml::{Table, Value};

use crate::error::CliResult;
use crate::settings::{invalid, text};

/// The policy of a tenant, or of all.
#[derive(Debug, Clone, Default)]
pub(crate) struct RetentionPolicy {
    /// The number of years that runs stay.
    keep_years: Option<u32>,
    /// The number of days that scenarios stay; without it, they stay as long as other runs.
    keep_scenario_days: Option<u32>,
    /// The folder for files of evidence.
    pub(crate) folder: Option<PathBuf>,
}

impl RetentionPolicy {
    /// Takes the settings of the policy out of a table. What a tenant does not say, the settings
    /// above the tenants say, except for the folder: each tenant has its own.
    pub(crate) fn parse(
        table: &mut Table,
        prefix: &str,
        default: Option<&Self>,
    ) -> CliResult<Self> {
        let mut number = |name: &str, unit: &str, least: i64, most: i64| {
            let path = format!("{prefix}{name}");
            match table.remove(name) {
                None => Ok(None),
                Some(Value::Integer(value)) if (least..=most).contains(&value) => {
                    Ok(u32::try_from(value).ok())
                }
                Some(_) => {
                    let message = format!("must be a number of {unit}, from {least} to {most}");
                    Err(invalid(&path, &message))
                }
            }
        };
        let keep_years = number("keep_years", "years", 1, 999)?;
        let keep_scenario_days = number("keep_scenario_days", "days", 0, 36_500)?;
        let folder = text(table, "archive", &format!("{prefix}archive"))?.map(PathBuf::from);
        Ok(Self {
            keep_years: keep_years.or(default.and_then(|policy| policy.keep_years)),
            keep_scenario_days: keep_scenario_days
                .or(default.and_then(|policy| policy.keep_scenario_days)),
            folder,
        })
    }

    /// The policy for a worker to carry out; `None` if runs stay forever.
    pub(crate) fn carried_out(&self, tenant: Option<&TenantId>) -> CliResult<Option<Self>> {
        if self.keep_years.is_none() && self.keep_scenario_days.is_none() {
            return Ok(None);
        }
        if self.folder.is_none() {
            let setting =
                tenant.map_or_else(|| "archive".into(), |id| format!("tenants.{id}.archive"));
            return Err(invalid(&setting, "is missing; --archive needs a folder for evidence"));
        }
        Ok(Some(self.clone()))
    }

    /// What the policy says now; `None` if runs stay forever.
    pub(crate) fn selection(&self, now: Timestamp) -> Option<RunSelection> {
        // A year of retention has 365.25 days.
        let years = |years: u32| Cutoff {
            before: now.plus_days(-(i64::from(years) * 1_461 / 4)),
            reason: Some(format!("older than {years} years")),
        };
        let days = |days: u32| Cutoff {
            before: now.plus_days(-i64::from(days)),
            reason: Some(format!("a scenario older than {days} days")),
        };
        let official = self.keep_years.map(years);
        let scenarios = self.keep_scenario_days.map(days).or_else(|| official.clone());
        (official.is_some() || scenarios.is_some()).then_some(RunSelection { official, scenarios })
    }
}

/// Up to when runs are chosen, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cutoff {
    /// Runs that were requested before this moment.
    pub(crate) before: Timestamp,
    /// Why, for the record.
    pub(crate) reason: Option<String>,
}

/// The runs that are to be archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunSelection {
    /// The runs that are no scenarios; none without a cutoff.
    pub(crate) official: Option<Cutoff>,
    /// The scenarios; none without a cutoff.
    pub(crate) scenarios: Option<Cutoff>,
}

impl RunSelection {
    /// The cutoff of a run that is chosen.
    pub(crate) fn cutoff(&self, run: &QueuedRun) -> Option<&Cutoff> {
        let cutoff = if run.is_scenario { &self.scenarios } else { &self.official };
        cutoff.as_ref().filter(|cutoff| run.requested_at < cutoff.before && run.status.is_over())
    }

    /// With this reason, if one is given.
    pub(crate) fn with_reason(mut self, reason: Option<&str>) -> Self {
        for cutoff in [&mut self.official, &mut self.scenarios].into_iter().flatten() {
            cutoff.reason = reason.map(str::to_owned).or_else(|| cutoff.reason.take());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> RetentionPolicy {
        RetentionPolicy::parse(&mut text.parse().unwrap(), "", None).unwrap()
    }

    #[test]
    fn scenarios_stay_as_long_as_other_runs_unless_the_policy_says_less() {
        let now = Timestamp::start_of("2026-01-15".parse().unwrap());
        assert_eq!(policy("archive = \"a\"").selection(now), None);
        let years = policy("keep_years = 4").selection(now).unwrap();
        assert_eq!(years.official.as_ref().unwrap().before.day().to_string(), "2022-01-15");
        assert_eq!(years.official.as_ref().unwrap().reason.as_deref(), Some("older than 4 years"));
        assert_eq!(years.official, years.scenarios);
        let days = policy("keep_scenario_days = 30").selection(now).unwrap();
        assert_eq!(days.official, None);
        assert_eq!(days.scenarios.unwrap().before.day().to_string(), "2025-12-16");
        let renamed = years.with_reason(Some("audit")).official.unwrap();
        assert_eq!(renamed.reason.as_deref(), Some("audit"));
    }

    #[test]
    fn a_tenant_overrides_the_numbers_of_all_tenants() {
        let all = policy("keep_years = 7\nkeep_scenario_days = 30");
        let mut own = "keep_years = 10\narchive = \"/a\"".parse().unwrap();
        let own = RetentionPolicy::parse(&mut own, "tenants.A.", Some(&all)).unwrap();
        assert_eq!((own.keep_years, own.keep_scenario_days), (Some(10), Some(30)));
        let mut wrong = "keep_years = 1000".parse().unwrap();
        let error = RetentionPolicy::parse(&mut wrong, "tenants.A.", None).unwrap_err();
        assert!(error.to_string().contains("tenants.A.keep_years"), "{error}");
    }
}
