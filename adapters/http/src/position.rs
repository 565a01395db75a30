//! Positions and page sizes that requests give.

use serde::Deserialize;

use crate::problem::{ApiResult, Problem};

/// A position in the log, or a version of a stream.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct Position(pub(crate) u64);

impl TryFrom<u64> for Position {
    type Error = &'static str;
    fn try_from(position: u64) -> Result<Self, Self::Error> {
        match i64::try_from(position) {
            Ok(_) => Ok(Self(position)),
            Err(_) => Err("no log is as long"),
        }
    }
}

/// The size of a page: `usual` if the request has no limit.
pub(crate) fn page_size(limit: Option<usize>, usual: usize, most: usize) -> ApiResult<usize> {
    match limit.unwrap_or(usual) {
        size if (1..=most).contains(&size) => Ok(size),
        size => Err(Problem::bad(format!("limit is {size}; it may be 1 to {most}."))),
    }
}
