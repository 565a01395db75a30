//! The other tables, one file per topic.

pub(crate) mod constraints;
pub(crate) mod instruments;
pub(crate) mod pools;
pub(crate) mod prices;
pub(crate) mod settings;
pub(crate) mod trades;
