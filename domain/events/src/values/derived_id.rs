//! Ids that follow from content, so that every attempt and every process gets the same.

use uuid::Uuid;

/// The UUID (version 8) of a sequence of bytes. The context separates the purposes: equal bytes of
/// different contexts have different ids. Fields of variable length need their length before them,
/// unless only the last one varies.
pub fn derive_uuid(context: &str, fields: &[&[u8]]) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for field in fields {
        hasher.update(field);
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
