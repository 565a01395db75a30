//! The text of a block, in a buffer that its thread uses again for the next block: a new megabyte
//! for each block costs the system as much as decompressing into it.

use std::cell::Cell;
use std::ops::Deref;

use zstd::bulk::Decompressor;

/// A larger buffer is given back. A block with several events has at most 4 MiB of text.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

#[derive(Default)]
struct Buffers {
    decompressor: Decompressor<'static>,
    lines: Vec<u8>,
}

thread_local! {
    static UNUSED: Cell<Option<Buffers>> = const { Cell::new(None) };
}

/// A text of at most one block.
pub(crate) struct BlockLines(Option<Buffers>);

impl BlockLines {
    /// Decompresses a text of so many bytes; `None` if that is not possible.
    pub(crate) fn decompress(body: &[u8], size: usize) -> Option<Self> {
        let needed = Decompressor::upper_bound(body).unwrap_or(size);
        if needed > size {
            return None;
        }
        let mut text = Self(Some(UNUSED.take().unwrap_or_default()));
        let Buffers { decompressor, lines } = text.0.as_mut()?;
        lines.clear();
        lines.try_reserve(needed).ok()?;
        decompressor.decompress_to_buffer(body, lines).ok()?;
        Some(text)
    }
}

impl Deref for BlockLines {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |buffers| &buffers.lines)
    }
}

impl Drop for BlockLines {
    fn drop(&mut self) {
        let kept = self.0.take().filter(|buffers| buffers.lines.capacity() <= KEPT_BYTES);
        // While the thread ends, there is no place for it.
        let _ = UNUSED.try_with(|unused| unused.set(kept));
    }
}
