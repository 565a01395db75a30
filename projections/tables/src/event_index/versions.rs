//! Versions of a stream in ascending order, in few bytes: each is stored as its difference from the
//! version before.

use std::fmt;

use integer_encoding::VarInt;

/// The versions of some events of a stream, in ascending order, each once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// The differences as variable-length integers: seven bits per byte, the lowest first.
    bytes: Vec<u8>,
}

/// Bytes that are no [`Versions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a list of rising event versions")]
pub struct NoVersions;

impl Versions {
    /// The stored bytes. [`decode`](Self::decode) checks them.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The versions.
    ///
    /// # Errors
    /// If the bytes are cut off, the versions do not ascend, or a version does not fit into 64
    /// bits.
    pub fn decode(&self) -> Result<Vec<u64>, NoVersions> {
        let mut versions = Vec::with_capacity(self.bytes.len() / 2);
        let (mut rest, mut last) = (&self.bytes[..], 0_u64);
        while !rest.is_empty() {
            let (more, length) = u64::decode_var(rest).ok_or(NoVersions)?;
            last = last.checked_add(more).filter(|_| more > 0).ok_or(NoVersions)?;
            versions.push(last);
            rest = &rest[length..];
        }
        Ok(versions)
    }
}

impl FromIterator<u64> for Versions {
    /// Collects ascending versions, and leaves out a version that is not greater than the last.
    fn from_iter<I: IntoIterator<Item = u64>>(versions: I) -> Self {
        let mut list = Rising::default();
        versions.into_iter().for_each(|version| list.push(version));
        list.finish()
    }
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decode() {
            Ok(versions) => f.debug_list().entries(versions).finish(),
            Err(NoVersions) => write!(f, "{:02x?}", self.bytes),
        }
    }
}

/// A list of [`Versions`] that grows.
#[derive(Debug, Default)]
pub(super) struct Rising {
    last: u64,
    bytes: Vec<u8>,
}

impl Rising {
    /// Adds a version if it is greater than the last.
    pub(super) fn push(&mut self, version: u64) {
        if version > self.last {
            let mut buffer = [0; 10];
            let length = (version - self.last).encode_var(&mut buffer);
            self.bytes.extend_from_slice(&buffer[..length]);
            self.last = version;
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn finish(self) -> Versions {
        Versions { bytes: self.bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_returns_the_versions() {
        for versions in [
            vec![],
            vec![1],
            vec![1, 2, 3],
            vec![127, 254, 382, 2_357_371],
            vec![1, u64::MAX - 1, u64::MAX],
        ] {
            let list: Versions = versions.iter().copied().collect();
            assert_eq!(list.decode(), Ok(versions));
            assert_eq!(Versions::from_bytes(list.as_bytes().to_vec()), list);
        }
    }

    #[test]
    fn an_event_is_listed_once_and_a_neighbor_takes_a_byte() {
        let list: Versions = [5, 5, 6, 7, 7].into_iter().collect();
        assert_eq!((list.as_bytes().len(), list.decode()), (3, Ok(vec![5, 6, 7])));
    }

    #[test]
    fn bytes_that_no_index_writes_are_refused() {
        let largest: Versions = [u64::MAX].into_iter().collect();
        let beyond = [largest.as_bytes(), &[1]].concat();
        for bytes in [&[0][..], &[1, 0], &[0x80], &[1, 0xff], &beyond] {
            assert_eq!(Versions::from_bytes(bytes.to_vec()).decode(), Err(NoVersions), "{bytes:?}");
        }
    }
}
