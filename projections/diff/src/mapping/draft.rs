//! draft
pub fn draft() {}
