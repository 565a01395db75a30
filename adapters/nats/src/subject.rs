//! Subjects: `powerfill.<tenant>.<kind>.<event_type>`; the kind is `run`, or `config` for the
//! configuration's events.

use std::fmt::Write;

use powerfill_events::config;
use powerfill_ports::events::StoredEvent;

/// What all subjects of PowerFill begin with.
pub const ALL: &str = "powerfill.>";

/// The subject of an event.
pub fn of(event: &StoredEvent) -> String {
    let kind = if event.stream == config::STREAM { "config" } else { "run" };
    format!("powerfill.{}.{kind}.{}", token(event.tenant_id.as_str()), event.event_type)
}

/// All subjects of a tenant.
pub fn all_of(tenant: &str) -> String {
    format!("powerfill.{}.>", token(tenant))
}

/// A name as one part of a subject: letters, digits, `-` and `_` of ASCII as they are, every other
/// byte as `%XX`, since dots, blanks and wildcards mean something to NATS.
fn token(name: &str) -> String {
    let mut token = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
            token.push(char::from(byte));
        } else {
            write!(token, "%{byte:02X}").expect("a string takes every write");
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_tenant_is_more_than_one_part() {
        assert_eq!(all_of("ACME-1_a"), "powerfill.ACME-1_a.>");
        assert_eq!(all_of("a.b *>é%"), "powerfill.a%2Eb%20%2A%3E%C3%A9%25.>");
    }
}
