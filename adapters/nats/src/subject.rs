//! Subjects: `powerfill.<tenant>.<kind>.<event_type>`. The kind is `run`, or `config` for events of
//! the configuration.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use powerfill_events::stream::Stream;
use powerfill_ports::events::StoredEvent;

/// A pattern for all subjects of PowerFill.
pub const ALL: &str = "powerfill.>";

/// The characters that a token of a subject cannot have, because dots, blanks, and wildcards have a
/// meaning in NATS. `%` is encoded too, so that no two names have the same token.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The subject of an event of this stream.
pub fn event_subject(stream: Stream, event: &StoredEvent) -> String {
    let tenant = utf8_percent_encode(event.tenant_id.as_str(), ENCODED);
    format!("powerfill.{tenant}.{}.{}", stream.kind(), event.event_type)
}

/// A pattern for all subjects of a tenant.
pub fn tenant_subjects(tenant: &str) -> String {
    format!("powerfill.{}.>", utf8_percent_encode(tenant, ENCODED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_tenant_is_one_token() {
        assert_eq!(tenant_subjects("ACME-1_a"), "powerfill.ACME-1_a.>");
        assert_eq!(tenant_subjects("a.b *>é%"), "powerfill.a%2Eb%20%2A%3E%C3%A9%25.>");
    }
}
