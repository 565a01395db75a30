//! Settings from `powerfill.toml` in the working folder, behind flags and `POWERFILL_*`.

use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;

const FILE: &str = "powerfill.toml";

/// What `powerfill.toml` can set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The store, as `--store`.
    pub(crate) store: Option<String>,
    /// Who runs are asked for by, as `--requested-by`.
    pub(crate) requested_by: Option<String>,
}

impl Settings {
    pub(crate) fn read() -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(Path::new(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Failure::Environment(format!("cannot read {FILE}: {error}"))),
        };
        toml::from_str(&text).map_err(|fault| Failure::Environment(format!("{FILE}: {fault}")))
    }

    /// Who asks: the flag or variable, the file, the user of the machine.
    pub(crate) fn requested_by(&self, given: Option<&str>) -> String {
        let user = || std::env::var("USER").ok().filter(|user| !user.is_empty());
        given
            .map(str::to_owned)
            .or_else(|| self.requested_by.clone())
            .or_else(user)
            .unwrap_or_else(|| "powerfill".to_owned())
    }
}
